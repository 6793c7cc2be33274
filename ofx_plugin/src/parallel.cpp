#include "parallel.hpp"

#include <algorithm>
#include <system_error>

namespace f2hdr::ofx {
namespace {

constexpr std::size_t most_threads = 4;  // copies of pixels are limited by the memory, not by the processor
constexpr std::size_t ranges_each = 4;   // threads that are slower do fewer

}  // namespace

Workers::Workers() {
    const std::size_t processors = std::max(1u, std::thread::hardware_concurrency());
    try {
        while (threads_.size() < std::min(most_threads, processors)) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
        // The system gives this process no more threads: those that there are do the work.
    }
}

Workers::~Workers() {
    {
        const std::lock_guard<std::mutex> held(mutex_);
        ends_ = true;
    }
    begun_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void Workers::run(std::size_t count, const Task& task) {
    if (threads_.empty()) {
        task(0, count);
        return;
    }
    std::unique_lock<std::mutex> held(mutex_);
    task_ = &task;
    step_ = std::max<std::size_t>(1, count / (threads_.size() * ranges_each));
    next_ = 0;
    count_ = count;
    failed_ = nullptr;
    begun_.notify_all();
    done_.wait(held, [this] { return next_ >= count_ && running_ == 0; });
    if (failed_) std::rethrow_exception(failed_);
}

void Workers::work() {
    std::unique_lock<std::mutex> held(mutex_);
    while (true) {
        begun_.wait(held, [this] { return ends_ || next_ < count_; });
        if (ends_) return;
        const std::size_t first = next_, end = std::min(first + step_, count_);
        const Task& task = *task_;
        next_ = end;
        ++running_;
        held.unlock();
        std::exception_ptr failed;
        try {
            task(first, end);
        } catch (...) {
            failed = std::current_exception();
        }
        held.lock();
        --running_;
        if (failed) {
            next_ = count_;
            if (!failed_) failed_ = failed;
        }
        if (next_ >= count_ && running_ == 0) done_.notify_one();
    }
}

}  // namespace f2hdr::ofx
