// Choice of the three frames to fuse, and their exposures.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "exposure.hpp"
#include "image.hpp"

namespace f2hdr::ofx {

// A frame of the host.
struct Source {
    int frame = 0;
    Image image;
    Samples samples;
};

enum class Phase { measured, even_is_short, odd_is_short };

// Settings of the user, and facts from the host.
struct Facts {
    Phase phase = Phase::measured;
    std::optional<double> ratio;     // stops between the exposures; none to measure them
    bool is_exact = true;            // samples are linear light, so the size of a step is valid
    std::optional<double> first, last;  // the frame range of the clip, reported by the host
};

struct Window {
    const Source* previous = nullptr;  // at the ends of a clip both neighbors are the same frame
    const Source* next = nullptr;
    bool is_short = false;  // the exposure of the reference frame
    double ratio = 0;       // stops
    std::string warning;    // warning for the user; empty for none
};

// Decide on the window of `center`. `farther` returns the image two frames away (-2 or 2), or none.
// Samples of all frames are of the same region.
//
// A neighbor that only repeats the reference beyond the end of the clip is replaced with the other one. Throws Problem
// if the frames do not alternate: a retime, a freeze, a still, a host without temporal access, blended frames, or
// exposures that are not as given; and if the pixels do not determine the exposure.
Window decide(const Source& center, const Source* previous, const Source* next, const Facts& facts,
              const std::function<std::optional<Image>(int offset)>& farther);

}  // namespace f2hdr::ofx
