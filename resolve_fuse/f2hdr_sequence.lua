--- Numbered files: plate.####.exr, plate.%04d.exr, plate.$F4.exr, or one file of the sequence.

local M = {}

local Sequence = {}
Sequence.__index = Sequence

local MARKS = {
    {"#+", function(mark) return #mark end},
    {"%%0?%d*d", function(mark) return tonumber(mark:match("%d+") or 1) end},
    {"%$F%d?", function(mark) return tonumber(mark:match("%d") or 1) end},
    {"@+", function(mark) return #mark end},
}

local function split(text, first, last, padding)
    local parts = {head = text:sub(1, first - 1), padding = math.max(1, padding), tail = text:sub(last + 1)}
    return setmetatable(parts, Sequence)
end

--- Read a pattern, or the name of one numbered file; nil for a text without any number.
function M.parse(text)
    local name_at = (text:match(".*[/\\]()") or 1)
    for _, mark in ipairs(MARKS) do
        local first, last = text:find(mark[1], name_at)
        if first then return split(text, first, last, mark[2](text:sub(first, last))) end
    end
    local first, last = text:match("()%d+()%.[^./\\]*$")
    if not first or first < name_at then return nil end
    return split(text, first, last - 1, last - first)
end

--- The path of one frame; a sign is not counted as a digit.
function Sequence:path(frame)
    local digits = string.format("%0" .. self.padding .. "d", math.abs(frame))
    return self.head .. (frame < 0 and "-" or "") .. digits .. self.tail
end

--- The pattern, with # for the digits.
function Sequence:pattern()
    return self.head .. ("#"):rep(self.padding) .. self.tail
end

return M
