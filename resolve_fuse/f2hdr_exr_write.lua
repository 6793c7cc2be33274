--- Writes OpenEXR files of uncompressed scan lines of 32-bit floats.
-- With LuaJIT's ffi rows are C arrays, without it Lua tables; both are indexed from 0. Row 0 is the top of the picture.
-- Layout: "OpenEXR File Layout" of the OpenEXR documentation.

local system = require("f2hdr_system")
local numbers = require("f2hdr_numbers")

local M = {}
local ffi = system.ffi
local int32 = numbers.int32
local MAGIC = 20000630

local function attribute(name, kind, bytes)
    return name .. "\0" .. kind .. "\0" .. int32(#bytes) .. bytes
end

local function header_of(picture)
    local float = numbers.float32
    local box = int32(0) .. int32(0) .. int32(picture.width - 1) .. int32(picture.height - 1)
    local list = {}
    for index, name in ipairs(picture.channels) do
        list[index] = name .. "\0" .. int32(2) .. "\0\0\0\0" .. int32(1) .. int32(1)
    end
    local parts = {
        int32(MAGIC), int32(2),
        attribute("channels", "chlist", table.concat(list) .. "\0"),
        attribute("compression", "compression", "\0"),
        attribute("dataWindow", "box2i", box),
        attribute("displayWindow", "box2i", box),
        attribute("lineOrder", "lineOrder", "\0"),
        attribute("pixelAspectRatio", "float", float(picture.pixel_aspect or 1)),
        attribute("screenWindowCenter", "v2f", float(0) .. float(0)),
        attribute("screenWindowWidth", "float", float(1)),
    }
    for name, text in pairs(picture.strings or {}) do
        parts[#parts + 1] = attribute(name, "string", text)
    end
    return table.concat(parts) .. "\0"
end

local function offsets_of(picture, start)
    local size = 8 + picture.width * 4 * #picture.channels
    local parts = {}
    for row = 0, picture.height - 1 do
        local at = start + picture.height * 8 + row * size
        parts[row + 1] = int32(at % 4294967296) .. int32(math.floor(at / 4294967296))
    end
    return table.concat(parts)
end

--- One row that fill() sets: planes[i][x] is channel i at column x.
local function native_row(picture)
    local width, count = picture.width, #picture.channels
    local size = width * 4 * count
    local pixels = ffi.new("float[?]", width * count)
    local planes = {}
    for index = 1, count do planes[index] = pixels + (index - 1) * width end
    return {
        planes = planes,
        bytes = function() return ffi.string(pixels, size) end,
        add_to = function(fingerprint)
            fingerprint:words(ffi.cast("uint32_t *", pixels), width * count, ffi)
        end,
    }
end

local function plain_row(picture)
    local width, planes, parts = picture.width, {}, {}
    for index = 1, #picture.channels do planes[index] = {} end
    local float32 = numbers.float32
    return {
        planes = planes,
        bytes = function()
            local filled = 0
            for _, plane in ipairs(planes) do
                for x = 0, width - 1 do
                    filled = filled + 1
                    parts[filled] = float32(plane[x])
                end
            end
            return table.concat(parts)
        end,
        add_to = function(fingerprint)
            for _, plane in ipairs(planes) do fingerprint:numbers(plane, width) end
        end,
    }
end

local function write_rows(file, picture, fill)
    local row = ffi and native_row(picture) or plain_row(picture)
    local size = int32(picture.width * 4 * #picture.channels)
    for y = 0, picture.height - 1 do
        fill(y, row.planes)
        if picture.fingerprint then row.add_to(picture.fingerprint) end
        local ok, why = file:write(int32(y) .. size .. row.bytes())
        if not ok then return nil, why end
    end
    return true
end

--- Write a picture of 32-bit floats, under a temporary name that is renamed when it is complete.
-- @param path     where to, UTF-8
-- @param picture  width, height, channels (names in the order of the alphabet), and if wanted pixel_aspect, strings
--                 (header attributes) and fingerprint (one of f2hdr_numbers, to which every pixel is added)
-- @param fill     function(y, planes): sets planes[i][0] to planes[i][width - 1] of row y for channel i; it may raise
-- @return true, or nil and the reason
function M.write(path, picture, fill)
    local part = system.part_of(path)
    local file, why = system.open(part, "wb")
    if not file then return nil, 'the file "' .. path .. '" cannot be written: ' .. tostring(why) end
    local header = header_of(picture)
    local started, problem = file:write(header .. offsets_of(picture, #header))
    local ok, written, reason = pcall(function()
        if not started then return nil, problem end
        return write_rows(file, picture, fill)
    end)
    local closed, late = file:close()
    if not ok or not written or not closed then
        system.remove(part)
        if not ok then error(written, 0) end
        return nil, 'the file "' .. path .. '" cannot be written: ' .. tostring(reason or late)
    end
    return system.replace(part, path)
end

return M
