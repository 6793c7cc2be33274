// Client of the backend: finds or starts it, and requests frames.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

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

// Whether the backend takes pixels from files that are passed over its socket; else from files that have a path.
//
// Starts the backend if none runs; `command` is the user's own f2hdr command or empty. Throws Problem, with one cause
// each, if there is no backend, or if it is of another version or silent; and Canceled.
bool takes_files(const std::string& command, const Patience& patience);

// Request one frame; `body` is the JSON of POST /v1/frames, `files` are those that are passed with it.
//
// Returns the JSON object of the answer. Throws as `takes_files`, and Problem if the backend ends, takes too long or
// refuses the request.
json::Value frame(const std::string& command, const std::string& body, const std::vector<std::intptr_t>& files,
                  const Patience& patience);

// Make sure that a backend of this version answers, and return one line about it. Throws as `frame`.
std::string check(const std::string& command, const Patience& patience);

}  // namespace f2hdr::ofx::backend
