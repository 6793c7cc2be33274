--- A message as a picture, for a viewer that shows nothing else.

local M = {}

-- Five columns a letter, each a hexadecimal number of seven rows; the lowest bit is the top row.
local FONT = {
    A = "7E1111117E", B = "7F49494936", C = "3E41414122", D = "7F4141221C", E = "7F49494941", F = "7F09090901",
    G = "3E4149497A", H = "7F0808087F", I = "00417F4100", J = "2040413F01", K = "7F08142241", L = "7F40404040",
    M = "7F020C027F", N = "7F0408107F", O = "3E4141413E", P = "7F09090906", Q = "3E4151215E", R = "7F09192946",
    S = "4649494931", T = "01017F0101", U = "3F4040403F", V = "1F2040201F", W = "3F4038403F", X = "6314081463",
    Y = "0708700807", Z = "6151494543", ["0"] = "3E5149453E", ["1"] = "00427F4000", ["2"] = "4261514946",
    ["3"] = "2141454B31", ["4"] = "1814127F10", ["5"] = "2745454539", ["6"] = "3C4A494930", ["7"] = "0171090503",
    ["8"] = "3649494936", ["9"] = "064949291E", ["."] = "0060600000", [","] = "0050300000", [":"] = "0036360000",
    ["-"] = "0808080808", ["/"] = "2010080402", ["\\"] = "0204081020", ['"'] = "0007000700", ["'"] = "0005030000",
    ["("] = "001C224100", [")"] = "0041221C00", ["_"] = "4040404040", ["#"] = "147F147F14", ["%"] = "2313086462",
    ["+"] = "08083E0808", ["="] = "1414141414", [";"] = "0056360000", ["?"] = "0201510906",
}
local STEP, LINE = 6, 10
local LETTERS_A_LINE = 40

local function lines_of(text, room)
    local lines = {}
    for word in text:upper():gmatch("%S+") do
        while #word > 0 do
            local last = lines[#lines]
            if last and #last + 1 + #word <= room then
                lines[#lines], word = last .. " " .. word, ""
            else
                lines[#lines + 1], word = word:sub(1, room), word:sub(room + 1)
            end
        end
    end
    return lines
end

local function lit(lines, column, row)
    local line, x, y = lines[math.floor(row / LINE) + 1], column % STEP, row % LINE
    local at = math.floor(column / STEP) + 1
    local glyph = line and x < 5 and y < 7 and FONT[line:sub(at, at)]
    if not glyph then return false end
    return math.floor(tonumber(glyph:sub(x * 2 + 1, x * 2 + 2), 16) / 2 ^ y) % 2 == 1
end

--- Draw a message over a whole image.
-- @param pixel  function that makes a host's pixel
function M.draw(img, pixel, text)
    local scale = math.max(1, math.floor(img.Width / ((LETTERS_A_LINE + 2) * STEP)))
    local lines = lines_of(text, math.max(1, math.floor(img.Width / scale / STEP) - 2))
    local dot = pixel()
    for row = 0, img.Height - 1 do
        local down = math.floor((img.Height - 1 - row) / scale) - STEP
        for x = 0, img.Width - 1 do
            local across = math.floor(x / scale) - STEP
            local on = across >= 0 and down >= 0 and lit(lines, across, down)
            dot.R, dot.G, dot.B, dot.A = on and 0.9 or 0.08, on and 0.9 or 0.01, on and 0.9 or 0.01, 1
            img:SetPixel(x, row, dot)
        end
    end
end

return M
