// Sockets and processes on Linux and macOS.
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "platform.hpp"

extern char** environ;

namespace f2hdr::ofx::platform {
namespace {

#if defined(MSG_NOSIGNAL)
constexpr int no_signal = MSG_NOSIGNAL;
#else
constexpr int no_signal = 0;  // macOS: a socket option instead
#endif

int opened_socket(int family) {
    const int handle = socket(family, SOCK_STREAM, 0);
    if (handle < 0) return -1;
    fcntl(handle, F_SETFD, FD_CLOEXEC);
    fcntl(handle, F_SETFL, O_NONBLOCK);
#if defined(SO_NOSIGPIPE)
    const int on = 1;
    setsockopt(handle, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    return handle;
}

Socket::Wait waited(std::intptr_t handle, short events, int timeout_ms) {
    pollfd asked{static_cast<int>(handle), events, 0};
    const int found = poll(&asked, 1, timeout_ms);
    if (found == 0 || (found < 0 && errno == EINTR)) return Socket::Wait::timeout;
    if (found < 0 || (asked.revents & POLLNVAL)) return Socket::Wait::closed;
    return asked.revents & (events | POLLHUP) ? Socket::Wait::ready : Socket::Wait::closed;
}

bool connected(int handle, const sockaddr* address, socklen_t size, int timeout_ms) {
    if (connect(handle, address, size) == 0) return true;
    if (errno != EINPROGRESS || waited(handle, POLLOUT, timeout_ms) != Socket::Wait::ready) return false;
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(handle, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

bool is_host_variable(const char* entry) {
    static const char* const names[] = {"PYTHONHOME=",      "PYTHONPATH=", "PYTHONSTARTUP=", "PYTHONSAFEPATH=",
                                        "LD_LIBRARY_PATH=", "LD_PRELOAD=", "OCIO=",          "DYLD_"};
    for (const char* name : names) {
        if (std::strncmp(entry, name, std::strlen(name)) == 0) return true;
    }
    return false;
}

// Close all inherited descriptors of the host: the process outlives it.
void close_host_files(posix_spawn_file_actions_t* actions, posix_spawnattr_t* attributes) {
#if defined(POSIX_SPAWN_CLOEXEC_DEFAULT)
    (void)actions;
    short flags = 0;
    posix_spawnattr_getflags(attributes, &flags);
    posix_spawnattr_setflags(attributes, static_cast<short>(flags | POSIX_SPAWN_CLOEXEC_DEFAULT));
#else
    (void)attributes;
    for (const std::string& name : names_in("/proc/self/fd")) {
        const int handle = std::atoi(name.c_str());
        if (handle > 2) posix_spawn_file_actions_addclose(actions, handle);
    }
#endif
}

}  // namespace

std::optional<Socket> Socket::to_unix(const std::string& path) {
    sockaddr_un address{};
    if (path.size() >= sizeof address.sun_path) return std::nullopt;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const int handle = opened_socket(AF_UNIX);
    if (handle < 0) return std::nullopt;
    Socket made(handle);
    if (!connected(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address, 0)) return std::nullopt;
    return made;
}

std::optional<Socket> Socket::to_loopback(int port, bool ipv6, int timeout_ms) {
    const int handle = opened_socket(ipv6 ? AF_INET6 : AF_INET);
    if (handle < 0) return std::nullopt;
    Socket made(handle);
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(static_cast<std::uint16_t>(port));
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = four.sin_port;
    six.sin6_addr = in6addr_loopback;
    const bool done = ipv6 ? connected(handle, reinterpret_cast<const sockaddr*>(&six), sizeof six, timeout_ms)
                           : connected(handle, reinterpret_cast<const sockaddr*>(&four), sizeof four, timeout_ms);
    if (!done) return std::nullopt;
    return made;
}

Socket::Socket(Socket&& other) noexcept : handle_(other.handle_) { other.handle_ = -1; }

Socket& Socket::operator=(Socket&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
}

Socket::~Socket() {
    if (handle_ >= 0) ::close(static_cast<int>(handle_));
}

Socket::Wait Socket::wait_readable(int timeout_ms) const { return waited(handle_, POLLIN, timeout_ms); }

Socket::Wait Socket::wait_writable(int timeout_ms) const { return waited(handle_, POLLOUT, timeout_ms); }

long Socket::send(const char* bytes, std::size_t count) const {
    const ssize_t done = ::send(static_cast<int>(handle_), bytes, count, no_signal);
    return done < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : done;
}

long Socket::send_with(const std::vector<std::intptr_t>& files, const char* bytes, std::size_t count) const {
    const std::vector<int> handles(files.begin(), files.end());
    const std::size_t size = handles.size() * sizeof(int);
    std::vector<cmsghdr> space(CMSG_SPACE(size) / sizeof(cmsghdr) + 1);  // aligned
    iovec content{const_cast<char*>(bytes), count};
    msghdr message{};
    message.msg_iov = &content;
    message.msg_iovlen = 1;
    message.msg_control = space.data();
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(head), handles.data(), size);
    const ssize_t done = ::sendmsg(static_cast<int>(handle_), &message, no_signal);
    return done < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : done;
}

long Socket::receive(char* bytes, std::size_t count) const {
    return ::recv(static_cast<int>(handle_), bytes, count, 0);
}

Process Process::start(const std::vector<std::string>& command, const std::string& log) {
    std::vector<char*> words, variables;
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    for (char** entry = environ; *entry; ++entry) {
        if (!is_host_variable(*entry)) variables.push_back(*entry);
    }
    variables.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&usual, number);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    close_host_files(&actions, &attributes);
    pid_t id = 0;
    const int error = posix_spawn(&id, words[0], &actions, &attributes, words.data(), variables.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) throw std::runtime_error(std::strerror(error));
    Process made;
    made.handle_ = id;
    return made;
}

std::optional<int> Process::exit_code() {
    int status = 0;
    if (handle_ <= 0 || exit_code_) return exit_code_;
    const pid_t ended = waitpid(static_cast<pid_t>(handle_), &status, WNOHANG);
    if (ended == handle_) exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    // The host may already have waited for it.
    if (ended < 0 && errno == ECHILD && kill(static_cast<pid_t>(handle_), 0) != 0) exit_code_ = -1;
    return exit_code_;
}

long process_id() { return static_cast<long>(getpid()); }

bool process_is_alive(long id) { return id > 0 && (kill(static_cast<pid_t>(id), 0) == 0 || errno == EPERM); }

}  // namespace f2hdr::ofx::platform
