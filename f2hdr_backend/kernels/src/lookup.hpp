// Local correlation: the work to do, and the three passes that each instruction set compiles.
//
// All pictures are channels-last float32: features (batch, height, width, channels), positions
// (batch, height, width, 2) as x, y, correlation (batch, height, width, levels * (2 radius + 1)^2).
#pragma once
#include <cstddef>

namespace f2hdr {

struct Level {
    const float* features;
    float* gradient;  // same shape as the features; null in a forward lookup
    int height;
    int width;
};

struct Lookup {
    const float* reference;
    const float* positions;
    const Level* levels;
    int level_count;
    int batch;
    int height;
    int width;
    int channels;
    int radius;

    int window_side() const { return 2 * radius + 1; }
    int dot_side() const { return 2 * radius + 2; }
    std::ptrdiff_t window_area() const { return std::ptrdiff_t{1} * window_side() * window_side(); }
    std::ptrdiff_t dot_area() const { return std::ptrdiff_t{1} * dot_side() * dot_side(); }
    std::ptrdiff_t pixel(int picture, int y, int x) const {
        return (std::ptrdiff_t{picture} * height + y) * width + x;
    }
};

// A patch of reference pixels, rows [top, bottom) and columns [left, right): its windows stay in the cache.
struct Tile {
    int picture;
    int top;
    int bottom;
    int left;
    int right;
};

struct Passes {
    // Writes the correlation of the tile's pixels. `dots` is room for dot_area() floats.
    void (*correlate)(const Lookup&, const Tile&, float* dots, float* correlation);
    // Writes d loss / d reference for the tile's pixels.
    void (*reference_gradient)(const Lookup&, const Tile&, const float* gradient, float* reference);
    // Adds d loss / d features to one row of one level; rows are independent, so no two threads share a sum.
    void (*feature_gradient)(const Lookup&, int picture, int level, int row, const float* gradient);
};

namespace plain {
extern const Passes passes;
}
namespace avx2 {
extern const Passes passes;
}
namespace avx512 {
extern const Passes passes;
}

}  // namespace f2hdr
