// Python bindings: checks shapes, picks the instruction set, shares the work out among threads.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

#include "lookup.hpp"
#include "parallel.hpp"

namespace py = pybind11;

namespace f2hdr {
namespace {

using Floats = py::array_t<float, py::array::c_style>;

// 8 x 16 windows of radius 4 and 256 channels read about 0.5 MB: a second-level cache.
constexpr int tile_height = 8;
constexpr int tile_width = 16;

struct InstructionSet {
    const char* name;
    const Passes* passes;
};

// What this build holds and this CPU runs, fastest first.
std::vector<InstructionSet> instruction_sets() {
    std::vector<InstructionSet> sets;
#if defined(F2HDR_X86_DISPATCH)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) {
        sets.push_back({"avx512", &avx512::passes});
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) sets.push_back({"avx2", &avx2::passes});
#endif
    sets.push_back({"plain", &plain::passes});
    return sets;
}

const Passes& passes_named(const std::string& name) {
    for (const InstructionSet& set : instruction_sets()) {
        if (name == set.name) return *set.passes;
    }
    throw std::invalid_argument("This build or CPU has no instruction set named " + name + ".");
}

void require_shape(const Floats& array, const char* name, std::initializer_list<py::ssize_t> shape) {
    const bool same = array.ndim() == static_cast<py::ssize_t>(shape.size()) &&
                      std::equal(shape.begin(), shape.end(), array.shape());
    if (!same) throw std::invalid_argument(std::string("Unexpected shape of ") + name + ".");
}

struct Inputs {
    std::vector<Level> levels;
    Lookup lookup;
};

void require_four(const Floats& array, const char* name) {
    if (array.ndim() != 4) throw std::invalid_argument(std::string(name) + " must have four dimensions.");
}

void read_inputs(const Floats& reference, const std::vector<Floats>& pyramid, const Floats& positions, int radius,
                 Inputs& inputs) {
    require_four(reference, "reference");
    const py::ssize_t batch = reference.shape(0), channels = reference.shape(3);
    require_shape(positions, "positions", {batch, reference.shape(1), reference.shape(2), 2});
    for (const Floats& features : pyramid) {
        require_four(features, "pyramid");
        require_shape(features, "pyramid", {batch, features.shape(1), features.shape(2), channels});
        inputs.levels.push_back({features.data(), nullptr, static_cast<int>(features.shape(1)),
                                 static_cast<int>(features.shape(2))});
    }
    if (radius < 0) throw std::invalid_argument("radius must not be negative.");
    inputs.lookup = {reference.data(), positions.data(), inputs.levels.data(),
                     static_cast<int>(inputs.levels.size()), static_cast<int>(batch),
                     static_cast<int>(reference.shape(1)), static_cast<int>(reference.shape(2)),
                     static_cast<int>(channels), radius};
}

// Calls pass(worker, tile) for every tile of every picture.
template <class Pass>
void run_tiles(const Lookup& lookup, int threads, const Pass& pass) {
    const int rows = (lookup.height + tile_height - 1) / tile_height;
    const int columns = (lookup.width + tile_width - 1) / tile_width;
    const std::ptrdiff_t per_picture = std::ptrdiff_t{rows} * columns;
    run_jobs(lookup.batch * per_picture, threads, [&](int worker, std::ptrdiff_t job) {
        const int top = static_cast<int>(job % per_picture / columns) * tile_height;
        const int left = static_cast<int>(job % columns) * tile_width;
        const Tile tile = {static_cast<int>(job / per_picture), top, std::min(top + tile_height, lookup.height),
                           left, std::min(left + tile_width, lookup.width)};
        pass(worker, tile);
    });
}

void run_feature_gradients(const Passes& passes, const Lookup& lookup, int threads, const float* gradient) {
    struct Row {
        int picture, level, row;
    };
    std::vector<Row> jobs;
    for (int level = lookup.level_count - 1; level >= 0; --level) {  // coarse first: their rows are the longest jobs
        for (int picture = 0; picture < lookup.batch; ++picture) {
            for (int row = 0; row < lookup.levels[level].height; ++row) jobs.push_back({picture, level, row});
        }
    }
    run_jobs(static_cast<std::ptrdiff_t>(jobs.size()), threads, [&](int, std::ptrdiff_t index) {
        const Row& job = jobs[static_cast<std::size_t>(index)];
        passes.feature_gradient(lookup, job.picture, job.level, job.row, gradient);
    });
}

py::ssize_t correlation_channels(const Lookup& lookup) { return lookup.level_count * lookup.window_area(); }

void correlate(const Floats& reference, const std::vector<Floats>& pyramid, const Floats& positions,
               Floats& correlation, int radius, int threads, const std::string& instructions) {
    const Passes& passes = passes_named(instructions);
    Inputs inputs;
    read_inputs(reference, pyramid, positions, radius, inputs);
    const Lookup& lookup = inputs.lookup;
    require_shape(correlation, "correlation",
                  {lookup.batch, lookup.height, lookup.width, correlation_channels(lookup)});
    float* out = correlation.mutable_data();
    const py::gil_scoped_release unlocked;
    const std::size_t dots_size = static_cast<std::size_t>(lookup.dot_area());
    std::vector<float> dots(dots_size * static_cast<std::size_t>(std::max(threads, 1)));
    run_tiles(lookup, threads, [&](int worker, const Tile& tile) {
        passes.correlate(lookup, tile, dots.data() + dots_size * static_cast<std::size_t>(worker), out);
    });
}

void backpropagate(const Floats& reference, const std::vector<Floats>& pyramid, const Floats& positions,
                   const Floats& gradient, Floats& reference_gradient, std::vector<Floats>& pyramid_gradient,
                   int radius, int threads, const std::string& instructions) {
    const Passes& passes = passes_named(instructions);
    Inputs inputs;
    read_inputs(reference, pyramid, positions, radius, inputs);
    const Lookup& lookup = inputs.lookup;
    require_shape(gradient, "gradient", {lookup.batch, lookup.height, lookup.width, correlation_channels(lookup)});
    require_shape(reference_gradient, "reference_gradient",
                  {lookup.batch, lookup.height, lookup.width, lookup.channels});
    if (pyramid_gradient.size() != pyramid.size()) throw std::invalid_argument("One gradient a level is needed.");
    for (std::size_t level = 0; level < pyramid.size(); ++level) {
        const Level& features = inputs.levels[level];
        require_shape(pyramid_gradient[level], "pyramid_gradient",
                      {lookup.batch, features.height, features.width, lookup.channels});
        inputs.levels[level].gradient = pyramid_gradient[level].mutable_data();
    }
    float* out = reference_gradient.mutable_data();
    const float* received = gradient.data();
    const py::gil_scoped_release unlocked;
    run_tiles(lookup, threads,
              [&](int, const Tile& tile) { passes.reference_gradient(lookup, tile, received, out); });
    run_feature_gradients(passes, lookup, threads, received);
}

std::vector<std::string> instruction_set_names() {
    std::vector<std::string> names;
    for (const InstructionSet& set : instruction_sets()) names.emplace_back(set.name);
    return names;
}

}  // namespace
}  // namespace f2hdr

PYBIND11_MODULE(_core, module) {
    module.doc() = "Local correlation on the CPU. Arrays are float32, C-contiguous, channels last; none is copied.";
    module.def("instruction_sets", &f2hdr::instruction_set_names, "What this CPU runs, fastest first.");
    module.def("correlate", &f2hdr::correlate, py::arg("reference").noconvert(), py::arg("pyramid").noconvert(),
               py::arg("positions").noconvert(), py::arg("correlation").noconvert(), py::arg("radius"),
               py::arg("threads"), py::arg("instructions"), "Writes the correlation.");
    module.def("backpropagate", &f2hdr::backpropagate, py::arg("reference").noconvert(),
               py::arg("pyramid").noconvert(), py::arg("positions").noconvert(), py::arg("gradient").noconvert(),
               py::arg("reference_gradient").noconvert(), py::arg("pyramid_gradient").noconvert(),
               py::arg("radius"), py::arg("threads"), py::arg("instructions"),
               "Writes the gradient of the reference; adds to the gradients of the pyramid.");
}
