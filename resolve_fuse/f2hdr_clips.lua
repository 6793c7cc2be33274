--- Which clips of a timeline to render, whether F2HDR can render them, and which frames of their media they use.

local sequences = require("f2hdr_sequence")
local system = require("f2hdr_system")

local M = {}

M.TRACK = "F2HDR"
local CANNOT_OPEN = {braw = true, r3d = true, crm = true, nev = true, ari = true, arx = true}
local SAME_RATE = 0.01

--- Call a method that not every version has. Returns what it returns, or nil.
local function ask(object, method, ...)
    local arguments = {...}
    local ok, answer = pcall(function() return object[method](object, unpack(arguments)) end)
    return ok and answer or nil
end
M.ask = ask

local function whole(number)
    return math.floor((tonumber(number) or 0) + 0.5)
end

local function is_ours(timeline, track)
    return tostring(ask(timeline, "GetTrackName", "video", track) or ""):sub(1, #M.TRACK) == M.TRACK
end

--- Every item of the video tracks that are F2HDR's own (ours true) or the user's (false), from the left.
local function video_items(timeline, ours)
    local found = {}
    for track = 1, timeline:GetTrackCount("video") do
        local wanted = is_ours(timeline, track) == ours
        for _, item in ipairs(wanted and timeline:GetItemListInTrack("video", track) or {}) do
            found[#found + 1] = item
        end
    end
    return found
end

local function property(media, name)
    return tostring(ask(media, "GetClipProperty", name) or "")
end

--- Start and file: they identify an item of F2HDR's tracks in every version.
local function place_of(item)
    return tostring(ask(item, "GetStart")) .. " " .. property(ask(item, "GetMediaPoolItem"), "File Path")
end

--- Return function(item): whether the item is on a track of F2HDR's own; a result is not a plate.
local function result_test(timeline)
    local results = {}
    for _, item in ipairs(video_items(timeline, true)) do results[place_of(item)] = true end
    return function(item) return results[place_of(item)] == true end
end

local function those(items, wanted)
    local kept = {}
    for _, item in ipairs(items) do
        if wanted(item) then kept[#kept + 1] = item end
    end
    return kept
end

local function marked_range(timeline)
    local marks = ask(timeline, "GetMarkInOut")
    local video = type(marks) == "table" and marks.video
    if type(video) ~= "table" or not video["in"] or not video.out then return nil end
    return video["in"], video.out
end

local function is_video(item)
    local place = ask(item, "GetTrackTypeAndIndex")
    return type(place) ~= "table" or place[1] == nil or place[1] == "video"
end

--- The clips to render: those selected; where Resolve does not report the selection (before 21.0.4), those of a clip
-- color, else those between the marks, else the one under the playhead. Items of F2HDR's own tracks are never rendered;
-- if one is under the playhead, the clip that it covers is taken.
-- @return the items, and how they were found: "selected", "colored", "marked" or "current"
function M.collect(timeline, color)
    local selected = those(ask(timeline, "GetSelectedClips") or {}, is_video)
    local is_result = result_test(timeline)
    if #selected > 0 then
        return those(selected, function(item) return not is_result(item) end), "selected"
    end
    local items = video_items(timeline, false)
    local colored = those(items, function(item) return ask(item, "GetClipColor") == color end)
    if #colored > 0 then return colored, "colored" end
    local first, last = marked_range(timeline)
    if first then
        return those(items, function(item) return item:GetStart() <= last and item:GetEnd() > first end), "marked"
    end
    local current = ask(timeline, "GetCurrentVideoItem")
    if not current or not is_result(current) then return current and {current} or {}, "current" end
    return those(items, function(item)
        return item:GetStart() == current:GetStart() and item:GetDuration() == current:GetDuration()
    end), "current"
end

--- The plate as F2HDR names it, and the number of its first frame.
-- Resolve writes a sequence as "folder/name.[1001-1100].exr"; frames of a movie count from 1.
function M.plate_of(path)
    local head, first, tail = path:match("^(.*)%[(%d+)%-%d+%]([^/\\]*)$")
    if not head then return path, 1 end
    return head .. ("#"):rep(#first) .. tail, tonumber(first)
end

local function media_problem(media)
    local path = property(media, "File Path")
    if path == "" then return "it has no media file of its own (compound, multicam, timeline or generated clip)" end
    local ending = (path:match("%.([^./\\]+)$") or ""):lower()
    if CANNOT_OPEN[ending] then
        return "F2HDR cannot open ." .. ending .. " files; render the clip to EXR or ProRes first and use that"
    end
    if whole(property(media, "Frames")) < 2 then return "it is a still: a single frame has no alternating exposures" end
    local plate, first = M.plate_of(path)
    local sequence = plate ~= path and sequences.parse(plate)
    local file = sequence and sequence:path(first) or path
    if not system.exists(file) then return 'its media is offline: "' .. file .. '" cannot be read' end
    local field = property(media, "Field Dominance"):lower()
    if field:find("upper") or field:find("lower") then return "it is interlaced" end
    return nil
end

local function speed_problem(item, media, timeline)
    local rate, own = tonumber(timeline:GetSetting("timelineFrameRate")), tonumber(property(media, "FPS"))
    if rate and own and math.abs(rate - own) > SAME_RATE then
        return string.format(
            "its media has %g frames a second, the timeline %g: mixed rates blend or repeat frames", own, rate
        )
    end
    local first, last = ask(item, "GetSourceStartFrame"), ask(item, "GetSourceEndFrame")
    if not first or not last or (first == 0 and last == 0) then return nil end
    if math.abs(last - first - item:GetDuration()) > 1 then
        return string.format(
            "it is retimed: %d timeline frames show %d source frames", item:GetDuration(), last - first
        )
    end
    return nil
end

--- Return the reason why a clip cannot be rendered; nil if it can.
function M.problem(item, timeline)
    local media = ask(item, "GetMediaPoolItem")
    if not media then return "it has no clip in the media pool (title, generator or Fusion clip)" end
    return media_problem(media) or speed_problem(item, media, timeline)
end

--- The frames of its media that a clip uses, with handles as far as the media has frames.
-- @return name, media, plate, rate; first and last (frame numbers of the plate to render), skip (how many of them come
--         before the clip's first), start and duration (timeline frames)
function M.describe(item, handles)
    local media = item:GetMediaPoolItem()
    local plate, number = M.plate_of(property(media, "File Path"))
    local offset, duration = whole(item:GetLeftOffset()), item:GetDuration()
    local from = math.max(0, offset - handles)
    local to = math.min(whole(property(media, "Frames")) - 1, offset + duration - 1 + handles)
    return {
        item = item, name = item:GetName(), media = media, plate = plate, rate = tonumber(property(media, "FPS")),
        first = number + from, last = number + to, skip = offset - from, start = item:GetStart(), duration = duration,
    }
end

return M
