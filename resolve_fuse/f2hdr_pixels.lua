--- Between a host's images (Fusion's Image and Pixel, row 0 at the bottom) and rows of arrays from the top down.

local exr_read = require("f2hdr_exr_read")

local M = {}

local function window_of(img)
    local window = img.DataWindow
    if not window then return 0, img.Width, 0, img.Height end
    return math.max(0, window.left), math.min(img.Width, window.right),
        math.max(0, window.bottom), math.min(img.Height, window.top)
end

--- Return function(y, planes, every): it copies every so many pixels of row y of an image into planes 1 to 3, which
-- are blue, green and red; outside the image's data window they are 0.
function M.rows_of(img, pixel)
    local left, right, bottom, top = window_of(img)
    local width, height = img.Width, img.Height
    return function(y, planes, every)
        local blue, green, red = planes[1], planes[2], planes[3]
        local row, column = height - 1 - y, 0
        local inside = row >= bottom and row < top
        for x = 0, width - 1, every do
            if inside and x >= left and x < right then
                img:GetPixel(x, row, pixel)
                blue[column], green[column], red[column] = pixel.B, pixel.G, pixel.R
            else
                blue[column], green[column], red[column] = 0, 0, 0
            end
            column = column + 1
        end
    end
end

--- Return function(x, row): the alpha of an image, 0 outside its data window.
local function alpha_of(img, pixel)
    local left, right, bottom, top = window_of(img)
    return function(x, row)
        if x < left or x >= right or row < bottom or row >= top then return 0 end
        img:GetPixel(x, row, pixel)
        return pixel.A
    end
end

--- For each row of a file, the rows of an image of this height that show it (nearest row), counted from the bottom.
local function shown_rows(height, of_file)
    local shown = {}
    for row = 0, height - 1 do
        local y = math.floor((height - 1 - row + 0.5) * of_file / height)
        shown[y] = shown[y] or {}
        table.insert(shown[y], row)
    end
    return shown
end

--- Fill an image from a reader of uncompressed EXR; where it is smaller, as a proxy is, by the nearest pixel.
-- @param plate  image of the same size that alpha is taken from
-- @param pixel  function that makes a host's pixel
local function fill(out, reader, names, plate, pixel)
    local to, alpha = pixel(), alpha_of(plate, pixel())
    local width, shown, column = out.Width, shown_rows(out.Height, reader.height), {}
    for x = 0, width - 1 do column[x] = math.floor((x + 0.5) * reader.width / width) end
    return reader:read(names, function(y, planes)
        local red, green, blue = planes[1], planes[2], planes[3]
        for _, row in ipairs(shown[y] or {}) do
            for x = 0, width - 1 do
                local at = column[x]
                to.R, to.G, to.B, to.A = red[at], green[at], blue and blue[at] or 0, alpha(x, row)
                out:SetPixel(x, row, to)
            end
        end
    end)
end

--- Let Fusion's own EXR reader, which reads every compression, fill an image of the file's size. Returns true, or nil
-- and the reason.
local function fill_by_fusion(out, path, names, host)
    out:Clear()
    local exr = host.EXRIO()
    exr:ReadOpen(path, -1)
    exr:ReadHeader()
    exr:Part(1)
    for index, name in ipairs(names) do exr:Channel(name, host.ANY_TYPE, 1, host.channels[index]) end
    exr:ReadPart(1, {out})
    local problem = exr:GetLastError()
    exr:Close()
    if problem ~= "" then return nil, problem end
    return true
end

--- Fill an image with the color of another or the same one, by the nearest pixel, and with the plate's alpha.
local function take(out, whole, plate, pixel)
    local to, alpha = pixel(), alpha_of(plate, pixel())
    for row = 0, out.Height - 1 do
        local from = whole.Height - 1 - math.floor((out.Height - 1 - row + 0.5) * whole.Height / out.Height)
        for x = 0, out.Width - 1 do
            whole:GetPixel(math.floor((x + 0.5) * whole.Width / out.Width), from, to)
            to.A = alpha(x, row)
            out:SetPixel(x, row, to)
        end
    end
end

local function same_size(size, img)
    return size.width == img.Width and size.height == img.Height
end

local function wrong_size(path, size, plate)
    if same_size(size, plate) or (plate.ProxyScale or 1) > 1 then return nil end
    return string.format(
        '"%s" is %d x %d pixels, the input is %d x %d.', path, size.width, size.height, plate.Width, plate.Height
    )
end

--- Read channels of an EXR file into an image.
-- @param out    image of the plate's size; uncompressed files are read here, others by the host
-- @param names  one to three channel names, for red, green and blue
-- @param host   Pixel (function), image (function(width, height)), EXRIO (function or nil), ANY_TYPE, channels
--               (Fusion's numbers of red, green, blue)
-- @return true, or nil and the reason
function M.load(path, out, names, plate, host)
    local reader, why, size = exr_read.open(path)
    if not reader and not size then return nil, why end
    local problem = wrong_size(path, reader or size, plate)
    if reader then
        local ok
        if not problem then ok, problem = fill(out, reader, names, plate, host.Pixel) end
        reader:close()
        return ok, problem
    end
    if problem then return nil, problem end
    if not host.EXRIO then return nil, why .. "; this host has no EXR reader for that" end
    local whole = same_size(size, out) and out or host.image(size.width, size.height)
    local filled, unread = fill_by_fusion(whole, path, names, host)
    if not filled then return nil, why .. "; " .. unread end
    take(out, whole, plate, host.Pixel)
    return true
end

return M
