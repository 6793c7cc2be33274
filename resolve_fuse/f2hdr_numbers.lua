--- Floats and integers to and from the little-endian bytes of files, and a fingerprint of pixels, in plain Lua.

local M = {}

local floor, frexp, ldexp, char = math.floor, math.frexp, math.ldexp, string.char
local HUGE = math.huge

--- Four bytes of a signed or unsigned 32-bit integer.
function M.int32(value)
    if value < 0 then value = value + 4294967296 end
    return char(value % 256, floor(value / 256) % 256, floor(value / 65536) % 256, floor(value / 16777216) % 256)
end

--- Read a signed 32-bit integer at a 1-based position; nil if the text is too short.
function M.read_int32(text, at)
    local a, b, c, d = text:byte(at, at + 3)
    if not d then return nil end
    local value = a + b * 256 + c * 65536 + d * 16777216
    return value >= 2147483648 and value - 4294967296 or value
end

--- Four bytes of a 32-bit float, rounded to nearest; too large becomes infinity.
function M.float32(value)
    if value == 0 then return 1 / value < 0 and "\0\0\0\128" or "\0\0\0\0" end
    if value ~= value then return "\0\0\192\127" end
    local sign = 0
    if value < 0 then sign, value = 128, -value end
    if value == HUGE then return char(0, 0, 128, sign + 127) end
    local fraction, exponent = frexp(value)
    exponent = exponent + 126
    local bits
    if exponent <= 0 then
        bits, exponent = ldexp(fraction, exponent + 23), 0
    else
        bits = fraction * 16777216 - 8388608
    end
    local whole = floor(bits)
    local rest = bits - whole
    if rest > 0.5 or (rest == 0.5 and whole % 2 == 1) then whole = whole + 1 end
    if whole >= 8388608 then whole, exponent = whole - 8388608, exponent + 1 end
    if exponent >= 255 then return char(0, 0, 128, sign + 127) end
    return char(
        whole % 256, floor(whole / 256) % 256,
        floor(whole / 65536) + exponent % 2 * 128, sign + floor(exponent / 2)
    )
end

--- The number of four bytes of a 32-bit float.
function M.read_float32(a, b, c, d)
    local sign = 1
    if d >= 128 then sign, d = -1, d - 128 end
    local exponent = d * 2 + floor(c / 128)
    local fraction = c % 128 * 65536 + b * 256 + a
    if exponent == 255 then return fraction == 0 and sign * HUGE or 0 / 0 end
    if exponent == 0 then return sign * ldexp(fraction, -149) end
    return sign * ldexp(fraction + 8388608, exponent - 150)
end

--- The number of two bytes (as one integer, 0 to 65535) of a 16-bit float.
function M.half(bits)
    local sign = 1
    if bits >= 32768 then sign, bits = -1, bits - 32768 end
    local exponent, fraction = floor(bits / 1024), bits % 1024
    if exponent == 31 then return fraction == 0 and sign * HUGE or 0 / 0 end
    if exponent == 0 then return sign * ldexp(fraction, -24) end
    return sign * ldexp(fraction + 1024, exponent - 25)
end

local Fingerprint = {}
Fingerprint.__index = Fingerprint
local LARGEST_PRIME = 4294967291

--- Start a fingerprint of all values that are added, in their order.
function M.fingerprint()
    return setmetatable({5381, 52711}, Fingerprint)
end

--- Add a text.
function Fingerprint:text(text)
    local one, two = self[1], self[2]
    for at = 1, #text do
        local byte = text:byte(at)
        one = (one * 257 + byte) % LARGEST_PRIME
        two = (two * 65599 + byte) % LARGEST_PRIME
    end
    self[1], self[2] = one, two
end

--- Add numbers list[0] to list[count - 1], which are 32-bit floats in a Lua table.
function Fingerprint:numbers(list, count)
    local one, two = self[1], self[2]
    for at = 0, count - 1 do
        local value = list[at]
        if value ~= value or value == HUGE or value == -HUGE then value = -7.5e38 end
        local fraction, exponent = frexp(value)
        local mixed = fraction * 16777216 + 16777217 + exponent * 33554467
        one = (one * 257 + mixed) % LARGEST_PRIME
        two = (two * 65599 + mixed) % LARGEST_PRIME
    end
    self[1], self[2] = one, two
end

--- Add numbers of a C array of 32-bit floats, given as an ffi pointer to uint32_t; only where there is ffi.
function Fingerprint:words(pointer, count, ffi)
    local factor = ffi.cast("uint64_t", 1481765933) * ffi.cast("uint64_t", 4294967296) + 1284865837
    local state = self.wide or factor
    for at = 0, count - 1 do
        state = (state + pointer[at]) * factor
    end
    self.wide = state
end

--- The fingerprint as text of letters and digits.
function Fingerprint:digest()
    local text = string.format("%08x%08x", self[1], self[2])
    if not self.wide then return text end
    return text .. "w" .. tostring(self.wide):gsub("ULL", "")
end

return M
