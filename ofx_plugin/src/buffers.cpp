#include "buffers.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "problem.hpp"
#include "text.hpp"

namespace f2hdr::ofx {
namespace {

constexpr char magic[] = "F2HDRPIX";
constexpr std::uint32_t version = 1;
constexpr std::size_t header_bytes = 64;
constexpr std::size_t band_bytes = 256 * 1024;  // rows are packed in the processor's cache
constexpr std::size_t pixel_bytes = 3 * sizeof(float);

struct Header {
    char magic[8];
    std::uint32_t version, width, height, channels;
    std::uint64_t row_bytes;
    std::int64_t frame;
    char zero[24];
};
static_assert(sizeof(Header) == header_bytes && offsetof(Header, row_bytes) == 24 && offsetof(Header, frame) == 32);

Header header_of(const RectI& bounds, int frame) {
    Header header{};
    std::memcpy(header.magic, magic, sizeof header.magic);
    header.version = version;
    header.width = static_cast<std::uint32_t>(width_of(bounds));
    header.height = static_cast<std::uint32_t>(height_of(bounds));
    header.channels = 3;
    header.row_bytes = header.width * pixel_bytes;
    header.frame = frame;
    return header;
}

// Interleaved red, green and blue of `count` pixels; unpremultiplied if requested.
void pack(const float* from, int channels, bool unpremultiply, int count, float* to) {
    if (channels == 3) {
        std::memcpy(to, from, static_cast<std::size_t>(count) * pixel_bytes);
        return;
    }
    for (int x = 0; x < count; ++x, from += 4, to += 3) {
        std::memcpy(to, from, pixel_bytes);
        if (unpremultiply && from[3] > 0 && from[3] < 1) {
            for (int channel = 0; channel < 3; ++channel) to[channel] /= from[3];
        }
    }
}

// The pixels of one row of the output: the result's color, the reference's alpha.
void unpack(const float* from, const float* reference, const Image& center, int channels, int count, float* to) {
    if (channels == 3) {
        std::memcpy(to, from, static_cast<std::size_t>(count) * pixel_bytes);
        return;
    }
    const bool has_alpha = center.channels == 4;
    for (int x = 0; x < count; ++x, from += 3, to += 4) {
        const float alpha = has_alpha ? reference[4 * x + 3] : 1.0f;
        std::memcpy(to, from, pixel_bytes);
        to[3] = alpha;
        if (has_alpha && center.is_premultiplied && alpha > 0 && alpha < 1) {
            for (int channel = 0; channel < 3; ++channel) to[channel] *= alpha;
        }
    }
}

Problem unwritable(const std::string& path, const std::string& why) {
    return Problem("buffers", "The buffer " + quoted(path) + " cannot be used: " + why +
                                  ". Free memory there, or set F2HDR_BUFFERS to another folder.");
}

}  // namespace

BufferSet::BufferSet(std::string stem) : stem_(std::move(stem)), slots_(3) {
    for (std::size_t index = 0; index < slots_.size(); ++index) slots_[index].path = stem_ + "-" + std::to_string(index);
}

BufferSet::~BufferSet() {
    sweep();
    for (const Slot& slot : slots_) platform::remove_file(slot.path);
}

std::vector<std::string> BufferSet::write(const Window& window, const Source& center) {
    std::vector<std::string> paths;
    std::vector<Slot*> taken;
    std::vector<int> frames;
    for (const Source* source : {window.previous, &center, window.next}) {
        const auto known = std::find(frames.begin(), frames.end(), source->frame);
        if (known != frames.end()) {
            paths.push_back(paths[static_cast<std::size_t>(known - frames.begin())]);
            frames.push_back(source->frame);
            continue;
        }
        const RectI& bounds = center.image.bounds;
        std::string key;
        if (!source->image.identifier.empty() && same(source->image.bounds, bounds)) {
            key = std::to_string(source->frame) + " " + std::to_string(width_of(bounds)) + "x" +
                  std::to_string(height_of(bounds)) + (source->image.is_premultiplied ? "p " : " ") +
                  source->image.identifier;
        }
        Slot& slot = slot_of(*source, key, taken);
        if (key.empty() || slot.key != key || slot.codes != source->samples.codes) {
            slot.key.clear();
            try {
                fill(slot, *source, center);
            } catch (const std::runtime_error& error) {
                throw unwritable(slot.path, error.what());
            }
            slot.key = key;
            slot.codes = source->samples.codes;
        }
        taken.push_back(&slot);
        paths.push_back(slot.path);
        frames.push_back(source->frame);
    }
    return paths;
}

// The slot that contains the frame, or a slot without a frame of this window, or any free slot.
BufferSet::Slot& BufferSet::slot_of(const Source& source, const std::string& key, const std::vector<Slot*>& taken) {
    std::vector<Slot*> free;
    for (Slot& slot : slots_) {
        if (std::find(taken.begin(), taken.end(), &slot) != taken.end()) continue;
        if (!key.empty() && slot.key == key && slot.codes == source.samples.codes) return slot;
        free.push_back(&slot);
    }
    const auto far = [&](const Slot* slot) {
        return slot->key.empty() ? 1000000 : std::abs(std::atoi(slot->key.c_str()) - source.frame);
    };
    return **std::max_element(free.begin(), free.end(), [&](Slot* a, Slot* b) { return far(a) < far(b); });
}

void BufferSet::fill(Slot& slot, const Source& source, const Source& center) {
    const RectI& bounds = center.image.bounds;
    const RectI shared = intersection(bounds, source.image.bounds);
    const int width = width_of(bounds);
    const std::size_t row_bytes = static_cast<std::size_t>(width) * pixel_bytes;
    const int band = std::max(1, static_cast<int>(band_bytes / row_bytes));
    if (!slot.file.is_open()) slot.file = platform::File::create(slot.path);
    const Header header = header_of(bounds, source.frame);
    slot.file.write(&header, sizeof header, 0);
    std::vector<float> packed(static_cast<std::size_t>(band) * static_cast<std::size_t>(width) * 3);
    std::uint64_t offset = header_bytes;
    for (int top = bounds.y2; top > bounds.y1; top -= band) {
        const int rows = std::min(band, top - bounds.y1);
        float* to = packed.data();
        for (int y = top - 1; y >= top - rows; --y, to += static_cast<std::ptrdiff_t>(width) * 3) {
            const bool is_whole = shared.x1 == bounds.x1 && shared.x2 == bounds.x2;
            const bool has_row = y >= shared.y1 && y < shared.y2 && shared.x1 < shared.x2;
            if (!is_whole || !has_row) {
                pack(center.image.row(y), center.image.channels, center.image.is_premultiplied, width, to);
            }
            if (has_row) {
                pack(source.image.pixel(shared.x1, y), source.image.channels, source.image.is_premultiplied,
                     width_of(shared), to + static_cast<std::ptrdiff_t>(shared.x1 - bounds.x1) * 3);
            }
        }
        const std::size_t count = static_cast<std::size_t>(rows) * row_bytes;
        slot.file.write(packed.data(), count, offset);
        offset += count;
    }
    bytes_written_ += offset;
}

std::string BufferSet::new_result() {
    sweep();
    return stem_ + "-result" + std::to_string(results_++);
}

void BufferSet::read(const std::string& path, const Source& center, const RectI& window, Image& output) {
    struct Remover {
        const std::string& path;
        ~Remover() { platform::remove_file(path); }
    } remover{path};
    const RectI& bounds = center.image.bounds;
    const RectI shared = intersection(bounds, window);
    const int width = width_of(bounds);
    const std::size_t row_bytes = static_cast<std::size_t>(width) * pixel_bytes;
    const int band = std::max(1, static_cast<int>(band_bytes / row_bytes));
    std::vector<float> packed(static_cast<std::size_t>(band) * static_cast<std::size_t>(width) * 3);
    const std::size_t out_pixel = static_cast<std::size_t>(output.channels) * sizeof(float);
    if (!contains(bounds, window)) {
        for (int y = window.y1; y < window.y2; ++y) {
            std::memset(output.pixel(window.x1, y), 0, static_cast<std::size_t>(width_of(window)) * out_pixel);
        }
    }
    try {
        const platform::File file = platform::File::open(path);
        Header header{}, wanted = header_of(bounds, center.frame);
        file.read(&header, sizeof header, 0);
        if (std::memcmp(&header, &wanted, sizeof header) != 0) {
            throw std::runtime_error("it is not the result of frame " + std::to_string(center.frame));
        }
        for (int top = bounds.y2; top > bounds.y1 && !is_empty(shared); top -= band) {
            const int rows = std::min(band, top - bounds.y1);
            file.read(packed.data(), static_cast<std::size_t>(rows) * row_bytes,
                      header_bytes + static_cast<std::uint64_t>(bounds.y2 - top) * row_bytes);
            for (int y = std::min(top, shared.y2) - 1; y >= std::max(top - rows, shared.y1); --y) {
                const std::ptrdiff_t place = static_cast<std::ptrdiff_t>(top - 1 - y) * width + (shared.x1 - bounds.x1);
                unpack(packed.data() + place * 3, center.image.pixel(shared.x1, y), center.image, output.channels,
                       width_of(shared), output.pixel(shared.x1, y));
            }
        }
    } catch (const std::runtime_error& error) {
        throw Problem("result", "The result " + quoted(path) + " cannot be used: " + error.what() + ".");
    }
}

void BufferSet::abandon(const std::string& path) { abandoned_.push_back(path); }

// Remove results of abandoned requests that the backend has written in the meantime.
void BufferSet::sweep() {
    const auto is_gone = [](const std::string& path) {
        const bool is_there = platform::exists(path);
        if (is_there) platform::remove_file(path);
        return is_there;
    };
    abandoned_.erase(std::remove_if(abandoned_.begin(), abandoned_.end(), is_gone), abandoned_.end());
    constexpr std::size_t most = 256;  // canceled requests never have a file
    if (abandoned_.size() > most) abandoned_.erase(abandoned_.begin(), abandoned_.end() - most);
}

}  // namespace f2hdr::ofx
