--- JSON: all of RFC 8259 is read, plain tables are written.
-- JSON null is json.null (a nil would be lost from tables); an empty Lua table is written as an object unless it was
-- made by json.array.

local M = {}

M.null = setmetatable({}, {__tostring = function() return "null" end})
local ARRAY = {}
local DEEPEST = 100

--- Mark a list so that it is written as an array even when it is empty; returns it.
function M.array(list)
    return setmetatable(list or {}, ARRAY)
end

local ESCAPES = {['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t"}

local function quoted(text)
    return '"' .. text:gsub('[%c"\\]', function(letter)
        return ESCAPES[letter] or string.format("\\u%04x", letter:byte())
    end) .. '"'
end

local function number(value)
    if value ~= value or value == math.huge or value == -math.huge then
        error("JSON has no number for " .. tostring(value))
    end
    if value == math.floor(value) and math.abs(value) < 2 ^ 53 then return string.format("%.0f", value) end
    return (string.format("%.17g", value):gsub(",", "."))
end

local encode

local function encode_table(value)
    local parts = {}
    if getmetatable(value) == ARRAY or value[1] ~= nil then
        for index, item in ipairs(value) do parts[index] = encode(item) end
        return "[" .. table.concat(parts, ",") .. "]"
    end
    local names = {}
    for name in pairs(value) do names[#names + 1] = tostring(name) end
    table.sort(names)
    for index, name in ipairs(names) do parts[index] = quoted(name) .. ":" .. encode(value[name]) end
    return "{" .. table.concat(parts, ",") .. "}"
end

encode = function(value)
    local kind = type(value)
    if value == M.null or value == nil then return "null" end
    if kind == "string" then return quoted(value) end
    if kind == "number" then return number(value) end
    if kind == "boolean" then return tostring(value) end
    if kind == "table" then return encode_table(value) end
    error("JSON cannot store a " .. kind)
end

--- Return a value as JSON text; names of an object come sorted. Raises an error for values that JSON cannot store.
M.encode = encode

local function utf8(code)
    if code < 0x80 then return string.char(code) end
    if code < 0x800 then return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64) end
    if code < 0x10000 then
        return string.char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
    end
    return string.char(
        0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64,
        0x80 + math.floor(code / 64) % 64, 0x80 + code % 64
    )
end

local PLAIN = {b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/"}

local function wrong(at)
    error({json = "the text is not JSON at byte " .. at})
end

local function read_escape(text, at)
    local letter = text:sub(at, at)
    if PLAIN[letter] then return PLAIN[letter], at + 1 end
    local code = letter == "u" and tonumber(text:match("^%x%x%x%x", at + 1) or "", 16)
    if not code then wrong(at) end
    local low = text:match("^\\u([dD][c-fC-F]%x%x)", at + 5)
    if code >= 0xD800 and code < 0xDC00 and low then
        return utf8(0x10000 + (code - 0xD800) * 1024 + tonumber(low, 16) - 0xDC00), at + 11
    end
    return utf8(code), at + 5
end

local function read_string(text, at)
    local parts = {}
    while true do
        local stop = text:find('["\\]', at)
        if not stop then wrong(at) end
        parts[#parts + 1] = text:sub(at, stop - 1)
        if text:sub(stop, stop) == '"' then return table.concat(parts), stop + 1 end
        parts[#parts + 1], at = read_escape(text, stop + 1)
    end
end

local function skip(text, at)
    return text:find("[^ \t\r\n]", at) or #text + 1
end

local read

local function read_array(text, at, depth)
    local list = M.array()
    at = skip(text, at)
    if text:sub(at, at) == "]" then return list, at + 1 end
    while true do
        list[#list + 1], at = read(text, at, depth)
        at = skip(text, at)
        local letter = text:sub(at, at)
        if letter == "]" then return list, at + 1 end
        if letter ~= "," then wrong(at) end
        at = at + 1
    end
end

local function read_object(text, at, depth)
    local object = {}
    at = skip(text, at)
    if text:sub(at, at) == "}" then return object, at + 1 end
    while true do
        at = skip(text, at)
        if text:sub(at, at) ~= '"' then wrong(at) end
        local name
        name, at = read_string(text, at + 1)
        at = skip(text, at)
        if text:sub(at, at) ~= ":" then wrong(at) end
        object[name], at = read(text, at + 1, depth)
        at = skip(text, at)
        local letter = text:sub(at, at)
        if letter == "}" then return object, at + 1 end
        if letter ~= "," then wrong(at) end
        at = at + 1
    end
end

local WORDS = {["true"] = true, ["false"] = false, null = M.null}

read = function(text, at, depth)
    if depth > DEEPEST then wrong(at) end
    at = skip(text, at)
    local letter = text:sub(at, at)
    if letter == "{" then return read_object(text, at + 1, depth + 1) end
    if letter == "[" then return read_array(text, at + 1, depth + 1) end
    if letter == '"' then return read_string(text, at + 1) end
    local word = text:match("^%a+", at)
    if word and WORDS[word] ~= nil then return WORDS[word], at + #word end
    local digits = text:match("^%-?%d+%.?%d*[eE]?[+-]?%d*", at)
    local value = digits and tonumber(digits)
    if not value then wrong(at) end
    return value, at + #digits
end

--- Read JSON text. Returns the value, or nil and one sentence for text that is not JSON; never raises an error.
function M.decode(text)
    local ok, value, at = pcall(read, text, 1, 0)
    if ok and skip(text, at) <= #text then ok, value = false, {json = "there is more text after the value"} end
    if ok then return value end
    return nil, type(value) == "table" and value.json or tostring(value)
end

return M
