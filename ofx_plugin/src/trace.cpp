#include "trace.hpp"

#include <chrono>
#include <cstdio>
#include <functional>
#include <mutex>
#include <thread>

#include "platform.hpp"

namespace f2hdr::ofx {

bool is_tracing() { return platform::environment("F2HDR_OFX_LOG").has_value(); }

void trace(const std::string& line) {
    static std::mutex mutex;
    const auto path = platform::environment("F2HDR_OFX_LOG");
    if (!path) return;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const long long ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    const auto thread = std::hash<std::thread::id>()(std::this_thread::get_id()) % 100000;
    const std::lock_guard<std::mutex> held(mutex);
    std::FILE* file = std::fopen(path->c_str(), "a");
    if (!file) return;
    std::fprintf(file, "%lld.%03lld thread %05zu %s\n", ms / 1000, ms % 1000, thread, line.c_str());
    std::fclose(file);
}

}  // namespace f2hdr::ofx
