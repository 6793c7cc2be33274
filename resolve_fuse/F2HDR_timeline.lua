--[[ F2HDR for the timeline: renders the selected clips to scene-linear HDR and places the result over them.

Workspace > Scripts > F2HDR_timeline. Where menu scripts do not start, type into the Console:
    dofile("<path of this file>")
Settings are in a window where the edition has windows for scripts, else in a text file that this script creates and
opens. ]]

print("F2HDR: timeline script starts")

local function where()
    local version = resolve and resolve:GetVersion()
    local words = {}
    for index = 1, 3 do words[index] = tostring(version and version[index] or "?") end
    return (resolve and resolve:GetProductName() or "no Resolve") .. " " .. table.concat(words, ".")
end

local modules = {}
for _, name in ipairs({
    "f2hdr", "f2hdr_clips", "f2hdr_json", "f2hdr_media", "f2hdr_numbers", "f2hdr_sequence", "f2hdr_settings",
    "f2hdr_system", "f2hdr_window",
}) do
    local ok, found = pcall(require, name)
    if not ok then
        print("F2HDR: the module " .. name .. " was not found. " .. where() .. ". Looked in: "
            .. tostring(package and package.path) .. ". Run the installer again.")
        return
    end
    modules[name] = found
end

local function plain(name)
    local safe = name:gsub("%.[^.]*$", ""):gsub("[^%w_%-]+", "_"):gsub("^_+", ""):gsub("_+$", "")
    return safe ~= "" and safe or "clip"
end

--- The Shot of a clip, and the sequence it is rendered to; other settings use another folder.
local function shot_of(clip, chosen, project)
    local shot = {
        version = 1, plate = clip.plate, color = {input_space = chosen.input_space},
        engine = {quality = chosen.quality, method = chosen.method, weights = chosen.weights},
        output = {anchor = tostring(chosen.anchor), pixel_type = "half", compression = "zip"},
    }
    local mark = modules.f2hdr_numbers.fingerprint()
    mark:text(modules.f2hdr_json.encode(shot))
    local digest = mark:digest()
    local root = (chosen.folder ~= "" and chosen.folder or modules.f2hdr_system.home() .. "/F2HDR"):gsub("\\", "/")
    local name = plain(clip.name)
    local folder = root .. "/" .. plain(project:GetName()) .. "/" .. name .. "_" .. digest:sub(1, 8)
    shot.frames = string.format("%d-%d", clip.first, clip.last)
    shot.output.pattern = folder .. "/" .. name .. ".######.exr"
    return shot, modules.f2hdr_sequence.parse(shot.output.pattern), digest
end

local function progress_words(label, status)
    if status.total == 0 then return label .. status.message end
    local words = string.format("%sframe %d of %d", label, status.done, status.total)
    local left = (status.seconds_per_frame or 0) * (status.total - status.done)
    return left > 0 and string.format("%s, about %d s left", words, math.ceil(left)) or words
end

local function rendered(host, clip, shot, digest, label)
    local name = "clip-" .. digest .. "-" .. clip.first .. "-" .. clip.last
    local job, why = host.door:submit(shot, name, {})
    if not job then return nil, why end
    if not host.window.window then print("F2HDR: " .. job:how_to_stop()) end
    local canceled = false
    local status = host.door:wait(job, {
        progress = function(now) canceled = host.window:show(progress_words(label, now)) or canceled end,
        stopped = function() return canceled end,
    })
    if status.state == "done" then
        job:forget()
        return true, status.warnings
    end
    return nil, status.message, status.state == "canceled"
end

local function delivered(host, clip, sequence)
    local wanted = {
        head = sequence.head, tail = sequence.tail, padding = sequence.padding, first = clip.first, last = clip.last,
        rate = clip.rate, digits = function(frame) return string.format("%0" .. sequence.padding .. "d", frame) end,
    }
    local media, notes = modules.f2hdr_media.import(host.project, wanted)
    if not media then return nil, notes end
    local ok, done, item = modules.f2hdr_media.place(host, clip, media, host.chosen.placement)
    if not ok then return nil, done end
    if item and #notes > 0 then
        modules.f2hdr_clips.ask(item, "AddMarker", 0, "Blue", "F2HDR", table.concat(notes, " "), 1, "f2hdr")
    end
    return true, done, notes
end

--- Render one clip and place the result. Returns words for the report, and whether the user canceled.
local function treated(host, item, label)
    local problem = modules.f2hdr_clips.problem(item, host.timeline)
    if problem then return "refused: " .. problem end
    local clip = modules.f2hdr_clips.describe(item, host.chosen.handles)
    local shot, sequence, digest = shot_of(clip, host.chosen, host.project)
    local ok, why, canceled = rendered(host, clip, shot, digest, label .. clip.name .. ": ")
    if not ok then return (canceled and "canceled: finished frames are kept" or "failed: " .. why), canceled end
    local placed, done, notes = delivered(host, clip, sequence)
    if not placed then return "rendered, but not delivered: " .. done end
    local words = {string.format("done, frames %d-%d, %s.", clip.first, clip.last, done)}
    for _, note in ipairs(notes) do words[#words + 1] = note end
    for _, warning in ipairs(why) do words[#words + 1] = warning end
    return table.concat(words, " ")
end

--- As treated, but an error becomes words for the report: the other clips are still rendered.
local function reported(host, item, label)
    local ok, words, canceled = pcall(treated, host, item, label)
    if not ok then words, canceled = "stopped by an error in " .. where() .. ": " .. tostring(words), false end
    print("F2HDR: " .. tostring(modules.f2hdr_clips.ask(item, "GetName") or "a clip") .. ": " .. words)
    return canceled or host.window.canceled
end

--- The settings as the user wants them: from the window, and kept; else from the file, which is created if need be.
-- @return the settings, or nil if the user canceled
local function settled(globals, chosen, words)
    local render, entered = modules.f2hdr_window.ask(globals, chosen, "Render " .. words .. " to HDR.")
    if render == false then return nil end
    if render == nil then
        local path, why = modules.f2hdr_settings.offer(chosen, bmd)
        print("F2HDR: " .. (path and "settings: " .. path or why))
        return chosen
    end
    local kept, problems = modules.f2hdr_settings.check(entered)
    for _, problem in ipairs(problems) do print("F2HDR: " .. problem .. " The default is used.") end
    local ok, why = modules.f2hdr_settings.write(kept)
    if not ok then print("F2HDR: the settings were not saved: " .. why) end
    return kept
end

local function run()
    local project = resolve:GetProjectManager():GetCurrentProject()
    local timeline = project and project:GetCurrentTimeline()
    if not timeline then return print("F2HDR: open a timeline first.") end
    local globals = {resolve = resolve, fusion = fusion, bmd = bmd}
    local chosen, problems = modules.f2hdr_settings.read(fusion)
    for _, problem in ipairs(problems) do print("F2HDR: " .. problem .. " The default is used.") end
    local items, how = modules.f2hdr_clips.collect(timeline, chosen.color)
    if #items == 0 then
        return print("F2HDR: there is no clip to render. Select clips (Resolve 21.0.4 and later), give them the clip "
            .. "color " .. chosen.color .. ", set in and out marks, or put the playhead on one.")
    end
    local words = string.format("%d %s clip%s", #items, how, #items == 1 and "" or "s")
    chosen = settled(globals, chosen, words)
    if not chosen then return print("F2HDR: canceled; nothing was rendered.") end
    local door, why = modules.f2hdr.door({backend = chosen.backend})
    if not door then return print("F2HDR: " .. why) end
    print("F2HDR: " .. words .. ", " .. where())
    local host = {
        resolve = resolve, project = project, timeline = timeline, chosen = chosen, door = door,
        window = modules.f2hdr_window.open(globals),
    }
    for index, item in ipairs(items) do
        local canceled = reported(host, item, string.format("clip %d of %d, ", index, #items))
        if canceled and index < #items then print("F2HDR: canceled: " .. #items - index .. " more not rendered.") end
        if canceled then break end
    end
    host.window:close()
end

if not resolve then
    print("F2HDR: this script runs inside DaVinci Resolve; there is no Resolve here.")
else
    local ok, why = pcall(run)
    if not ok then print("F2HDR: stopped by an error in " .. where() .. ": " .. tostring(why)) end
end
