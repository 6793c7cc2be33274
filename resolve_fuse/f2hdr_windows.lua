--- Files, processes and environment of Windows through LuaJIT's ffi: any character in a path, and no console window for
-- a process. Lua's own io and os take only the characters of the system's code page. Used by f2hdr_system alone.

local M = {available = false}

local NAMES = [[
int f2_to_wide(unsigned int page, unsigned long flags, const char *text, int bytes, uint16_t *wide, int room)
    __asm__("MultiByteToWideChar");
int f2_from_wide(unsigned int page, unsigned long flags, const uint16_t *wide, int count, char *text, int room,
    const char *standin, int *used) __asm__("WideCharToMultiByte");
void f2_sleep(unsigned long milliseconds) __asm__("Sleep");
int f2_make_folder(const uint16_t *path, void *security) __asm__("CreateDirectoryW");
int f2_remove_folder(const uint16_t *path) __asm__("RemoveDirectoryW");
int f2_move(const uint16_t *from, const uint16_t *to, unsigned long flags) __asm__("MoveFileExW");
int f2_delete(const uint16_t *path) __asm__("DeleteFileW");
void *f2_create_file(const uint16_t *path, unsigned long access, unsigned long share, void *security,
    unsigned long how, unsigned long flags, void *like) __asm__("CreateFileW");
int f2_create_process(const uint16_t *program, uint16_t *line, void *process, void *thread, int inherit,
    unsigned long flags, void *environment, const uint16_t *folder, void *startup, void **started)
    __asm__("CreateProcessW");
int f2_exit_code(void *process, unsigned long *code) __asm__("GetExitCodeProcess");
int f2_close(void *handle) __asm__("CloseHandle");
unsigned long f2_variable(const uint16_t *name, uint16_t *value, unsigned long room)
    __asm__("GetEnvironmentVariableW");
uint16_t *f2_environment(void) __asm__("GetEnvironmentStringsW");
int f2_free_environment(uint16_t *block) __asm__("FreeEnvironmentStringsW");
void *f2_shell_execute(void *window, const uint16_t *verb, const uint16_t *path, const uint16_t *arguments,
    const uint16_t *folder, int how) __asm__("ShellExecuteW");
void *f2_wfopen(const uint16_t *path, const uint16_t *mode) __asm__("_wfopen");
size_t f2_fread(void *to, size_t size, size_t count, void *file) __asm__("fread");
size_t f2_fwrite(const void *from, size_t size, size_t count, void *file) __asm__("fwrite");
int f2_fseek(void *file, int64_t offset, int whence) __asm__("_fseeki64");
int64_t f2_ftell(void *file) __asm__("_ftelli64");
int f2_fclose(void *file) __asm__("fclose");
]]

local function declared()
    local ok, ffi = pcall(require, "ffi")
    if not ok then ffi = rawget(_G, "ffi") end
    if not ffi or ffi.os ~= "Windows" then return nil end
    local fine, why = pcall(ffi.cdef, NAMES)
    return (fine or tostring(why):find("redefine", 1, true)) and ffi or nil
end

local ffi = declared()
M.available = ffi ~= nil
local kernel, runtime = ffi and ffi.load("kernel32"), ffi and ffi.load("msvcrt")
local processes, codes = {}, {}

local UTF8 = 65001
local WHENCE = {set = 0, cur = 1, ["end"] = 2}
local STILL_ACTIVE = 259

local WideFile = {}
WideFile.__index = WideFile

--- Read count bytes, or the rest of the file for "*a"; nil at the end.
function WideFile:read(count)
    if count == "*a" then
        local at = self:seek("cur", 0)
        count = self:seek("end", 0) - at
        self:seek("set", at)
        if count == 0 then return "" end
    end
    local buffer = ffi.new("uint8_t[?]", count)
    local got = tonumber(runtime.f2_fread(buffer, 1, count, self.handle))
    if got == 0 and count > 0 then return nil end
    return ffi.string(buffer, got)
end

--- Write a text. Returns true, or nil and the reason.
function WideFile:write(text)
    local count = tonumber(runtime.f2_fwrite(text, 1, #text, self.handle))
    if count ~= #text then return nil, "the disk may be full" end
    return true
end

--- Move to an offset and return the position.
function WideFile:seek(whence, offset)
    runtime.f2_fseek(self.handle, offset or 0, WHENCE[whence or "cur"])
    return tonumber(runtime.f2_ftell(self.handle))
end

--- Close. Returns true, or nil and the reason.
function WideFile:close()
    if runtime.f2_fclose(self.handle) ~= 0 then return nil, "the disk may be full" end
    return true
end

--- One argument of a command line, quoted as Microsoft's C runtime parses it.
local function quoted(word)
    if word ~= "" and not word:find('[%s"]') then return word end
    local escaped = word:gsub('(\\*)"', '%1%1\\"'):gsub("(\\+)$", "%1%1")
    return '"' .. escaped .. '"'
end

local function wide(text)
    local room = kernel.f2_to_wide(UTF8, 0, text, #text, nil, 0)
    local buffer = ffi.new("uint16_t[?]", room + 1)
    kernel.f2_to_wide(UTF8, 0, text, #text, buffer, room)
    return buffer
end

local function narrow(pointer, count)
    local room = kernel.f2_from_wide(UTF8, 0, pointer, count, nil, 0, nil, nil)
    local buffer = ffi.new("char[?]", room + 1)
    kernel.f2_from_wide(UTF8, 0, pointer, count, buffer, room, nil, nil)
    return ffi.string(buffer, room)
end

--- This process's variables, without some and with others, as a block for CreateProcess.
local function environment_of(dropped, added)
    local block, entries, at = kernel.f2_environment(), {}, 0
    while block[at] ~= 0 do
        local stop = at
        while block[stop] ~= 0 do stop = stop + 1 end
        local entry = narrow(block + at, stop - at)
        local name = (entry:match("^(=?[^=]*)=") or ""):upper()
        if not dropped[name] and added[name] == nil then entries[#entries + 1] = entry end
        at = stop + 1
    end
    kernel.f2_free_environment(block)
    for name, value in pairs(added) do entries[#entries + 1] = name .. "=" .. value end
    return wide(table.concat(entries, "\0") .. "\0\0")
end

local function inherited(path, access, how)
    local security = ffi.new("uint64_t[3]", 24, 0, 1)
    return kernel.f2_create_file(wide(path), access, 7, security, how, 128, nil)
end

--- As f2hdr_system has them.
function M.open(path, mode)
    local handle = runtime.f2_wfopen(wide(path), wide(mode))
    if handle == nil then return nil, 'the file "' .. path .. '" cannot be opened' end
    return setmetatable({handle = handle}, WideFile)
end

function M.replace(from, to)
    if kernel.f2_move(wide(from), wide(to), 1) ~= 0 then return true end
    return nil, 'the file "' .. to .. '" cannot be replaced; is it open elsewhere?'
end

--- The value of an environment variable as UTF-8; Lua's own os.getenv has it in the system's code page.
function M.getenv(name)
    local room = tonumber(kernel.f2_variable(wide(name), nil, 0))
    if room == 0 then return nil end
    local buffer = ffi.new("uint16_t[?]", room)
    local count = tonumber(kernel.f2_variable(wide(name), buffer, room))
    return count < room and narrow(buffer, count) or nil
end

function M.remove(path) kernel.f2_delete(wide(path)) end
function M.remove_folder(path) kernel.f2_remove_folder(wide(path)) end
function M.make_folder(path) kernel.f2_make_folder(wide(path), nil) end

--- Open a file with the program that the user has chosen for such files.
function M.open_externally(path)
    local normal_window = 1
    ffi.load("shell32").f2_shell_execute(nil, wide("open"), wide((path:gsub("/", "\\"))), nil, nil, normal_window)
end

function M.sleep(seconds) kernel.f2_sleep(math.floor(seconds * 1000)) end

--- The exit code of the process that start started with this base; nil while it runs or if another program started it.
-- The handle of a process that has ended is closed and its exit code kept.
function M.finished(base)
    local process, code = processes[base], ffi.new("unsigned long[1]")
    if process == nil then return codes[base] end
    if kernel.f2_exit_code(process, code) == 0 or tonumber(code[0]) == STILL_ACTIVE then return nil end
    kernel.f2_close(process)
    processes[base], codes[base] = nil, tonumber(code[0])
    return codes[base]
end

--- Close the handles of all processes that have ended, and of the earlier one with this base, ended or not.
local function make_room(base)
    local begun = {}
    for name in pairs(processes) do begun[#begun + 1] = name end
    for _, name in ipairs(begun) do M.finished(name) end
    if processes[base] ~= nil then kernel.f2_close(processes[base]) end
    processes[base], codes[base] = nil, nil
end

--- As f2hdr_system.start; dropped is a set of variables that the process does not get.
function M.start(words, base, added, dropped)
    make_room(base)
    local line = {}
    for index, word in ipairs(words) do line[index] = quoted(word) end
    local files = {
        inherited("NUL", 0x80000000, 3), inherited(base .. ".out", 0x40000000, 2),
        inherited(base .. ".err", 0x40000000, 2),
    }
    local startup, started = ffi.new("uint64_t[13]"), ffi.new("void *[3]")
    ffi.cast("uint32_t *", startup)[0] = 104
    ffi.cast("uint32_t *", startup)[15] = 0x100
    for index, handle in ipairs(files) do ffi.cast("void **", startup)[9 + index] = handle end
    local flags = 0x08000000 + 0x400 + 0x200
    local done = kernel.f2_create_process(
        nil, wide(table.concat(line, " ")), nil, nil, 1, flags, environment_of(dropped, added), nil, startup, started
    )
    for _, handle in ipairs(files) do kernel.f2_close(handle) end
    if done == 0 then return nil, 'The program "' .. words[1] .. '" cannot be started.' end
    kernel.f2_close(started[1])
    processes[base] = started[0]
    return true
end

return M
