// One HTTP request and its answer over a socket that is already connected.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "platform.hpp"

namespace f2hdr::ofx::http {

struct Answer {
    int status = 0;
    std::string body;
};

// The connection was closed before the answer was complete.
class Broken : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

constexpr int tick_ms = 20;

// The text of a request; `body` is JSON, or empty.
std::string request(const std::string& method, const std::string& path, const std::string& token,
                    const std::string& body);

// Send a request, with which `files` are passed, and wait for the answer. `tick` is called at least every `tick_ms` while nothing arrives; what it
// throws ends the wait. Throws Broken.
Answer exchange(const platform::Socket& socket, const std::string& request, const std::vector<std::intptr_t>& files,
                const std::function<void()>& tick);

}  // namespace f2hdr::ofx::http
