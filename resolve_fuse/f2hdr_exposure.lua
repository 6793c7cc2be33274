--- Which of two alternating exposures a frame has, from its own pixels and those of its neighbors. This is the only
-- place in Lua that decides it; the ratio of a shot is measured by the backend.
-- A step is how many stops brighter one frame is than another, measured by matching the brightness distributions of
-- both (their quantiles), which needs no motion estimate. Equal exposures of neighbors mean a retime upstream.

local M = {}

local QUANTILES = 100
local DARKEST, BRIGHTEST = 0.002, 0.9
local LEAST_LEVELS = 8
local PLATEAU_SHARE = 0.35
local SAME_SCENE = 0.35
local COLUMNS = 120

--- A collector of samples on a regular grid.
-- @param width   of the frame in pixels
-- @param space   "linear" or any other name: code values that are taken as gamma 2.2
-- @param clip    the linear value at which the frame clips
function M.samples(width, space, clip)
    local step = math.max(1, math.floor(width / COLUMNS))
    local list = {}
    --- Add row y of a frame if it is on the grid; planes are three arrays indexed from 0.
    local function add(y, planes)
        if y % step ~= 0 then return end
        local blue, green, red = planes[1], planes[2], planes[3]
        for x = 0, width - 1, step do
            local value = math.max(0, (red[x] + green[x] + blue[x]) / 3)
            if space == "linear" then value = value / clip else value = value ^ 2.2 end
            list[#list + 1] = value < 1e6 and value or 0
        end
    end
    return {list = list, add = add}
end

local function sorted(list)
    local copy = {}
    for index = 1, #list do copy[index] = list[index] end
    table.sort(copy)
    return copy
end

local function log2(value)
    return math.log(value) / math.log(2)
end

--- The middle of the narrowest run that contains PLATEAU_SHARE of the ratios: noise and clipping change the others.
local function plateau(ratios)
    table.sort(ratios)
    local within = math.max(4, math.floor(#ratios * PLATEAU_SHARE))
    local best, start = math.huge, 1
    for first = 1, #ratios - within + 1 do
        local wide = ratios[first + within - 1] - ratios[first]
        if wide < best then best, start = wide, first end
    end
    return ratios[start + math.floor(within / 2)]
end

local function stops_between(first, second)
    local dark, bright = sorted(first), sorted(second)
    local ratios = {}
    for index = 1, QUANTILES do
        local at = math.max(1, math.floor((index - 0.5) / QUANTILES * #dark + 0.5))
        local a, b = dark[at], bright[at]
        if math.min(a, b) > DARKEST and math.max(a, b) < BRIGHTEST then ratios[#ratios + 1] = log2(b / a) end
    end
    return #ratios >= LEAST_LEVELS and plateau(ratios) or nil
end

--- Correlation of two frames, the darker one brought to the exposure of the brighter one, -1 to 1.
local function likeness(first, second, stops)
    local up, down = 2 ^ math.max(stops, 0), 2 ^ math.max(-stops, 0)
    local count = #first
    local sum_a, sum_b, sum_aa, sum_bb, sum_ab = 0, 0, 0, 0, 0
    for index = 1, count do
        local a = math.sqrt(math.min(1, first[index] * up))
        local b = math.sqrt(math.min(1, second[index] * down))
        sum_a, sum_b, sum_ab = sum_a + a, sum_b + b, sum_ab + a * b
        sum_aa, sum_bb = sum_aa + a * a, sum_bb + b * b
    end
    local spread = (sum_aa - sum_a * sum_a / count) * (sum_bb - sum_b * sum_b / count)
    if spread < 1e-12 then return 1 end
    return (sum_ab - sum_a * sum_b / count) / math.sqrt(spread)
end

--- How many stops brighter the second frame is; nil if no level is well exposed in both or they show other scenes.
-- @param first, second  lists of samples of frames of one size
function M.step(first, second)
    if #first ~= #second or #first == 0 then return nil end
    local stops = stops_between(first, second)
    if not stops or likeness(first, second, stops) < SAME_SCENE then return nil end
    return stops
end

local SAME = "Frames %d and %d have the same exposure: the clip is retimed or repeats a frame upstream. "
    .. "F2HDR needs all frames as they were shot."
local BETWEEN = "Frame %d is brighter than one neighbor and darker than the other: frames are blended upstream, "
    .. "or the lighting changes."
local OTHER = "Frames %d and %d differ by %.1f stops, not by the %.1f of the exposures: they are blended or graded "
    .. "upstream, or the exposures are set incorrectly."

--- Judge a frame by how much brighter it is than its neighbors.
-- @param brighter  list of {frame = neighbor's number, stops = how many stops brighter this frame is}
-- @param ratio     stops between the exposures, or nil if unknown
-- @param exact     whether samples are linear, so that the size of a step can be compared with the ratio
-- @return "short" or "long"; or nil and a sentence; or nil alone if the pixels are not conclusive
function M.judge(frame, brighter, ratio, exact)
    if #brighter == 0 then return nil end
    local equal = math.min(0.5, 0.35 * (ratio or 2))
    local word
    for _, one in ipairs(brighter) do
        if math.abs(one.stops) < equal then
            return nil, string.format(SAME, math.min(frame, one.frame), math.max(frame, one.frame))
        end
        local this = one.stops > 0 and "long" or "short"
        if word and this ~= word then
            return nil, string.format(BETWEEN, frame)
        end
        if exact and ratio and math.abs(math.abs(one.stops) - ratio) > math.max(0.4, 0.3 * ratio) then
            return nil, string.format(OTHER, frame, one.frame, math.abs(one.stops), ratio)
        end
        word = this
    end
    return word
end

return M
