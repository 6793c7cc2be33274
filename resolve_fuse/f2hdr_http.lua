--- One HTTP request to a server on this machine, through LuaJIT's ffi and the sockets of Linux and macOS.
-- Where there are none (Windows, no ffi, Lua 5.1) M.available is false and the command `f2hdr submit` is used instead.

local system = require("f2hdr_system")
local owner = require("f2hdr_owner")
local json = require("f2hdr_json")

local M = {available = false}
local ffi = system.ffi

local NAMES = [[
int f2_socket(int family, int kind, int protocol) __asm__("socket");
int f2_connect(int door, const void *address, unsigned int size) __asm__("connect");
int f2_option(int door, int level, int name, const void *value, unsigned int size) __asm__("setsockopt");
long f2_send(int door, const void *bytes, size_t size, int flags) __asm__("send");
long f2_receive(int door, void *bytes, size_t size, int flags) __asm__("recv");
int f2_close_socket(int door) __asm__("close");
]]

local CHUNK = 65536
local TIMEOUT_S = 5
local LARGEST = 16 * 1024 * 1024

local function declare()
    if not ffi or (ffi.os ~= "Linux" and ffi.os ~= "OSX") then return false end
    local ok, why = pcall(ffi.cdef, NAMES)
    return ok or tostring(why):find("redefine", 1, true) ~= nil
end

M.available = declare()
local mac = ffi and ffi.os == "OSX"

--- The one folder in which a server of this user writes its connection file: the rule of f2hdr_backend.client.runtime.
local function runtime_folder()
    local named, user = system.getenv("F2HDR_RUNTIME") or "", owner.user()
    if named ~= "" then return named .. "/f2hdr" end
    if not user then return nil end
    for _, folder in ipairs({system.getenv("XDG_RUNTIME_DIR") or "", "/run/user/" .. user}) do
        if folder ~= "" and owner.is_private(folder, "folder") then return folder .. "/f2hdr" end
    end
    return (system.getenv("TMPDIR") or "/tmp"):gsub("/$", "") .. "/f2hdr-" .. user .. "/f2hdr"
end

--- The connection file, if nobody but this user could have written it: its token goes to whatever it names.
local function connection_file()
    local folder = runtime_folder()
    local path = folder and folder .. "/server.json"
    if not path or not owner.is_private(folder, "folder") or not owner.is_private(path, "file") then return nil end
    return path
end

--- Read the connection file: {port=, token=}; nil if there is none, it is not this user's alone, or it names no port
-- on this machine.
function M.server()
    local path = connection_file()
    local text = path and system.read_all(path)
    local facts = text and json.decode(text)
    if type(facts) ~= "table" or type(facts.token) ~= "string" then return nil end
    local port = tonumber(tostring(facts.address):match("^http://127%.0%.0%.1:(%d+)$") or "")
    return port and {port = port, token = facts.token}
end

local function connected(port)
    local door = ffi.C.f2_socket(2, 1, 0)
    if door < 0 then return nil end
    local address = ffi.new("uint8_t[16]")
    address[0], address[1] = mac and 16 or 2, mac and 2 or 0
    address[2], address[3] = math.floor(port / 256), port % 256
    address[4], address[7] = 127, 1
    local wait = ffi.new("long[2]", TIMEOUT_S, 0)
    for _, name in ipairs(mac and {0x1006, 0x1005} or {20, 21}) do
        ffi.C.f2_option(door, mac and 0xffff or 1, name, wait, ffi.sizeof(wait))
    end
    if mac then ffi.C.f2_option(door, 0xffff, 0x1022, ffi.new("int[1]", 1), 4) end
    if ffi.C.f2_connect(door, address, 16) ~= 0 then
        ffi.C.f2_close_socket(door)
        return nil
    end
    return door
end

local function send_all(door, text)
    local bytes, sent = ffi.cast("const char *", text), 0
    while sent < #text do
        local count = tonumber(ffi.C.f2_send(door, bytes + sent, #text - sent, mac and 0 or 0x4000))
        if count <= 0 then return false end
        sent = sent + count
    end
    return true
end

local function receive_all(door)
    local buffer, parts, size = ffi.new("uint8_t[?]", CHUNK), {}, 0
    while size < LARGEST do
        local count = tonumber(ffi.C.f2_receive(door, buffer, CHUNK, 0))
        if count < 0 then return nil end
        if count == 0 then break end
        parts[#parts + 1], size = ffi.string(buffer, count), size + count
    end
    return table.concat(parts)
end

local function unchunked(body)
    local parts, at = {}, 1
    while true do
        local digits, start = body:match("^(%x+)[^\r\n]*\r\n()", at)
        local size = digits and tonumber(digits, 16)
        if not size or size == 0 then return table.concat(parts) end
        parts[#parts + 1], at = body:sub(start, start + size - 1), start + size + 2
    end
end

--- Read an answer. Returns the object, or nil and one sentence.
local function parsed(text)
    local code, head, body = text:match("^HTTP/1%.%d (%d%d%d)(.-)\r\n\r\n(.*)$")
    if not code then return nil, "the server sent no HTTP answer" end
    if head:lower():find("transfer%-encoding:%s*chunked") then body = unchunked(body) end
    local answer = json.decode(body)
    if type(answer) ~= "table" then return nil, "the server's answer is not JSON" end
    if tonumber(code) < 400 then return answer end
    local message, hint = tostring(answer.message or "error " .. code), answer.hint
    return nil, type(hint) == "string" and hint ~= "" and message .. " " .. hint or message
end

--- Send one request and wait for its answer, no longer than a few seconds.
-- @param server  from M.server
-- @param body    JSON text, or nil
-- @return the JSON object of the answer, or nil and one sentence
function M.request(server, method, path, body)
    local door = connected(server.port)
    if not door then return nil, "no server listens" end
    local lines = {
        method .. " " .. path .. " HTTP/1.1", "Host: 127.0.0.1", "Authorization: Bearer " .. server.token,
        "Connection: close", "Content-Type: application/json", "Content-Length: " .. #(body or ""), "", body or "",
    }
    local text = send_all(door, table.concat(lines, "\r\n")) and receive_all(door)
    ffi.C.f2_close_socket(door)
    if not text then return nil, "the server does not answer" end
    return parsed(text)
end

return M
