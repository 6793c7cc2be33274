// Conversion of pixels between the images of a host and the rows of a buffer: red, green and blue, from the top down.
#pragma once

#include "image.hpp"

namespace f2hdr::ofx {

// Where converted pixels go: memory that this thread reads again soon, or memory that another one reads later, past the
// caches.
enum class Destination { near, far };

// Convert row `y` of a frame, within the bounds of the reference `center`, to `to`: its own pixels, and the reference's
// where it has none. Premultiplied color is divided by alpha. Returns whether alpha is 1 in the whole row.
bool pack_row(const Image& image, const Image& center, int y, float* to, Destination destination);

// Convert `count` pixels of a result, from column `x` of row `y` on, to the pixels `to` of an output with `channels`: the
// result's color, multiplied by alpha where the reference is premultiplied, and the reference's alpha. `is_opaque`: the
// reference's alpha is known to be 1, so that the reference is not read.
void unpack_row(const float* from, const Image& center, bool is_opaque, int x, int y, int count, int channels, float* to);

}  // namespace f2hdr::ofx
