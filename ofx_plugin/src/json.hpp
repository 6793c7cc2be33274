// JSON of the backend's API: requests are written as text, answers are parsed into values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace f2hdr::ofx::json {

// `text` as a JSON string, quotation marks included. `text` is UTF-8.
std::string string(const std::string& text);

// A parsed value. Items of arrays are checked but not stored: no used answer contains one.
struct Value {
    enum class Kind { null, boolean, number, text, array, object };

    Kind kind = Kind::null;
    double number = 0;  // also 1 or 0 for a boolean
    std::string text;   // UTF-8
    std::map<std::string, Value> members;

    // The member of an object that is a text or a number, or none.
    std::optional<std::string> text_of(const std::string& name) const;
    std::optional<double> number_of(const std::string& name) const;
};

// The value of the whole text, or none if it is not JSON.
std::optional<Value> parse(const std::string& text);

// The items of an array of strings, such as `["python", "-m", "f2hdr"]`; none for anything else.
std::optional<std::vector<std::string>> parse_words(const std::string& text);

}  // namespace f2hdr::ofx::json
