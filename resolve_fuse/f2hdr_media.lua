--- Bringing rendered frames into Resolve: import as a sequence, tag their color, place them, check the result.
-- Project settings are read and never set; the user's own clips are never deleted, moved or disabled.

local clips = require("f2hdr_clips")
local color = require("f2hdr_color")

local M = {}
local ask = clips.ask

local BIN = "F2HDR"

-- Import --------------------------------------------------------------------------------------------------------

local function bin_of(pool)
    local root = pool:GetRootFolder()
    for _, folder in ipairs(ask(root, "GetSubFolderList") or {}) do
        if folder:GetName() == BIN then return folder end
    end
    return pool:AddSubFolder(root, BIN)
end

local function property(media, name)
    return tostring(ask(media, "GetClipProperty", name) or "")
end

local function is_it(media, wanted)
    local path = property(media, "File Path"):gsub("\\", "/")
    local range = string.format("[%s-%s]", wanted.digits(wanted.first), wanted.digits(wanted.last))
    return path == wanted.head .. range .. wanted.tail
end

local function in_bin(bin, wanted)
    for _, media in ipairs(ask(bin, "GetClipList") or {}) do
        if is_it(media, wanted) then return media end
    end
    return nil
end

local function imported(pool, bin, wanted)
    local before = pool:GetCurrentFolder()
    pool:SetCurrentFolder(bin)
    local pattern = wanted.head .. "%0" .. wanted.padding .. "d" .. wanted.tail
    local list = pool:ImportMedia({{FilePath = pattern, StartIndex = wanted.first, EndIndex = wanted.last}})
    pool:SetCurrentFolder(before)
    return type(list) == "table" and list[1] or in_bin(bin, wanted)
end

--- Set one property and read it back. Returns whether it has the value.
local function stuck(media, name, value)
    ask(media, "SetClipProperty", name, value)
    local now = ask(media, "GetClipProperty", name)
    return now == value or (tonumber(now) ~= nil and tonumber(now) == tonumber(value))
end

--- Import frames as one clip into the bin F2HDR, or find the clip of an earlier run.
-- @param wanted  head, padding, tail, digits (function) of the files; first, last; rate
-- @return the clip and a list of sentences the user must know; or nil and the reason
function M.import(project, wanted)
    local pool = project:GetMediaPool()
    local bin = bin_of(pool)
    if not bin then return nil, 'the bin "' .. BIN .. '" cannot be created in the media pool' end
    local media, notes = in_bin(bin, wanted), {}
    if media then return media, notes end
    media = imported(pool, bin, wanted)
    if not media then
        return nil, "Resolve did not import the frames; they are ready in " .. wanted.head .. " to be imported by hand"
    end
    local frames, count = tonumber(property(media, "Frames")), wanted.last - wanted.first + 1
    if frames ~= count then
        return nil, string.format("Resolve imported %s frames instead of %d", tostring(frames), count)
    end
    if wanted.rate and not stuck(media, "FPS", wanted.rate) then
        local words = "Set the imported clip's frame rate to %g yourself: Resolve did not accept it."
        notes[#notes + 1] = string.format(words, wanted.rate)
    end
    notes[#notes + 1] = color.tag(media, project, wanted.head .. wanted.digits(wanted.first) .. wanted.tail)
    return media, notes
end

-- Placing -------------------------------------------------------------------------------------------------------

local function identity(media)
    return tostring(ask(media, "GetMediaId") or ask(media, "GetUniqueId") or "")
end

local function at(timeline, track, start, media)
    for _, item in ipairs(timeline:GetItemListInTrack("video", track) or {}) do
        local own = ask(item, "GetMediaPoolItem")
        if item:GetStart() == start and own and identity(own) == identity(media) then return item end
    end
    return nil
end

local function is_free(timeline, track, first, last)
    for _, item in ipairs(timeline:GetItemListInTrack("video", track) or {}) do
        if item:GetStart() < last and item:GetEnd() > first then return false end
    end
    return true
end

local function our_tracks(timeline)
    local tracks = {}
    for track = 1, timeline:GetTrackCount("video") do
        if tostring(timeline:GetTrackName("video", track)):sub(1, #clips.TRACK) == clips.TRACK then
            tracks[#tracks + 1] = track
        end
    end
    return tracks
end

local function free_track(timeline, first, last)
    local tracks = our_tracks(timeline)
    for _, track in ipairs(tracks) do
        if ask(timeline, "GetIsTrackLocked", "video", track) ~= true and is_free(timeline, track, first, last) then
            return track
        end
    end
    if ask(timeline, "AddTrack", "video") ~= true then return nil, "Resolve added no track" end
    local track = timeline:GetTrackCount("video")
    timeline:SetTrackName("video", track, #tracks == 0 and clips.TRACK or clips.TRACK .. " " .. (#tracks + 1))
    return track
end

local function append(pool, timeline, track, clip, media, range)
    pool:AppendToTimeline({{
        mediaPoolItem = media, startFrame = range.first, endFrame = range.first + range.length, mediaType = 1,
        trackIndex = track, recordFrame = clip.start,
    }})
    return at(timeline, track, clip.start, media)
end

local function remove(resolve, timeline, item)
    if resolve:GetCurrentPage() ~= "edit" then resolve:OpenPage("edit") end
    timeline:DeleteClips({item}, false)
end

--- Place the clip on a track of F2HDR's own, exactly over the one it was made from, and check the result.
-- Versions of Resolve count the first and last frame differently: the placed item is measured, and placed again once.
local function on_track(host, clip, media)
    local timeline, pool = host.timeline, host.project:GetMediaPool()
    for _, track in ipairs(our_tracks(timeline)) do
        local there = at(timeline, track, clip.start, media)
        if there and there:GetDuration() == clip.duration then return true, "it is already on the timeline" end
    end
    local track, why = free_track(timeline, clip.start, clip.start + clip.duration)
    if not track then return nil, why end
    local range, problem = {first = clip.skip, length = clip.duration}, nil
    for _ = 1, 2 do
        local item = append(pool, timeline, track, clip, media, range)
        if not item then return nil, "Resolve did not place the frames; they are in the bin " .. BIN end
        local offset, duration = math.floor(item:GetLeftOffset() + 0.5), item:GetDuration()
        if offset == clip.skip and duration == clip.duration then return true, "placed on track " .. track, item end
        remove(host.resolve, timeline, item)
        problem = string.format(
            "Resolve placed %d frames from frame %d instead of %d from %d", duration, offset, clip.duration, clip.skip
        )
        range = {first = range.first + clip.skip - offset, length = range.length + clip.duration - duration}
    end
    return nil, problem .. "; it was removed again, the frames are in the bin " .. BIN
end

local function as_take(clip, media)
    local item = clip.item
    for index = 1, ask(item, "GetTakesCount") or 0 do
        local take = ask(item, "GetTakeByIndex", index)
        if take and take.mediaPoolItem and identity(take.mediaPoolItem) == identity(media) then
            return true, "it is already a take"
        end
    end
    if not item:AddTake(media, clip.skip, clip.skip + clip.duration - 1) then return nil, "Resolve added no take" end
    local index = item:GetTakesCount()
    item:SelectTakeByIndex(index)
    if item:GetDuration() == clip.duration and item:GetSelectedTakeIndex() == index then
        return true, "added as take " .. index
    end
    item:SelectTakeByIndex(1)
    item:DeleteTakeByIndex(index)
    return nil, "the take did not have the clip's length and was removed again; the frames are in the bin " .. BIN
end

--- Put an imported clip where the user wants it.
-- @param host       resolve, project, timeline
-- @param clip       from f2hdr_clips.describe
-- @param placement  "track", "take" or "pool"
-- @return true, what was done and the new item if there is one; or nil and the reason
function M.place(host, clip, media, placement)
    if placement == "pool" then return true, "in the bin " .. BIN end
    if placement == "take" then return as_take(clip, media) end
    return on_track(host, clip, media)
end

return M
