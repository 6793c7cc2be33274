// Client of the backend: finds or starts it, and requests frames.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "json.hpp"

namespace f2hdr::ofx::backend {

using Clock = std::chrono::steady_clock;

// Time limit of a render, and its cancellation.
struct Patience {
    std::function<bool()> is_aborted;
    double longest_s = 0;
    Clock::time_point began = Clock::now();

    // Throws Canceled if the host aborts, Problem if it took too long.
    void check() const;
};

// Request one frame; `body` is the JSON of POST /v1/frames, `command` the user's own f2hdr command or empty.
//
// Starts the backend if none runs. Returns the JSON object of the answer. Throws Problem, with one cause each, if there
// is no backend, if it is of another version, ends, falls silent, takes too long or refuses the request; and Canceled.
json::Value frame(const std::string& command, const std::string& body, const Patience& patience);

// Make sure that a backend of this version answers, and return one line about it. Throws as `frame`.
std::string check(const std::string& command, const Patience& patience);

}  // namespace f2hdr::ofx::backend
