#include "http.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>

namespace f2hdr::ofx::http {
namespace {

using platform::Socket;

constexpr std::size_t largest_answer = 16 * 1024 * 1024;

void send_all(const Socket& socket, const std::string& text, const std::vector<std::intptr_t>& files,
              const std::function<void()>& tick) {
    for (std::size_t sent = 0; sent < text.size();) {
        switch (socket.wait_writable(tick_ms)) {
            case Socket::Wait::timeout:
                tick();
                break;
            case Socket::Wait::closed:
                throw Broken("the connection was lost");
            case Socket::Wait::ready:
                const bool has_files = sent == 0 && !files.empty();
                const long count = has_files ? socket.send_with(files, text.data(), text.size())
                                             : socket.send(text.data() + sent, text.size() - sent);
                if (count < 0) throw Broken("the connection was lost");
                sent += static_cast<std::size_t>(count);
        }
    }
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

// The answer once it has arrived completely.
std::optional<Answer> complete(const std::string& text) {
    const auto head_end = text.find("\r\n\r\n");
    if (head_end == std::string::npos) return std::nullopt;
    const std::string head = lower(text.substr(0, head_end));
    if (head.rfind("http/1.", 0) != 0 || head.size() < 12) throw Broken("the answer is not HTTP");
    const auto length_at = head.find("\r\ncontent-length:");
    if (length_at == std::string::npos) throw Broken("the answer has no Content-Length");
    const unsigned long length = std::strtoul(head.c_str() + length_at + 17, nullptr, 10);
    if (length > largest_answer) throw Broken("the answer is too large");
    if (text.size() < head_end + 4 + length) return std::nullopt;
    return Answer{std::atoi(head.c_str() + 9), text.substr(head_end + 4, length)};
}

}  // namespace

std::string request(const std::string& method, const std::string& path, const std::string& token,
                    const std::string& body) {
    std::string text = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token +
                       "\r\nUser-Agent: f2hdr-ofx/" F2HDR_VERSION "\r\nConnection: close\r\n";
    if (!body.empty()) {
        text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    }
    return text + "\r\n" + body;
}

Answer exchange(const Socket& socket, const std::string& request, const std::vector<std::intptr_t>& files,
                const std::function<void()>& tick) {
    send_all(socket, request, files, tick);
    std::string text;
    char part[16384];
    while (text.size() < 2 * largest_answer) {
        switch (socket.wait_readable(tick_ms)) {
            case Socket::Wait::timeout:
                tick();
                break;
            case Socket::Wait::closed:
                throw Broken("the connection was lost");
            case Socket::Wait::ready:
                const long count = socket.receive(part, sizeof part);
                if (count <= 0) throw Broken("the connection was closed without an answer");
                text.append(part, static_cast<std::size_t>(count));
                if (auto answer = complete(text)) return *answer;
        }
    }
    throw Broken("the answer is too large");
}

}  // namespace f2hdr::ofx::http
