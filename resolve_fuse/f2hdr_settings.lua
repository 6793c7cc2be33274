--- The timeline script's settings: a text file with comments, which the window (Studio) and any editor can change.
-- One line per setting, "name = value"; lines that begin with # are comments.

local system = require("f2hdr_system")

local M = {}

--- What can be set: name, label, default, help, and the choices or the range of a whole number.
M.FIELDS = {
    {name = "placement", label = "Place result", default = "track", choices = {"track", "take", "pool"},
        help = "track: on a track above the clip; take: as a take of the clip; pool: only in the media pool"},
    {name = "handles", label = "Handles", default = 8, low = 0, high = 1000,
        help = "frames that are rendered before and after the clip"},
    {name = "color", label = "Clip color", default = "Teal",
        help = "clips of this color are rendered where Resolve does not report the selection (before 21.0.4)"},
    {name = "folder", label = "Folder", default = "",
        help = "folder for the frames, which are in PROJECT/CLIP_SETTINGS below it; empty: F2HDR in your home folder"},
    {name = "quality", label = "Quality", default = "auto", choices = {"auto", "draft", "good", "best"},
        help = "quality or speed: draft is a classical merge, good and best are networks; auto is good"},
    {name = "method", label = "Method", default = "auto", choices = {"auto", "f2hdr", "merge"},
        help = "auto: by the quality; f2hdr: a network; merge: a classical aligned merge, faster"},
    {name = "weights", label = "Weights", default = "auto",
        help = "auto: by the quality; else the name of installed weights (f2hdr weights list)"},
    {name = "anchor", label = "1.0 is the clip of", default = "long",
        help = "the exposure whose clip becomes 1.0: long, short, or a number (EV)"},
    {name = "input_space", label = "Plate color space", default = "auto",
        help = "auto, gamma22, linear, or a name of the OCIO config"},
    {name = "backend", label = "Backend program", default = "",
        help = "path of the f2hdr command; empty: as installed"},
}

--- The path of the file.
function M.path()
    return system.settings_folder() .. "/resolve.txt"
end

local function one_of(value, choices)
    for _, choice in ipairs(choices) do
        if choice == value then return true end
    end
    return false
end

--- A value of a field as its type; or nil and what it has to be.
local function checked(field, value)
    value = tostring(value)
    if field.choices and not one_of(value, field.choices) then
        return nil, "it has to be " .. table.concat(field.choices, ", ")
    end
    if not field.high then return value end
    local number = tonumber(value)
    if not number or number % 1 ~= 0 or number < field.low or number > field.high then
        return nil, string.format("it has to be a whole number from %d to %d", field.low, field.high)
    end
    return number
end

local function field_of(name)
    for _, field in ipairs(M.FIELDS) do
        if field.name == name then return field end
    end
    return nil
end

--- Check values by name, as a window returns them.
-- @return usable values (the default in place of others), and a list of sentences about those that are not usable
function M.check(values)
    local kept, problems = {}, {}
    for _, field in ipairs(M.FIELDS) do
        local usable, why = checked(field, values[field.name])
        kept[field.name] = usable == nil and field.default or usable
        if usable == nil then
            local entered = tostring(values[field.name])
            problems[#problems + 1] = string.format('%s is "%s", but %s.', field.label, entered, why)
        end
    end
    return kept, problems
end

--- Read the settings: the defaults, then the file, then what a program set with fusion:SetData("F2HDR.NAME", value).
-- @return the values by name, and a list of sentences about lines that could not be used
function M.read(fusion)
    local values, problems = {}, {}
    for _, field in ipairs(M.FIELDS) do values[field.name] = field.default end
    local function set(name, value, place)
        local field, why = field_of(name), "there is no such setting"
        local usable
        if field then usable, why = checked(field, value) end
        if usable == nil then
            problems[#problems + 1] = string.format('%s: %s is "%s", but %s.', place, name, tostring(value), why)
        else
            values[name] = usable
        end
    end
    for line in (system.read_all(M.path()) or ""):gmatch("[^\r\n]+") do
        local name, value = line:match("^%s*([%w_]+)%s*=%s*(.-)%s*$")
        if name then set(name, value, M.path()) end
    end
    for _, field in ipairs(M.FIELDS) do
        local given = fusion and fusion:GetData("F2HDR." .. field.name)
        if given ~= nil then set(field.name, given, "SetData") end
    end
    return values, problems
end

--- Write the file with these values. Returns true, or nil and why not.
function M.write(values)
    local lines = {
        "# F2HDR for DaVinci Resolve. The timeline script reads this file each time it runs.",
    }
    for _, field in ipairs(M.FIELDS) do
        lines[#lines + 1] = "\n# " .. field.label .. ". " .. field.help
        lines[#lines + 1] = field.name .. " = " .. tostring(values[field.name])
    end
    local ok, why = system.make_folder(system.settings_folder())
    if not ok then return nil, why end
    return system.write_all(M.path(), table.concat(lines, "\n") .. "\n")
end

--- Create the file if there is none, and open it in the user's editor.
-- @return the path; or nil and why it could not be created
function M.offer(values, bmd)
    if system.exists(M.path()) then return M.path() end
    local ok, why = M.write(values)
    if not ok then return nil, why end
    local opened = pcall(function() bmd.openfileexternal("Open", M.path()) end)
    if not opened then system.open_externally(M.path()) end
    return M.path()
end

return M
