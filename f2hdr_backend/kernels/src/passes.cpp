// The inner loops of local correlation. Compiled once for each instruction set, with
// F2HDR_INSTRUCTIONS naming the namespace; so nothing inline from the standard library is used here:
// the linker would keep one copy for all, perhaps one that an older CPU cannot run.
#include "lookup.hpp"

#include <math.h>

#if defined(_MSC_VER)
#define F2HDR_RESTRICT __restrict
#else
#define F2HDR_RESTRICT __restrict__
#endif

namespace f2hdr {
namespace F2HDR_INSTRUCTIONS {
namespace {

// The window of one pixel at one level: dot products are needed at the integer positions
// left..left + dot_side - 1, top..top + dot_side - 1, and blended by the fraction they all share.
struct Window {
    bool visible;
    int left;
    int top;
    float fraction_x;
    float fraction_y;
};

// The part of [start, start + count) inside [0, size), relative to start.
struct Span {
    int first;
    int end;
};

Span inside(int start, int count, int size) {
    const int first = start < 0 ? -start : 0;
    const int room = size - start;
    return {first, room < count ? room : count};
}

Window window_at(const Lookup& lookup, const Level& level, int scale, const float* position) {
    const float x = ldexpf(position[0], -scale);
    const float y = ldexpf(position[1], -scale);
    const float reach = static_cast<float>(lookup.radius);
    // NaN fails every comparison; what passes is near the picture, so the casts below cannot overflow.
    const bool visible = x > -1.0f - reach && x < static_cast<float>(level.width) + reach &&
                         y > -1.0f - reach && y < static_cast<float>(level.height) + reach;
    if (!visible) return {false, 0, 0, 0.0f, 0.0f};
    const float column = floorf(x);
    const float row = floorf(y);
    return {true, static_cast<int>(column) - lookup.radius, static_cast<int>(row) - lookup.radius,
            x - column, y - row};
}

float dot(const float* F2HDR_RESTRICT a, const float* F2HDR_RESTRICT b, int channels) {
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int c = 0; c < channels; ++c) sum += a[c] * b[c];
    return sum;
}

// Five neighbors at once: the reference is loaded once for all. (Named sums: compilers keep them in registers.)
void five_dots(const float* F2HDR_RESTRICT a, const float* F2HDR_RESTRICT b, int channels, float* out) {
    const float* b1 = b + channels;
    const float* b2 = b1 + channels;
    const float* b3 = b2 + channels;
    const float* b4 = b3 + channels;
    float s0 = 0.0f, s1 = 0.0f, s2 = 0.0f, s3 = 0.0f, s4 = 0.0f;
#pragma omp simd reduction(+ : s0, s1, s2, s3, s4)
    for (int c = 0; c < channels; ++c) {
        s0 += a[c] * b[c];
        s1 += a[c] * b1[c];
        s2 += a[c] * b2[c];
        s3 += a[c] * b3[c];
        s4 += a[c] * b4[c];
    }
    out[0] = s0, out[1] = s1, out[2] = s2, out[3] = s3, out[4] = s4;
}

void add_scaled(float* F2HDR_RESTRICT sum, const float* F2HDR_RESTRICT values, float factor, int channels) {
#pragma omp simd
    for (int c = 0; c < channels; ++c) sum[c] += factor * values[c];
}

const float* row_of(const Lookup& lookup, const Level& level, int picture, int y) {
    const std::ptrdiff_t pixels = (std::ptrdiff_t{picture} * level.height + y) * level.width;
    return level.features + pixels * lookup.channels;
}

// Dot products of one reference pixel with its window; zero where the window leaves the picture.
void fill_dots(const Lookup& lookup, const Level& level, int picture, const Window& window,
               const float* reference, float* dots) {
    const int side = lookup.dot_side();
    const Span rows = inside(window.top, side, level.height);
    const Span columns = inside(window.left, side, level.width);
    for (std::ptrdiff_t i = 0; i < lookup.dot_area(); ++i) dots[i] = 0.0f;
    for (int j = rows.first; j < rows.end; ++j) {
        const float* features = row_of(lookup, level, picture, window.top + j) +
                                std::ptrdiff_t{window.left} * lookup.channels;
        float* out = dots + std::ptrdiff_t{j} * side;
        int i = columns.first;
        for (; i + 5 <= columns.end; i += 5)
            five_dots(reference, features + std::ptrdiff_t{i} * lookup.channels, lookup.channels, out + i);
        for (; i < columns.end; ++i)
            out[i] = dot(reference, features + std::ptrdiff_t{i} * lookup.channels, lookup.channels);
    }
}

// Bilinear blend of the dot products. The first window axis moves x, as the released network orders it.
void blend(const Lookup& lookup, const Window& window, const float* dots, float norm, float* out) {
    const int side = lookup.dot_side();
    const float x = window.fraction_x, y = window.fraction_y;
    for (int i = 0; i + 1 < side; ++i) {
        for (int j = 0; j + 1 < side; ++j) {
            const float* upper = dots + std::ptrdiff_t{j} * side + i;
            const float* lower = upper + side;
            const float above = (1.0f - x) * upper[0] + x * upper[1];
            const float below = (1.0f - x) * lower[0] + x * lower[1];
            *out++ = norm * ((1.0f - y) * above + y * below);
        }
    }
}

// Gradient of one column of the window (fixed i), seen from dot product row j: the transposed vertical blend.
float column_gradient(int window_side, float fraction, const float* gradient, int i, int j) {
    if (i < 0 || i >= window_side) return 0.0f;
    const float* column = gradient + std::ptrdiff_t{i} * window_side;
    const float here = j < window_side ? (1.0f - fraction) * column[j] : 0.0f;
    const float above = j > 0 ? fraction * column[j - 1] : 0.0f;
    return here + above;
}

// d loss / d dot product (i, j): the transposed blend.
float dot_gradient(const Lookup& lookup, const Window& window, const float* gradient, int i, int j) {
    const int side = lookup.window_side();
    return (1.0f - window.fraction_x) * column_gradient(side, window.fraction_y, gradient, i, j) +
           window.fraction_x * column_gradient(side, window.fraction_y, gradient, i - 1, j);
}

float norm_of(const Lookup& lookup) { return 1.0f / sqrtf(static_cast<float>(lookup.channels)); }

std::ptrdiff_t correlation_at(const Lookup& lookup, std::ptrdiff_t pixel, int level) {
    return (pixel * lookup.level_count + level) * lookup.window_area();
}

void correlate(const Lookup& lookup, const Tile& tile, float* dots, float* correlation) {
    const float norm = norm_of(lookup);
    for (int l = 0; l < lookup.level_count; ++l) {
        const Level& level = lookup.levels[l];
        for (int y = tile.top; y < tile.bottom; ++y) {
            for (int x = tile.left; x < tile.right; ++x) {
                const std::ptrdiff_t pixel = lookup.pixel(tile.picture, y, x);
                float* out = correlation + correlation_at(lookup, pixel, l);
                const Window window = window_at(lookup, level, l, lookup.positions + 2 * pixel);
                if (window.visible) {
                    const float* reference = lookup.reference + pixel * lookup.channels;
                    fill_dots(lookup, level, tile.picture, window, reference, dots);
                    blend(lookup, window, dots, norm, out);
                } else {
                    for (std::ptrdiff_t i = 0; i < lookup.window_area(); ++i) out[i] = 0.0f;
                }
            }
        }
    }
}

void add_window(const Lookup& lookup, const Level& level, int picture, const Window& window,
                const float* gradient, float norm, float* reference) {
    const Span rows = inside(window.top, lookup.dot_side(), level.height);
    const Span columns = inside(window.left, lookup.dot_side(), level.width);
    for (int j = rows.first; j < rows.end; ++j) {
        const float* features = row_of(lookup, level, picture, window.top + j);
        for (int i = columns.first; i < columns.end; ++i) {
            const float* neighbor = features + std::ptrdiff_t{window.left + i} * lookup.channels;
            add_scaled(reference, neighbor, norm * dot_gradient(lookup, window, gradient, i, j), lookup.channels);
        }
    }
}

void reference_gradient(const Lookup& lookup, const Tile& tile, const float* gradient, float* reference) {
    const float norm = norm_of(lookup);
    for (int y = tile.top; y < tile.bottom; ++y) {
        for (int x = tile.left; x < tile.right; ++x) {
            const std::ptrdiff_t pixel = lookup.pixel(tile.picture, y, x);
            float* sum = reference + pixel * lookup.channels;
            for (int c = 0; c < lookup.channels; ++c) sum[c] = 0.0f;
            for (int l = 0; l < lookup.level_count; ++l) {
                const Level& level = lookup.levels[l];
                const Window window = window_at(lookup, level, l, lookup.positions + 2 * pixel);
                if (!window.visible) continue;
                add_window(lookup, level, tile.picture, window,
                           gradient + correlation_at(lookup, pixel, l), norm, sum);
            }
        }
    }
}

void feature_gradient(const Lookup& lookup, int picture, int l, int row, const float* gradient) {
    const float norm = norm_of(lookup);
    const Level& level = lookup.levels[l];
    float* sums = level.gradient + (std::ptrdiff_t{picture} * level.height + row) * level.width * lookup.channels;
    const std::ptrdiff_t first = lookup.pixel(picture, 0, 0), end = lookup.pixel(picture + 1, 0, 0);
    for (std::ptrdiff_t pixel = first; pixel < end; ++pixel) {
        const Window window = window_at(lookup, level, l, lookup.positions + 2 * pixel);
        const int j = row - window.top;
        if (!window.visible || j < 0 || j >= lookup.dot_side()) continue;
        const Span columns = inside(window.left, lookup.dot_side(), level.width);
        const float* pixel_gradient = gradient + correlation_at(lookup, pixel, l);
        for (int i = columns.first; i < columns.end; ++i) {
            add_scaled(sums + std::ptrdiff_t{window.left + i} * lookup.channels,
                       lookup.reference + pixel * lookup.channels,
                       norm * dot_gradient(lookup, window, pixel_gradient, i, j), lookup.channels);
        }
    }
}

}  // namespace

const Passes passes = {correlate, reference_gradient, feature_gradient};

}  // namespace F2HDR_INSTRUCTIONS
}  // namespace f2hdr
