// Made by generate_parameters.py from the fields of a Shot. Do not edit.
#pragma once

#include "parameters.hpp"

namespace f2hdr::ofx {

// clang-format off
inline constexpr Parameter parameter_table[] = {
    {"exposure_group", Kind::group, "Exposures", "", "", "", {}, 0, "", 0.0, 0.0, 0.0, true},
    {"exposures", Kind::choice, "Exposures", "measured: the ratio of the two exposures is measured in the frames that the host renders first. given: it is the parameter Ratio.", "exposure_group", "", {"measured", "given"}, 2, "measured", 0.0, 0.0, 0.0, true},
    {"ratio", Kind::real, "Ratio (stops)", "How many stops the long exposure is brighter than the short one; used if Exposures is given.", "exposure_group", "", {}, 0, "", 3.0, 0.5, 8.0, true},
    {"measure", Kind::button, "Measure exposures", "Measure the ratio in up to nine frames around the current one, and store it with the project. Every machine of a farm then uses the same value.", "exposure_group", "", {}, 0, "", 0.0, 0.0, 0.0, false},
    {"phase", Kind::choice, "Phase", "Which frames are the short exposures: measured from the brightness of each frame and its neighbors, or every even or every odd frame of the time that the host counts.", "exposure_group", "", {"measured", "even frames are short", "odd frames are short"}, 3, "measured", 0.0, 0.0, 0.0, true},
    {"anchor", Kind::choice, "Anchor", "Exposure whose clip becomes 1.0 in the result: long, short, or an EV in stops.", "exposure_group", "output.anchor", {"long", "short", "EV"}, 3, "long", 0.0, 0.0, 0.0, true},
    {"anchor_ev", Kind::real, "Anchor EV (stops)", "Exposure whose clip becomes 1.0 if Anchor is EV; 0 is the short exposure.", "exposure_group", "", {}, 0, "", 0.0, -8.0, 16.0, true},
    {"color_group", Kind::group, "Color", "", "", "", {}, 0, "", 0.0, 0.0, 0.0, true},
    {"input_space", Kind::text, "Input space", "Color space of the plate: auto (from the files' tags and the config's file rules; else gamma22 for integer files and movies, linear for float files), gamma22, linear, or a name from the OCIO config. In a host, auto counts as linear: name the space that the host works in.", "color_group", "color.input_space", {}, 0, "auto", 0.0, 0.0, 0.0, true},
    {"clip_level", Kind::real, "Clip level", "Linear value at which the plate clips, where 1.0 is full scale: one, or one per channel such as 8.1,7.9,8; not given: measured. In a host it is one value for all channels, and never measured.", "color_group", "color.clip_level", {}, 0, "", 1.0, 0.01, 64.0, true},
    {"output_space", Kind::text, "Output space", "Color space of the result: linear (scene-linear in the plate's own primaries), or a scene-linear space of the OCIO config such as ACEScg.", "color_group", "color.output_space", {}, 0, "linear", 0.0, 0.0, 0.0, true},
    {"config", Kind::path, "OCIO config", "OCIO config: a file, a built-in one (ocio://NAME), or f2hdr; empty for $OCIO, else f2hdr. $OCIO is that of the host.", "color_group", "color.config", {}, 0, "", 0.0, 0.0, 0.0, true},
    {"engine_group", Kind::group, "Engine", "", "", "", {}, 0, "", 0.0, 0.0, 0.0, true},
    {"method", Kind::choice, "Method", "Reconstruction method: f2hdr is the network, merge is a classical aligned merge.", "engine_group", "engine.method", {"f2hdr", "merge"}, 2, "f2hdr", 0.0, 0.0, 0.0, true},
    {"weights", Kind::text, "Weights", "Name of the installed weights; f2hdr weights list shows them.", "engine_group", "engine.weights", {}, 0, "standard", 0.0, 0.0, 0.0, true},
    {"reference_trust", Kind::choice, "Reference trust", "soft keeps the reference frame's well-exposed pixels and averages the rest with the frames that agree; hard keeps the reference's well-exposed pixels by the published rule; off uses the method's output alone.", "engine_group", "engine.reference_trust", {"soft", "hard", "off"}, 3, "soft", 0.0, 0.0, 0.0, true},
    {"flow", Kind::text, "Flow", "Optical flow estimator: auto (the one of the weights), dis or sea_raft.", "engine_group", "engine.flow", {}, 0, "auto", 0.0, 0.0, 0.0, true},
    {"precision", Kind::choice, "Precision", "Arithmetic of the network; auto is half precision where the device has it.", "engine_group", "engine.precision", {"auto", "fp32", "bf16", "fp16"}, 4, "auto", 0.0, 0.0, 0.0, true},
    {"device", Kind::text, "Device", "auto (CUDA, else the CPU), cpu, cuda:0, or several such as cuda:0,cuda:1.", "engine_group", "engine.device", {}, 0, "auto", 0.0, 0.0, 0.0, false},
    {"memory", Kind::text, "Memory", "Memory limit such as 8G; empty for what is free.", "engine_group", "engine.memory", {}, 0, "", 0.0, 0.0, 0.0, false},
    {"backend_group", Kind::group, "Backend", "", "", "", {}, 0, "", 0.0, 0.0, 0.0, true},
    {"backend", Kind::path, "Backend", "The f2hdr command that is started if no backend of this user runs; empty for F2HDR_BACKEND, the installed one, or f2hdr on the PATH.", "backend_group", "", {}, 0, "", 0.0, 0.0, 0.0, false},
    {"longest_wait", Kind::real, "Longest wait (s)", "Seconds that one frame may take before the render fails.", "backend_group", "", {}, 0, "", 600.0, 1.0, 86400.0, false},
    {"check", Kind::button, "Check backend", "Find or start the backend and show its version in Status.", "backend_group", "", {}, 0, "", 0.0, 0.0, 0.0, false},
    {"render_again", Kind::button, "Render again", "Make the host forget its cached frames of this effect, for example after the backend was down or its weights were replaced.", "backend_group", "", {}, 0, "", 0.0, 0.0, 0.0, false},
    {"status", Kind::label, "Status", "What the effect did last.", "backend_group", "", {}, 0, "", 0.0, 0.0, 0.0, false},
    {"revision", Kind::revision, "Revision", "Counts up with Render again.", "backend_group", "", {}, 0, "", 0.0, 0.0, 0.0, true},
};
// clang-format on

}  // namespace f2hdr::ofx
