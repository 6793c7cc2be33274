--- A stand-in for Windows under LuaJIT on another system: `ffi` says Windows, and the calls of kernel32, shell32 and
-- msvcrt that the modules make are done here, with wide characters as Windows has them. Files are in memory. A program
-- that is started prints a version and ends. Lua's own io and os reach none of these files.
--
--     lua_process.py luajit windows.lua RESULT.json

local real = require("ffi")

-- The variables as Windows has them, UTF-8 here; os.getenv returns them in the system's code page (here Latin-1).
local VARIABLES = {
    OS = "Windows_NT", USERPROFILE = "C:\\Users\\José 日", LOCALAPPDATA = "C:\\Users\\José 日\\AppData\\Local",
    APPDATA = "C:\\Users\\José 日\\AppData\\Roaming", F2HDR_BACKEND = "C:\\Users\\José 日\\f2hdr\\f2hdr.exe",
    PYTHONHOME = "C:\\Resolve\\python",
}
local UNICODE_ENVIRONMENT = 0x400

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

--- A text that ends with 0.
local function text_of(pointer)
    local count = 0
    while pointer[count] ~= 0 do count = count + 1 end
    return from_wide(pointer, count), count
end

local function fill(buffer, codes)
    for at, code in ipairs(codes) do buffer[at - 1] = code end
end

local function bit_set(value, bit)
    return math.floor(value / bit) % 2 == 1
end

-- Files ---------------------------------------------------------------------------------------------------------

local files, folders, opened = {}, {}, {}
local existing = {["C:/Users/José 日/AppData/Local"] = true, ["C:/Users/José 日/AppData/Roaming"] = true}
local report = {lines = {}, environments = {}, no_console = {}, shown = {}, commands = {}, opened = opened}

local function place(path)
    return (path:gsub("\\", "/"))
end

local msvcrt = {}
function msvcrt.f2_wfopen(path, mode)
    local name = place(text_of(path))
    opened[#opened + 1] = name
    if text_of(mode) ~= "rb" then files[name] = existing[name:match("^(.*)/")] and "" end
    return files[name] and {name = name, at = 0} or nil
end
function msvcrt.f2_fread(buffer, _, count, handle)
    local text = files[handle.name]:sub(handle.at + 1, handle.at + count)
    real.copy(buffer, text, #text)
    handle.at = handle.at + #text
    return #text
end
function msvcrt.f2_fwrite(text, _, count, handle)
    files[handle.name] = files[handle.name] .. text
    handle.at = handle.at + count
    return count
end
function msvcrt.f2_fseek(handle, offset, whence)
    handle.at = offset + ({[0] = 0, handle.at, #files[handle.name]})[whence]
end
function msvcrt.f2_ftell(handle) return handle.at end
function msvcrt.f2_fclose() return 0 end

-- Windows -------------------------------------------------------------------------------------------------------

local kernel32, handles = {}, {}
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
    local value = VARIABLES[(text_of(name))]
    if not value then return 0 end
    local codes = to_wide(value)
    if room <= #codes then return #codes + 1 end
    fill(buffer, codes)
    return #codes
end
function kernel32.f2_environment()
    local entries = {}
    for name, value in pairs(VARIABLES) do entries[#entries + 1] = name .. "=" .. value end
    local codes = to_wide(table.concat(entries, "\0") .. "\0\0")
    report.block = real.new("uint16_t[?]", #codes)
    fill(report.block, codes)
    return report.block
end
function kernel32.f2_free_environment() return 1 end
function kernel32.f2_make_folder(path)
    local name = place(text_of(path))
    if existing[name] or not existing[name:match("^(.*)/") or ""] then return 0 end
    folders[#folders + 1], existing[name] = name, true
    return 1
end
function kernel32.f2_remove_folder() return 1 end
function kernel32.f2_move(from, to)
    from, to = place(text_of(from)), place(text_of(to))
    files[to], files[from] = files[from], nil
    return files[to] and 1 or 0
end
function kernel32.f2_delete(path)
    files[place(text_of(path))] = nil
    return 1
end
function kernel32.f2_sleep() end
function kernel32.f2_create_file(path)
    handles[#handles + 1] = place(text_of(path))
    return real.cast("void *", #handles)
end
function kernel32.f2_create_process(_, line, _, _, _, flags, environment, _, startup, started)
    local entries = {}
    if bit_set(flags, UNICODE_ENVIRONMENT) then
        local block = real.cast("uint16_t *", environment)
        while block[0] ~= 0 do
            local entry, count = text_of(block)
            entries[#entries + 1], block = entry, block + count + 1
        end
    end
    table.insert(report.lines, (text_of(line)))
    table.insert(report.environments, entries)
    table.insert(report.no_console, bit_set(flags, 0x08000000))
    local output = tonumber(real.cast("intptr_t", real.cast("void **", startup)[11]))
    files[handles[output]] = "1.2.3\n"
    started[0], started[1] = real.cast("void *", 1000), real.cast("void *", 1001)
    return 1
end
function kernel32.f2_exit_code(_, code)
    code[0] = 0
    return 1
end
function kernel32.f2_close() return 1 end

local shell32 = {}
function shell32.f2_shell_execute(_, verb, path)
    table.insert(report.shown, (text_of(verb)) .. " " .. (text_of(path)))
end

local libraries = {kernel32 = kernel32, shell32 = shell32, msvcrt = msvcrt}
local fake = setmetatable({
    os = "Windows", cdef = function() end, load = function(name) return libraries[name] end,
}, {__index = real})
package.loaded.ffi = fake
ffi = fake

local getenv, open = os.getenv, io.open
function os.getenv(name)
    local value = VARIABLES[name]
    if not value then return name == "LUA_PATH" and getenv(name) or nil end
    return (value:gsub("\195(.)", function(letter) return string.char(letter:byte() + 64) end):gsub("\230..", "?"))
end
function os.execute(line) table.insert(report.commands, line) end
function os.rename() return nil, "not with these characters" end
function os.remove() end
function io.open(path) return nil, "cannot open " .. path end

-- What the modules do with that ---------------------------------------------------------------------------------

local system, json, settings = require("f2hdr_system"), require("f2hdr_json"), require("f2hdr_settings")
local door, why = require("f2hdr").door({})
if door then
    report.submitted, why = door:submit({version = 1, plate = "p.####.exr"}, "job", {by_command = true})
    report.submitted = report.submitted ~= nil
end
report.settings_path, report.unsaved = settings.offer(settings.read(), {})
report.windows, report.home, report.cache = system.windows, system.home(), system.cache_folder()
report.settings, report.missing, report.why = system.settings_folder(), system.getenv("NO_SUCH") == nil, why
report.files, report.folders, report.block = {}, json.array(folders), nil
for name, text in pairs(files) do report.files[name] = text end
for _, name in ipairs({"lines", "no_console", "shown", "commands", "opened"}) do
    report[name] = json.array(report[name])
end
local file = assert(open(arg[1], "wb"))
file:write(json.encode(report))
file:close()
