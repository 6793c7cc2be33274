--- Windows for scripts where the edition has them (UIManager): the settings, and progress with a Cancel button.
-- Elsewhere the settings are a text file (f2hdr_settings) and progress is lines in the Console.

local settings = require("f2hdr_settings")
local system = require("f2hdr_system")

local M = {}

local Window = {}
Window.__index = Window
local STEP_S = 0.02

--- Whether windows may be made: from 19.1 on the free edition opens a sales dialog if a script only reads UIManager.
local function may_have_windows(resolve)
    if resolve:GetProductName() == "DaVinci Resolve Studio" then return true end
    local version = resolve:GetVersion()
    local major, minor = tonumber(version and version[1]) or 0, tonumber(version and version[2]) or 0
    return major > 0 and (major < 19 or (major == 19 and minor < 1))
end

local function widget_of(ui, field, value)
    if field.choices then return ui:ComboBox({ID = field.name, ToolTip = field.help, Weight = 2}) end
    return ui:LineEdit({ID = field.name, Text = tostring(value), ToolTip = field.help, Weight = 2})
end

local function rows_of(ui, values, words)
    local rows = {ui:Label({ID = "Words", Text = words, WordWrap = true})}
    for _, field in ipairs(settings.FIELDS) do
        rows[#rows + 1] = ui:HGroup({
            ui:Label({Text = field.label, ToolTip = field.help, Weight = 1}), widget_of(ui, field, values[field.name]),
        })
    end
    rows[#rows + 1] = ui:HGroup({
        ui:Button({ID = "Cancel", Text = "Cancel"}), ui:Button({ID = "Render", Text = "Render"}),
    })
    return rows
end

local function fill_menus(items, values)
    for _, field in ipairs(settings.FIELDS) do
        for index, choice in ipairs(field.choices or {}) do
            items[field.name]:AddItem(choice)
            if choice == values[field.name] then items[field.name].CurrentIndex = index - 1 end
        end
    end
end

local function values_of(items)
    local values = {}
    for _, field in ipairs(settings.FIELDS) do
        local item = items[field.name]
        values[field.name] = field.choices and item.CurrentText or item.Text
    end
    return values
end

local function asked(host, values, words)
    local ui = host.fusion.UIManager
    local dispatcher = host.bmd.UIDispatcher(ui)
    local attributes = {ID = "F2HDRSettings", WindowTitle = "F2HDR", Geometry = {200, 200, 560, 420}}
    local window = dispatcher:AddWindow(attributes, ui:VGroup(rows_of(ui, values, words)))
    local items, pressed = window:GetItems(), nil
    fill_menus(items, values)
    window.On.Render.Clicked = function() pressed = "render" end
    window.On.Cancel.Clicked = function() pressed = "cancel" end
    window.On.F2HDRSettings.Close = function() pressed = "cancel" end
    window:Show()
    while not pressed do
        dispatcher:StepLoop()
        if not pressed then system.sleep(STEP_S) end
    end
    local chosen = values_of(items)
    window:Hide()
    return pressed == "render", chosen
end

--- Show the settings in a window and wait for Render or Cancel.
-- @param host    resolve, fusion, bmd: the globals of Resolve's scripts
-- @param values  from f2hdr_settings.read
-- @param words   what is about to be rendered
-- @return true and the values; false if the user canceled; or nil where there are no windows
function M.ask(host, values, words)
    if not may_have_windows(host.resolve) then return nil end
    local ok, render, chosen = pcall(asked, host, values, words)
    if not ok then return nil end
    return render, chosen
end

local function opened(host)
    local ui = host.fusion.UIManager
    local dispatcher = host.bmd.UIDispatcher(ui)
    local attributes = {ID = "F2HDR", WindowTitle = "F2HDR", Geometry = {200, 200, 520, 120}}
    local window = dispatcher:AddWindow(attributes, ui:VGroup({
        ui:Label({ID = "Words", Text = "F2HDR", WordWrap = true}), ui:Button({ID = "Cancel", Text = "Cancel"}),
    }))
    return window, dispatcher
end

--- Open the progress.
-- @param host  resolve, fusion, bmd: the globals of Resolve's scripts
function M.open(host)
    local self = setmetatable({canceled = false, last = ""}, Window)
    if not may_have_windows(host.resolve) then return self end
    local ok, window, dispatcher = pcall(opened, host)
    if not ok or not window then return self end
    self.window, self.dispatcher = window, dispatcher
    window.On.Cancel.Clicked = function() self.canceled = true end
    window.On.F2HDR.Close = function() self.canceled = true end
    window:Show()
    return self
end

--- Show words, and process the window's clicks. Returns whether the user pressed Cancel.
function Window:show(words)
    if self.window then
        self.window:GetItems().Words.Text = words
        self.dispatcher:StepLoop()
    elseif words ~= self.last then
        print("F2HDR: " .. words)
    end
    self.last = words
    return self.canceled
end

--- Close it.
function Window:close()
    if self.window then self.window:Hide() end
end

return M
