#include "buffer_pool.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "platform.hpp"
#include "problem.hpp"
#include "text.hpp"

namespace f2hdr::ofx {
namespace {

constexpr char folder_name[] = "f2hdr-ofx-";
constexpr char lock_name[] = "lock";

struct PoolState {
    std::mutex mutex;
    std::vector<std::unique_ptr<BufferSet>> free;
    std::string folder;
    std::unique_ptr<platform::Lock> lock;  // marks the folder as in use
    int made = 0;
};

PoolState& pool() {
    static PoolState state;
    return state;
}

// Remove the folders of processes that ended without removing theirs.
void remove_stale(const std::string& memory) {
    for (const std::string& name : platform::names_in(memory)) {
        if (name.rfind(folder_name, 0) != 0) continue;
        const std::string path = platform::joined(memory, name);
        const std::string lock = platform::joined(path, lock_name);
        if (!platform::is_private(path) || !platform::exists(lock)) continue;
        try {
            if (platform::Lock::attempt(lock)) platform::remove_folder(path);
        } catch (const std::runtime_error&) {
            // It is being removed by another process.
        }
    }
}

void make_folder(PoolState& state) {
    const std::string memory = platform::memory_folder();
    remove_stale(memory);
    // Two copies of this plug-in in one process need separate folders, named by the address of this variable.
    const std::string copy = std::to_string(reinterpret_cast<std::uintptr_t>(&state));
    const std::string name = folder_name + std::to_string(platform::process_id()) + "-" + copy;
    const std::string folder = platform::joined(memory, name);
    try {
        platform::make_folder(folder);
        if (!platform::is_private(folder)) throw std::runtime_error(quoted(folder) + " can be written by other users");
        state.lock = platform::Lock::attempt(platform::joined(folder, lock_name));
    } catch (const std::runtime_error& error) {
        throw Problem("buffers", std::string(error.what()) + ". Set F2HDR_BUFFERS to a private folder.");
    }
    state.folder = folder;
}

}  // namespace

BufferPool::Loan BufferPool::lend(bool passes_files) {
    PoolState& state = pool();
    const std::lock_guard<std::mutex> held(state.mutex);
    const auto is_suitable = [&](const auto& set) { return set->passes_files() == passes_files; };
    const auto last = std::find_if(state.free.rbegin(), state.free.rend(), is_suitable);
    if (last != state.free.rend()) {
        auto set = std::move(*last);
        state.free.erase(std::next(last).base());
        return Loan(std::move(set));
    }
    if (passes_files) return Loan(std::make_unique<BufferSet>(""));
    if (state.folder.empty() || !platform::exists(state.folder)) make_folder(state);
    return Loan(std::make_unique<BufferSet>(platform::joined(state.folder, std::to_string(state.made++))));
}

BufferPool::Loan::~Loan() {
    PoolState& state = pool();
    const std::lock_guard<std::mutex> held(state.mutex);
    state.free.push_back(std::move(set_));
}

void BufferPool::purge(bool at_end) {
    PoolState& state = pool();
    const std::lock_guard<std::mutex> held(state.mutex);
    state.free.clear();
    if (at_end && !state.folder.empty()) {
        platform::remove_folder(state.folder);
        state.folder.clear();
        state.lock.reset();
    }
}

}  // namespace f2hdr::ofx
