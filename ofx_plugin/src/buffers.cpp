#include "buffers.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "parallel.hpp"
#include "problem.hpp"
#include "text.hpp"

namespace f2hdr::ofx {
namespace {

constexpr char magic[] = "F2HDRPIX";
constexpr std::uint32_t version = 1;
constexpr std::size_t header_bytes = 64;
constexpr std::size_t band_bytes = 256 * 1024;
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

// One row of a frame in the bounds of the reference: its own pixels, and the reference's where it has none.
void pack_row(const Image& image, const Image& center, int y, float* to) {
    const RectI& bounds = center.bounds;
    const RectI shared = intersection(bounds, image.bounds);
    const bool has_row = y >= shared.y1 && y < shared.y2 && shared.x1 < shared.x2;
    if (!has_row || shared.x1 != bounds.x1 || shared.x2 != bounds.x2) {
        pack(center.row(y), center.channels, center.is_premultiplied, width_of(bounds), to);
    }
    if (has_row) {
        pack(image.pixel(shared.x1, y), image.channels, image.is_premultiplied, width_of(shared),
             to + static_cast<std::ptrdiff_t>(shared.x1 - bounds.x1) * 3);
    }
}

// Rows y with bottom <= y < top, and their place in the file.
struct Band {
    int top, bottom;
    std::uint64_t offset;
    std::size_t bytes;
};

// The rows of a frame in bands that fit into the processor's cache, from the top down.
struct Bands {
    explicit Bands(const RectI& bounds)
        : top(bounds.y2), bottom(bounds.y1), width(width_of(bounds)),
          row_bytes(static_cast<std::size_t>(width) * pixel_bytes),
          rows(std::max(1, static_cast<int>(band_bytes / row_bytes))),
          count(static_cast<std::size_t>((top - bottom + rows - 1) / rows)),
          bytes(static_cast<std::size_t>(top - bottom) * row_bytes) {}

    Band at(std::size_t index) const {
        const int first = top - static_cast<int>(index) * rows;
        const int last = std::max(bottom, first - rows);
        return {first, last, header_bytes + static_cast<std::uint64_t>(top - first) * row_bytes,
                static_cast<std::size_t>(first - last) * row_bytes};
    }

    // Room for the pixels of a band.
    std::unique_ptr<float[]> scratch() const {
        return std::unique_ptr<float[]>(new float[static_cast<std::size_t>(rows) * static_cast<std::size_t>(width) * 3]);
    }

    int top, bottom, width;
    std::size_t row_bytes;
    int rows;
    std::size_t count, bytes;
};

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
    std::vector<Filling> todo;
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
            todo.push_back({&slot, source, key});
        }
        taken.push_back(&slot);
        paths.push_back(slot.path);
        frames.push_back(source->frame);
    }
    fill(todo, center);
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

// Write the pixels of several slots, band by band.
void BufferSet::fill(const std::vector<Filling>& todo, const Source& center) {
    const Bands bands(center.image.bounds);
    try {
        for (const auto& [slot, source, key] : todo) {
            if (!slot->file.is_open()) slot->file = platform::File::create(slot->path);
            const Header header = header_of(center.image.bounds, source->frame);
            slot->file.write(&header, sizeof header, 0);
        }
        in_parallel(todo.size() * bands.count, [&](std::size_t first, std::size_t end) {
            const auto packed = bands.scratch();
            for (std::size_t index = first; index < end; ++index) {
                const Filling& filling = todo[index / bands.count];
                const Band band = bands.at(index % bands.count);
                float* to = packed.get();
                for (int y = band.top - 1; y >= band.bottom; --y, to += static_cast<std::ptrdiff_t>(bands.width) * 3) {
                    pack_row(filling.source->image, center.image, y, to);
                }
                filling.slot->file.write(packed.get(), band.bytes, band.offset);
            }
        });
    } catch (const std::runtime_error& error) {
        throw unwritable(todo.front().slot->path, error.what());
    }
    for (const auto& [slot, source, key] : todo) {
        slot->key = key;
        slot->codes = source->samples.codes;
        bytes_written_ += header_bytes + bands.bytes;
    }
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
    const Bands bands(center.image.bounds);
    const RectI shared = intersection(center.image.bounds, window);
    const std::size_t out_pixel = static_cast<std::size_t>(output.channels) * sizeof(float);
    if (!contains(center.image.bounds, window)) {
        for (int y = window.y1; y < window.y2; ++y) {
            std::memset(output.pixel(window.x1, y), 0, static_cast<std::size_t>(width_of(window)) * out_pixel);
        }
    }
    if (is_empty(shared)) return;
    try {
        const platform::File file = platform::File::open(path);
        Header header{}, wanted = header_of(center.image.bounds, center.frame);
        file.read(&header, sizeof header, 0);
        if (std::memcmp(&header, &wanted, sizeof header) != 0) {
            throw std::runtime_error("it is not the result of frame " + std::to_string(center.frame));
        }
        in_parallel(bands.count, [&](std::size_t first, std::size_t end) {
            const auto packed = bands.scratch();
            for (std::size_t index = first; index < end; ++index) {
                const Band band = bands.at(index);
                file.read(packed.get(), band.bytes, band.offset);
                for (int y = std::min(band.top, shared.y2) - 1; y >= std::max(band.bottom, shared.y1); --y) {
                    const std::ptrdiff_t place = static_cast<std::ptrdiff_t>(band.top - 1 - y) * bands.width +
                                                 (shared.x1 - center.image.bounds.x1);
                    unpack(packed.get() + place * 3, center.image.pixel(shared.x1, y), center.image, output.channels,
                           width_of(shared), output.pixel(shared.x1, y));
                }
            }
        });
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
