#include "window.hpp"

#include <algorithm>
#include <cmath>

#include "problem.hpp"
#include "text.hpp"

namespace f2hdr::ofx {
namespace {

constexpr double same_scene = 0.35;  // minimum correlation to compare the exposures of two frames
constexpr double alike = 0.5;        // maximum correlation across a cut,
constexpr double drop = 0.25;        // and the minimum difference to the other side
constexpr double range_slack = 2;    // frames by which hosts misreport the ends of a clip
constexpr const char* as_shot = " F2HDR needs the original frames of the camera.";

enum class Relation { missing, repeat, other };

// One neighbor, compared with the reference.
struct Side {
    const Source* source = nullptr;
    int offset = 0;
    Relation relation = Relation::missing;
    bool is_identical = false;
    std::optional<double> stops;  // by which the reference is brighter
};

double equal_below(const Facts& facts) { return std::min(0.5, 0.35 * facts.ratio.value_or(2.0)); }

std::string name(const Source& source) { return "frame " + std::to_string(source.frame); }

std::string both(const Source& a, const Source& b) {
    return std::to_string(std::min(a.frame, b.frame)) + " and " + std::to_string(std::max(a.frame, b.frame));
}

Side compared(const Source& center, const Source* neighbor, int offset, const Facts& facts) {
    Side side{neighbor, offset, Relation::missing, false, std::nullopt};
    if (!neighbor) return side;
    side.relation = Relation::other;
    side.is_identical = neighbor->samples.codes == center.samples.codes && same_pixels(neighbor->image, center.image);
    if (side.is_identical) {
        side.stops = 0.0;
        if (!is_flat(center.samples)) side.relation = Relation::repeat;
        else side.stops = std::nullopt;  // black or fully clipped frames correlate at any exposure
        return side;
    }
    side.stops = step_between(neighbor->samples, center.samples);
    if (side.stops && likeness(neighbor->samples, center.samples, *side.stops) < same_scene) side.stops = std::nullopt;
    if (side.stops && std::abs(*side.stops) < equal_below(facts)) side.relation = Relation::repeat;
    return side;
}

// Omit a neighbor of another scene, as a render does at a detected cut.
void leave_out_across_cut(Side& side, const Side& other, const Source& center) {
    if (side.relation != Relation::other || other.relation != Relation::other || !other.stops) return;
    const double usual = likeness(other.source->samples, center.samples, *other.stops);
    const double across = likeness(side.source->samples, center.samples, *other.stops);
    if (across <= alike && across < usual - drop) side = Side{nullptr, side.offset, Relation::missing, false, std::nullopt};
}

bool is_at_end(const Side& side, const Source& center, const Facts& facts,
               const std::function<std::optional<Image>(int)>& farther) {
    const auto end = side.offset < 0 ? facts.first : facts.last;
    if (end) return std::abs(*end - center.frame) <= range_slack;
    const auto beyond = farther(2 * side.offset);
    return !beyond || same_pixels(*beyond, center.image);
}

// Omit a neighbor that only repeats the reference beyond the end of its clip.
void leave_out_held(Side& side, const Side& other, const Source& center, const Facts& facts,
                    const std::function<std::optional<Image>(int)>& farther) {
    if (side.relation != Relation::repeat) return;
    if (other.relation != Relation::other) {
        throw Problem("still", "The host provides the same " + std::string(side.is_identical ? "picture" : "exposure") +
                                   " for frames " + both(center, *side.source) +
                                   ": the clip is a still or frozen, or this page of the host provides no other "
                                   "frames to an effect. F2HDR needs footage of alternating exposures.");
    }
    if (!is_at_end(side, center, facts, farther)) {
        throw Problem("repeat", "Frames " + both(center, *side.source) + " have the same " +
                                    (side.is_identical ? "picture" : "exposure") +
                                    ": the clip is retimed, frozen or repeats a frame upstream." + as_shot);
    }
    side = Side{nullptr, side.offset, Relation::missing, false, std::nullopt};
}

// The exposure of the reference by its pixels; none if they are inconclusive.
std::optional<bool> measured_short(const Source& center, const Side& before, const Side& after) {
    std::optional<bool> found;
    for (const Side* side : {&before, &after}) {
        if (!side->source || !side->stops) continue;
        const bool is_short = *side->stops < 0;
        if (found && *found != is_short) {
            throw Problem("between", "The reference, " + name(center) + ", is brighter than one neighbor and darker than " +
                                         "the other: frames are blended upstream, or the scene's own light changes." + as_shot);
        }
        found = is_short;
    }
    return found;
}

double settled_ratio(const Source& center, const Side& before, const Side& after, const Facts& facts) {
    double sum = 0;
    int count = 0;
    for (const Side* side : {&before, &after}) {
        if (!side->source || !side->stops) continue;
        const double stops = std::abs(*side->stops);
        sum += stops;
        ++count;
        if (facts.is_exact && facts.ratio && std::abs(stops - *facts.ratio) > std::max(0.4, 0.3 * *facts.ratio)) {
            throw Problem("ratio", "Frames " + both(center, *side->source) + " differ by " + number_text(stops, 2) +
                                       " stops, not by " + number_text(*facts.ratio, 3) +
                                       ": they are blended or graded upstream, or the parameter Ratio is wrong.");
        }
    }
    if (facts.ratio) return *facts.ratio;
    const auto usual = count && facts.is_exact ? usual_step(sum / count) : std::nullopt;
    if (usual) return *usual;
    const std::string seen = count && facts.is_exact ? " (measured: " + number_text(sum / count, 3) + " stops)" : "";
    throw Problem("ratio_unknown", "The exposure ratio could not be determined from " + name(center) +
                                       " and its neighbors" + seen + ". Set Exposures to given and enter the Ratio.");
}

bool is_short_by(Phase phase, int frame) { return (frame % 2 == 0) == (phase == Phase::even_is_short); }

}  // namespace

Window decide(const Source& center, const Source* previous, const Source* next, const Facts& facts,
              const std::function<std::optional<Image>(int)>& farther) {
    Side before = compared(center, previous, -1, facts), after = compared(center, next, 1, facts);
    if (before.relation == Relation::missing && after.relation == Relation::missing) {
        throw Problem("alone", "The host provides no neighbor of " + name(center) +
                                   ". F2HDR needs the frames before and after it: the clip has one frame, or this page " +
                                   "of the host provides no other frames to an effect.");
    }
    leave_out_held(before, after, center, facts, farther);
    leave_out_held(after, before, center, facts, farther);
    const Side kept_before = before;
    leave_out_across_cut(before, after, center);
    leave_out_across_cut(after, kept_before, center);
    Window window;
    window.previous = before.source ? before.source : after.source;
    window.next = after.source ? after.source : before.source;
    const auto by_pixels = measured_short(center, before, after);
    window.ratio = settled_ratio(center, before, after, facts);
    if (facts.phase == Phase::measured) {
        if (!by_pixels) {
            throw Problem("phase", "Too little of " + name(center) +
                                       " is well exposed in two successive frames to determine its exposure. Set Phase.");
        }
        window.is_short = *by_pixels;
        return window;
    }
    window.is_short = is_short_by(facts.phase, center.frame);
    if (by_pixels && *by_pixels != window.is_short) {
        window.warning = "By its pixels " + name(center) + " is the " + (*by_pixels ? "short" : "long") +
                         " exposure, but Phase makes it the " + (window.is_short ? "short" : "long") + " one.";
    }
    return window;
}

}  // namespace f2hdr::ofx
