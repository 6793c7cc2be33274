--- Whether a file or a folder belongs to this user alone, on Linux and macOS, through LuaJIT's ffi.
-- Where that cannot be determined, the answer is no.

local M = {}

local FILE, FOLDER = 8, 4

local function find_ffi()
    local ok, ffi = pcall(require, "ffi")
    if not ok then ffi = rawget(_G, "ffi") end
    return ffi and (ffi.os == "Linux" or ffi.os == "OSX") and ffi or nil
end

local ffi = find_ffi()

local function declared()
    if not ffi then return false end
    local names = "unsigned int f2_user(void) __asm__(\"getuid\");\n"
    if ffi.os == "Linux" then
        names = names .. "int f2_statx(int at, const char *path, int flags, unsigned int mask, void *facts) "
            .. '__asm__("statx");'
    else
        local symbol = ffi.arch == "x64" and "lstat$INODE64" or "lstat"
        names = names .. 'int f2_lstat(const char *path, void *facts) __asm__("' .. symbol .. '");'
    end
    local ok, why = pcall(ffi.cdef, names)
    return ok or tostring(why):find("redefine", 1, true) ~= nil
end

local available = declared()

--- Owner and mode of a path, links not followed; nil if there is nothing or the system does not answer.
-- The offsets are those of Linux's struct statx (statx(2)) and of macOS's struct stat with 64-bit inodes (stat(2)).
local function facts_of(path)
    local facts = ffi.new("uint8_t[512]")
    local words, halves = ffi.cast("uint32_t *", facts), ffi.cast("uint16_t *", facts)
    if ffi.os == "Linux" then
        local at_current_folder, no_follow, type_mode_owner = -100, 0x100, 0x0B
        if ffi.C.f2_statx(at_current_folder, path, no_follow, type_mode_owner, facts) ~= 0 then return nil end
        return words[5], halves[14]
    end
    if ffi.C.f2_lstat(path, facts) ~= 0 then return nil end
    return words[4], halves[2]
end

--- The number of this user; nil where it is not known.
function M.user()
    return available and tonumber(ffi.C.f2_user()) or nil
end

--- Return whether path exists, is not a link, belongs to this user, and no other user can use it.
-- @param kind  "file" (nobody else may read or write it) or "folder" (nobody else may write into it)
function M.is_private(path, kind)
    if not available then return false end
    local ok, owner, mode = pcall(facts_of, path)
    if not ok or not owner or owner ~= M.user() then return false end
    if math.floor(mode / 4096) ~= (kind == "file" and FILE or FOLDER) then return false end
    local group, others = math.floor(mode / 8) % 8, mode % 8
    if kind == "file" then return group == 0 and others == 0 end
    return math.floor(group / 2) % 2 == 0 and math.floor(others / 2) % 2 == 0
end

return M
