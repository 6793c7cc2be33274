--- What the Fuse's buttons do. They run in the composition's script context, apart from the Fuse's Process: both meet
-- in the cache folder only. Words for the user go to the tool's message line and to the Console.

local f2hdr = require("f2hdr")
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
            method = tool:GetInput("Method"), weights = tool:GetInput("Weights"),
            reference_trust = tool:GetInput("ReferenceTrust"),
        },
        output = {
            pattern = rendered:pattern(), anchor = anchor == "ev" and tostring(tool:GetInput("AnchorEV")) or anchor,
            layers = json.array(layers[tool:GetInput("View")]), pixel_type = "half", compression = "none",
        },
    }
end

--- Start rendering the composition's range from the plate's file.
function M.render_range(comp, tool)
    local plate = plate_of(path_of(comp, tool, "Plate"))
    local rendered = sequences.parse(path_of(comp, tool, "Rendered"))
    if not plate then return say(tool, "Choose the plate's file: numbered frames or a movie.") end
    if not rendered then
        return say(tool, "Write in Rendered Frames where they shall go, such as /shots/hdr/sh010.####.exr.")
    end
    local door, why = open_door(comp, tool)
    if not door then return say(tool, why) end
    local job
    job, why = door:submit(shot_of(comp, tool, plate, rendered), job_name(rendered), {by_command = true})
    say(tool, job and "Rendering. Press Status to see how far it is." or why)
end

local function job_of(comp, tool)
    local rendered = sequences.parse(path_of(comp, tool, "Rendered"))
    local door = rendered and open_door(comp, tool)
    return door and door:job(job_name(rendered))
end

--- Stop what Render Range began.
function M.cancel(comp, tool)
    local job = job_of(comp, tool)
    if job then job:cancel() end
    say(tool, job and "Canceled; finished frames stay." or "Nothing is being rendered for these frames.")
end

--- Say how far the render is, or what went wrong last, and let Fusion read the frames again.
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
