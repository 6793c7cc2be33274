#include "json.hpp"

#include <cstdint>
#include <cstring>

#include "text.hpp"

namespace f2hdr::ofx::json {
namespace {

constexpr int deepest = 64;

class Reader {
public:
    explicit Reader(const std::string& text) : at_(text.data()), end_(text.data() + text.size()) {}

    std::optional<Value> whole() {
        Value value;
        if (!read(value, 0)) return std::nullopt;
        skip_space();
        if (at_ != end_) return std::nullopt;
        return value;
    }

    std::optional<std::vector<std::string>> words() {
        std::vector<std::string> found;
        if (!take('[')) return std::nullopt;
        do {
            std::string word;
            skip_space();
            if (!read_text(word)) return std::nullopt;
            found.push_back(word);
        } while (take(','));
        if (!take(']')) return std::nullopt;
        skip_space();
        if (at_ != end_) return std::nullopt;
        return found;
    }

private:
    void skip_space() {
        while (at_ != end_ && std::strchr(" \t\r\n", *at_) && *at_) ++at_;
    }

    bool take(char letter) {
        skip_space();
        if (at_ == end_ || *at_ != letter) return false;
        ++at_;
        return true;
    }

    bool take_word(const char* word) {
        const auto length = static_cast<std::ptrdiff_t>(std::strlen(word));
        if (end_ - at_ < length || std::strncmp(at_, word, static_cast<std::size_t>(length)) != 0) return false;
        at_ += length;
        return true;
    }

    bool read(Value& value, int depth) {
        skip_space();
        if (at_ == end_ || depth > deepest) return false;
        switch (*at_) {
            case '{':
                return read_object(value, depth);
            case '[':
                return read_array(value, depth);
            case '"':
                value.kind = Value::Kind::text;
                return read_text(value.text);
            case 't':
                value.kind = Value::Kind::boolean;
                value.number = 1;
                return take_word("true");
            case 'f':
                value.kind = Value::Kind::boolean;
                return take_word("false");
            case 'n':
                return take_word("null");
            default:
                return read_number(value);
        }
    }

    bool read_object(Value& value, int depth) {
        value.kind = Value::Kind::object;
        ++at_;
        if (take('}')) return true;
        do {
            std::string name;
            skip_space();
            if (!read_text(name) || !take(':')) return false;
            Value member;
            if (!read(member, depth + 1)) return false;
            value.members[name] = std::move(member);
        } while (take(','));
        return take('}');
    }

    bool read_array(Value& value, int depth) {
        value.kind = Value::Kind::array;
        ++at_;
        if (take(']')) return true;
        do {
            Value item;
            if (!read(item, depth + 1)) return false;
        } while (take(','));
        return take(']');
    }

    bool read_number(Value& value) {
        const char* start = at_;
        while (at_ != end_ && *at_ && std::strchr("+-.eE0123456789", *at_)) ++at_;
        const auto number = ofx::number_of(std::string(start, at_));
        value.kind = Value::Kind::number;
        value.number = number.value_or(0);
        return number.has_value();
    }

    bool read_text(std::string& text) {
        if (at_ == end_ || *at_ != '"') return false;
        for (++at_; at_ != end_ && *at_ != '"';) {
            if (*at_ != '\\') {
                text += *at_++;
                continue;
            }
            if (++at_ == end_ || !read_escape(text)) return false;
        }
        if (at_ == end_) return false;
        ++at_;
        return true;
    }

    bool read_escape(std::string& text) {
        static const char letters[] = "\"\\/bfnrt";
        static const char meant[] = "\"\\/\b\f\n\r\t";
        const char letter = *at_++;
        if (letter == 'u') return read_code_unit(text);
        const char* found = std::strchr(letters, letter);
        if (!found || !letter) return false;
        text += meant[found - letters];
        return true;
    }

    bool read_code_unit(std::string& text) {
        std::uint32_t code = 0;
        if (!read_hex(code)) return false;
        if (code >= 0xd800 && code < 0xdc00 && end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u') {
            std::uint32_t low = 0;
            at_ += 2;
            if (!read_hex(low)) return false;
            if (low >= 0xdc00 && low < 0xe000) {
                append_utf8(text, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
                return true;
            }
            append_utf8(text, 0xfffd);
            code = low;
        }
        append_utf8(text, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
        return true;
    }

    bool read_hex(std::uint32_t& code) {
        if (end_ - at_ < 4) return false;
        for (int digit = 0; digit < 4; ++digit) {
            static const char digits[] = "0123456789abcdef";
            const char letter = *at_++;
            const char* found = letter ? std::strchr(digits, letter >= 'A' && letter <= 'F' ? letter + 32 : letter) : nullptr;
            if (!found) return false;
            code = code * 16 + static_cast<std::uint32_t>(found - digits);
        }
        return true;
    }

    static void append_utf8(std::string& text, std::uint32_t code) {
        if (code < 0x80) {
            text += static_cast<char>(code);
            return;
        }
        const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
        static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
        text += static_cast<char>(first[more] | (code >> (6 * more)));
        for (int rest = more - 1; rest >= 0; --rest) text += static_cast<char>(0x80 | ((code >> (6 * rest)) & 0x3f));
    }

    const char* at_;
    const char* end_;
};

}  // namespace

std::string string(const std::string& text) {
    static const char digits[] = "0123456789abcdef";
    std::string out = "\"";
    for (const char letter : text) {
        const auto code = static_cast<unsigned char>(letter);
        if (letter == '"' || letter == '\\') {
            out += '\\';
            out += letter;
        } else if (code < 0x20) {
            out += "\\u00";
            out += digits[code >> 4];
            out += digits[code & 15];
        } else {
            out += letter;
        }
    }
    return out + '"';
}

std::optional<std::string> Value::text_of(const std::string& name) const {
    const auto found = members.find(name);
    if (found == members.end() || found->second.kind != Kind::text) return std::nullopt;
    return found->second.text;
}

std::optional<double> Value::number_of(const std::string& name) const {
    const auto found = members.find(name);
    if (found == members.end() || found->second.kind != Kind::number) return std::nullopt;
    return found->second.number;
}

std::optional<Value> parse(const std::string& text) { return Reader(text).whole(); }

std::optional<std::vector<std::string>> parse_words(const std::string& text) { return Reader(text).words(); }

}  // namespace f2hdr::ofx::json
