--- A stand-in for Windows under LuaJIT on another system: `ffi` says Windows, and the calls of kernel32 and msvcrt that
-- the modules make are played here, with wide characters as Windows has them. Only what does not start processes.
--
--     lua_process.py luajit windows.lua RESULT.json

local real = require("ffi")
local json_text

-- The variables as Windows has them, UTF-8 here; os.getenv gives them in the system's code page (here Latin-1).
local VARIABLES = {
    OS = "Windows_NT", USERPROFILE = "C:\\Users\\Jos\195\169 \230\151\165", LOCALAPPDATA = "C:\\Users\\Jos\195\169\\AppData\\Local",
    APPDATA = "C:\\Users\\Jos\195\169\\AppData\\Roaming", F2HDR_BACKEND = "C:\\Users\\Jos\195\169\\f2hdr\\f2hdr.exe",
}

local function to_wide(text)
    local codes = {}
    for lead, rest in text:gmatch("([%z\1-\127\194-\244])([\128-\191]*)") do
        local code = lead:byte()
        if #rest > 0 then
            code = code % (2 ^ (6 - #rest))
            for at = 1, #rest do code = code * 64 + rest:byte(at) % 64 end
        end
        codes[#codes + 1] = code
    end
    return codes
end

local function from_wide(pointer, count)
    local parts = {}
    for at = 0, count - 1 do
        local code = pointer[at]
        if code < 0x80 then parts[#parts + 1] = string.char(code)
        elseif code < 0x800 then parts[#parts + 1] = string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64)
        else
            parts[#parts + 1] = string.char(
                0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64
            )
        end
    end
    return table.concat(parts)
end

local function length(pointer)
    local count = 0
    while pointer[count] ~= 0 do count = count + 1 end
    return count
end

local function fill(buffer, codes)
    for at, code in ipairs(codes) do buffer[at - 1] = code end
end

local made = {}
local kernel32 = {}
function kernel32.f2_to_wide(_, _, text, bytes, buffer, room)
    local codes = to_wide(type(text) == "string" and text:sub(1, bytes) or real.string(text, bytes))
    if room == 0 then return #codes end
    fill(buffer, codes)
    return #codes
end
function kernel32.f2_from_wide(_, _, pointer, count, buffer, room)
    local text = from_wide(pointer, count)
    if room > 0 then real.copy(buffer, text, #text) end
    return #text
end
function kernel32.f2_variable(name, buffer, room)
    local value = VARIABLES[from_wide(name, length(name))]
    if not value then return 0 end
    local codes = to_wide(value)
    if room <= #codes then return #codes + 1 end
    fill(buffer, codes)
    return #codes
end
function kernel32.f2_make_folder(path) made[#made + 1] = from_wide(path, length(path)) return 1 end
function kernel32.f2_move() return 1 end
function kernel32.f2_delete() return 1 end
function kernel32.f2_sleep() end

local opened = {}
local msvcrt = {}
function msvcrt.f2_wfopen(path)
    opened[#opened + 1] = from_wide(path, length(path))
    return nil
end

local fake = setmetatable({
    os = "Windows", cdef = function() end,
    load = function(name) return name == "kernel32" and kernel32 or msvcrt end,
}, {__index = real})
package.loaded.ffi = fake
ffi = fake

local getenv = os.getenv
function os.getenv(name)
    local value = VARIABLES[name]
    if not value then return name == "LUA_PATH" and getenv(name) or nil end
    return (value:gsub("\195(.)", function(letter) return string.char(letter:byte() + 64) end):gsub("\230..", "?"))
end

local system = require("f2hdr_system")
local door = require("f2hdr")
local json = require("f2hdr_json")
system.exists(system.home() .. "/x")
local _, why = door.door({})
json_text = json.encode({
    windows = system.windows, home = system.home(), cache = system.cache_folder(), settings = system.settings_folder(),
    backend = system.getenv("F2HDR_BACKEND"), missing = system.getenv("NO_SUCH") == nil, made = json.array(made),
    opened = json.array(opened), why = why or json.null,
})
local file = assert(io.open(arg[1], "wb"))
file:write(json_text)
file:close()
