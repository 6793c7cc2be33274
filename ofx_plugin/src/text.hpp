// Numbers as text, independent of the host's locale.
#pragma once

#include <locale>
#include <optional>
#include <sstream>
#include <string>

namespace f2hdr::ofx {

// The shortest form with `digits` significant digits (%g).
inline std::string number_text(double value, int digits = 17) {
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text.precision(digits);
    text << value;
    return text.str();
}

// With up to six decimals and no exponent.
inline std::string decimal_text(double value) {
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text << std::fixed;
    text.precision(6);
    text << value;
    std::string digits = text.str();
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
    return digits;
}

// The number in the whole text, or none.
inline std::optional<double> number_of(const std::string& text) {
    std::istringstream stream(text);
    stream.imbue(std::locale::classic());
    double value = 0;
    stream >> value;
    if (stream.fail() || !(stream >> std::ws).eof()) return std::nullopt;
    return value;
}

inline std::string quoted(const std::string& text) { return '"' + text + '"'; }

}  // namespace f2hdr::ofx
