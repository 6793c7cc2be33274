#include "packing.hpp"

#include <cstring>

namespace f2hdr::ofx {
namespace {

constexpr std::size_t pixel_bytes = 3 * sizeof(float);

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

}  // namespace

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

void unpack_row(const float* from, const Image& center, int x, int y, int count, int channels, float* to) {
    if (channels == 3) {
        std::memcpy(to, from, static_cast<std::size_t>(count) * pixel_bytes);
        return;
    }
    if (center.channels == 3) {
        for (int index = 0; index < count; ++index, from += 3, to += 4) {
            std::memcpy(to, from, pixel_bytes);
            to[3] = 1.0f;
        }
        return;
    }
    const float* reference = center.pixel(x, y);
    for (int index = 0; index < count; ++index, from += 3, to += 4, reference += 4) {
        const float alpha = reference[3];
        std::memcpy(to, from, pixel_bytes);
        to[3] = alpha;
        if (center.is_premultiplied && alpha > 0 && alpha < 1) {
            for (int channel = 0; channel < 3; ++channel) to[channel] *= alpha;
        }
    }
}

}  // namespace f2hdr::ofx
