--- Render one frame with the backend, for a host that has pixels but no files: the window is written as float EXR, the
-- Shot is submitted, and the path of the result is returned. Results are stored under a fingerprint of every pixel of
-- the window and of every setting, so that a changed picture or control never shows an old frame.

local system = require("f2hdr_system")
local json = require("f2hdr_json")
local numbers = require("f2hdr_numbers")
local exposure = require("f2hdr_exposure")
local exr_write = require("f2hdr_exr_write")
local exr_read = require("f2hdr_exr_read")
local cache = require("f2hdr_cache")

local M = {}

local WIDEST_SEEN = 640
local MOST_BYTES = 4 * 1024 ^ 3

local function numbered(name, frame)
    return string.format(frame < 0 and "%s.%07d.exr" or "%s.%06d.exr", name, frame)
end

--- Write some frames under temporary names, every so many pixels.
-- @return their files and samples by frame number, and the fingerprint of all pixels; or nil and the reason
local function written(folder, request, sources, every)
    local mark, files, samples = numbers.fingerprint(), {}, {}
    local stem = folder .. "/new-" .. system.unique()
    for _, source in ipairs(sources) do
        local width, height = math.ceil(request.width / every), math.ceil(request.height / every)
        local seen = exposure.samples(width, request.space, request.clip_level)
        local path = numbered(stem, source.frame)
        local picture = {
            width = width, height = height, channels = {"B", "G", "R"}, fingerprint = mark,
        }
        mark:text(string.format("%d %dx%d;", source.frame, width, height))
        local ok, why = exr_write.write(path, picture, function(y, planes)
            source.fill(y * every, planes, every)
            seen.add(y, planes)
        end)
        if not ok then
            for _, done in pairs(files) do system.remove(done) end
            return nil, why
        end
        files[source.frame], samples[source.frame] = path, seen.list
    end
    return {files = files, samples = samples, mark = mark}
end

local function discard(files)
    for _, path in pairs(files) do system.remove(path) end
end

--- Move files into a folder as frames of one sequence. Returns true, or nil and the reason.
local function moved(files, folder, name)
    local ok, why = system.make_folder(folder)
    for frame, path in pairs(files) do
        if ok then ok, why = system.replace(path, numbered(folder .. "/" .. name, frame)) end
    end
    if not ok then discard(files) end
    return ok, why
end

local function shot_of(request, folder, frame)
    local engine = request.engine
    return {
        version = 1,
        plate = folder .. "/plate.######.exr",
        frames = tostring(frame),
        color = {input_space = request.space, clip_level = {request.clip_level}},
        engine = {
            quality = engine.quality, method = engine.method, weights = engine.weights,
            reference_trust = engine.reference_trust,
        },
        output = {
            pattern = folder .. "/hdr.######.exr", anchor = request.anchor, layers = json.array(request.layers),
            pixel_type = "float", compression = "none",
        },
    }
end

local function ev_of(pattern, frame)
    for _, exception in ipairs(pattern.exceptions or {}) do
        if exception[1] == frame then return exception[2] end
    end
    return pattern.cycle[(frame - pattern.start) % #pattern.cycle + 1]
end

--- How many stops brighter the frame is than each neighbor that can be compared with it.
local function compared(samples, frame)
    local brighter = {}
    for _, neighbor in ipairs({frame - 1, frame + 1}) do
        local stops = samples[neighbor] and exposure.step(samples[neighbor], samples[frame])
        if stops then brighter[#brighter + 1] = {frame = neighbor, stops = stops} end
    end
    return brighter
end

--- Decide the frame's exposure: from the pixels; where they are not conclusive, from the shot's pattern or as the user
-- set it.
local function exposures_of(request, samples)
    local pattern, frame = request.pattern, request.frame
    local short, long = math.min(unpack(pattern.cycle)), math.max(unpack(pattern.cycle))
    local brighter = compared(samples, frame)
    local exact = request.space == "linear" or request.space == "gamma22"
    local word, why = exposure.judge(frame, brighter, long - short, exact)
    if why then return nil, why end
    local expected = pattern.start and (ev_of(pattern, frame) == long and "long" or "short")
    if word and expected and word ~= expected and request.user_phase then
        local words = "Frame %d is the %s exposure by its pixels, but the control Phase makes it the %s one."
        return nil, string.format(words, frame, word, expected)
    end
    word = word or expected
    if not word then
        return nil, "Too little of frame " .. frame
            .. " is well exposed in two successive frames to determine its exposure. Set the control Phase."
    end
    return {cycle = {short, long}, start = word == "short" and frame or frame - 1, exceptions = json.array()}
end

local function words_of(status)
    if status.state == "failed" then return status.message end
    if status.state == "canceled" then return "Canceled." end
    local message = status.message ~= "" and status.message or "F2HDR is rendering."
    return "Not ready yet: " .. message .. " Show this frame again in a moment."
end

--- The files of a result: the frame and the record that the backend writes next to it.
local function names_of(frame)
    return {numbered("hdr", frame), string.format("hdr.%d-%d.f2hdr.json", frame, frame)}
end

--- Delete the plates of a window that no job needs any more; the result, if there is one, is kept and listed.
local function without_plates(live, window)
    local folder = live .. "/" .. window.digest
    for frame in pairs(window.files) do system.remove(numbered(folder .. "/plate", frame)) end
    system.remove_folder(folder)
    cache.note(live, window.digest, names_of(window.frame), MOST_BYTES)
end

local function has_plates(live, window)
    local frame = next(window.files)
    return system.exists(numbered(live .. "/" .. window.digest .. "/plate", frame))
end

--- List what a window's folder is going to contain.
local function noted(live, window)
    local names = names_of(window.frame)
    for frame in pairs(window.files) do names[#names + 1] = numbered("plate", frame) end
    cache.note(live, window.digest, names, MOST_BYTES)
end

--- Render a window in its own folder, if that has not been done before.
-- @param window  from written, with digest, and the frame to render
-- @return the path of the result; or nil, the reason, and true if the user canceled
local function rendered(door, request, window, shot)
    local live = door.folder .. "/live"
    local folder = live .. "/" .. window.digest
    local result = numbered(folder .. "/hdr", window.frame)
    if system.exists(result) then
        discard(window.files)
        -- An earlier call did not wait until the render was done.
        if has_plates(live, window) then without_plates(live, window) end
        return result
    end
    local ok, why = moved(window.files, folder, "plate")
    if not ok then return nil, why end
    noted(live, window)
    local job, refused = door:submit(shot, window.digest, {interactive = true})
    local status = job and door:wait(job, request) or {state = "failed", message = refused}
    if status.state == "done" or status.state == "failed" then without_plates(live, window) end
    if status.state ~= "done" then return nil, words_of(status), status.state == "canceled" end
    job:forget()
    if system.exists(result) then return result end
    return nil, 'The backend reports that it is done, but "' .. result .. '" does not exist.'
end

--- Find the exposures of a shot from some successive frames.
-- @param door     from f2hdr.door
-- @param request  as for M.frame, and seen: list of {frame, fill} of successive frames
-- @return the pattern {cycle, start, exceptions}; or nil, the reason, and true if the user canceled
function M.detect(door, request)
    local live = door.folder .. "/live"
    local ok, why = system.make_folder(live)
    if not ok then return nil, why end
    local found, problem = written(live, request, request.seen, math.max(1, math.ceil(request.width / WIDEST_SEEN)))
    if not found then return nil, problem end
    found.mark:text(request.space .. " " .. tostring(request.clip_level) .. " " .. (system.getenv("OCIO") or ""))
    found.digest, found.frame = found.mark:digest(), request.seen[math.ceil(#request.seen / 2)].frame
    local shot = shot_of(request, live .. "/" .. found.digest, found.frame)
    shot.engine, shot.output.layers = {method = "merge"}, json.array()
    local result, refused, stopped = rendered(door, request, found, shot)
    if not result then return nil, refused, stopped end
    local reader, unread = exr_read.open(result)
    if not reader then return nil, unread end
    local settled = json.decode(reader:text("f2hdr/shot") or "")
    reader:close()
    if type(settled) ~= "table" or type(settled.exposures) ~= "table" then
        return nil, 'the file "' .. result .. '" does not contain the exposures'
    end
    return settled.exposures
end

--- Render one frame.
-- @param door     from f2hdr.door
-- @param request  frame; sources: list of {frame, fill} of the frame and those of its neighbors that exist, ascending,
--                 fill(y, planes, every) sets planes 1 to 3 (blue, green, red) to every so many pixels of row y (0 is
--                 the top); width, height; space, clip_level; engine; anchor; layers;
--                 pattern {cycle, start or nil}, user_phase (true if the user gave start);
--                 stopped, progress and timeout as for door:wait
-- @return the path of the result; or nil, the reason, and true if the user canceled
function M.frame(door, request)
    local live = door.folder .. "/live"
    local ok, why = system.make_folder(live)
    if not ok then return nil, why end
    local window, problem = written(live, request, request.sources, 1)
    if not window then return nil, problem end
    local exposures, unknown = exposures_of(request, window.samples)
    if not exposures then
        discard(window.files)
        return nil, unknown
    end
    local shot = shot_of(request, "", request.frame)
    shot.exposures, shot.cuts = exposures, json.array()
    window.mark:text(json.encode(shot) .. (system.getenv("OCIO") or ""))
    window.digest, window.frame = window.mark:digest(), request.frame
    local folder = live .. "/" .. window.digest
    shot.plate, shot.output.pattern = folder .. shot.plate, folder .. shot.output.pattern
    return rendered(door, request, window, shot)
end

return M
