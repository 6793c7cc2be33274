// Threads for the copies of one render.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace f2hdr::ofx {

// Up to four threads, which sleep between their tasks and end with this object. The thread of the host only waits for
// them. They do not outlive a render, so that nothing runs when the host unloads the library or forks.
class Workers {
public:
    Workers();
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    using Task = std::function<void(std::size_t first, std::size_t end)>;

    // Call `task` with ranges (first, end) that together are the indices below `count`, and return when all are done; for
    // one caller at a time. If a task throws, ranges that were not begun are left out and the first exception is thrown here.
    void run(std::size_t count, const Task& task);

private:
    void work();

    std::mutex mutex_;  // guards all below but the threads
    std::condition_variable begun_, done_;
    const Task* task_ = nullptr;
    std::size_t next_ = 0, count_ = 0, step_ = 1, running_ = 0;
    std::exception_ptr failed_;
    bool ends_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace f2hdr::ofx
