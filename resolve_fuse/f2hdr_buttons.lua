--- What the Fuse's buttons do. They run in the composition's script context, separate from the Fuse's Process: they
-- share only the cache folder. Messages go to the tool's message line and to the Console.

local f2hdr = require("f2hdr")
local clips = require("f2hdr_clips")
local json = require("f2hdr_json")
local numbers = require("f2hdr_numbers")
local sequences = require("f2hdr_sequence")
local system = require("f2hdr_system")

local M = {}

local MOVIES = {mov = true, mp4 = true, m4v = true, mxf = true, avi = true, mkv = true, webm = true}

local function say(tool, message)
    print(tool.Name .. ": " .. message)
    tool.Message:SetAttrs({LINKS_Name = message})
end

local function path_of(comp, tool, id)
    local text = tool:GetInput(id) or ""
    return text ~= "" and comp:MapPath(text) or ""
end

local function open_door(comp, tool)
    return f2hdr.door({backend = path_of(comp, tool, "Backend"), folder = path_of(comp, tool, "Folder")})
end

local function job_name(rendered)
    local mark = numbers.fingerprint()
    mark:text(rendered:pattern())
    return "range-" .. mark:digest()
end

local function plate_of(path)
    local ending = path:match("%.([^./\\]+)$") or ""
    if MOVIES[ending:lower()] then return path end
    local sequence = sequences.parse(path)
    return sequence and sequence:pattern()
end

local function exposures_of(tool, offset)
    if tool:GetInput("Exposures") ~= "values" or tool:GetInput("Phase") ~= "frame" then return nil end
    return {
        cycle = {tool:GetInput("ShortEV"), tool:GetInput("LongEV")},
        start = tool:GetInput("ShortFrame") + offset, exceptions = json.array(),
    }
end

local function shot_of(comp, tool, plate, rendered)
    local offset, range = tool:GetInput("Offset"), comp:GetAttrs()
    local space, anchor = tool:GetInput("Space"), tool:GetInput("Anchor")
    local layers = {coarse = {"coarse"}, motion = {"mask"}, occlusion = {"occlusion"}}
    return {
        version = 1, plate = plate, exposures = exposures_of(tool, offset),
        frames = string.format("%d-%d", range.COMPN_RenderStart + offset, range.COMPN_RenderEnd + offset),
        color = {
            input_space = space == "named" and tool:GetInput("SpaceName") or space,
            clip_level = {space == "gamma22" and 1 or tool:GetInput("ClipLevel")},
        },
        engine = {
            quality = tool:GetInput("Quality"), method = tool:GetInput("Method"), weights = tool:GetInput("Weights"),
            reference_trust = tool:GetInput("ReferenceTrust"),
        },
        output = {
            pattern = rendered:pattern(), anchor = anchor == "ev" and tostring(tool:GetInput("AnchorEV")) or anchor,
            layers = json.array(layers[tool:GetInput("View")]), pixel_type = "half", compression = "none",
        },
    }
end

--- Resolve's object, wherever this version has it in the script context; nil in Fusion Studio.
local function resolve_object()
    local places = {
        function() return resolve end, function() return fusion:GetResolve() end,
        function() return app:GetResolve() end, function() return bmd.scriptapp("Resolve") end,
    }
    for _, place in ipairs(places) do
        local ok, found = pcall(place)
        if ok and found then return found end
    end
    return nil
end

--- In Resolve, fill in the plate, the frame offset and the place of the rendered frames from the clip whose
-- composition is open. Returns true; or nil and why not.
local function fill_from_clip(comp, tool)
    local project = resolve_object():GetProjectManager():GetCurrentProject()
    local timeline = project:GetCurrentTimeline()
    local item = timeline:GetCurrentVideoItem()
    if not item then return nil, "put the playhead on the clip" end
    local problem = clips.problem(item, timeline)
    if problem then return nil, problem end
    local clip = clips.describe(item, 0)
    local mark = numbers.fingerprint()
    mark:text(clip.plate)
    local name = (clip.name:gsub("%.[^.]*$", ""):gsub("[^%w_%-]+", "_"))
    local folder = system.home() .. "/F2HDR/Fuse/" .. name .. "_" .. mark:digest():sub(1, 8)
    tool:SetInput("Plate", clip.plate)
    tool:SetInput("Offset", clip.first - comp:GetAttrs().COMPN_RenderStart)
    if (tool:GetInput("Rendered") or "") == "" then
        tool:SetInput("Rendered", folder .. "/" .. name .. ".######.exr")
    end
    return true
end

--- Start rendering the composition's range from the plate's file; in Resolve, by default, of the clip at the playhead.
function M.render_range(comp, tool)
    local reason
    if path_of(comp, tool, "Plate") == "" and resolve_object() then
        local ok, filled, why = pcall(fill_from_clip, comp, tool)
        reason = ok and not filled and why or not ok and tostring(filled) or nil
    end
    local plate = plate_of(path_of(comp, tool, "Plate"))
    local rendered = sequences.parse(path_of(comp, tool, "Rendered"))
    if not plate then
        local found = reason and " It cannot be taken from the clip: " .. reason .. "." or ""
        return say(tool, "Choose the plate's file: numbered frames or a movie." .. found)
    end
    if not rendered then
        return say(tool, "Set Rendered Frames to the path for the frames, such as /shots/hdr/sh010.####.exr.")
    end
    local door, why = open_door(comp, tool)
    if not door then return say(tool, why) end
    local job
    job, why = door:submit(shot_of(comp, tool, plate, rendered), job_name(rendered), {by_command = true})
    say(tool, job and "Rendering. Press Status to see the progress and to show the frames." or why)
end

local function job_of(comp, tool)
    local rendered = sequences.parse(path_of(comp, tool, "Rendered"))
    local door = rendered and open_door(comp, tool)
    return door and door:job(job_name(rendered))
end

--- Stop what Render Range started.
function M.cancel(comp, tool)
    local job = job_of(comp, tool)
    if job then job:cancel() end
    say(tool, job and "Canceled; finished frames are kept." or "Nothing is being rendered for these frames.")
end

--- Show the progress of the render, or the last error, and let Fusion read the frames again.
function M.status(comp, tool)
    local job = job_of(comp, tool)
    local status = job and job:status()
    local folder = path_of(comp, tool, "Folder")
    if folder == "" then folder = system.cache_folder() end
    local last = system.read_all(folder .. "/message.txt")
    if status and status.total > 0 and not f2hdr.is_over(status) then
        say(tool, string.format("%d of %d frames. %s", status.done, status.total, status.message))
    elseif status then
        say(tool, status.message ~= "" and status.message or status.state)
    else
        say(tool, last or "Ready")
    end
    tool:SetInput("Refresh", (tool:GetInput("Refresh") or 0) + 1)
end

return M
