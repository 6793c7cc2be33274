--- Progress with a Cancel button where the edition has windows for scripts, else lines in the Console.

local M = {}

local Window = {}
Window.__index = Window

--- Whether windows may be made: from 19.1 on the free edition opens a sales dialog for the mere question.
local function may_have_windows(resolve)
    if resolve:GetProductName() == "DaVinci Resolve Studio" then return true end
    local version = resolve:GetVersion()
    local major, minor = tonumber(version and version[1]) or 0, tonumber(version and version[2]) or 0
    return major > 0 and (major < 19 or (major == 19 and minor < 1))
end

local function opened(host)
    local ui = host.fusion.UIManager
    if not ui then return nil end
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

--- Show words, and let the window see its clicks. Returns whether the user pressed Cancel.
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
