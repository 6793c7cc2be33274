#include "exposure.hpp"

#include <algorithm>
#include <cmath>

namespace f2hdr::ofx {
namespace {

constexpr int columns = 120;
constexpr int quantiles = 100;
constexpr float darkest = 0.002f, brightest = 0.9f;  // limits of well-exposed levels, in linear light
constexpr std::size_t least_levels = 8;
constexpr double plateau_share = 0.35;
constexpr double snap_stops = 0.08;

// The center of the narrowest interval with `plateau_share` of the ratios: noise and clipping distort the others.
double plateau(std::vector<double> ratios) {
    std::sort(ratios.begin(), ratios.end());
    const auto within = std::max<std::size_t>(4, static_cast<std::size_t>(plateau_share * static_cast<double>(ratios.size())));
    std::size_t start = 0;
    double narrowest = HUGE_VAL;
    for (std::size_t first = 0; first + within <= ratios.size(); ++first) {
        const double wide = ratios[first + within - 1] - ratios[first];
        if (wide < narrowest) {
            narrowest = wide;
            start = first;
        }
    }
    return ratios[start + within / 2];
}

}  // namespace

Samples sampled(const Image& image, const RectI& region, const std::string& space, double clip) {
    const bool is_linear = space == "auto" || space == "linear";
    const int step = std::max(1, width_of(region) / columns);
    Samples samples;
    const auto count = static_cast<std::size_t>((width_of(region) + step - 1) / step) *
                       static_cast<std::size_t>((height_of(region) + step - 1) / step);
    samples.codes.reserve(3 * count);
    samples.light.reserve(count);
    for (int y = region.y2 - 1; y >= region.y1; y -= step) {
        for (int x = region.x1; x < region.x2; x += step) {
            const float* pixel = image.pixel(x, y);
            samples.codes.insert(samples.codes.end(), pixel, pixel + 3);
            const double mean = (static_cast<double>(pixel[0]) + pixel[1] + pixel[2]) / 3;
            const double code = mean > 0 ? mean : 0;  // also for NaN
            const double light = is_linear ? code / clip : std::pow(code, 2.2);
            samples.light.push_back(light < 1e6 ? static_cast<float>(light) : 0.0f);
        }
    }
    samples.levels = samples.light;
    std::sort(samples.levels.begin(), samples.levels.end());
    return samples;
}

bool is_flat(const Samples& samples) {
    for (std::size_t index = 3; index < samples.codes.size(); ++index) {
        if (samples.codes[index] != samples.codes[index % 3]) return false;
    }
    return true;
}

std::optional<double> step_between(const Samples& first, const Samples& second) {
    if (first.levels.size() != second.levels.size() || first.levels.empty()) return std::nullopt;
    const std::vector<float>& dark = first.levels;
    const std::vector<float>& bright = second.levels;
    std::vector<double> ratios;
    for (int index = 0; index < quantiles; ++index) {
        const auto at = static_cast<std::size_t>((index + 0.5) / quantiles * static_cast<double>(dark.size()));
        const float a = dark[at], b = bright[at];
        if (std::min(a, b) > darkest && std::max(a, b) < brightest) ratios.push_back(std::log2(b / a));
    }
    if (ratios.size() < least_levels) return std::nullopt;
    return plateau(std::move(ratios));
}

double likeness(const Samples& first, const Samples& second, double stops) {
    const double up = std::exp2(std::max(stops, 0.0)), down = std::exp2(std::max(-stops, 0.0));
    const auto count = static_cast<double>(first.light.size());
    double sum_a = 0, sum_b = 0, sum_aa = 0, sum_bb = 0, sum_ab = 0;
    for (std::size_t index = 0; index < std::min(first.light.size(), second.light.size()); ++index) {
        const double a = std::sqrt(std::min(1.0, first.light[index] * up));
        const double b = std::sqrt(std::min(1.0, second.light[index] * down));
        sum_a += a;
        sum_b += b;
        sum_aa += a * a;
        sum_bb += b * b;
        sum_ab += a * b;
    }
    const double spread = (sum_aa - sum_a * sum_a / count) * (sum_bb - sum_b * sum_b / count);
    return spread < 1e-12 ? 1.0 : (sum_ab - sum_a * sum_b / count) / std::sqrt(spread);
}

std::optional<double> usual_step(double stops) {
    double best = HUGE_VAL;
    for (const double parts : {2.0, 3.0}) {
        const double near = std::round(stops * parts) / parts;
        if (std::abs(near - stops) < std::abs(best - stops)) best = near;
    }
    if (std::abs(best - stops) > snap_stops) return std::nullopt;
    return best;
}

}  // namespace f2hdr::ofx
