--- Access to F2HDR's backend from Lua: find it, submit a Shot, follow its progress, cancel it.
-- A Shot is submitted with `f2hdr submit SHOT.json --detach --status FILE`, which starts the server if none runs and
-- keeps FILE up to date; or, where a server runs and LuaJIT's ffi offers sockets, with one request to it. Nothing here
-- depends on Fusion or Resolve. Functions that can fail return nil and one sentence for a user.

local system = require("f2hdr_system")
local json = require("f2hdr_json")
local http = require("f2hdr_http")

local M = {}

local SILENT_S = 10
local GONE_S = 3
local START_S = 90
local POLL_S = 0.1
local CANCEL_S = 10
local VERSION_S = 60
local OVER = {done = true, failed = true, canceled = true, cancelled = true} -- the last in files of older versions

-- Written by the installer next to this file: the command that starts the backend, and the version of these files.
local installed = {}
do
    local ok, found = pcall(require, "f2hdr_install")
    if ok and type(found) == "table" then installed = found end
end

-- Backends, by their command, that start and have the right version. A Fuse makes a new door for each frame.
local checked = {}

local Door = {}
Door.__index = Door
local Job = {}
Job.__index = Job

--- Return the words that start the backend: as given, else from the environment, the installer, or PATH.
local function command_of(given)
    if given and given ~= "" then return {given} end
    local named = system.getenv("F2HDR_BACKEND")
    if named and named ~= "" then return {named} end
    return installed.backend or {"f2hdr"}
end

--- Return a door: the backend's command and the folder of its jobs, with the functions below.
-- @param options  backend (path of the f2hdr command, or empty), folder (cache folder, or empty), sleep
--                 (function(seconds), if the host has a better one)
-- @return the door, or nil and the reason: its folder cannot be written
function M.door(options)
    local folder = options.folder
    if not folder or folder == "" then folder = system.cache_folder() end
    folder = folder:gsub("[/\\]+$", "")
    local ok, why = system.make_folder(folder .. "/jobs")
    if not ok then return nil, why end
    return setmetatable({
        backend = command_of(options.backend), folder = folder, sleep = options.sleep or system.sleep,
    }, Door)
end

local function with(words, more)
    local all = {}
    for _, word in ipairs(words) do all[#all + 1] = word end
    for _, word in ipairs(more) do all[#all + 1] = word end
    return all
end

local HINT = "Install F2HDR, or set its f2hdr command in the control Backend or in F2HDR_BACKEND."

--- The reason why a start failed, from its exit code and its last lines.
local function last_words(base, backend, code)
    if code == 127 or code == 126 or code == 9009 then
        return 'The F2HDR backend "' .. backend[1] .. '" cannot be started. ' .. HINT
    end
    local words = {}
    for line in (system.read_all(base .. ".err") or ""):gmatch("[^\r\n]+") do words[#words + 1] = line end
    if #words == 0 then
        return 'The F2HDR backend "' .. backend[1] .. '" ended with exit code ' .. tostring(code) .. "."
    end
    local first = math.max(1, #words - 1)
    return (table.concat(words, " ", first):gsub("^error: ", ""))
end

--- Make sure that the backend starts and has the version of these files; it is started once per session for that.
-- Returns true, or nil and the reason.
function Door:check()
    local command = table.concat(self.backend, "\0")
    if checked[command] then return true end
    local base = self.folder .. "/jobs/version-" .. system.unique()
    local ok, why = system.start(with(self.backend, {"--version"}), base)
    if not ok then return nil, why .. " " .. HINT end
    local code, tries = nil, 0
    while not code and tries < VERSION_S / POLL_S do
        self.sleep(POLL_S)
        tries, code = tries + 1, system.finished(base)
    end
    local version = (system.read_all(base .. ".out") or ""):match("%S+")
    if code ~= 0 then
        why = code and last_words(base, self.backend, code)
            or 'The F2HDR backend "' .. self.backend[1] .. '" does not answer.'
    elseif installed.version and version ~= installed.version then
        why = 'The F2HDR backend "' .. self.backend[1] .. '" is version ' .. tostring(version)
            .. ", these host files are " .. installed.version .. ". Run the installer of the same version again."
    end
    for _, ending in ipairs({".out", ".err", ".rc", ".bat"}) do system.remove(base .. ending) end
    if why then return nil, why end
    checked[command] = true
    return true
end

--- The server of this user, if it runs, has the right version, and can be reached from here; else nil.
function Door:_server()
    if not http.available then return nil end
    local server = http.server()
    local answer = server and http.request(server, "GET", "/v1/info")
    if not answer or (installed.version and answer.version ~= installed.version) then return nil end
    return server
end

--- The Shot with this program's $OCIO if it names no config itself, as the command `f2hdr submit` sends it.
local function with_config(shot)
    local config, color = system.getenv("OCIO") or "", {}
    for name, value in pairs(shot.color or {}) do color[name] = value end
    if config == "" or (color.config or "") ~= "" then return shot end
    local copy = {}
    for name, value in pairs(shot) do copy[name] = value end
    color.config, copy.color = config, color
    return copy
end

function Door:_submit_to_server(shot, options)
    local server = self:_server()
    if not server then return nil end
    local body = {
        shot = with_config(shot), frames = json.null, force = false, client = "Resolve", keep = true,
        priority = options.interactive and "interactive" or "batch",
    }
    local answer, why = http.request(server, "POST", "/v1/jobs", json.encode(body))
    if not answer or not answer.id then return nil, why end
    return {server = server, id = answer.id}
end

function Door:_submit_by_command(text, base, options)
    local ok, why = self:check()
    if not ok then return nil, why end
    for _, ending in ipairs({".status", ".status.cancel", ".rc"}) do system.remove(base .. ending) end
    ok, why = system.write_all(base .. ".json", text)
    if not ok then return nil, why end
    local words = {"submit", base .. ".json", "--detach", "--status", base .. ".status"}
    if options.interactive then words = with(words, {"--priority", "interactive"}) end
    -- If it has to start the server, it starts this backend.
    local same = #self.backend == 1 and {F2HDR_BACKEND = self.backend[1]} or nil
    ok, why = system.start(with(self.backend, words), base, same)
    -- Otherwise the next call would take this one for a job that is about to start.
    if not ok then system.remove(base .. ".json") end
    return ok, why
end

--- Submit a Shot and return at once. The same Shot under the same name is the same job while it renders; another Shot
-- under that name is refused until the first job is over.
-- @param shot     a table like the Shot's JSON document
-- @param name     of the job's files in the folder: letters, digits, - and _
-- @param options  interactive (true: before others that wait), by_command (true: write a status file, so that
--                 another program can find the job by its name)
-- @return the job, or nil and the reason
function Door:submit(shot, name, options)
    local base, text = self.folder .. "/jobs/" .. name, json.encode(shot)
    local running = self:job(name)
    if running and not OVER[running:status().state] then
        if system.read_all(base .. ".json") == text then return running end
        return nil, "These frames are being rendered with other settings. Cancel that first, or wait until it is done."
    end
    local job = {door = self, base = base, since = os.time(), last_answer = os.time()}
    local direct, refused
    if not options.by_command then direct, refused = self:_submit_to_server(shot, options) end
    if refused then return nil, refused end
    if direct then
        job.server, job.id = direct.server, direct.id
    else
        local ok, why = self:_submit_by_command(text, base, options)
        if not ok then return nil, why end
    end
    return setmetatable(job, Job)
end

--- The job that was submitted by the command under a name, by this or another program; nil if there is none.
function Door:job(name)
    local base = self.folder .. "/jobs/" .. name
    if not system.exists(base .. ".json") then return nil end
    return setmetatable({door = self, base = base, since = os.time(), last_answer = os.time()}, Job)
end

local function failed(message)
    return {state = "failed", done = 0, total = 0, message = message, warnings = {}}
end

local function sentence(error)
    return (error.message .. " " .. (error.hint or "")):gsub("%s+$", "")
end

local function status_of(document)
    for name, value in pairs(document) do
        if value == json.null then document[name] = nil end
    end
    local status = {
        state = document.state, done = document.done or 0, total = document.total or 0, frame = document.frame,
        seconds_per_frame = document.seconds_per_frame, message = document.message or "",
        warnings = document.warnings or {},
    }
    if status.state == "failed" and type(document.error) == "table" then status.message = sentence(document.error) end
    return status
end

function Job:_status_of_server()
    local answer, why = http.request(self.server, "GET", "/v1/jobs/" .. self.id)
    if answer then
        self.last_answer = os.time()
        return status_of(answer)
    end
    if os.time() - self.last_answer < GONE_S then
        return {state = "running", done = 0, total = 0, message = "", warnings = {}}
    end
    local words = "The F2HDR server does not answer any more (%s). Try again: finished frames are kept."
    return failed(words:format(tostring(why)))
end

function Job:_status_before_file()
    local code = system.finished(self.base)
    if code and code ~= 0 then return failed(last_words(self.base, self.door.backend, code)) end
    if os.time() - self.since > START_S then
        return failed("The F2HDR backend was started but has not reported anything.")
    end
    return {state = "starting", done = 0, total = 0, message = "F2HDR is starting.", warnings = {}}
end

--- The state of the job.
-- @return a table: state ("starting", "queued", "running", "done", "failed" or "canceled"), done and total (frames),
--         frame, seconds_per_frame, message (one sentence) and warnings (a list of sentences)
function Job:status()
    if self.server then return self:_status_of_server() end
    local text = system.read_all(self.base .. ".status")
    local document = text and json.decode(text)
    if type(document) ~= "table" then return self:_status_before_file() end
    local status = status_of(document)
    local silent = os.time() - (document.updated or 0)
    local patience = status.state == "starting" and START_S or SILENT_S
    if not OVER[status.state] and silent > patience then
        return failed("The program that follows the render has not reported anything for " .. math.floor(silent)
            .. " seconds. Try again: finished frames are kept.")
    end
    return status
end

--- Cancel the job; finished frames are kept.
function Job:cancel()
    if self.server then
        http.request(self.server, "DELETE", "/v1/jobs/" .. self.id)
        return
    end
    -- Before its first report the command would take the file for one of an earlier job.
    local tries = 0
    while not system.exists(self.base .. ".status") and not system.finished(self.base) and tries < CANCEL_S / POLL_S do
        self.door.sleep(POLL_S)
        tries = tries + 1
    end
    -- A job that never reported anything is given up, so that its name can be used again.
    if not system.exists(self.base .. ".status") then self:forget() end
    system.write_all(self.base .. ".status.cancel", "")
end

--- How to cancel the job where there is no button.
function Job:how_to_stop()
    if self.server then return "To cancel it: f2hdr submit --cancel " .. self.id end
    return 'To cancel it, create an empty file "' .. self.base .. '.status.cancel".'
end

--- Remove the files of a job that is over.
function Job:forget()
    for _, ending in ipairs({".json", ".status", ".out", ".err", ".rc", ".bat"}) do
        system.remove(self.base .. ending)
    end
end

--- Whether a status is the last one of its job.
function M.is_over(status)
    return OVER[status.state] == true
end

--- Wait for a job.
-- @param job      from submit
-- @param options  stopped (function: true if the user canceled), progress (function(status)), timeout (seconds)
-- @return the last status; its state is not over if the timeout came first
function Door:wait(job, options)
    local began = os.time()
    while true do
        local status = job:status()
        if options.progress then options.progress(status) end
        if OVER[status.state] then return status end
        if options.stopped and options.stopped() then
            job:cancel()
            return {state = "canceled", done = status.done, total = status.total, message = "Canceled.", warnings = {}}
        end
        if options.timeout and os.time() - began >= options.timeout then return status end
        self.sleep(POLL_S)
    end
end

return M
