// UTF-8 to UTF-16 and back, and messages of Windows.
#pragma once

#include <windows.h>

#include <iterator>
#include <string>

namespace f2hdr::ofx::platform {

inline std::wstring wide(const std::string& text) {
    const int count = MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), nullptr, 0);
    std::wstring out(static_cast<std::size_t>(count), L'\0');
    MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), out.data(), count);
    return out;
}

inline std::string narrow(const std::wstring& text) {
    const int length = static_cast<int>(text.size());
    const int count = WideCharToMultiByte(CP_UTF8, 0, text.data(), length, nullptr, 0, nullptr, nullptr);
    std::string out(static_cast<std::size_t>(count), '\0');
    WideCharToMultiByte(CP_UTF8, 0, text.data(), length, out.data(), count, nullptr, nullptr);
    return out;
}

// The error message of the last failed call of Windows.
inline std::string last_error() {
    const DWORD code = GetLastError();
    wchar_t words[512];
    const DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
    DWORD count = FormatMessageW(flags, nullptr, code, 0, words, static_cast<DWORD>(std::size(words)), nullptr);
    while (count > 0 && (words[count - 1] == L'\n' || words[count - 1] == L'\r' || words[count - 1] == L'.')) --count;
    return count ? narrow(std::wstring(words, count)) : "error " + std::to_string(code);
}

}  // namespace f2hdr::ofx::platform
