// A float image of a clip, released by the destructor.
#pragma once

#include <optional>
#include <string>

#include "abi.hpp"

namespace f2hdr::ofx {

inline int width_of(const RectI& r) { return r.x2 - r.x1; }
inline int height_of(const RectI& r) { return r.y2 - r.y1; }
inline bool is_empty(const RectI& r) { return r.x2 <= r.x1 || r.y2 <= r.y1; }
inline bool contains(const RectI& outer, const RectI& inner) {
    return outer.x1 <= inner.x1 && outer.y1 <= inner.y1 && outer.x2 >= inner.x2 && outer.y2 >= inner.y2;
}
inline bool same(const RectI& a, const RectI& b) { return contains(a, b) && contains(b, a); }
RectI intersection(const RectI& a, const RectI& b);

class Image {
public:
    // The image of a clip at a time, or none if the host provides none. Throws Problem if it is not a whole float RGB or
    // RGBA frame, naming `what` it is.
    static std::optional<Image> fetch(Handle clip, Time time, const std::string& what);

    Image(Image&& other) noexcept;
    Image& operator=(Image&& other) noexcept;
    ~Image();

    RectI bounds{};  // in pixels; y grows upwards
    RectI whole{};   // the region that the host can provide; empty if unknown
    int channels = 4;
    bool is_premultiplied = false;
    double scale = 1;        // render scale in x
    std::string identifier;  // the host's name for these pixels; empty if it has none

    // The pixels of row `y` of the bounds, from x1 on.
    const float* row(int y) const { return reinterpret_cast<const float*>(data_ + (y - bounds.y1) * row_bytes_); }
    float* row(int y) { return const_cast<float*>(static_cast<const Image*>(this)->row(y)); }
    // The pixel at x, y, which is inside the bounds.
    const float* pixel(int x, int y) const { return row(y) + static_cast<std::ptrdiff_t>(x - bounds.x1) * channels; }
    float* pixel(int x, int y) { return const_cast<float*>(static_cast<const Image*>(this)->pixel(x, y)); }
    long row_bytes() const { return static_cast<long>(row_bytes_); }

private:
    explicit Image(Handle handle) : handle_(handle) {}
    void read(const std::string& what);

    Handle handle_ = nullptr;
    char* data_ = nullptr;
    std::ptrdiff_t row_bytes_ = 0;
};

// Whether two images have the same pixels, bit by bit.
bool same_pixels(const Image& a, const Image& b);

}  // namespace f2hdr::ofx
