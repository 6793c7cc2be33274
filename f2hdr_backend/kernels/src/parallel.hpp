// Jobs shared out among threads that live for one call.
//
// Plain std::thread on purpose: torch brings an OpenMP runtime of its own, and a second one in the same
// process would fight it for cores. Starting a thread costs some 30 us; a lookup takes tens of ms.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <system_error>
#include <thread>
#include <vector>

namespace f2hdr {

// Calls job(worker, index) once for every index in [0, jobs); worker is in [0, threads). Jobs must not throw.
template <class Job>
void run_jobs(std::ptrdiff_t jobs, int threads, const Job& job) {
    std::atomic<std::ptrdiff_t> next{0};
    const auto work = [&](int worker) {
        for (std::ptrdiff_t index = next++; index < jobs; index = next++) job(worker, index);
    };
    const int workers = static_cast<int>(std::min<std::ptrdiff_t>(threads, jobs));
    std::vector<std::thread> others;
    others.reserve(static_cast<std::size_t>(std::max(workers, 1)));
    try {
        for (int worker = 1; worker < workers; ++worker) others.emplace_back(work, worker);
    } catch (const std::system_error&) {
        // The system grants no more threads: those already running, and this one, do all the jobs.
    }
    work(0);
    for (std::thread& other : others) other.join();
}

}  // namespace f2hdr
