// Platform functions of Linux, macOS and Windows: files, sockets, processes, folders. Paths are UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace f2hdr::ofx::platform {

// A file that is open to read. Errors are thrown as std::runtime_error.
class File {
public:
    static File open(const std::string& path);
    File() = default;
    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;
    ~File();

    void read(void* bytes, std::size_t count, std::uint64_t offset) const;
    std::uint64_t size() const;
    bool is_open() const { return handle_ != -1; }

private:
    explicit File(std::intptr_t handle) : handle_(handle) {}
    std::intptr_t handle_ = -1;
};

// A file in the memory of this process, which other processes read and write as a file. Its space is allocated when it is
// created: a full disk causes a std::runtime_error then, and no bus error of the host later.
class MappedFile {
public:
    static MappedFile create(const std::string& path, std::size_t size);  // new, zero, for this user alone
    // A file without a path, which a socket passes to another process. Nobody can change its size, so that it is safe for
    // that process to map it. Throws where the system has none.
    static MappedFile create_sealed(std::size_t size);
    MappedFile() = default;
    MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }
    MappedFile& operator=(MappedFile&& other) noexcept {
        std::swap(handle_, other.handle_);
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~MappedFile();  // the file stays

    char* data() const { return data_; }
    std::size_t size() const { return size_; }
    std::intptr_t handle() const { return handle_; }
    // Whether the file still has its size. Memory that another process has cut off must not be accessed.
    bool is_whole() const;

private:
    std::intptr_t handle_ = -1;
    char* data_ = nullptr;
    std::size_t size_ = 0;
};

// Whether the system has sealed files.
bool has_sealed_files();

// A connected socket; never blocks longer than the given timeout.
class Socket {
public:
    enum class Wait { ready, timeout, closed };

    // Each returns none if no process listens there.
    static std::optional<Socket> to_unix(const std::string& path);
    static std::optional<Socket> to_loopback(int port, bool ipv6, int timeout_ms);
    Socket(Socket&& other) noexcept;
    Socket& operator=(Socket&& other) noexcept;
    ~Socket();

    // Wait until data can be read (or sent). `closed` means that the connection was lost.
    Wait wait_readable(int timeout_ms) const;
    Wait wait_writable(int timeout_ms) const;
    // Bytes sent or read; 0 at the end of the stream, -1 if the connection was lost.
    long send(const char* bytes, std::size_t count) const;
    // The same for the start of a message with which open files are passed; only for Unix sockets.
    long send_with(const std::vector<std::intptr_t>& files, const char* bytes, std::size_t count) const;
    long receive(char* bytes, std::size_t count) const;

private:
    explicit Socket(std::intptr_t handle) : handle_(handle) {}
    std::intptr_t handle_;
};

// A process that was started here and outlives this one.
class Process {
public:
    // Start `command` in the environment of the host without its variables for Python, libraries and color;
    // its output goes to the file `log`. Throws std::runtime_error with the reason.
    static Process start(const std::vector<std::string>& command, const std::string& log);
    Process() = default;

    // The exit code once it has ended; none before.
    std::optional<int> exit_code();

private:
    std::intptr_t handle_ = 0;
    std::optional<int> exit_code_;
};

// A lock file, held until the object is destroyed or the process ends in any way.
class Lock {
public:
    static std::unique_ptr<Lock> attempt(const std::string& path);  // null if another process holds it
    ~Lock();
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

private:
    explicit Lock(std::intptr_t handle) : handle_(handle) {}
    std::intptr_t handle_;
};

std::optional<std::string> environment(const char* name);
std::string joined(const std::string& folder, const std::string& name);
std::optional<std::string> read_text(const std::string& path);  // none if it cannot be read
bool exists(const std::string& path);
void remove_file(const std::string& path);  // if it is there
void make_folder(const std::string& path);  // for this user alone, with those above it; std::runtime_error
void remove_folder(const std::string& path);  // with the files in it, if it is there
std::vector<std::string> names_in(const std::string& folder);

// Whether `path` belongs to this user and no other user may write there. Always true on Windows (see its folder).
bool is_private(const std::string& path);

// The folder of the connection file of this user's server: `f2hdr` in $F2HDR_RUNTIME, or in the system's
// folder for such files; the same rule as in f2hdr_backend/client/runtime.py.
std::string runtime_folder();

// A folder for short-lived files, in memory if the system has one.
std::string memory_folder();

std::string search_path(const std::string& program);  // the program on PATH, or empty
long process_id();
bool process_is_alive(long id);  // also true if it cannot be determined

// The path of this plug-in's own shared library.
std::string own_library();

}  // namespace f2hdr::ofx::platform
