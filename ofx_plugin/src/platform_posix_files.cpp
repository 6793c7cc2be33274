// Files and folders on Linux and macOS.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

#include "platform.hpp"
#include "text.hpp"

namespace f2hdr::ofx::platform {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

bool is_folder(const std::string& path) {
    struct stat facts;
    return stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

bool is_own_folder(const std::string& path) {
    struct stat facts;
    return stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) && facts.st_uid == getuid();
}

// Write zeros: only this allocates the space on every system and file system.
void fill_with_zeros(int handle, std::size_t size) {
    const std::vector<char> zeros(std::min<std::size_t>(size, 1 << 20));
    for (std::size_t done = 0; done < size;) {
        const ssize_t count = ::write(handle, zeros.data(), std::min(zeros.size(), size - done));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) fail("Pixels cannot be written");
        done += static_cast<std::size_t>(count);
    }
}

char* mapped(int handle, std::size_t size) {
    void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    if (data == MAP_FAILED) fail("Pixels cannot be mapped");
    return static_cast<char*>(data);
}

std::string temporary_folder() {
    for (const char* name : {"TMPDIR", "TEMP", "TMP"}) {
        const auto folder = environment(name);
        if (folder && is_folder(*folder)) return *folder;
    }
    return "/tmp";
}

}  // namespace

File File::open(const std::string& path) {
    const int handle = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (handle < 0) fail("The file " + quoted(path) + " cannot be opened");
    return File(handle);
}

File::File(File&& other) noexcept : handle_(other.handle_) { other.handle_ = -1; }

File& File::operator=(File&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
}

File::~File() {
    if (is_open()) ::close(static_cast<int>(handle_));
}

void File::read(void* bytes, std::size_t count, std::uint64_t offset) const {
    char* at = static_cast<char*>(bytes);
    while (count > 0) {
        const ssize_t done = pread(static_cast<int>(handle_), at, count, static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) fail("Pixels cannot be read");
        if (done == 0) throw std::runtime_error("Pixels cannot be read: the file ends early");
        at += done;
        offset += static_cast<std::uint64_t>(done);
        count -= static_cast<std::size_t>(done);
    }
}

std::uint64_t File::size() const {
    struct stat facts;
    if (fstat(static_cast<int>(handle_), &facts) != 0) fail("The size of a file cannot be read");
    return static_cast<std::uint64_t>(facts.st_size);
}

MappedFile MappedFile::create(const std::string& path, std::size_t size) {
    unlink(path.c_str());
    MappedFile made;
    made.handle_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    const int handle = static_cast<int>(made.handle_);
    if (handle < 0) fail("The file " + quoted(path) + " cannot be created");
    try {
        fill_with_zeros(handle, size);
        made.data_ = mapped(handle, size);
        made.size_ = size;
    } catch (...) {
        unlink(path.c_str());
        throw;
    }
    return made;
}

#if defined(F_ADD_SEALS)

bool has_sealed_files() { return true; }

MappedFile MappedFile::create_sealed(std::size_t size) {
    MappedFile made;
    made.handle_ = memfd_create("f2hdr-ofx", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    const int handle = static_cast<int>(made.handle_);
    if (handle < 0) fail("Memory for pixels cannot be created");
    fill_with_zeros(handle, size);
    if (fcntl(handle, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) fail("Memory for pixels cannot be sealed");
    made.data_ = mapped(handle, size);
    made.size_ = size;
    return made;
}

#else

bool has_sealed_files() { return false; }

MappedFile MappedFile::create_sealed(std::size_t) { throw std::runtime_error("This system has no sealed files"); }

#endif

MappedFile::~MappedFile() {
    if (data_) munmap(data_, size_);
    if (handle_ != -1) ::close(static_cast<int>(handle_));
}

bool MappedFile::is_whole() const {
    struct stat facts;
    return fstat(static_cast<int>(handle_), &facts) == 0 && static_cast<std::uint64_t>(facts.st_size) >= size_;
}

std::unique_ptr<Lock> Lock::attempt(const std::string& path) {
    const int handle = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (handle < 0) fail("The lock " + quoted(path) + " cannot be created");
    if (flock(handle, LOCK_EX | LOCK_NB) == 0) return std::unique_ptr<Lock>(new Lock(handle));
    ::close(handle);
    return nullptr;
}

Lock::~Lock() { ::close(static_cast<int>(handle_)); }

std::optional<std::string> environment(const char* name) {
    const char* value = std::getenv(name);
    if (!value || !*value) return std::nullopt;
    return std::string(value);
}

std::string joined(const std::string& folder, const std::string& name) {
    return !folder.empty() && folder.back() == '/' ? folder + name : folder + "/" + name;
}

std::optional<std::string> read_text(const std::string& path) {
    constexpr std::uint64_t largest = 1024 * 1024;
    try {
        const File file = File::open(path);
        const std::uint64_t size = file.size();
        if (size > largest || is_folder(path)) return std::nullopt;
        std::string text(static_cast<std::size_t>(size), '\0');
        file.read(text.data(), text.size(), 0);
        return text;
    } catch (const std::runtime_error&) {
        return std::nullopt;  // there is no such file, or it was being replaced
    }
}

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

void remove_file(const std::string& path) { unlink(path.c_str()); }

void make_folder(const std::string& path) {
    if (mkdir(path.c_str(), 0700) == 0 || is_folder(path)) return;
    const auto slash = path.rfind('/');
    if (errno == ENOENT && slash != std::string::npos && slash > 0) {
        make_folder(path.substr(0, slash));
        if (mkdir(path.c_str(), 0700) == 0 || is_folder(path)) return;
    }
    fail("The folder " + quoted(path) + " cannot be created");
}

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    DIR* listing = opendir(folder.c_str());
    if (!listing) return names;
    while (const dirent* entry = readdir(listing)) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(name);
    }
    closedir(listing);
    return names;
}

void remove_folder(const std::string& path) {
    for (const std::string& name : names_in(path)) remove_file(joined(path, name));
    rmdir(path.c_str());
}

bool is_private(const std::string& path) {
    struct stat facts;
    return lstat(path.c_str(), &facts) == 0 && !S_ISLNK(facts.st_mode) && facts.st_uid == getuid() &&
           (facts.st_mode & 022) == 0;
}

std::string runtime_folder() {
    if (const auto named = environment("F2HDR_RUNTIME")) return joined(*named, "f2hdr");
    const std::string user = std::to_string(getuid());
    for (const std::string& folder : {environment("XDG_RUNTIME_DIR").value_or(""), "/run/user/" + user}) {
        if (!folder.empty() && is_own_folder(folder)) return joined(folder, "f2hdr");
    }
    return joined(joined(temporary_folder(), "f2hdr-" + user), "f2hdr");
}

std::string memory_folder() {
    if (const auto named = environment("F2HDR_BUFFERS")) return *named;
    return access("/dev/shm", W_OK) == 0 && is_folder("/dev/shm") ? "/dev/shm" : temporary_folder();
}

std::string search_path(const std::string& program) {
    const std::string folders = environment("PATH").value_or("");
    for (std::size_t start = 0; start <= folders.size();) {
        const std::size_t end = std::min(folders.find(':', start), folders.size());
        const std::string path = joined(folders.substr(start, end - start), program);
        if (end > start && access(path.c_str(), X_OK) == 0 && !is_folder(path)) return path;
        start = end + 1;
    }
    return "";
}

std::string own_library() {
    Dl_info facts;
    if (!dladdr(reinterpret_cast<const void*>(&own_library), &facts) || !facts.dli_fname) return "";
    return facts.dli_fname;
}

}  // namespace f2hdr::ofx::platform
