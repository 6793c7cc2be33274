--- A stand-in for DaVinci Resolve: runs the timeline script unchanged against objects that answer as the scripting
-- README and users describe: failures are false or nil, an append that overlaps is dropped,
-- imports go to the current bin, clips are deleted on the Edit page only.
--
--     luajit resolve.lua SCENARIO.json RESULT.json

local json = require("f2hdr_json")
local system = require("f2hdr_system")
local sequences = require("f2hdr_sequence")

local scenario = assert(json.decode(assert(system.read_all(arg[1]))))
for name, value in pairs(scenario) do
    if value == json.null then scenario[name] = nil end
end
local quirks = scenario.quirks or {}
local report = {said = json.array(), settings_set = 0, words = json.array(), deleted = 0}

function print(...)
    local words = {}
    for index = 1, select("#", ...) do words[index] = tostring((select(index, ...))) end
    table.insert(report.said, table.concat(words, "\t"))
end

-- Media pool ----------------------------------------------------------------------------------------------------

local ids = 0

local function media_of(facts)
    ids = ids + 1
    local media, id = {properties = facts.properties, markers = {}}, "media-" .. ids
    function media:GetMediaId() return id end
    function media:GetName() return self.properties["Clip Name"] or id end
    function media:GetClipProperty(name) return self.properties[name] or "" end
    function media:SetClipProperty(name, value)
        local accepted = (quirks.accepts or {})[name]
        if type(accepted) == "table" then
            local fits = false
            for _, one in ipairs(accepted) do fits = fits or one == value end
            if not fits then return false end
        elseif accepted == false or self.properties[name] == nil then
            return false
        end
        self.properties[name] = value
        local other = (quirks.resets or {})[name]
        if other then self.properties[other] = "Project" end
        return true
    end
    return media
end

local function folder_of(name)
    local folder = {clips = {}, folders = {}}
    function folder:GetName() return name end
    function folder:GetClipList() return self.clips end
    function folder:GetSubFolderList() return self.folders end
    return folder
end

local root = folder_of("Master")
local current = root
local pool = {}
function pool:GetRootFolder() return root end
function pool:GetCurrentFolder() return current end
function pool:SetCurrentFolder(folder)
    current = folder
    return true
end
function pool:AddSubFolder(parent, name)
    local folder = folder_of(name)
    table.insert(parent.folders, folder)
    return folder
end

function pool:ImportMedia(list)
    local wanted = list[1]
    local sequence = assert(sequences.parse(wanted.FilePath))
    for frame = wanted.StartIndex, wanted.EndIndex do
        if not system.exists(sequence:path(frame)) then return {} end
    end
    local function digits(frame) return string.format("%0" .. sequence.padding .. "d", frame) end
    local media = media_of({properties = {
        ["File Path"] = sequence.head .. "[" .. digits(wanted.StartIndex) .. "-" .. digits(wanted.EndIndex) .. "]" .. sequence.tail,
        Frames = tostring(wanted.EndIndex - wanted.StartIndex + 1), FPS = 24, Start = tostring(wanted.StartIndex),
        ["Input Color Space"] = "Project", ["Input Gamma"] = "Gamma 2.4",
    }})
    table.insert(current.clips, media)
    return quirks.import_tells_nothing and {} or {media}
end

-- Timeline ------------------------------------------------------------------------------------------------------

local all_media = {}
for index, facts in ipairs(scenario.media) do all_media[index] = media_of(facts) end

local is_over = false

local function item_of(facts)
    local item = {facts = facts, takes = {}, markers = json.array()}
    function item:GetName() return facts.name end
    function item:GetStart() return facts.start end
    function item:GetDuration() return facts.duration end
    function item:GetEnd() return facts.start + facts.duration end
    function item:GetLeftOffset()
        if facts.raises and not is_over then error("Resolve does not answer") end
        return facts.offset
    end
    function item:GetMediaPoolItem() return facts.media end
    function item:GetClipColor() return facts.color or "" end
    function item:GetTrackTypeAndIndex() return {facts.kind or "video", facts.track} end
    if facts.source then
        function item:GetSourceStartFrame() return facts.source[1] end
        function item:GetSourceEndFrame() return facts.source[2] end
    end
    function item:AddMarker(frame, color, name, note)
        table.insert(self.markers, note)
        return true
    end
    function item:GetTakesCount() return #self.takes end
    function item:GetTakeByIndex(index) return self.takes[index] end
    function item:GetSelectedTakeIndex() return self.selected end
    function item:AddTake(media, first, last)
        if first == nil then return false end
        if #self.takes == 0 then self.takes[1] = {startFrame = 0, endFrame = 0, mediaPoolItem = facts.media} end
        table.insert(self.takes, {startFrame = first, endFrame = last, mediaPoolItem = media})
        return true
    end
    function item:SelectTakeByIndex(index)
        self.selected = index
        local take = self.takes[index]
        if index > 1 and quirks.take_shifts then facts.duration = take.endFrame - take.startFrame end
        if index == 1 then facts.duration = facts.own_duration end
        return true
    end
    function item:DeleteTakeByIndex(index)
        table.remove(self.takes, index)
        return true
    end
    facts.own_duration = facts.duration
    return item
end

local tracks = {}
for index, facts in ipairs(scenario.timeline.tracks) do
    local track = {name = facts.name, locked = facts.locked, items = {}}
    for _, one in ipairs(facts.items) do
        one.media, one.track = one.media ~= json.null and all_media[one.media] or nil, index
        table.insert(track.items, item_of(one))
    end
    tracks[index] = track
end

local timeline = {}
function timeline:GetTrackCount() return #tracks end
function timeline:GetTrackName(_, index) return tracks[index].name end
function timeline:SetTrackName(_, index, name)
    tracks[index].name = name
    return true
end
function timeline:GetIsTrackLocked(_, index) return tracks[index].locked or false end
function timeline:GetItemListInTrack(_, index) return tracks[index] and tracks[index].items or {} end
function timeline:GetSetting(name) return name == "timelineFrameRate" and scenario.timeline.rate or "" end
function timeline:GetCurrentVideoItem()
    local at = scenario.timeline.current
    return at and tracks[at[1]].items[at[2]] or nil
end
function timeline:AddTrack()
    if quirks.no_new_tracks then return false end
    table.insert(tracks, {name = "Video " .. (#tracks + 1), items = {}})
    return true
end
if scenario.timeline.marks then
    function timeline:GetMarkInOut() return scenario.timeline.marks end
end
if scenario.timeline.selected then
    function timeline:GetSelectedClips()
        local list = {}
        for _, at in ipairs(scenario.timeline.selected) do list[#list + 1] = tracks[at[1]].items[at[2]] end
        return list
    end
end

local resolve_object = {page = scenario.page or "edit"}

function timeline:DeleteClips(items)
    if resolve_object.page ~= "edit" then return false end
    for _, track in ipairs(tracks) do
        for index = #track.items, 1, -1 do
            if track.items[index] == items[1] then
                table.remove(track.items, index)
                report.deleted = report.deleted + 1
            end
        end
    end
    return true
end

function pool:AppendToTimeline(list)
    local info = list[1]
    local track = tracks[info.trackIndex]
    local length = info.endFrame - info.startFrame + (quirks.end_counts or 0)
    if quirks.always_long then length = length + 5 * (report.deleted + 1) end
    local facts = {
        name = info.mediaPoolItem:GetName(), start = info.recordFrame, duration = length,
        offset = info.startFrame + (quirks.start_counts or 0), media = info.mediaPoolItem, track = info.trackIndex,
    }
    for _, item in ipairs(track.items) do
        if item:GetStart() < facts.start + length and item:GetEnd() > facts.start then return {} end
    end
    table.insert(track.items, item_of(facts))
    local dead = setmetatable({}, {__index = function() return function() return nil end end})
    return {dead}
end

-- Application ---------------------------------------------------------------------------------------------------

local project = {}
function project:GetName() return scenario.project or "Film Ü 1" end
function project:GetMediaPool() return pool end
function project:GetCurrentTimeline() return not scenario.no_timeline and timeline or nil end
function project:GetSetting(name) return (scenario.settings or {})[name] or "" end
function project:SetSetting()
    report.settings_set = report.settings_set + 1
    return true
end

function resolve_object:GetProductName() return scenario.product or "DaVinci Resolve Studio" end
function resolve_object:GetVersion() return scenario.version or {21, 0, 4, 1, ""} end
function resolve_object:GetProjectManager() return {GetCurrentProject = function() return project end} end
function resolve_object:GetCurrentPage() return self.page end
function resolve_object:OpenPage(page)
    self.page = page
    return true
end

resolve = not scenario.no_resolve and resolve_object or nil
fusion = setmetatable({
    GetData = function(_, name) return (scenario.data or {})[name] end,
    SetData = function() end,
}, {__index = function(_, name)
    if name ~= "UIManager" then return nil end
    report.asked_for_windows = true
    if quirks.no_windows then return nil end
    return setmetatable({}, {__index = function(_, kind)
        return function(_, attributes)
            attributes.kind = kind
            if kind == "ComboBox" then
                attributes.choices = {}
                function attributes:AddItem(text) table.insert(self.choices, text) end
                setmetatable(attributes, {__index = function(menu, name)
                    if name == "CurrentText" then return menu.choices[(rawget(menu, "CurrentIndex") or 0) + 1] end
                end})
            end
            return attributes
        end
    end})
end})

--- The widgets of a window by ID; a menu's CurrentText follows its CurrentIndex.
local function items_of(group, found)
    for _, widget in ipairs(group) do
        if widget.kind == "HGroup" or widget.kind == "VGroup" then items_of(widget, found) end
        if widget.ID then found[widget.ID] = widget end
    end
    return found
end

--- The user changes settings in the window and presses a button.
local function use_settings(items, window)
    report.offered = {}
    for name, item in pairs(items) do
        report.offered[name] = item.kind == "ComboBox" and item.choices or item.Text
    end
    for name, value in pairs(scenario.entered or {}) do
        local item = items[name]
        if item.kind == "ComboBox" then item.CurrentText = value else item.Text = value end
    end
    window.On[scenario.presses or "Render"].Clicked({})
end

bmd = {UIDispatcher = function()
    local steps = 0
    local words = setmetatable({}, {__newindex = function(_, _, text) table.insert(report.words, text) end})
    local window, items = {On = setmetatable({}, {__index = function(all, id)
        all[id] = {}
        return all[id]
    end})}, nil
    function window:Show() report.shown = true end
    function window:Hide() report.shown = false end
    function window:GetItems() return items.Render and items or {Words = words} end
    return {
        AddWindow = function(_, _, group)
            items = items_of(group, {})
            return window
        end,
        StepLoop = function()
            if items.Render then return use_settings(items, window) end
            steps = steps + 1
            if quirks.cancel_at_step == steps then window.On.Cancel.Clicked({}) end
        end,
    }
end}
if not quirks.no_opener then bmd.openfileexternal = function(_, path) report.opened = path end end

if scenario.broken then package.preload[scenario.broken] = function() error("module not found") end end
for _ = 1, scenario.times or 1 do assert(loadfile(scenario.script))() end

is_over = true
report.tracks = json.array()
for index, track in ipairs(tracks) do
    local items = json.array()
    for place, item in ipairs(track.items) do
        local media = item:GetMediaPoolItem()
        items[place] = {
            name = item:GetName(), start = item:GetStart(), duration = item:GetDuration(), offset = item:GetLeftOffset(),
            path = media and media.properties["File Path"] or json.null, markers = item.markers, takes = #item.takes,
            selected_take = item.selected or 0,
        }
    end
    report.tracks[index] = {name = track.name, items = items}
end
report.bins = {}
for _, folder in ipairs(root.folders) do
    local list = json.array()
    for index, media in ipairs(folder.clips) do list[index] = media.properties end
    report.bins[folder:GetName()] = list
end
report.in_root, report.page, report.bin_restored = #root.clips, resolve_object.page, current == root
assert(system.write_all(arg[2], json.encode(report)))
