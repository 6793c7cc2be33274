--- A stand-in for Fusion: loads a .fuse unchanged and runs its events, with images, requests and a composition as
-- Blackmagic's Fuse SDK guide describes them. What the guide warns of is refused here: reading outside the data window,
-- requesting a neighbor in precalc, an image that was never filled.
--
--     luajit fusion.lua SCENARIO.json RESULT.json

local json = require("f2hdr_json")
local system = require("f2hdr_system")
local exr_read = require("f2hdr_exr_read")
local exr_write = require("f2hdr_exr_write")

CT_Tool, CT_SourceTool = "Tool", "SourceTool"
REQF_Quick, REQF_PreCalc, REQF_SecondaryTime = 1, 8, 67108864
CHAN_RED, CHAN_GREEN, CHAN_BLUE, ANY_TYPE = 0, 1, 2, -1

local report = {said = {}, asked = {}, outputs = {}, progress = {}, executed = {}}
local ffi = system.ffi

function print(...)
    local words = {}
    for index = 1, select("#", ...) do words[index] = tostring((select(index, ...))) end
    table.insert(report.said, table.concat(words, "\t"))
end

-- Images --------------------------------------------------------------------------------------------------------

function Pixel(values)
    local pixel = {R = 0, G = 0, B = 0, A = 0}
    for name, value in pairs(values or {}) do pixel[name] = value end
    return pixel
end

local ImageClass = {}
ImageClass.__index = ImageClass

local function rectangle(left, bottom, right, top)
    return {left = left, bottom = bottom, right = right, top = top}
end

ImgRectI = rectangle

function Image(options)
    local like = options.IMG_Like or {}
    local img = setmetatable({}, ImageClass)
    for _, name in ipairs({"Width", "Height", "Depth", "ProxyScale", "OriginalWidth", "OriginalHeight"}) do
        img[name] = options["IMG_" .. name] or like[name]
    end
    img.ProxyScale = img.ProxyScale or 1
    img.DataWindow = options.IMG_DataWindow or like.DataWindow or rectangle(0, 0, img.Width, img.Height)
    img.empty = options.IMG_NoData or false
    if not img.empty then
        local count = img.Width * img.Height * 4
        img.values = ffi and ffi.new("float[?]", count) or {}
        img.filled = 0
    end
    return img
end

local function place(img, x, y)
    local window = img.DataWindow
    if x < window.left or x >= window.right or y < window.bottom or y >= window.top then
        error("crash: pixel " .. x .. "," .. y .. " is outside the data window")
    end
    if img.empty then error("crash: this image has no data") end
    return (y * img.Width + x) * 4
end

function ImageClass:GetPixel(x, y, pixel)
    local at, values = place(self, x, y), self.values
    pixel.R, pixel.G, pixel.B, pixel.A = values[at], values[at + 1], values[at + 2], values[at + 3]
end

function ImageClass:SetPixel(x, y, pixel)
    local at, values = place(self, x, y), self.values
    values[at], values[at + 1], values[at + 2], values[at + 3] = pixel.R, pixel.G, pixel.B, pixel.A
    self.filled = self.filled + 1
end

function ImageClass:Clear()
    for at = 0, self.Width * self.Height * 4 - 1 do self.values[at] = 0 end
end

--- A plate as a Loader gives it: row 0 at the bottom, alpha 1, and not at all where there is no file.
local function load_image(path, scenario)
    local reader = exr_read.open(path)
    if not reader then return nil end
    local scale = scenario.proxy or 1
    local width, height = math.floor(reader.width / scale), math.floor(reader.height / scale)
    local img = Image({
        IMG_Width = width, IMG_Height = height, IMG_Depth = 5, IMG_ProxyScale = scale,
        IMG_OriginalWidth = reader.width, IMG_OriginalHeight = reader.height,
    })
    local all = {}
    assert(reader:read({"R", "G", "B"}, function(y, planes)
        local row = height - 1 - math.floor(y / scale)
        if y % scale == 0 and row >= 0 then
            for x = 0, width - 1 do
                img:SetPixel(x, row, {R = planes[1][x * scale], G = planes[2][x * scale], B = planes[3][x * scale], A = 1})
            end
        end
    end))
    reader:close()
    if scenario.data_window then
        local left, bottom, right, top = unpack(scenario.data_window)
        img.DataWindow = rectangle(left, bottom, right, top)
    end
    return img, all
end

local function save_image(img, path)
    if img.filled < img.Width * img.Height then error("the image was not filled: it would show old memory") end
    local picture = {width = img.Width, height = img.Height, channels = {"A", "B", "G", "R"}}
    assert(exr_write.write(path, picture, function(y, planes)
        local start = (img.Height - 1 - y) * img.Width * 4
        for x = 0, img.Width - 1 do
            local at = start + x * 4
            planes[4][x], planes[3][x] = img.values[at], img.values[at + 1]
            planes[2][x], planes[1][x] = img.values[at + 2], img.values[at + 3]
        end
    end))
end

-- The tool ------------------------------------------------------------------------------------------------------

local scenario = assert(json.decode(assert(system.read_all(arg[1]))))
for name, value in pairs(scenario) do
    if value == json.null then scenario[name] = nil end
end

local InputClass = {}
InputClass.__index = InputClass
local inputs, order, page = {}, {}, "Controls"
local plate = {}

local function default_of(attributes)
    return attributes.INP_Default or attributes.INPID_DefaultID or attributes.INPS_DefaultText
end

function InputClass:GetValue(req)
    if self.attributes.LINKID_DataType == "Image" then error("the input sends no request: use GetSource") end
    local value = scenario.inputs and scenario.inputs[self.id]
    if value == nil then value = default_of(self.attributes) end
    return value ~= nil and {Value = value} or nil
end

function InputClass:GetSource(time, flags)
    table.insert(report.asked, {time, flags or 0})
    if self.request and self.request:IsPreCalc() and time ~= self.request.Time then
        error("crash: a neighbor was asked for in precalc")
    end
    local path = scenario.frames[string.format("%d", math.floor(time + 0.5))]
    if not path then return nil end
    if self.request and self.request:IsPreCalc() then
        local img = load_image(path, scenario)
        return img and Image({IMG_Like = img, IMG_NoData = true})
    end
    if scenario.keep and plate[path] then return plate[path] end
    local img = load_image(path, scenario)
    plate[path] = img
    return img
end

function InputClass:SetAttrs(attributes)
    for name, value in pairs(attributes) do self.attributes[name] = value end
end

local tool = {Name = scenario.name or "F2HDR1", Status = scenario.status or "OK", started = os.clock()}
if scenario.status == "" then tool.Status = nil end
tool.Comp = {MapPath = function(_, path) return (path:gsub("^Comp:", scenario.comp_folder or "")) end}
-- What a Fuse can ask a composition is not documented: its range may be fields, attributes, or not there at all.
if scenario.comp_range == "attributes" then
    function tool.Comp:GetAttrs()
        return {COMPN_GlobalStart = scenario.global_start, COMPN_GlobalEnd = scenario.global_end}
    end
elseif scenario.comp_range == "raises" then
    setmetatable(tool.Comp, {__index = function(_, name) error("a composition has no " .. name) end})
elseif scenario.comp_range ~= "missing" then
    tool.Comp.GlobalStart, tool.Comp.GlobalEnd = scenario.global_start, scenario.global_end
end

function tool:AddInput(label, id, attributes)
    if inputs[id] then error("two inputs have the id " .. id) end
    local input = setmetatable({id = id, label = label, attributes = attributes, page = page}, InputClass)
    inputs[id] = input
    table.insert(order, id)
    return input
end

function tool:AddOutput(label, id, attributes)
    return {
        id = id,
        Set = function(_, req, img) req.output = {img = img} end,
    }
end

function tool:AddControlPage(name)
    page = name
end

function tool:SetProgress(share)
    table.insert(report.progress, share)
    if scenario.abort_on_progress then self.Status = "Aborted" end
end

--- Fusion's EXR reader. It knows every compression, fills only the channels that were asked for (the others, alpha too,
-- stay as they were) and takes no care of the image's size; here "a.exr" is decoded by way of "a.exr.plain" beside it.
if scenario.exrio then
    function EXRIO()
        local exr = {wanted = {}, problem = ""}
        function exr:ReadOpen(path) self.path = path end
        function exr:ReadHeader() self.reader, self.problem = exr_read.open(self.path .. ".plain") end
        function exr:Part() end
        function exr:Channel(name, _, _, channel) self.wanted[#self.wanted + 1] = {name, channel} end
        function exr:ReadPart(_, images)
            if not self.reader then return end
            local names, letters = {}, {}
            for index, pair in ipairs(self.wanted) do
                names[index], letters[index] = pair[1], ({[0] = "R", "G", "B"})[pair[2]]
            end
            self.reader:read(names, function(y, planes)
                for x = 0, self.reader.width - 1 do
                    local pixel, row = Pixel(), self.reader.height - 1 - y
                    images[1]:GetPixel(x, row, pixel)
                    for index, letter in ipairs(letters) do pixel[letter] = planes[index][x] end
                    images[1]:SetPixel(x, row, pixel)
                end
            end)
        end
        function exr:GetLastError() return self.problem or "" end
        function exr:Close() if self.reader then self.reader:close() end end
        return exr
    end
end

if scenario.broken then package.preload[scenario.broken] = function() error("module not found") end end

bmd = {wait = system.sleep, fileexists = system.exists}

function FuRegisterClass(id, kind, attributes)
    report.registered = {id = id, kind = kind, attributes = {}}
    for name, value in pairs(attributes) do report.registered.attributes[name] = value end
end

-- Events --------------------------------------------------------------------------------------------------------

local RequestClass = {}
RequestClass.__index = RequestClass

local function bit_set(value, bit)
    return math.floor(value / 2 ^ bit) % 2 == 1
end

function RequestClass:GetFlags() return self.flags end
function RequestClass:IsPreCalc() return bit_set(self.flags, 3) end
function RequestClass:IsQuick() return bit_set(self.flags, 0) end

local function run_fuse()
    if scenario.no_require then require = nil end
    if scenario.no_package then package = nil end
    self = nil
    assert(loadfile(scenario.fuse))()
    self = tool
    assert(loadfile(scenario.fuse))()
    Create()
end

local function described()
    local controls = json.array()
    for _, id in ipairs(order) do
        local input, choices = inputs[id], json.array()
        for _, choice in ipairs(input.attributes) do choices[#choices + 1] = {choice.CCID_AddID, choice.CCS_AddString} end
        local value = scenario.inputs and scenario.inputs[id]
        if value == nil then value = default_of(input.attributes) end
        controls[#controls + 1] = {
            id = id, label = input.attributes.LINKS_Name or input.label, page = input.page, choices = choices,
            control = input.attributes.INPID_InputControl or "Image", value = value,
            visible = input.attributes.IC_Visible ~= false, low = input.attributes.INP_MinScale,
            high = input.attributes.INP_MaxScale,
        }
    end
    return controls
end

local function process(index, event)
    local req = setmetatable({Time = event.time, flags = event.flags or 0}, RequestClass)
    if event.status then tool.Status = event.status end
    if event.abort_after then
        local began = os.time()
        setmetatable(tool, {__index = function(_, name)
            if name == "Status" then return os.time() - began >= event.abort_after and "Aborted" or "OK" end
        end})
        tool.Status = nil
    end
    inputs.Input.request = req
    local before, used = os.time(), os.clock()
    Process(req)
    local out = req.output and req.output.img
    local result = {seconds = os.clock() - used, waited = os.time() - before, set = req.output ~= nil}
    if out then
        result.width, result.height, result.depth = out.Width, out.Height, out.Depth
        result.empty = out.empty
        if not out.empty and event.save then save_image(out, event.save) end
    end
    report.outputs[index] = result
    setmetatable(tool, nil)
    tool.Status = scenario.status or "OK"
    if scenario.status == "" then tool.Status = nil end
end

--- Resolve as a script on its Fusion page sees it: the clip at the playhead.
local function clip_at_playhead(facts)
    local media = {GetClipProperty = function(_, name) return facts.properties[name] or "" end}
    local item = {
        GetName = function() return facts.name end, GetMediaPoolItem = function() return media end,
        GetLeftOffset = function() return facts.offset end, GetDuration = function() return facts.duration end,
        GetStart = function() return 86400 end,
    }
    local timeline = {GetCurrentVideoItem = function() return item end, GetSetting = function() return "24" end}
    local project = {GetCurrentTimeline = function() return timeline end}
    return {GetProjectManager = function() return {GetCurrentProject = function() return project end} end}
end

if scenario.clip then
    local object = clip_at_playhead(scenario.clip)
    if scenario.clip.by == "fusion" then
        fusion = {GetResolve = function() return object end}
    elseif scenario.clip.by == "scriptapp" then
        bmd.scriptapp = function() return object end
    else
        resolve = object
    end
end

--- Press a button: its text runs where comp and tool are known, as in Fusion's script context.
local function press(id)
    local handle = {
        Name = tool.Name, Message = inputs.Message,
        GetInput = function(_, name)
            local value = inputs[name]:GetValue()
            return value and value.Value
        end,
        SetInput = function(_, name, value) scenario.inputs[name] = value end,
    }
    local comp = {
        MapPath = tool.Comp.MapPath,
        GetAttrs = function()
            return {COMPN_RenderStart = scenario.global_start or 0, COMPN_RenderEnd = scenario.global_end or 0}
        end,
    }
    local run = assert(loadstring(inputs[id].attributes.BTNCS_Execute))
    setfenv(run, setmetatable({comp = comp, tool = handle}, {__index = _G}))
    run()
end

local function write_report()
    report.controls = described()
    report.refresh = scenario.inputs and scenario.inputs.Refresh
    assert(system.write_all(arg[2], json.encode(report)))
end

run_fuse()
for index, event in ipairs(scenario.events or {}) do
    if event.change then
        NotifyChanged(inputs[event.change], {Value = event.value}, 0)
        scenario.inputs[event.change] = event.value
        report.outputs[index] = json.null
    elseif event.press then
        local began = os.time()
        repeat
            press(event.press)
            local said = report.said[#report.said]
            local enough = not event["until"] or said:find(event["until"], 1, true) or os.time() - began > 90
            if not enough then system.sleep(0.5) end
        until enough
        report.outputs[index] = json.null
    else
        process(index, event)
    end
end
write_report()
