// Conversion of pixels between the images of a host and the rows of a buffer: red, green and blue, from the top down.
#pragma once

#include "image.hpp"

namespace f2hdr::ofx {

// Convert row `y` of a frame, within the bounds of the reference `center`, to `to`: its own pixels, and the reference's
// where it has none. Premultiplied color is divided by alpha.
void pack_row(const Image& image, const Image& center, int y, float* to);

// Convert `count` pixels of a result, from column `x` of row `y` on, to the pixels `to` of an output with `channels`: the
// result's color, multiplied by alpha where the reference is premultiplied, and the reference's alpha.
void unpack_row(const float* from, const Image& center, int x, int y, int count, int channels, float* to);

}  // namespace f2hdr::ofx
