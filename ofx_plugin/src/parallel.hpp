// A loop over independent pieces of work in a few threads of this call's own.
#pragma once

#include <cstddef>
#include <functional>

namespace f2hdr::ofx {

// Call `task` with ranges (first, end) that together are the indices below `count`, in up to four other threads, and return
// when all are done: the host's thread waits, and has only the cost of that. If a task throws, ranges that were not begun
// are left out and the first exception is thrown here.
void in_parallel(std::size_t count, const std::function<void(std::size_t, std::size_t)>& task);

}  // namespace f2hdr::ofx
