// Which three frames are fused, and with which exposures.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "exposure.hpp"
#include "image.hpp"

namespace f2hdr::ofx {

// A frame as the host gives it.
struct Source {
    int frame = 0;
    Image image;
    Samples samples;
};

enum class Phase { measured, even_is_short, odd_is_short };

// What the user and the host say.
struct Facts {
    Phase phase = Phase::measured;
    std::optional<double> ratio;     // stops between the exposures; none to measure them
    bool is_exact = true;            // samples are linear light, so the size of a step counts
    std::optional<double> first, last;  // the frames that the host says the clip has
};

struct Window {
    const Source* previous = nullptr;  // at the ends of a clip both neighbors are the same frame
    const Source* next = nullptr;
    bool is_short = false;  // the exposure of the reference frame
    double ratio = 0;       // stops
    std::string warning;    // something that the user should know of; empty for nothing
};

// Decide on the window of `center`. `farther` returns the image two frames away (-2 or 2), or none.
// Samples of all frames are of the same region.
//
// A neighbor that only repeats the reference beyond the end of the clip is replaced with the other one. Throws Problem
// if the frames do not alternate: a retime, a freeze, a still, a host without temporal access, blended frames, or
// exposures that are not as given; and if pixels do not tell the exposure.
Window decide(const Source& center, const Source* previous, const Source* next, const Facts& facts,
              const std::function<std::optional<Image>(int offset)>& farther);

}  // namespace f2hdr::ofx
