--- Reads OpenEXR files of uncompressed scan lines of float, half and uint channels; damaged files are refused.
-- With LuaJIT's ffi rows are C arrays, without it Lua tables; both are indexed from 0. Row 0 is the top of the picture.
-- Layout: "OpenEXR File Layout" of the OpenEXR documentation.

local system = require("f2hdr_system")
local numbers = require("f2hdr_numbers")

local M = {}
local ffi = system.ffi

local MAGIC = 20000630
local LONGEST_HEADER = 4 * 1024 * 1024
local MOST_CHANNELS = 1024
local WIDEST = 65536
local BYTES = {[0] = 4, [1] = 2, [2] = 4}
local TYPES = {[0] = "uint32_t", [1] = "uint16_t", [2] = "float"}
local COMPRESSIONS = {
    [0] = "none", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB"
}
local halves

local function attributes_of(text, at)
    local found = {}
    while true do
        local name = text:match("^(%Z*)%z", at)
        if not name then return nil end
        at = at + #name + 1
        if name == "" then return found, at end
        local kind = text:match("^(%Z*)%z", at)
        local size = kind and numbers.read_int32(text, at + #kind + 1)
        local data = size and at + #kind + 5
        if not size or size < 0 or data + size - 1 > #text then return nil end
        found[name] = {kind = kind, bytes = text:sub(data, data + size - 1)}
        at = data + size
    end
end

local function box_of(found)
    local bytes = found and found.kind == "box2i" and #found.bytes == 16 and found.bytes
    if not bytes then return nil end
    local box = {}
    for index = 1, 4 do box[index] = numbers.read_int32(bytes, index * 4 - 3) end
    local width, height = box[3] - box[1] + 1, box[4] - box[2] + 1
    if width < 1 or height < 1 or width > WIDEST or height > WIDEST then return nil end
    return {x = box[1], y = box[2], width = width, height = height}
end

local function channels_of(found)
    if not found or found.kind ~= "chlist" then return nil end
    local bytes, at, list = found.bytes, 1, {}
    while true do
        local name = bytes:match("^(%Z*)%z", at)
        if not name or #list > MOST_CHANNELS then return nil end
        if name == "" then return list end
        at = at + #name + 1
        local kind, across = numbers.read_int32(bytes, at), numbers.read_int32(bytes, at + 8)
        local down = numbers.read_int32(bytes, at + 12)
        if not down or not BYTES[kind] or across ~= 1 or down ~= 1 then return nil end
        list[#list + 1] = {name = name, kind = kind}
        at = at + 16
    end
end

local function refusal(text, compression)
    local flags = text:byte(6)
    if math.floor(flags / 2) % 2 == 1 then return "has tiles; only scan lines can be read here" end
    if math.floor(flags / 8) % 4 ~= 0 then
        return "has several parts or deep pixels; only one flat part can be read here"
    end
    if compression ~= 0 then
        local name = COMPRESSIONS[compression] or tostring(compression)
        return "is compressed (" .. name .. "); only uncompressed files can be read here"
    end
    return nil
end

local function same_box(one, two)
    return one.x == two.x and one.y == two.y and one.width == two.width and one.height == two.height
end

--- The contents of the header; or nil, the reason why the file cannot be read here and, if known, its display window.
local function parsed(text)
    if #text < 8 or numbers.read_int32(text, 1) ~= MAGIC then return nil, "is not an OpenEXR file" end
    if text:byte(5) ~= 2 then return nil, "is of an OpenEXR version that cannot be read here" end
    local found, at = attributes_of(text, 9)
    if not found then return nil, "has a damaged header" end
    local window, display = box_of(found.dataWindow), box_of(found.displayWindow)
    local channels = channels_of(found.channels)
    local compression = found.compression and found.compression.bytes:byte(1)
    if not (window and display and channels and compression) then return nil, "has a damaged header" end
    local problem = refusal(text, compression)
    if not problem and not same_box(window, display) then
        problem = "has a data window of its own, which cannot be read here"
    end
    if problem then return nil, problem, display end
    local size = 0
    for _, channel in ipairs(channels) do
        channel.offset = size
        size = size + BYTES[channel.kind] * window.width
    end
    return {window = window, channels = channels, attributes = found, row_size = size, offsets_at = at - 1}
end

local Reader = {}
Reader.__index = Reader

--- Open a file and read its header.
-- @return an object with width, height, channels (name to true) and the functions below; or nil, one sentence and, if
--         the file is intact but of a kind that is not read here, its {width, height}
function M.open(path)
    local file, why = system.open(path, "rb")
    if not file then return nil, 'the file "' .. path .. '" cannot be read: ' .. tostring(why) end
    local text = file:read(LONGEST_HEADER) or ""
    local length = file:seek("end", 0)
    local picture, problem, size = parsed(text)
    if picture and picture.offsets_at + picture.window.height * (16 + picture.row_size) > length then
        picture, problem = nil, "ends too early; it is damaged or still being written"
    end
    if not picture then
        file:close()
        return nil, 'the file "' .. path .. '" ' .. problem, size
    end
    local reader = setmetatable({file = file, path = path, length = length, picture = picture}, Reader)
    reader.width, reader.height = picture.window.width, picture.window.height
    reader.channels = {}
    for _, channel in ipairs(picture.channels) do reader.channels[channel.name] = channel end
    return reader
end

--- Read the attributes of a file's header, whatever its compression: name to {kind, bytes}; or nil and one sentence.
function M.attributes(path)
    local file, why = system.open(path, "rb")
    if not file then return nil, 'the file "' .. path .. '" cannot be read: ' .. tostring(why) end
    local text = file:read(LONGEST_HEADER) or ""
    file:close()
    local found = #text >= 8 and numbers.read_int32(text, 1) == MAGIC and attributes_of(text, 9)
    if not found then return nil, 'the file "' .. path .. '" has no OpenEXR header' end
    return found
end

--- The text of a string attribute of the header, or nil.
function Reader:text(name)
    local found = self.picture.attributes[name]
    return found and found.kind == "string" and found.bytes or nil
end

--- Close the file.
function Reader:close()
    self.file:close()
end

local function native_halves()
    if not halves then
        halves = ffi.new("float[65536]")
        for bits = 0, 65535 do halves[bits] = numbers.half(bits) end
    end
    return halves
end

local function native_decoder(channel, width)
    local raw = ffi.new(TYPES[channel.kind] .. "[?]", width)
    local plane, size = ffi.new("float[?]", width), BYTES[channel.kind] * width
    local table_of_halves = channel.kind == 1 and native_halves()
    return plane, function(row)
        ffi.copy(raw, ffi.cast("const char *", row) + channel.offset, size)
        if table_of_halves then
            for x = 0, width - 1 do plane[x] = table_of_halves[raw[x]] end
        else
            for x = 0, width - 1 do plane[x] = raw[x] end
        end
    end
end

local function plain_decoder(channel, width)
    local plane, start = {}, channel.offset + 1
    local function half(row, x)
        local a, b = row:byte(start + x * 2, start + x * 2 + 1)
        return numbers.half(a + b * 256)
    end
    local function uint(row, x)
        local value = numbers.read_int32(row, start + x * 4)
        return value < 0 and value + 4294967296 or value
    end
    local function float(row, x)
        return numbers.read_float32(row:byte(start + x * 4, start + x * 4 + 3))
    end
    local value_at = ({[0] = uint, half, float})[channel.kind]
    return plane, function(row)
        for x = 0, width - 1 do plane[x] = value_at(row, x) end
    end
end

function Reader:_row_starts()
    local picture = self.picture
    self.file:seek("set", picture.offsets_at)
    local text = self.file:read(picture.window.height * 8)
    local starts = {}
    for row = 0, picture.window.height - 1 do
        local low, high = numbers.read_int32(text, row * 8 + 1), numbers.read_int32(text, row * 8 + 5)
        starts[row] = (low < 0 and low + 4294967296 or low) + high * 4294967296
    end
    return starts
end

function Reader:_row(start, y)
    local picture = self.picture
    if start < picture.offsets_at or start + 8 + picture.row_size > self.length then return nil end
    self.file:seek("set", start)
    local text = self.file:read(8 + picture.row_size)
    if not text or #text < 8 + picture.row_size then return nil end
    if numbers.read_int32(text, 1) ~= y + picture.window.y then return nil end
    if numbers.read_int32(text, 5) ~= picture.row_size then return nil end
    return text:sub(9)
end

--- Read some channels of all rows, from the top down.
-- @param names  channel names
-- @param take   function(y, planes): planes[i][x] is channel names[i] of row y
-- @return true, or nil and one sentence
function Reader:read(names, take)
    local planes, decoders = {}, {}
    for index, name in ipairs(names) do
        local channel = self.channels[name]
        if not channel then return nil, 'the file "' .. self.path .. '" has no channel ' .. name end
        planes[index], decoders[index] = (ffi and native_decoder or plain_decoder)(channel, self.width)
    end
    local starts = self:_row_starts()
    for y = 0, self.height - 1 do
        local row = self:_row(starts[y], y)
        if not row then return nil, 'the file "' .. self.path .. '" is damaged at row ' .. y end
        for _, decode in ipairs(decoders) do decode(row) end
        take(y, planes)
    end
    return true
end

return M
