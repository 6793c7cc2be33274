// Exceptions that end a frame: a problem to report to the user, or an abort of the host.
#pragma once

#include <stdexcept>
#include <string>

#include "abi.hpp"

namespace f2hdr::ofx {

// One or two sentences for the user. `cause` is the kind of problem: each cause is reported once, not for every frame.
class Problem : public std::runtime_error {
public:
    Problem(std::string cause_, const std::string& message, Status status_ = status_failed)
        : std::runtime_error(message), cause(std::move(cause_)), status(status_) {}

    std::string cause;
    Status status;
};

// The host aborted the frame.
class Canceled : public std::exception {};

}  // namespace f2hdr::ofx
