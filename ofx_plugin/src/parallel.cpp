#include "parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace f2hdr::ofx {
namespace {

constexpr std::size_t most_threads = 4;  // copies of pixels are limited by the memory, not by the processor
constexpr std::size_t ranges_each = 4;   // threads that are slower do fewer

}  // namespace

void in_parallel(std::size_t count, const std::function<void(std::size_t, std::size_t)>& task) {
    const std::size_t processors = std::max(1u, std::thread::hardware_concurrency());
    const std::size_t threads = std::min({most_threads, count, processors});
    const std::size_t step = threads > 1 ? std::max<std::size_t>(1, count / (threads * ranges_each)) : count;
    std::atomic<std::size_t> next{0};
    std::exception_ptr failed;
    std::mutex mutex;
    const auto work = [&] {
        for (std::size_t first = next.fetch_add(step); first < count; first = next.fetch_add(step)) {
            try {
                task(first, std::min(first + step, count));
            } catch (...) {
                const std::lock_guard<std::mutex> held(mutex);
                if (!failed) failed = std::current_exception();
                next = count;
            }
        }
    };
    std::vector<std::thread> others;
    try {
        while (others.size() < threads) others.emplace_back(work);
    } catch (const std::system_error&) {
        // The system gives this process no more threads: those that there are do the work.
    }
    if (others.empty()) work();
    for (std::thread& other : others) other.join();
    if (failed) std::rethrow_exception(failed);
}

}  // namespace f2hdr::ofx
