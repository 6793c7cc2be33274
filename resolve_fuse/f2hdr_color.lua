--- Tagging an imported clip with the color that its frames have: linear, with the primaries in the EXR's header.
-- The same table and rules are in f2hdr_resolve/color.py, for Resolve Studio from outside.

local exr_read = require("f2hdr_exr_read")
local numbers = require("f2hdr_numbers")
local ask = require("f2hdr_clips").ask

local M = {}

local CLOSE = 0.002
local D65, ACES_WHITE = {0.3127, 0.3290}, {0.32168, 0.33767}

-- Names of "Input Color Space", the one of current versions first, and CIE x, y of red, green, blue and white.
M.PRIMARIES = {
    {{"Rec.709", "sRGB"}, {0.64, 0.33, 0.30, 0.60, 0.15, 0.06}, D65},
    {{"Rec.2020"}, {0.708, 0.292, 0.170, 0.797, 0.131, 0.046}, D65},
    {{"P3-D65"}, {0.680, 0.320, 0.265, 0.690, 0.150, 0.060}, D65},
    {{"ACES (AP0)", "ACES"}, {0.7347, 0.2653, 0, 1, 0.0001, -0.077}, ACES_WHITE},
    {{"ACES (AP1)", "ACEScg"}, {0.713, 0.293, 0.165, 0.830, 0.128, 0.044}, ACES_WHITE},
    {{"ARRI Wide Gamut 3", "ARRI Wide Gamut"}, {0.684, 0.313, 0.221, 0.848, 0.0861, -0.102}, D65},
    {{"ARRI Wide Gamut 4"}, {0.7347, 0.2653, 0.1424, 0.8576, 0.0991, -0.0308}, D65},
    {{"S-Gamut3.Cine", "Sony S-Gamut3.Cine"}, {0.766, 0.275, 0.225, 0.800, 0.089, -0.087}, D65},
    {{"S-Gamut3", "Sony S-Gamut3"}, {0.730, 0.280, 0.140, 0.855, 0.100, -0.050}, D65},
    {{"V-Gamut", "Panasonic V-Gamut"}, {0.730, 0.280, 0.165, 0.840, 0.100, -0.030}, D65},
    {{"Canon Cinema Gamut", "Cinema Gamut"}, {0.740, 0.270, 0.170, 1.140, 0.080, -0.100}, D65},
    {{"DaVinci WG", "DaVinci Wide Gamut"}, {0.8, 0.313, 0.1682, 0.9877, 0.079, -0.1155}, D65},
    {{"REDWideGamutRGB"}, {0.780308, 0.304253, 0.121595, 1.493994, 0.095612, -0.084589}, D65},
}

local function are_close(one, wanted)
    for index, value in ipairs(wanted) do
        if math.abs(one[index] - value) > CLOSE then return false end
    end
    return true
end

--- CIE x, y of red, green, blue and white in an EXR's header, eight numbers; nil if it has none.
local function chromaticities_of(path)
    local attributes = exr_read.attributes(path)
    local found = attributes and attributes.chromaticities
    if not found or #found.bytes ~= 32 then return nil end
    local list = {}
    for index = 1, 8 do list[index] = numbers.read_float32(found.bytes:byte(index * 4 - 3, index * 4)) end
    return list
end

--- The names that Resolve may have for the primaries of a file, and words for a user. A file without primaries
-- is treated as Rec.709, as F2HDR itself treats such a plate.
-- @return list of names of "Input Color Space", or nil; the primaries in words; and whether they are an assumption
function M.names_of(path)
    local found = chromaticities_of(path)
    if not found then return M.PRIMARIES[1][1], "Rec.709 primaries (the plate states none)", true end
    for _, one in ipairs(M.PRIMARIES) do
        local white = {found[7], found[8]}
        if are_close(found, one[2]) and are_close(white, one[3]) then return one[1], one[1][1] .. " primaries" end
    end
    return nil, string.format("the primaries %.4g %.4g, %.4g %.4g, %.4g %.4g (CIE x y)", unpack(found, 1, 6))
end

local function is(media, name, value)
    return tostring(ask(media, "GetClipProperty", name)) == value
end

--- Set properties in both orders, as one may reset the other; true if all are as wanted in the end.
local function set_all(media, pairs_of)
    for _, order in ipairs({{1, 2}, {2, 1}}) do
        for _, index in ipairs(order) do
            local pair = pairs_of[index]
            if pair then ask(media, "SetClipProperty", pair[1], pair[2]) end
        end
        local fine = true
        for _, pair in ipairs(pairs_of) do fine = fine and is(media, pair[1], pair[2]) end
        if fine then return true end
    end
    return false
end

local function joined_names(names)
    local list = {}
    for _, name in ipairs(names) do list[#list + 1] = name .. " (Linear)" end
    if names[1] == "Rec.709" then list[#list + 1] = "Linear" end
    return list
end

--- Tag a clip as linear with the primaries of its files, as far as the project's color management allows.
-- @param path  one of the clip's files
-- @return nil, or a sentence for the user
function M.tag(media, project, path)
    local names, words, assumed = M.names_of(path)
    local facts = "The frames are scene-linear with " .. words .. ". "
    local mode = tostring(project:GetSetting("colorScienceMode"))
    if mode == "davinciYRGB" then
        return facts .. "Place a Color Space Transform on them, with these as input and input gamma Linear."
    end
    if mode == "acescc" or mode == "acescct" then return facts .. "Choose the ACES input transform for them." end
    local separate = tostring(project:GetSetting("separateColorSpaceAndGamma")) == "1"
    for _, name in ipairs(names and (separate and names or joined_names(names)) or {}) do
        local wanted = {{"Input Color Space", name}}
        if separate then wanted[2] = {"Input Gamma", "Linear"} end
        if set_all(media, wanted) then return assumed and "The plate does not state its primaries: tagged as Rec.709." or nil end
    end
    local which = separate and '"Input Color Space" and "Input Gamma"' or '"Input Color Space"'
    return facts .. "Resolve did not accept " .. which .. ": choose them in the clip's attributes."
end

return M
