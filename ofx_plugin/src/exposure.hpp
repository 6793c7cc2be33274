// How many stops brighter one frame is than another, from their pixels alone.
//
// A step is measured by matching the brightness distributions of both frames (their quantiles), which needs no motion
// estimate: the rule of resolve_fuse/f2hdr_exposure.lua.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "image.hpp"

namespace f2hdr::ofx {

// Pixels of a frame on a regular grid of about 120 columns.
struct Samples {
    std::vector<float> codes;   // red, green and blue as provided by the host
    std::vector<float> light;   // their mean as linear light, 1 at the clip level
    std::vector<float> levels;  // the same in ascending order
};

// Take samples within `region`, which is inside the image's bounds; `space` is the color space (auto and linear are
// linear, others count as gamma 2.2), `clip` the linear value at which the plate clips.
Samples sampled(const Image& image, const RectI& region, const std::string& space, double clip);

// Whether all samples are equal: the exposure of such a frame cannot be measured.
bool is_flat(const Samples& samples);

// Stops by which the second frame is brighter; none if no level is well exposed in both.
std::optional<double> step_between(const Samples& first, const Samples& second);

// Correlation, -1 to 1, of two frames after scaling the darker one by `stops` to the exposure of the brighter one.
double likeness(const Samples& first, const Samples& second, double stops);

// The usual step of a camera (a multiple of a half or a third of a stop) within 0.08 stops of a measured one; none if
// there is none.
std::optional<double> usual_step(double stops);

}  // namespace f2hdr::ofx
