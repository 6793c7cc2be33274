--- Files, folders, processes and waiting on Linux, macOS and Windows.
-- LuaJIT's ffi is used where there is one (no console window on Windows, any character in a path); without it Lua's own
-- io and os are used. Functions that can fail return nil and one sentence.

local M = {}

local function find_ffi()
    local ok, found = pcall(require, "ffi")
    if ok then return found end
    return rawget(_G, "ffi")
end

local ffi = find_ffi()
M.ffi = ffi
M.windows = os.getenv("OS") == "Windows_NT"

local POSIX_NAMES = [[
int f2_mkdir(const char *path, unsigned int mode) __asm__("mkdir");
int f2_usleep(unsigned int microseconds) __asm__("usleep");
]]

local function declare()
    if not ffi or M.windows then return false end
    -- Another copy of this module in the same Lua state may have declared them before.
    local ok, why = pcall(ffi.cdef, POSIX_NAMES)
    return ok or tostring(why):find("redefine", 1, true) ~= nil
end

local posix = declare()
local wide = require("f2hdr_windows")
local windows = wide.available and wide or nil

--- The value of an environment variable as UTF-8, or nil.
function M.getenv(name)
    if windows then return windows.getenv(name) end
    return os.getenv(name)
end

--- The user's home folder, with forward slashes.
function M.home()
    local home = M.windows and M.getenv("USERPROFILE") or M.getenv("HOME") or M.getenv("USERPROFILE") or "."
    return (home:gsub("\\", "/"))
end

--- Open a file whose path is UTF-8. Returns an object with read, write, seek and close, or nil and the reason.
function M.open(path, mode)
    if not (M.windows and path:find("[\128-\255]")) then return io.open(path, mode) end
    if windows then return windows.open(path, mode) end
    return nil, 'Lua cannot open "' .. path .. '" here because of its characters; choose a folder with plain letters'
end

--- Whether a file can be opened for reading.
function M.exists(path)
    local file = M.open(path, "rb")
    if file then file:close() end
    return file ~= nil
end

--- Return the whole content of a file, or nil and the reason.
function M.read_all(path)
    local file, why = M.open(path, "rb")
    if not file then return nil, why end
    local text = file:read("*a")
    file:close()
    return text
end

--- Rename a file over another one, atomically where the system can. Returns true, or nil and the reason.
function M.replace(from, to)
    if windows then return windows.replace(from, to) end
    if M.windows then os.remove(to) end
    return os.rename(from, to)
end

--- Delete a file if it exists.
function M.remove(path)
    if windows then
        windows.remove(path)
    else
        os.remove(path)
    end
end

--- The size of a file in bytes; 0 if it cannot be read.
function M.size(path)
    local file = M.open(path, "rb")
    if not file then return 0 end
    local bytes = file:seek("end", 0)
    file:close()
    return bytes or 0
end

--- A name for a file that is renamed to path when it is complete. No other user can guess it and put a link there.
function M.part_of(path)
    return path .. "." .. M.unique() .. ".part"
end

--- Write a small file atomically, under a temporary name that is renamed. Returns true, or nil and the reason.
function M.write_all(path, text)
    local part = M.part_of(path)
    local file, why = M.open(part, "wb")
    if not file then return nil, why end
    local written, problem = file:write(text)
    local closed, late = file:close()
    if not written or not closed then
        M.remove(part)
        return nil, 'the file "' .. path .. '" cannot be written: ' .. tostring(problem or late)
    end
    return M.replace(part, path)
end

--- Delete a folder if it exists and is empty.
function M.remove_folder(path)
    if windows then
        windows.remove_folder(path)
    elseif M.windows then
        os.execute('rmdir "' .. path:gsub("/", "\\") .. '" 2>nul')
    else
        os.remove(path)
    end
end

--- Quote one argument for the POSIX shell.
function M.quoted(text)
    return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function make_one_folder(path)
    if windows then
        windows.make_folder(path)
    elseif posix then
        ffi.C.f2_mkdir(path, 511)
    elseif M.windows then
        os.execute('if not exist "' .. path .. '" mkdir "' .. path .. '"')
    else
        os.execute("mkdir -p " .. M.quoted(path))
    end
end

--- Create a folder and those above it. Returns true, or nil and the reason: a file could not be written into it.
function M.make_folder(path)
    local probe = path .. "/.f2hdr-" .. M.unique()
    if not M.write_all(probe, "") then
        if windows or posix then
            for at in path:gmatch("()[/\\]") do
                if at > 1 then make_one_folder(path:sub(1, at - 1)) end
            end
        end
        make_one_folder(path)
        if not M.write_all(probe, "") then
            return nil, 'the folder "' .. path .. '" cannot be written; choose another cache folder'
        end
    end
    M.remove(probe)
    return true
end

--- The folder for this user's caches.
function M.cache_folder()
    local given = M.getenv("F2HDR_CACHE") or ""
    if given ~= "" then return (given:gsub("\\", "/")) .. "/resolve" end
    local home = M.home()
    if M.windows then return ((M.getenv("LOCALAPPDATA") or home):gsub("\\", "/")) .. "/f2hdr/resolve" end
    local base = M.getenv("XDG_CACHE_HOME") or ""
    if base == "" then base = home .. (M.is_mac(home) and "/Library/Caches" or "/.cache") end
    return base .. "/f2hdr/resolve"
end

--- Whether this is macOS: recognized by the place of home folders.
function M.is_mac(home)
    return home:match("^/Users/") ~= nil
end

--- The folder for this user's settings of F2HDR.
function M.settings_folder()
    local home = M.home()
    if M.windows then return ((M.getenv("APPDATA") or home):gsub("\\", "/")) .. "/f2hdr" end
    local base = M.getenv("XDG_CONFIG_HOME") or ""
    if base == "" then base = home .. (M.is_mac(home) and "/Library/Application Support" or "/.config") end
    return base .. "/f2hdr"
end

local made = 0

--- A text for temporary names that no other call on this machine returns.
function M.unique()
    made = made + 1
    local here = tostring({}):match("0x(%x+)") or tostring({}):match("(%x+)$") or "0"
    return string.format("%x%s%x", os.time(), here, made + math.floor(os.clock() * 1e6) * 4096)
end

--- Wait for about this number of seconds without using the processor.
function M.sleep(seconds)
    if windows then
        windows.sleep(seconds)
    elseif posix then
        ffi.C.f2_usleep(math.floor(seconds * 1e6))
    elseif M.windows then
        os.execute("ping -n " .. math.max(2, math.ceil(seconds)) .. " 127.0.0.1 >nul")
    else
        os.execute("sleep " .. seconds)
    end
end

-- Variables that a host sets for itself and that would break another Python.
local NOT_INHERITED = {"PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH"}

local function posix_line(words, base, environment)
    local parts = {"env -u " .. table.concat(NOT_INHERITED, " -u ")}
    for name, value in pairs(environment) do parts[#parts + 1] = name .. "=" .. M.quoted(value) end
    for _, word in ipairs(words) do parts[#parts + 1] = M.quoted(word) end
    local rc, out, err = M.quoted(base .. ".rc"), M.quoted(base .. ".out"), M.quoted(base .. ".err")
    local part = M.quoted(M.part_of(base .. ".rc"))
    local command = table.concat(parts, " ") .. " >" .. out .. " 2>" .. err
    -- With set -C, a shell creates the files of its redirections and never follows a link that is already there.
    local inner = "set -C; rm -f " .. out .. " " .. err .. "; " .. command .. "; echo $? >" .. part .. "; mv " .. part
        .. " " .. rc
    return "nohup sh -c " .. M.quoted(inner) .. " >/dev/null 2>&1 </dev/null &"
end

local function windows_batch(words, base, environment)
    local quoted = {}
    for index, word in ipairs(words) do quoted[index] = '"' .. word:gsub("%%", "%%%%") .. '"' end
    quoted[1] = quoted[1]:gsub("/", "\\")
    local files = base:gsub("/", "\\"):gsub("%%", "%%%%")
    local lines = {"@chcp 65001 >nul"}
    for _, name in ipairs(NOT_INHERITED) do lines[#lines + 1] = "@set " .. name .. "=" end
    for name, value in pairs(environment) do
        lines[#lines + 1] = '@set "' .. name .. "=" .. value:gsub("%%", "%%%%") .. '"'
    end
    lines[#lines + 1] = "@call " .. table.concat(quoted, " ") .. ' >"' .. files .. '.out" 2>"' .. files .. '.err" <nul'
    lines[#lines + 1] = '@>"' .. files .. '.rc.part" echo %errorlevel%'
    lines[#lines + 1] = '@move /y "' .. files .. '.rc.part" "' .. files .. '.rc" >nul'
    return table.concat(lines, "\r\n") .. "\r\n"
end

--- Start a program and return at once.
-- Its output goes to base.out and base.err; when it has ended, its exit code is in base.rc.
-- @param words  program and arguments, UTF-8
-- @param base   path, without ending, of the files named above
-- @param environment  variables that it gets in addition to this process's own
-- @return true, or nil and the reason why it could not be started
function M.start(words, base, environment)
    M.remove(base .. ".rc")
    if not M.windows then
        os.execute(posix_line(words, base, environment or {}))
        return true
    end
    if windows then
        local dropped = {}
        for _, name in ipairs(NOT_INHERITED) do dropped[name] = true end
        return windows.start(words, base, environment or {}, dropped)
    end
    local batch = (base .. ".bat"):gsub("/", "\\")
    local ok, why = M.write_all(batch, windows_batch(words, base, environment or {}))
    if not ok then return nil, why end
    os.execute('start "F2HDR" /b cmd /d /c "' .. batch .. '"')
    return true
end

--- Open a file with the program that the system has for it; does nothing where there is none.
function M.open_externally(path)
    if windows then
        windows.open_externally(path)
    elseif M.windows then
        os.execute('start "" "' .. path:gsub("/", "\\") .. '"')
    else
        local program = M.is_mac(M.home()) and "open" or "xdg-open"
        os.execute(program .. " " .. M.quoted(path) .. " >/dev/null 2>&1 </dev/null &")
    end
end

--- The exit code of the program that M.start started with this base, or nil while it runs.
function M.finished(base)
    if windows then return windows.finished(base) end
    local text = M.read_all(base .. ".rc")
    return text and tonumber(text:match("%-?%d+"))
end

return M
