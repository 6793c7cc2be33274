#include "packing.hpp"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__) || defined(_M_X64)
#include <emmintrin.h>
#define F2HDR_STREAMS 1
#endif

namespace f2hdr::ofx {
namespace {

constexpr std::size_t pixel_bytes = 3 * sizeof(float);

// Red, green and blue of one pixel; unpremultiplied if requested. Returns whether its alpha is 1.
bool pack_pixel(const float* from, bool unpremultiply, float* to) {
    const float alpha = from[3];
    std::memcpy(to, from, pixel_bytes);
    if (unpremultiply && alpha > 0 && alpha < 1) {
        for (int channel = 0; channel < 3; ++channel) to[channel] /= alpha;
    }
    return alpha == 1.0f;
}

// One pixel with alpha; premultiplied if requested.
void unpack_pixel(const float* from, float alpha, bool premultiply, float* to) {
    std::memcpy(to, from, pixel_bytes);
    to[3] = alpha;
    if (premultiply && alpha > 0 && alpha < 1) {
        for (int channel = 0; channel < 3; ++channel) to[channel] *= alpha;
    }
}

#ifdef F2HDR_STREAMS

bool is_aligned(const float* address) { return reinterpret_cast<std::uintptr_t>(address) % sizeof(__m128) == 0; }

// Pack pixels in groups of four with stores that bypass the caches, which spares reading the destination first. Returns
// how many were packed; clears `is_opaque` if one of them has an alpha other than 1.
int stream_packed(const float* from, bool unpremultiply, int count, float* to, bool& is_opaque) {
    if (!is_aligned(to)) return 0;
    const __m128 one = _mm_set1_ps(1.0f);
    int x = 0;
    for (; x + 4 <= count; x += 4, from += 16, to += 12) {
        const __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + 4), c = _mm_loadu_ps(from + 8), d = _mm_loadu_ps(from + 12);
        const __m128 alphas = _mm_shuffle_ps(_mm_unpackhi_ps(a, b), _mm_unpackhi_ps(c, d), _MM_SHUFFLE(3, 2, 3, 2));
        if (_mm_movemask_ps(_mm_cmpeq_ps(alphas, one)) != 15) {
            is_opaque = false;
            if (unpremultiply) {
                for (int pixel = 0; pixel < 4; ++pixel) pack_pixel(from + 4 * pixel, true, to + 3 * pixel);
                continue;
            }
        }
        const __m128 ab = _mm_shuffle_ps(a, b, _MM_SHUFFLE(0, 0, 2, 2)), cd = _mm_shuffle_ps(c, d, _MM_SHUFFLE(0, 0, 2, 2));
        _mm_stream_ps(to, _mm_shuffle_ps(a, ab, _MM_SHUFFLE(2, 0, 1, 0)));
        _mm_stream_ps(to + 4, _mm_shuffle_ps(b, c, _MM_SHUFFLE(1, 0, 2, 1)));
        _mm_stream_ps(to + 8, _mm_shuffle_ps(cd, d, _MM_SHUFFLE(2, 1, 2, 0)));
    }
    _mm_sfence();  // before other threads are notified
    return x;
}

// Unpack pixels with an alpha of 1 in the same way. Returns how many were unpacked.
int stream_opaque(const float* from, int count, float* to) {
    if (!is_aligned(to)) return 0;
    const __m128 color = _mm_castsi128_ps(_mm_set_epi32(0, -1, -1, -1)), alpha = _mm_set_ps(1.0f, 0, 0, 0);
    int x = 0;
    for (; x + 1 < count; ++x, from += 3, to += 4) {  // the load of the last pixel would exceed the row
        _mm_stream_ps(to, _mm_or_ps(_mm_and_ps(_mm_loadu_ps(from), color), alpha));
    }
    _mm_sfence();
    return x;
}

#else

int stream_packed(const float*, bool, int, float*, bool&) { return 0; }
int stream_opaque(const float*, int, float*) { return 0; }

#endif

// Interleaved red, green and blue of `count` pixels; unpremultiplied if requested. Returns whether alpha is 1 in all.
bool pack(const float* from, int channels, bool unpremultiply, int count, float* to, Destination destination) {
    if (channels == 3) {
        std::memcpy(to, from, static_cast<std::size_t>(count) * pixel_bytes);
        return true;
    }
    bool is_opaque = true;
    int x = destination == Destination::far ? stream_packed(from, unpremultiply, count, to, is_opaque) : 0;
    from += static_cast<std::ptrdiff_t>(x) * 4;
    to += static_cast<std::ptrdiff_t>(x) * 3;
    for (; x < count; ++x, from += 4, to += 3) is_opaque &= pack_pixel(from, unpremultiply, to);
    return is_opaque;
}

}  // namespace

bool pack_row(const Image& image, const Image& center, int y, float* to, Destination destination) {
    const RectI& bounds = center.bounds;
    const RectI shared = intersection(bounds, image.bounds);
    const bool has_row = y >= shared.y1 && y < shared.y2 && shared.x1 < shared.x2;
    bool is_opaque = true;
    if (!has_row || shared.x1 != bounds.x1 || shared.x2 != bounds.x2) {
        is_opaque &= pack(center.row(y), center.channels, center.is_premultiplied, width_of(bounds), to, destination);
    }
    if (has_row) {
        is_opaque &= pack(image.pixel(shared.x1, y), image.channels, image.is_premultiplied, width_of(shared),
                          to + static_cast<std::ptrdiff_t>(shared.x1 - bounds.x1) * 3, destination);
    }
    return is_opaque;
}

void unpack_row(const float* from, const Image& center, bool is_opaque, int x, int y, int count, int channels, float* to) {
    if (channels == 3) {
        std::memcpy(to, from, static_cast<std::size_t>(count) * pixel_bytes);
        return;
    }
    if (center.channels == 3 || is_opaque) {
        const std::ptrdiff_t done = stream_opaque(from, count, to);
        from += done * 3;
        to += done * 4;
        for (auto index = done; index < count; ++index, from += 3, to += 4) unpack_pixel(from, 1.0f, false, to);
        return;
    }
    const float* reference = center.pixel(x, y);
    for (int index = 0; index < count; ++index, from += 3, to += 4, reference += 4) {
        unpack_pixel(from, reference[3], center.is_premultiplied, to);
    }
}

}  // namespace f2hdr::ofx
