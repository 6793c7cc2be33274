--- One frame through the backend, from a host that has pixels but no files: the window is written as float EXR, the
-- Shot is submitted, and the path of the result comes back. Results are kept under a fingerprint of every pixel of the
-- window and of every setting, so that a changed picture or control never shows an old frame.

local system = require("f2hdr_system")
local json = require("f2hdr_json")
local numbers = require("f2hdr_numbers")
local exposure = require("f2hdr_exposure")
local exr_write = require("f2hdr_exr_write")
local exr_read = require("f2hdr_exr_read")

local M = {}

local WIDEST_SEEN = 640

local function numbered(name, frame)
    return string.format(frame < 0 and "%s.%07d.exr" or "%s.%06d.exr", name, frame)
end

--- Write some frames under temporary names, every so many pixels.
-- @return their files and samples by frame number, and the fingerprint of all pixels; or nil and why not
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
        if not ok then return nil, why end
        files[source.frame], samples[source.frame] = path, seen.list
    end
    return {files = files, samples = samples, mark = mark}
end

local function discard(files)
    for _, path in pairs(files) do system.remove(path) end
end

--- Move files into a folder as frames of one sequence. Returns true, or nil and why not.
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
        engine = {method = engine.method, weights = engine.weights, reference_trust = engine.reference_trust},
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

--- How much brighter the frame is than those neighbors that can be compared with it.
local function compared(samples, frame)
    local brighter = {}
    for _, neighbor in ipairs({frame - 1, frame + 1}) do
        local stops = samples[neighbor] and exposure.step(samples[neighbor], samples[frame])
        if stops then brighter[#brighter + 1] = {frame = neighbor, stops = stops} end
    end
    return brighter
end

--- Decide the frame's exposure: from pixels; where they tell nothing, from the shot's pattern or as the user said.
local function exposures_of(request, samples)
    local pattern, frame = request.pattern, request.frame
    local short, long = math.min(unpack(pattern.cycle)), math.max(unpack(pattern.cycle))
    local brighter = compared(samples, frame)
    local exact = request.space == "linear" or request.space == "gamma22"
    local word, why = exposure.judge(frame, brighter, long - short, exact)
    if why then return nil, why end
    local said = pattern.start and (ev_of(pattern, frame) == long and "long" or "short")
    if word and said and word ~= said and request.user_phase then
        local words = "Frame %d is the %s exposure by its pixels, but the control Phase makes it the %s one."
        return nil, string.format(words, frame, word, said)
    end
    word = word or said
    if not word then
        return nil, "Too little of frame " .. frame
            .. " is well exposed in two successive frames to tell its exposure. Set the control Phase."
    end
    return {cycle = {short, long}, start = word == "short" and frame or frame - 1, exceptions = json.array()}
end

local function rendered(door, shot, name, request)
    local job, why = door:submit(shot, name, {interactive = true})
    if not job then return nil, why end
    local status = door:wait(job, request)
    if status.state == "done" then
        job:forget()
        return true
    end
    if status.state == "failed" then return nil, status.message end
    if status.state == "cancelled" then return nil, "Canceled.", true end
    local message = status.message ~= "" and status.message or "F2HDR is at work."
    return nil, "Not ready yet: " .. message .. " Look at this frame again in a moment."
end

--- Find the exposures of a shot from some successive frames.
-- @param door     from f2hdr.door
-- @param request  as for M.frame, and seen: list of {frame, fill} of successive frames
-- @return the pattern {cycle, start, exceptions}, or nil, why not, and true if the user stopped it
function M.detect(door, request)
    local live = door.folder .. "/live"
    local ok, why = system.make_folder(live)
    if not ok then return nil, why end
    local found, problem = written(live, request, request.seen, math.max(1, math.ceil(request.width / WIDEST_SEEN)))
    if not found then return nil, problem end
    found.mark:text(request.space .. " " .. tostring(request.clip_level))
    local digest = found.mark:digest()
    local folder, frame = live .. "/" .. digest, request.seen[math.ceil(#request.seen / 2)].frame
    local result = numbered(folder .. "/hdr", frame)
    if system.exists(result) then
        discard(found.files)
    else
        ok, why = moved(found.files, folder, "plate")
        if not ok then return nil, why end
        local shot = shot_of(request, folder, frame)
        shot.engine, shot.output.layers = {method = "merge"}, json.array()
        local stopped
        ok, why, stopped = rendered(door, shot, digest, request)
        if not ok then return nil, why, stopped end
        for _, source in ipairs(request.seen) do system.remove(numbered(folder .. "/plate", source.frame)) end
    end
    local reader, unread = exr_read.open(result)
    if not reader then return nil, unread end
    local settled = json.decode(reader:text("f2hdr/shot") or "")
    reader:close()
    if type(settled) ~= "table" or type(settled.exposures) ~= "table" then
        return nil, 'the file "' .. result .. '" does not tell the exposures'
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
-- @return the path of the result; or nil, why not, and true if the user stopped it
function M.frame(door, request)
    local live = door.folder .. "/live"
    local ok, why = system.make_folder(live)
    if not ok then return nil, why end
    local window, problem = written(live, request, request.sources, 1)
    if not window then return nil, problem end
    local exposures, untold = exposures_of(request, window.samples)
    if not exposures then
        discard(window.files)
        return nil, untold
    end
    local shot = shot_of(request, "", request.frame)
    shot.exposures, shot.cuts = exposures, json.array()
    window.mark:text(json.encode(shot))
    local digest = window.mark:digest()
    local folder = live .. "/" .. digest
    local result = numbered(folder .. "/hdr", request.frame)
    if system.exists(result) then
        discard(window.files)
        return result
    end
    ok, why = moved(window.files, folder, "plate")
    if not ok then return nil, why end
    shot.plate, shot.output.pattern = folder .. shot.plate, folder .. shot.output.pattern
    local stopped
    ok, why, stopped = rendered(door, shot, digest, request)
    if not ok then return nil, why, stopped end
    if not system.exists(result) then
        return nil, 'The backend said that it is done, but "' .. result .. '" is not there.'
    end
    for _, source in ipairs(request.sources) do system.remove(numbered(folder .. "/plate", source.frame)) end
    return result
end

return M
