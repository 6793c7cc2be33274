// The render action of an instance, and the measurement of its exposures.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <initializer_list>
#include <thread>
#include <vector>

#include "backend.hpp"
#include "buffer_pool.hpp"
#include "instance.hpp"
#include "parallel.hpp"
#include "platform.hpp"
#include "text.hpp"
#include "trace.hpp"

namespace f2hdr::ofx {
namespace {

using backend::Clock;
using std::chrono::duration;
using std::chrono::milliseconds;

constexpr int measured_frames = 4;  // on each side of the current one

double ms_between(Clock::time_point from, Clock::time_point to) {
    return duration<double, std::milli>(to - from).count();
}

// The frame number of a time. Throws Problem for a time between two frames.
int frame_of(double time) {
    const double nearest = std::floor(time + 0.5);
    if (!(std::abs(time - nearest) < 0.01)) {
        throw Problem("between_frames", "The host requests time " + number_text(time, 8) +
                                            ", which is between two frames: the clip is retimed or motion-blurred downstream. "
                                            "F2HDR needs the original frames of the camera.");
    }
    return static_cast<int>(nearest);
}

// Refuse partial frames: exposure, flow and the method's statistics need whole frames.
void refuse_tiles(const Image& center, const Image& output, const RectI& window) {
    const RectI& wanted = is_empty(output.whole) ? output.bounds : output.whole;
    const bool is_tile = (!is_empty(center.whole) && !contains(center.bounds, center.whole)) ||
                         !contains(window, intersection(wanted, center.bounds));
    if (is_tile) {
        throw Problem("tile", "The host requests a part of the frame. F2HDR renders only whole frames: switch tiled "
                              "rendering off for this effect.");
    }
    if (is_empty(window) || !contains(output.bounds, window)) {
        throw Problem("window", "The host requests pixels outside its output image.");
    }
}

std::string rectangle_text(const RectI& r) {
    return std::to_string(r.x1) + "," + std::to_string(r.y1) + "," + std::to_string(r.x2) + "," + std::to_string(r.y2);
}

void trace_source(const Source& source) {
    if (!is_tracing()) return;
    double sum = 0;
    for (const float light : source.samples.light) sum += light;
    trace("  frame " + std::to_string(source.frame) + ": bounds " + rectangle_text(source.image.bounds) + ", " +
          std::to_string(source.image.channels) + " channels, row bytes " + std::to_string(source.image.row_bytes()) +
          ", mean light " + number_text(sum / static_cast<double>(source.samples.light.size()), 5) + ", id " +
          (source.image.identifier.empty() ? "none" : source.image.identifier));
}

std::optional<Source> source_of(std::optional<Image> image, int frame) {
    if (!image) return std::nullopt;
    return Source{frame, std::move(*image), {}};
}

// Sample all frames in their common region. A frame without overlap with the first is dropped.
void take_samples(std::initializer_list<std::optional<Source>*> sources, const Values& values, Workers& workers) {
    RectI region = (*sources.begin())->value().image.bounds;
    for (std::optional<Source>* source : sources) {
        if (!*source) continue;
        const RectI shared = intersection(region, (*source)->image.bounds);
        if (is_empty(shared)) source->reset();
        else region = shared;
    }
    workers.run(sources.size(), [&](std::size_t first, std::size_t end) {
        for (std::size_t index = first; index < end; ++index) {
            std::optional<Source>& source = *sources.begin()[index];
            if (source) source->samples = sampled(source->image, region, values.input_space, values.clip_level);
        }
    });
    for (const std::optional<Source>* source : sources) {
        if (*source) trace_source(**source);
    }
}

// Abandons the result of a request unless it was read.
class Pending {
public:
    explicit Pending(BufferSet& set) : set_(set) {}
    ~Pending() {
        if (!is_read) set_.abandon();
    }
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;

    bool is_read = false;

private:
    BufferSet& set_;
};

}  // namespace

void Instance::refuse_fields(const Properties& in) const {
    Handle handle = nullptr;
    suites().effects->get_clip_properties(source_clip_, &handle);
    const std::string asked = in.text("OfxImageEffectPropFieldToRender").value_or("OfxFieldNone");
    const std::string order = Properties(handle).text("OfxImageClipPropFieldOrder").value_or("OfxFieldNone");
    const bool is_fielded = order == "OfxFieldLower" || order == "OfxFieldUpper";
    if (asked == "OfxFieldLower" || asked == "OfxFieldUpper" || (asked == "OfxFieldBoth" && is_fielded)) {
        throw Problem("fields", "The host renders fields. F2HDR needs progressive frames: deinterlace the clip, or set "
                                "it to progressive.");
    }
}

std::optional<Image> Instance::image(int frame) const {
    auto found = Image::fetch(source_clip_, frame, "frame " + std::to_string(frame));
    if (!found) trace("  frame " + std::to_string(frame) + ": the host provides none");
    return found;
}

Status Instance::render(const Properties& in) {
    try {
        const int frame = frame_of(in.real("OfxPropTime").value_or(0));
        std::unique_lock<std::timed_mutex> alone(rendering_, std::defer_lock);
        while (!alone.try_lock_for(milliseconds(20))) {
            if (is_aborted()) throw Canceled();
        }
        const std::string warning = render_frame(in, frame);
        if (warning.empty()) clear_report();
        else report("warning", "OfxMessageWarning", warning);
        return status_ok;
    } catch (const Canceled&) {
        trace("  canceled");
        return status_ok;
    } catch (const Problem& problem) {
        report(problem.cause, "OfxMessageError", problem.what());
        return problem.status;
    }
}

std::string Instance::render_frame(const Properties& in, int frame) {
    const auto began = Clock::now();
    const Values values = read_values(parameters_);
    const Range known = range();
    trace("render " + std::to_string(frame) + ", range " + (known.first ? number_text(*known.first, 8) : "unknown") + " to " +
          (known.last ? number_text(*known.last, 8) : "unknown") + ", scale " +
          number_text(in.real("OfxImageEffectPropRenderScale").value_or(1), 4) + ", source frame " +
          std::to_string(in.integer("OfxImageEffectPropSrcFrame").value_or(-1)));
    if (!host_is_temporal()) {
        throw Problem("not_temporal", "This host provides no other frames than the current one, but F2HDR needs "
                                      "the frames before and after it. Use f2hdr render, or a host with temporal access.");
    }
    refuse_fields(in);
    Workers workers;
    std::optional<Source> previous, next, center = source_of(image(frame), frame);
    if (!center) throw Problem("missing", "The host provides no image for frame " + std::to_string(frame) + ".");
    if (known.has(frame - 1)) previous = source_of(image(frame - 1), frame - 1);
    if (known.has(frame + 1)) next = source_of(image(frame + 1), frame + 1);
    take_samples({&center, &previous, &next}, values, workers);
    auto output = Image::fetch(output_clip_, frame, "the output");
    if (!output) throw Problem("missing", "The host provides no output image for frame " + std::to_string(frame) + ".");
    const RectI window = in.rectangle("OfxImageEffectPropRenderWindow").value_or(output->bounds);
    refuse_tiles(center->image, *output, window);
    if (is_aborted()) throw Canceled();

    Facts facts{values.phase, values.ratio, values.is_exact(), known.first, known.last};
    const std::string settings = values.input_space + " " + number_text(values.clip_level);
    if (!facts.ratio) {
        const std::lock_guard<std::mutex> held(mutex_);
        if (measured_for_ == settings) facts.ratio = measured_ratio_;
    }
    const Window chosen = decide(*center, previous ? &*previous : nullptr, next ? &*next : nullptr, facts,
                                 [&](int offset) { return image(frame + offset); });
    const auto judged = Clock::now();

    const backend::Patience patience{[this] { return is_aborted(); }, values.longest_wait_s};
    const bool passes_files = !platform::environment("F2HDR_BUFFERS") && backend::takes_files(values.backend, patience);
    const BufferPool::Loan buffers = BufferPool::lend(passes_files);
    const std::vector<std::string> names = buffers->write(chosen, *center, workers);
    const std::string result_name = buffers->prepare_result(*center);
    const auto written = Clock::now();
    Pending result(*buffers.operator->());
    const json::Value answer = backend::frame(
        values.backend, frame_request(values, chosen, frame, names, result_name, client()), buffers->passed(), patience);
    const auto answered = Clock::now();
    buffers->read(*center, window, *output, workers);
    result.is_read = true;
    const auto ended = Clock::now();

    const double computing_ms = 1000 * answer.number_of("computing_s").value_or(0);
    trace("  judge " + number_text(ms_between(began, judged), 4) + " ms, write " + number_text(ms_between(judged, written), 4) +
          " ms, wait " + number_text(ms_between(written, answered), 5) + " ms (compute " + number_text(computing_ms, 5) +
          ", queue " + number_text(1000 * answer.number_of("waited_s").value_or(0), 4) + ", files " +
          number_text(1000 * answer.number_of("files_s").value_or(0), 4) + ", loading " +
          number_text(1000 * answer.number_of("loading_s").value_or(0), 4) + "), read " +
          number_text(ms_between(answered, ended), 4) + " ms");
    say("Frame " + std::to_string(frame) + ": " + (chosen.is_short ? "short" : "long") + " exposure, " +
        number_text(chosen.ratio, 3) + " stops, with frames " + std::to_string(chosen.previous->frame) + " and " +
        std::to_string(chosen.next->frame) + ". " + number_text(ms_between(began, ended) / 1000, 3) + " s, of which " +
        number_text(computing_ms / 1000, 3) + " s computing." +
        (center->image.scale < 1 ? " At proxy resolution results differ from those at full size." : ""));
    const std::lock_guard<std::mutex> held(mutex_);
    if (!values.ratio && measured_for_ != settings) {
        measured_ratio_ = chosen.ratio;
        measured_for_ = settings;
    }
    return chosen.warning;
}

void Instance::measure(double time) {
    const Values values = read_values(parameters_);
    const Range known = range();
    if (!values.is_exact()) {
        throw Problem("ratio_unknown", "Exposures can be measured in linear and gamma22 frames, not in " +
                                           quoted(values.input_space) + ". Enter the Ratio.");
    }
    const int center = frame_of(time);
    Workers workers;
    std::vector<double> stops;
    std::optional<Source> before;
    for (int frame = center - measured_frames; frame <= center + measured_frames; ++frame) {
        std::optional<Source> now;
        if (known.has(frame)) now = source_of(image(frame), frame);
        if (before && now) {
            take_samples({&before, &now}, values, workers);
            const auto step = now ? step_between(before->samples, now->samples) : std::nullopt;
            if (step && std::abs(*step) >= 0.5) stops.push_back(std::abs(*step));
        }
        before = std::move(now);
    }
    if (stops.size() < 2) {
        throw Problem("ratio_unknown", "The exposures around frame " + std::to_string(center) +
                                           " could not be measured: fewer than two steps between successive frames are "
                                           "visible. Move to a brighter part of the clip, or enter the Ratio.");
    }
    std::sort(stops.begin(), stops.end());
    const double median = stops[stops.size() / 2];
    const double ratio = usual_step(median).value_or(std::round(median * 100) / 100);
    parameters_.set_real("ratio", ratio);
    parameters_.set_index("exposures", 1);
    say("Measured " + number_text(median, 3) + " stops in " + std::to_string(stops.size()) + " steps; Ratio is " +
        number_text(ratio, 3) + ".");
}

}  // namespace f2hdr::ofx
