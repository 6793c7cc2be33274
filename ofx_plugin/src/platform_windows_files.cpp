// Files and folders on Windows.
#include <winsock2.h>
#include <windows.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "platform.hpp"
#include "text.hpp"
#include "windows_text.hpp"

namespace f2hdr::ofx::platform {
namespace {

HANDLE handle_of(std::intptr_t handle) { return reinterpret_cast<HANDLE>(handle); }

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + last_error()); }

// Other processes may read, write and remove it while open: the backend replaces and reads these files.
HANDLE opened(const std::string& path, DWORD access, DWORD disposition) {
    const DWORD shared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    return CreateFileW(wide(path).c_str(), access, shared, nullptr, disposition, FILE_ATTRIBUTE_NORMAL, nullptr);
}

OVERLAPPED place_of(std::uint64_t offset) {
    OVERLAPPED place{};
    place.Offset = static_cast<DWORD>(offset);
    place.OffsetHigh = static_cast<DWORD>(offset >> 32);
    return place;
}

bool is_folder(const std::string& path) {
    const DWORD facts = GetFileAttributesW(wide(path).c_str());
    return facts != INVALID_FILE_ATTRIBUTES && (facts & FILE_ATTRIBUTE_DIRECTORY);
}

std::string temporary_folder() {
    wchar_t path[MAX_PATH + 1];
    const DWORD count = GetTempPathW(static_cast<DWORD>(std::size(path)), path);
    return narrow(std::wstring(path, std::min<DWORD>(count, MAX_PATH)));
}

}  // namespace

File File::open(const std::string& path) {
    const HANDLE handle = opened(path, GENERIC_READ, OPEN_EXISTING);
    if (handle == INVALID_HANDLE_VALUE) fail("The file " + quoted(path) + " cannot be opened");
    return File(reinterpret_cast<std::intptr_t>(handle));
}

File::File(File&& other) noexcept : handle_(other.handle_) { other.handle_ = -1; }

File& File::operator=(File&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
}

File::~File() {
    if (is_open()) CloseHandle(handle_of(handle_));
}

void File::read(void* bytes, std::size_t count, std::uint64_t offset) const {
    char* at = static_cast<char*>(bytes);
    while (count > 0) {
        OVERLAPPED place = place_of(offset);
        DWORD done = 0;
        const auto part = static_cast<DWORD>(std::min<std::size_t>(count, 1u << 30));
        const bool is_read = ReadFile(handle_of(handle_), at, part, &done, &place);
        if (!is_read && GetLastError() != ERROR_HANDLE_EOF) fail("Pixels cannot be read");
        if (done == 0) throw std::runtime_error("Pixels cannot be read: the file ends early");
        at += done;
        offset += done;
        count -= done;
    }
}

std::uint64_t File::size() const {
    LARGE_INTEGER size;
    if (!GetFileSizeEx(handle_of(handle_), &size)) fail("The size of a file cannot be read");
    return static_cast<std::uint64_t>(size.QuadPart);
}

MappedFile MappedFile::create(const std::string& path, std::size_t size) {
    const HANDLE file = opened(path, GENERIC_READ | GENERIC_WRITE, CREATE_ALWAYS);
    if (file == INVALID_HANDLE_VALUE) fail("The file " + quoted(path) + " cannot be created");
    MappedFile made;
    made.handle_ = reinterpret_cast<std::intptr_t>(file);
    const auto wanted = static_cast<std::uint64_t>(size);
    const HANDLE section = CreateFileMappingW(file, nullptr, PAGE_READWRITE, static_cast<DWORD>(wanted >> 32),
                                              static_cast<DWORD>(wanted), nullptr);  // extends the file
    if (!section) fail("The file " + quoted(path) + " cannot be mapped");
    made.data_ = static_cast<char*>(MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, size));
    const DWORD reason = GetLastError();
    CloseHandle(section);
    SetLastError(reason);
    if (!made.data_) fail("The file " + quoted(path) + " cannot be mapped");
    made.size_ = size;
    return made;
}

bool has_sealed_files() { return false; }

MappedFile MappedFile::create_sealed(std::size_t) { throw std::runtime_error("This system has no sealed files"); }

MappedFile::~MappedFile() {
    if (data_) UnmapViewOfFile(data_);
    if (handle_ != -1) CloseHandle(handle_of(handle_));
}

bool MappedFile::is_whole() const { return true; }  // Windows refuses to shorten a mapped file

// The first byte is locked, as by msvcrt.locking in f2hdr_backend/client/runtime.py.
std::unique_ptr<Lock> Lock::attempt(const std::string& path) {
    const HANDLE handle = opened(path, GENERIC_READ | GENERIC_WRITE, OPEN_ALWAYS);
    if (handle == INVALID_HANDLE_VALUE) fail("The lock " + quoted(path) + " cannot be created");
    OVERLAPPED start{};
    if (LockFileEx(handle, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &start)) {
        return std::unique_ptr<Lock>(new Lock(reinterpret_cast<std::intptr_t>(handle)));
    }
    CloseHandle(handle);
    return nullptr;
}

Lock::~Lock() { CloseHandle(handle_of(handle_)); }

std::optional<std::string> environment(const char* name) {
    const std::wstring key = wide(name);
    const DWORD size = GetEnvironmentVariableW(key.c_str(), nullptr, 0);
    if (size <= 1) return std::nullopt;
    std::wstring value(size, L'\0');
    value.resize(GetEnvironmentVariableW(key.c_str(), value.data(), size));
    return narrow(value);
}

std::string joined(const std::string& folder, const std::string& name) {
    const bool is_closed = !folder.empty() && (folder.back() == '\\' || folder.back() == '/');
    return is_closed ? folder + name : folder + "\\" + name;
}

std::optional<std::string> read_text(const std::string& path) {
    constexpr std::uint64_t largest = 1024 * 1024;
    try {
        const File file = File::open(path);
        const std::uint64_t size = file.size();
        if (size > largest) return std::nullopt;
        std::string text(static_cast<std::size_t>(size), '\0');
        file.read(text.data(), text.size(), 0);
        return text;
    } catch (const std::runtime_error&) {
        return std::nullopt;  // there is no such file, or it was being replaced
    }
}

bool exists(const std::string& path) { return GetFileAttributesW(wide(path).c_str()) != INVALID_FILE_ATTRIBUTES; }

void remove_file(const std::string& path) { DeleteFileW(wide(path).c_str()); }

void make_folder(const std::string& path) {
    if (CreateDirectoryW(wide(path).c_str(), nullptr) || is_folder(path)) return;
    const auto slash = path.find_last_of("/\\");
    if (GetLastError() == ERROR_PATH_NOT_FOUND && slash != std::string::npos && slash > 2) {
        make_folder(path.substr(0, slash));
        if (CreateDirectoryW(wide(path).c_str(), nullptr) || is_folder(path)) return;
    }
    fail("The folder " + quoted(path) + " cannot be created");
}

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    WIN32_FIND_DATAW entry;
    const HANDLE listing = FindFirstFileW(wide(joined(folder, "*")).c_str(), &entry);
    if (listing == INVALID_HANDLE_VALUE) return names;
    do {
        const std::string name = narrow(entry.cFileName);
        if (name != "." && name != "..") names.push_back(name);
    } while (FindNextFileW(listing, &entry));
    FindClose(listing);
    return names;
}

void remove_folder(const std::string& path) {
    for (const std::string& name : names_in(path)) remove_file(joined(path, name));
    RemoveDirectoryW(wide(path).c_str());
}

bool is_private(const std::string&) { return true; }

std::string runtime_folder() {
    if (const auto named = environment("F2HDR_RUNTIME")) return joined(*named, "f2hdr");
    return joined(environment("LOCALAPPDATA").value_or(temporary_folder()), "f2hdr");
}

std::string memory_folder() { return environment("F2HDR_BUFFERS").value_or(temporary_folder()); }

std::string search_path(const std::string& program) {
    wchar_t path[32768];
    const DWORD count = SearchPathW(nullptr, wide(program).c_str(), L".exe", static_cast<DWORD>(std::size(path)), path, nullptr);
    return count && count < std::size(path) ? narrow(std::wstring(path, count)) : "";
}

std::string own_library() {
    HMODULE module = nullptr;
    const DWORD flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    if (!GetModuleHandleExW(flags, reinterpret_cast<LPCWSTR>(&own_library), &module)) return "";
    wchar_t path[32768];
    const DWORD count = GetModuleFileNameW(module, path, static_cast<DWORD>(std::size(path)));
    return count < std::size(path) ? narrow(std::wstring(path, count)) : "";
}

}  // namespace f2hdr::ofx::platform
