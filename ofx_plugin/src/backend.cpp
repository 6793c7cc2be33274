#include "backend.hpp"

#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "http.hpp"
#include "platform.hpp"
#include "problem.hpp"
#include "text.hpp"

namespace f2hdr::ofx::backend {
namespace {

using std::chrono::duration;
using std::chrono::milliseconds;

constexpr double silent_s = 5.0;    // a backend that does not answer a status request for this long counts as hung
constexpr double start_s = 60.0;    // limit for a start, which loads libraries from disk
constexpr double retry_s = 10.0;    // delay after a failed start before the next attempt
constexpr int connect_ms = 1000;

// Contents of the connection file.
struct Server {
    std::string address, socket, token, version;
    long process = 0;
};

// State of this process; guarded by the mutex.
struct Known {
    std::mutex mutex;
    std::string greeted_token;
    platform::Process started;
    std::string failed_start;  // reason of the last failed start; empty if there is none
    std::vector<std::string> failed_command;
    Clock::time_point failed_at;
};

Known& known() {
    static Known state;
    return state;
}

double seconds_since(Clock::time_point time) { return duration<double>(Clock::now() - time).count(); }

std::string connection_file() { return platform::joined(platform::runtime_folder(), "server.json"); }

std::optional<Server> announced() {
    const std::string path = connection_file();
    if (!platform::exists(path)) return std::nullopt;
    if (!platform::is_private(path)) {
        throw Problem("backend_untrusted", quoted(path) + " can be written by other users, so it is not trusted. Remove it.");
    }
    const auto content = platform::read_text(path);
    const auto facts = content ? json::parse(*content) : std::nullopt;
    if (!facts) return std::nullopt;
    Server server;
    server.address = facts->text_of("address").value_or("");
    server.socket = facts->text_of("socket").value_or("");
    server.token = facts->text_of("token").value_or("");
    server.version = facts->text_of("version").value_or("");
    server.process = static_cast<long>(facts->number_of("pid").value_or(0));
    if (server.token.empty() || server.token.find_first_of("\r\n") != std::string::npos) return std::nullopt;
    if (!platform::process_is_alive(server.process)) return std::nullopt;
    return server;
}

bool has_socket(const Server& server) { return !server.socket.empty() && platform::exists(server.socket); }

// A connection to the server, through its Unix socket if it has one; none if it does not listen.
std::optional<platform::Socket> connection(const Server& server) {
    if (has_socket(server)) return platform::Socket::to_unix(server.socket);
    for (const char* start : {"http://127.0.0.1:", "http://localhost:", "http://[::1]:"}) {
        const std::string head = start;
        if (server.address.rfind(head, 0) != 0) continue;
        const int port = std::atoi(server.address.c_str() + head.size());
        return platform::Socket::to_loopback(port, head.find('[') != std::string::npos, connect_ms);
    }
    throw Problem("backend_address", "The F2HDR backend serves " + server.address +
                                         ", which this effect cannot use. Run f2hdr serve without --host.");
}

std::string name_of(const Server& server) { return "The F2HDR backend (process " + std::to_string(server.process) + ")"; }

Problem silent(const Server& server) {
    return Problem("backend_silent", name_of(server) + " does not answer. Stop it with f2hdr serve --stop.");
}

Problem gone(const Server& server, const std::string& how) {
    return Problem("backend_gone", name_of(server) + " ended unexpectedly: " + how + ". Render the frame again to restart it.");
}

// The server's answer to /v1/info; none if it does not listen.
std::optional<json::Value> greeting(const Server& server, const Patience& patience) {
    const auto socket = connection(server);
    if (!socket) return std::nullopt;
    const auto asked = Clock::now();
    const auto answer = http::exchange(*socket, http::request("GET", "/v1/info", server.token, ""), {}, [&] {
        patience.check();
        if (seconds_since(asked) > silent_s) throw silent(server);
    });
    return json::parse(answer.body);
}

void require_version(const Server& server, const std::string& version) {
    if (version == F2HDR_VERSION) return;
    throw Problem("backend_version", name_of(server) + " is version " + (version.empty() ? "unknown" : version) +
                                         ", this effect is " F2HDR_VERSION
                                         ". Install the same version of both, and stop the old one with f2hdr serve --stop.");
}

// The running server of this version, or none.
std::optional<Server> running(const Patience& patience) {
    const auto server = announced();
    if (!server) return std::nullopt;
    require_version(*server, server->version);
    {
        const std::lock_guard<std::mutex> held(known().mutex);
        if (known().greeted_token == server->token) return server;
    }
    try {
        const auto answered = greeting(*server, patience);
        if (!answered) return std::nullopt;
        require_version(*server, answered->text_of("version").value_or(""));
    } catch (const http::Broken&) {
        return std::nullopt;  // it is shutting down
    }
    const std::lock_guard<std::mutex> held(known().mutex);
    known().greeted_token = server->token;
    return server;
}

// The command that starts the backend.
std::vector<std::string> start_command(const std::string& chosen) {
    if (!chosen.empty()) return {chosen};
    if (const auto named = platform::environment("F2HDR_BACKEND")) return {*named};
    std::string library = platform::own_library();
    for (int level = 0; level < 2; ++level) library.erase(std::min(library.find_last_of("/\\"), library.size()));
    const std::string path = platform::joined(platform::joined(library, "Resources"), "backend.json");
    if (const auto installed = platform::read_text(path)) {
        const auto words = json::parse_words(*installed);
        if (!words) {
            throw Problem("backend_missing",
                          quoted(path) + " does not contain the backend's command. Run the installer again.");
        }
        return *words;
    }
    const std::string found = platform::search_path("f2hdr");
    if (!found.empty()) return {found};
    throw Problem("backend_missing",
                  "The F2HDR backend was not found. Install it, or set the parameter Backend to its f2hdr command.");
}

std::string last_line(const std::string& log) {
    std::string text = platform::read_text(log).value_or("");
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
    const auto line = text.rfind('\n');
    return line == std::string::npos ? text : text.substr(line + 1);
}

[[noreturn]] void fail_start(const std::vector<std::string>& command, const std::string& message) {
    const std::lock_guard<std::mutex> held(known().mutex);
    known().failed_start = message;
    known().failed_command = command;
    known().failed_at = Clock::now();
    throw Problem("backend_start", message);
}

void launch(const std::vector<std::string>& command, const std::string& log) {
    std::vector<std::string> words = command;
    words.push_back("serve");
    try {
        auto process = platform::Process::start(words, log);
        const std::lock_guard<std::mutex> held(known().mutex);
        known().started = process;
    } catch (const std::runtime_error& error) {
        fail_start(command, "The F2HDR backend " + quoted(command[0]) + " cannot be started: " + error.what() +
                   ". Set the parameter Backend to its f2hdr command.");
    }
}

// Start the server and wait until it answers. The caller holds the start lock.
Server started(const std::vector<std::string>& command, const Patience& patience) {
    const std::string log = platform::joined(platform::runtime_folder(), "server.log");
    launch(command, log);
    for (const auto began = Clock::now(); seconds_since(began) < start_s;) {
        if (auto server = running(patience)) return *server;
        std::optional<int> code;
        {
            const std::lock_guard<std::mutex> held(known().mutex);
            code = known().started.exit_code();
        }
        if (code) {
            fail_start(command, "The F2HDR backend failed to start, exit code " + std::to_string(*code) + ": " +
                       last_line(log) + " See " + log + ".");
        }
        patience.check();
        std::this_thread::sleep_for(milliseconds(http::tick_ms));
    }
    fail_start(command, "The F2HDR backend was started but does not answer. See " + log + ".");
}

// Do not repeat a command that failed to start recently.
void refuse_failed(const std::vector<std::string>& command) {
    const std::lock_guard<std::mutex> held(known().mutex);
    const bool is_recent = !known().failed_start.empty() && seconds_since(known().failed_at) < retry_s;
    if (is_recent && known().failed_command == command) throw Problem("backend_start", known().failed_start);
}

Server found_or_started(const std::string& chosen, const Patience& patience) {
    while (true) {
        if (auto server = running(patience)) return *server;
        const std::vector<std::string> command = start_command(chosen);
        refuse_failed(command);
        try {
            platform::make_folder(platform::runtime_folder());
            if (!platform::is_private(platform::runtime_folder())) {
                throw std::runtime_error("The folder " + quoted(platform::runtime_folder()) + " can be written by other users");
            }
            if (const auto lock = platform::Lock::attempt(platform::joined(platform::runtime_folder(), "start.lock"))) {
                if (auto server = running(patience)) return *server;
                return started(command, patience);
            }
        } catch (const Problem&) {
            throw;
        } catch (const std::runtime_error& error) {
            throw Problem("backend_folder", std::string(error.what()) + ". Set F2HDR_RUNTIME to a private folder.");
        }
        patience.check();  // another process or thread is starting it
        std::this_thread::sleep_for(milliseconds(http::tick_ms));
    }
}

json::Value checked(const http::Answer& answer) {
    const auto answered = json::parse(answer.body);
    if (!answered || answered->kind != json::Value::Kind::object) {
        throw Problem("backend_answer", "The F2HDR backend answered " + std::to_string(answer.status) + " without JSON.");
    }
    if (answer.status < 400) return *answered;
    const std::string hint = answered->text_of("hint").value_or("");
    const std::string message = answered->text_of("message").value_or("The F2HDR backend refused the frame.");
    throw Problem(answered->text_of("code").value_or("backend_answer"), hint.empty() ? message : message + " " + hint);
}

// Throws if the server no longer answers status requests.
void require_life(const Server& server, const Patience& patience) {
    try {
        if (greeting(server, patience)) return;
    } catch (const http::Broken&) {
    }
    throw gone(server, "it does not accept connections");
}

}  // namespace

void Patience::check() const {
    if (is_aborted && is_aborted()) throw Canceled();
    if (longest_s > 0 && seconds_since(began) > longest_s) {
        throw Problem("backend_slow", "The frame was not ready after " + number_text(longest_s, 4) +
                                          " s. Increase the parameter Longest wait, or lower the parameter Quality.");
    }
}

bool takes_files(const std::string& command, const Patience& patience) {
    return has_socket(found_or_started(command, patience)) && platform::has_sealed_files();
}

json::Value frame(const std::string& command, const std::string& body, const std::vector<std::intptr_t>& files,
                  const Patience& patience) {
    const Server server = found_or_started(command, patience);
    const auto socket = connection(server);
    if (!socket) {
        const std::lock_guard<std::mutex> held(known().mutex);
        known().greeted_token.clear();
        throw gone(server, "it does not accept connections");
    }
    auto heard = Clock::now();
    try {
        return checked(http::exchange(*socket, http::request("POST", "/v1/frames", server.token, body), files, [&] {
            patience.check();
            if (seconds_since(heard) < silent_s) return;
            require_life(server, patience);
            heard = Clock::now();
        }));
    } catch (const http::Broken& broken) {
        throw gone(server, broken.what());
    }
}

std::string check(const std::string& command, const Patience& patience) {
    const Server server = found_or_started(command, patience);
    require_life(server, patience);
    return name_of(server) + ", version " + server.version + ", answers.";
}

}  // namespace f2hdr::ofx::backend
