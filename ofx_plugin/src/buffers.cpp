#include "buffers.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>

#include "packing.hpp"
#include "problem.hpp"
#include "text.hpp"

namespace f2hdr::ofx {
namespace {

constexpr char magic[] = "F2HDRPIX";
constexpr std::uint32_t layout_version = 1;
constexpr std::size_t header_bytes = 64;
constexpr std::size_t band_bytes = 256 * 1024;
constexpr std::size_t pixel_bytes = 3 * sizeof(float);

struct Header {
    char magic[8];
    std::uint32_t version, width, height, channels;
    std::uint64_t row_bytes;
    std::int64_t frame;
    std::uint64_t stamp;  // changes with the pixels; 0 while they change
    char zero[16];
};
static_assert(sizeof(Header) == header_bytes && offsetof(Header, row_bytes) == 24 && offsetof(Header, frame) == 32 &&
              offsetof(Header, stamp) == 40);
using Stamp = std::atomic<std::uint64_t>;
static_assert(Stamp::is_always_lock_free && sizeof(Stamp) == 8, "the backend reads the stamp as it is in memory");

Stamp& stamp_of(const platform::MappedFile& memory) {
    return *reinterpret_cast<Stamp*>(memory.data() + offsetof(Header, stamp));
}

// A number that no frame of any process had before.
std::uint64_t new_stamp() {
    static std::atomic<std::uint64_t> last = [] {
        std::random_device random;
        return (std::uint64_t{random()} << 32) ^ random();
    }();
    const std::uint64_t stamp = ++last;
    return stamp ? stamp : ++last;
}

Header header_of(const RectI& bounds, int frame) {
    Header header{};
    std::memcpy(header.magic, magic, sizeof header.magic);
    header.version = layout_version;
    header.width = static_cast<std::uint32_t>(width_of(bounds));
    header.height = static_cast<std::uint32_t>(height_of(bounds));
    header.channels = 3;
    header.row_bytes = header.width * pixel_bytes;
    header.frame = frame;
    return header;
}

// Whether a file has the layout of a frame with these bounds.
bool fits(const platform::MappedFile& memory, const RectI& bounds) {
    const Header wanted = header_of(bounds, 0);
    return memory.data() && std::memcmp(memory.data(), &wanted, offsetof(Header, frame)) == 0;
}

std::size_t file_bytes(const RectI& bounds) {
    return header_bytes + static_cast<std::size_t>(width_of(bounds)) * static_cast<std::size_t>(height_of(bounds)) * pixel_bytes;
}

// Rows y with bottom <= y < top, and the place of their pixels in the file.
struct Band {
    int top, bottom;
    std::size_t offset, bytes;
};

// The rows of a frame in bands that fit into the processor's cache, from the top down.
struct Bands {
    explicit Bands(const RectI& bounds)
        : top(bounds.y2), bottom(bounds.y1), width(width_of(bounds)),
          row_bytes(static_cast<std::size_t>(width) * pixel_bytes),
          rows(std::max(1, static_cast<int>(band_bytes / row_bytes))),
          count(static_cast<std::size_t>((top - bottom + rows - 1) / rows)) {}

    Band at(std::size_t index) const {
        const int first = top - static_cast<int>(index) * rows;
        const int last = std::max(bottom, first - rows);
        return {first, last, header_bytes + static_cast<std::size_t>(top - first) * row_bytes,
                static_cast<std::size_t>(first - last) * row_bytes};
    }

    int top, bottom, width;
    std::size_t row_bytes;
    int rows;
    std::size_t count;
};

bool pack_band(const Image& image, const Image& center, const Band& band, float* to, Destination destination) {
    bool is_opaque = true;
    for (int y = band.top - 1; y >= band.bottom; --y, to += static_cast<std::ptrdiff_t>(width_of(center.bounds)) * 3) {
        is_opaque &= pack_row(image, center, y, to, destination);
    }
    return is_opaque;
}

}  // namespace

BufferSet::BufferSet(std::string stem) : stem_(std::move(stem)), slots_(3) {
    if (passes_files()) return;
    for (std::size_t index = 0; index < slots_.size(); ++index) slots_[index].path = stem_ + "-" + std::to_string(index);
}

BufferSet::~BufferSet() {
    abandon();
    sweep();
    for (Slot& slot : slots_) {
        slot.memory = platform::MappedFile();
        if (!passes_files()) platform::remove_file(slot.path);
    }
}

platform::MappedFile BufferSet::created(const std::string& path, const RectI& bounds) const {
    try {
        return passes_files() ? platform::MappedFile::create_sealed(file_bytes(bounds))
                              : platform::MappedFile::create(path, file_bytes(bounds));
    } catch (const std::runtime_error& error) {
        if (passes_files()) throw Problem("buffers", std::string(error.what()) + ". Free memory and render the frame again.");
        throw Problem("buffers", "The buffer " + quoted(path) + " cannot be used: " + error.what() +
                                     ". Free memory there, or set F2HDR_BUFFERS to another folder.");
    }
}

// The name of a file in a request; files that are passed are added to those.
std::string BufferSet::name_of(const platform::MappedFile& memory, const std::string& path) {
    if (!passes_files()) return path;
    passed_.push_back(memory.handle());
    return "memory:" + std::to_string(passed_.size() - 1);
}

std::vector<std::string> BufferSet::write(const Window& window, const Source& center, Workers& workers) {
    std::vector<Slot*> taken;
    std::vector<Filling> todo;
    const RectI& bounds = center.image.bounds;
    const Source* const sources[] = {window.previous, &center, window.next};
    std::map<int, std::string> names;  // by frame: at the ends of a clip both neighbors are the same
    for (const Source* source : sources) {
        if (!names.emplace(source->frame, "").second) continue;
        Slot& slot = slot_of(*source, bounds, taken);
        const bool is_known = slot.is_filled && slot.frame == source->frame && slot.codes == source->samples.codes &&
                              fits(slot.memory, bounds);
        const bool is_named = !source->image.identifier.empty() && same(source->image.bounds, bounds);
        if (!is_known || !is_named || slot.identifier != source->image.identifier) {
            todo.push_back({&slot, source, is_known && !passes_files()});
        }
        taken.push_back(&slot);
    }
    fill(todo, center, workers);
    passed_.clear();
    for (const Slot* slot : taken) {
        names[slot->frame] = name_of(slot->memory, slot->path);
        if (slot->frame == center.frame) is_opaque_ = slot->is_opaque;
    }
    return {names[sources[0]->frame], names[sources[1]->frame], names[sources[2]->frame]};
}

// The slot that contains the frame, or the one whose frame is farthest away, outside of this window.
BufferSet::Slot& BufferSet::slot_of(const Source& source, const RectI& bounds, const std::vector<Slot*>& taken) {
    Slot* best = nullptr;
    int farthest = -1;
    for (Slot& slot : slots_) {
        if (std::find(taken.begin(), taken.end(), &slot) != taken.end()) continue;
        const bool is_used = slot.is_filled && fits(slot.memory, bounds);
        if (is_used && slot.frame == source.frame) return slot;
        const int distance = is_used ? std::min(std::abs(slot.frame - source.frame), 1000000) : 1000001;
        if (distance > farthest) {
            best = &slot;
            farthest = distance;
        }
    }
    return *best;
}

// Write the pixels of several slots, band by band. Of known frames only the bands that differ are written.
void BufferSet::fill(const std::vector<Filling>& todo, const Source& center, Workers& workers) {
    const RectI& bounds = center.image.bounds;
    const Bands bands(bounds);
    for (const auto& [slot, source, is_known] : todo) {
        if (is_known) continue;
        slot->is_filled = false;
        if (!fits(slot->memory, bounds)) {
            slot->memory = platform::MappedFile();
            slot->memory = created(slot->path, bounds);
        }
        const Header header = header_of(bounds, source->frame);
        stamp_of(slot->memory) = 0;
        std::memcpy(slot->memory.data(), &header, offsetof(Header, stamp));
    }
    std::vector<std::atomic<bool>> has_alpha(todo.size());
    workers.run(todo.size() * bands.count, [&](std::size_t first, std::size_t end) {
        std::vector<float> packed;
        for (std::size_t index = first; index < end; ++index) {
            const auto& [slot, source, is_known] = todo[index / bands.count];
            const Band band = bands.at(index % bands.count);
            char* const place = slot->memory.data() + band.offset;
            std::atomic<bool>& has_its_alpha = has_alpha[index / bands.count];
            if (!is_known) {
                float* const to = reinterpret_cast<float*>(place);
                if (!pack_band(source->image, center.image, band, to, Destination::far)) has_its_alpha = true;
                continue;
            }
            packed.resize(band.bytes / sizeof(float));
            if (!pack_band(source->image, center.image, band, packed.data(), Destination::near)) has_its_alpha = true;
            if (std::memcmp(place, packed.data(), band.bytes) == 0) continue;
            stamp_of(slot->memory) = 0;
            std::memcpy(place, packed.data(), band.bytes);
        }
    });
    for (std::size_t index = 0; index < todo.size(); ++index) {
        const auto& [slot, source, is_known] = todo[index];
        slot->is_filled = true;
        slot->is_opaque = !has_alpha[index];
        slot->frame = source->frame;
        slot->identifier = same(source->image.bounds, bounds) ? source->image.identifier : "";
        slot->codes = source->samples.codes;
        Stamp& stamp = stamp_of(slot->memory);
        if (stamp == 0) stamp = new_stamp();
    }
}

std::string BufferSet::prepare_result(const Source& center) {
    const RectI& bounds = center.image.bounds;
    if (result_.size() != file_bytes(bounds)) abandon();
    if (!result_.data()) {
        sweep();
        if (!passes_files()) result_path_ = stem_ + "-result" + std::to_string(results_++);
        result_ = created(result_path_, bounds);
    }
    Header header = header_of(bounds, center.frame);
    header.stamp = new_stamp();  // the backend writes into the file in place, and sets it to 0
    std::memcpy(result_.data(), &header, sizeof header);
    return name_of(result_, result_path_);
}

void BufferSet::read(const Source& center, const RectI& window, Image& output, Workers& workers) {
    const RectI& bounds = center.image.bounds;
    const Bands bands(bounds);
    const RectI shared = intersection(bounds, window);
    const std::size_t out_pixel = static_cast<std::size_t>(output.channels) * sizeof(float);
    const Header wanted = header_of(bounds, center.frame);
    if (!result_.is_whole() || std::memcmp(result_.data(), &wanted, sizeof wanted) != 0) {
        const std::string name = passes_files() ? "" : " " + quoted(result_path_);
        throw Problem("result", "The result" + name + " cannot be used: it is not that of frame " +
                                    std::to_string(center.frame) + ".");
    }
    if (!contains(bounds, window)) {
        for (int y = window.y1; y < window.y2; ++y) {
            std::memset(output.pixel(window.x1, y), 0, static_cast<std::size_t>(width_of(window)) * out_pixel);
        }
    }
    if (is_empty(shared)) return;
    workers.run(bands.count, [&](std::size_t first, std::size_t end) {
        for (std::size_t index = first; index < end; ++index) {
            const Band band = bands.at(index);
            const float* const pixels = reinterpret_cast<const float*>(result_.data() + band.offset);
            for (int y = std::min(band.top, shared.y2) - 1; y >= std::max(band.bottom, shared.y1); --y) {
                const std::ptrdiff_t place =
                    static_cast<std::ptrdiff_t>(band.top - 1 - y) * bands.width + (shared.x1 - bounds.x1);
                unpack_row(pixels + place * 3, center.image, is_opaque_, shared.x1, y, width_of(shared), output.channels,
                           output.pixel(shared.x1, y));
            }
        }
    });
}

void BufferSet::abandon() {
    if (!result_.data()) return;
    result_ = platform::MappedFile();
    if (passes_files()) return;
    platform::remove_file(result_path_);
    abandoned_.push_back(result_path_);
}

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
