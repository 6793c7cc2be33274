--- Limits the bytes that the results of live frames take: the oldest are deleted first.
-- Lua cannot list a folder, so there is a list next to the results, one line for each: digest, bytes, file names. Of
-- two lines with the same digest the later one counts. Lines are appended; the list is rewritten only when results are
-- deleted.

local system = require("f2hdr_system")

local M = {}

local LIST = "/results.txt"

local function remembered(live)
    local all, last = {}, {}
    for line in (system.read_all(live .. LIST) or ""):gmatch("[^\n]+") do
        local digest, bytes, names = line:match("^(%w+) (%d+) ([%w%. %-]+)$")
        if digest then
            all[#all + 1] = {line = line, digest = digest, bytes = tonumber(bytes), names = names}
            last[digest] = all[#all]
        end
    end
    local list, total = {}, 0
    for _, one in ipairs(all) do
        if last[one.digest] == one then list[#list + 1], total = one, total + one.bytes end
    end
    return list, total
end

local function drop(live, one)
    local folder = live .. "/" .. one.digest
    for name in one.names:gmatch("%S+") do system.remove(folder .. "/" .. name) end
    system.remove_folder(folder)
end

local function append(live, line)
    local file = system.open(live .. LIST, "ab")
    if not file then return end
    file:write(line)
    file:close()
end

--- List what is in the folder of a digest now, and delete the oldest results above the limit, never this one.
-- @param live    folder of all results
-- @param digest  letters and digits; the name of the result's own folder in live
-- @param names   of the files that are or will be in it; letters, digits, points and - only
-- @param limit   bytes
function M.note(live, digest, names, limit)
    local bytes = 0
    for _, name in ipairs(names) do bytes = bytes + system.size(live .. "/" .. digest .. "/" .. name) end
    append(live, string.format("%s %.0f %s\n", digest, bytes, table.concat(names, " ")))
    local list, total = remembered(live)
    if total <= limit then return end
    local kept = {}
    for _, one in ipairs(list) do
        if total > limit and one.digest ~= digest then
            drop(live, one)
            total = total - one.bytes
        else
            kept[#kept + 1] = one.line .. "\n"
        end
    end
    system.write_all(live .. LIST, table.concat(kept))
end

return M
