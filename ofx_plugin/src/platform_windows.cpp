// Sockets and processes on Windows. The backend has no Unix socket there; loopback TCP is used.
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "platform.hpp"
#include "windows_text.hpp"

namespace f2hdr::ofx::platform {
namespace {

SOCKET socket_of(std::intptr_t handle) { return static_cast<SOCKET>(handle); }

bool has_sockets() {
    static const bool is_ready = [] {
        WSADATA facts;
        return WSAStartup(MAKEWORD(2, 2), &facts) == 0;
    }();
    return is_ready;
}

Socket::Wait waited(std::intptr_t handle, short events, int timeout_ms) {
    WSAPOLLFD asked{socket_of(handle), events, 0};
    const int found = WSAPoll(&asked, 1, timeout_ms);
    if (found == 0) return Socket::Wait::timeout;
    if (found < 0 || (asked.revents & POLLNVAL)) return Socket::Wait::closed;
    return asked.revents & (events | POLLHUP) ? Socket::Wait::ready : Socket::Wait::closed;
}

bool connected(SOCKET handle, const sockaddr* address, int size, int timeout_ms) {
    if (connect(handle, address, size) == 0) return true;
    if (WSAGetLastError() != WSAEWOULDBLOCK) return false;
    fd_set writable, failed;
    FD_ZERO(&writable);
    FD_ZERO(&failed);
    FD_SET(handle, &writable);
    FD_SET(handle, &failed);
    timeval wait{timeout_ms / 1000, (timeout_ms % 1000) * 1000};
    return select(0, nullptr, &writable, &failed, &wait) == 1 && FD_ISSET(handle, &writable);
}

// An argument of a command line, quoted by the rules of Windows programs.
std::wstring quoted_word(const std::wstring& word) {
    std::wstring out = L"\"";
    std::size_t slashes = 0;
    for (const wchar_t letter : word) {
        if (letter == L'"') out.append(slashes + 1, L'\\');
        slashes = letter == L'\\' ? slashes + 1 : 0;
        out += letter;
    }
    out.append(slashes, L'\\');
    return out + L'"';
}

bool is_host_variable(const std::wstring& entry) {
    static const wchar_t* const names[] = {L"PYTHONHOME=", L"PYTHONPATH=", L"PYTHONSTARTUP=", L"PYTHONSAFEPATH=", L"OCIO="};
    return std::any_of(std::begin(names), std::end(names), [&](const std::wstring& name) {
        return entry.size() >= name.size() && _wcsnicmp(entry.c_str(), name.c_str(), name.size()) == 0;
    });
}

std::wstring clean_environment() {
    std::wstring block;
    wchar_t* const all = GetEnvironmentStringsW();
    for (const wchar_t* at = all; *at; at += wcslen(at) + 1) {
        if (!is_host_variable(at)) block.append(at, wcslen(at) + 1);
    }
    FreeEnvironmentStringsW(all);
    return block + L'\0';
}

}  // namespace

std::optional<Socket> Socket::to_unix(const std::string&) { return std::nullopt; }

std::optional<Socket> Socket::to_loopback(int port, bool ipv6, int timeout_ms) {
    if (!has_sockets()) return std::nullopt;
    const SOCKET handle = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, IPPROTO_TCP);
    if (handle == INVALID_SOCKET) return std::nullopt;
    Socket made(static_cast<std::intptr_t>(handle));
    SetHandleInformation(reinterpret_cast<HANDLE>(handle), HANDLE_FLAG_INHERIT, 0);
    u_long on = 1;
    ioctlsocket(handle, FIONBIO, &on);
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(static_cast<u_short>(port));
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
    if (handle_ != -1) closesocket(socket_of(handle_));
}

Socket::Wait Socket::wait_readable(int timeout_ms) const { return waited(handle_, POLLRDNORM, timeout_ms); }

Socket::Wait Socket::wait_writable(int timeout_ms) const { return waited(handle_, POLLWRNORM, timeout_ms); }

long Socket::send(const char* bytes, std::size_t count) const {
    const int done = ::send(socket_of(handle_), bytes, static_cast<int>(std::min<std::size_t>(count, 1u << 20)), 0);
    return done < 0 && WSAGetLastError() == WSAEWOULDBLOCK ? 0 : done;
}

long Socket::send_with(const std::vector<std::intptr_t>&, const char*, std::size_t) const { return -1; }

long Socket::receive(char* bytes, std::size_t count) const {
    return ::recv(socket_of(handle_), bytes, static_cast<int>(count), 0);
}

Process Process::start(const std::vector<std::string>& command, const std::string& log) {
    std::wstring line;
    for (const std::string& word : command) line += (line.empty() ? L"" : L" ") + quoted_word(wide(word));
    SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, TRUE};
    const HANDLE output = CreateFileW(wide(log).c_str(), GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                      &inherited, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
    if (output == INVALID_HANDLE_VALUE) throw std::runtime_error("its log " + log + " cannot be written: " + last_error());
    // Only the log is inherited, no other handle of the host.
    std::size_t size = 0;
    InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
    std::vector<char> memory(size);
    const auto list = reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory.data());
    InitializeProcThreadAttributeList(list, 1, 0, &size);
    HANDLE handles[] = {output};
    UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles, sizeof handles, nullptr, nullptr);
    STARTUPINFOEXW start{};
    start.StartupInfo.cb = sizeof start;
    start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    start.StartupInfo.hStdOutput = output;
    start.StartupInfo.hStdError = output;
    start.lpAttributeList = list;
    const DWORD flags = CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT;
    std::wstring variables = clean_environment();
    PROCESS_INFORMATION made{};
    const BOOL done = CreateProcessW(nullptr, line.data(), nullptr, nullptr, TRUE, flags, variables.data(), nullptr,
                                     &start.StartupInfo, &made);
    const std::string why = done ? "" : last_error();
    DeleteProcThreadAttributeList(list);
    CloseHandle(output);
    if (!done) throw std::runtime_error(why);
    CloseHandle(made.hThread);
    Process process;
    process.handle_ = reinterpret_cast<std::intptr_t>(made.hProcess);  // kept until this process ends: one per start
    return process;
}

std::optional<int> Process::exit_code() {
    DWORD code = STILL_ACTIVE;
    if (handle_ && GetExitCodeProcess(reinterpret_cast<HANDLE>(handle_), &code) && code != STILL_ACTIVE) {
        exit_code_ = static_cast<int>(code);
    }
    return exit_code_;
}

long process_id() { return static_cast<long>(GetCurrentProcessId()); }

bool process_is_alive(long) { return true; }

}  // namespace f2hdr::ofx::platform
