#include "describe.hpp"

#include "host.hpp"
#include "parameters.hpp"
#include "problem.hpp"

namespace f2hdr::ofx {
namespace {

constexpr const char* description =
    "Scene-linear HDR from footage shot with alternating short and long exposures. Put it directly on the clip, before "
    "any retime, stabilization or grade: each result is computed from a frame and its two neighbors. "
    "Results at proxy resolution differ from those at full size.";

void define_clip(Handle effect, const char* name, bool is_temporal) {
    Handle handle = nullptr;
    if (suites().effects->define_clip(effect, name, &handle) != status_ok) {
        throw Problem("describe", std::string("The host refused the clip ") + name + ".");
    }
    const Properties clip(handle);
    clip.set_list("OfxImageEffectPropSupportedComponents", {"OfxImageComponentRGBA", "OfxImageComponentRGB"});
    clip.set("OfxImageEffectPropTemporalClipAccess", is_temporal ? 1 : 0);
    clip.set("OfxImageEffectPropSupportsTiles", 0);
}

}  // namespace

void describe(Handle effect) {
    Handle handle = nullptr;
    suites().effects->get_properties(effect, &handle);
    const Properties properties(handle);
    properties.set("OfxPropLabel", "F2HDR");
    properties.set("OfxPropShortLabel", "F2HDR");
    properties.set("OfxPropLongLabel", "F2HDR: HDR from alternating exposures");
    properties.set("OfxImageEffectPluginPropGrouping", "F2HDR");
    properties.set("OfxPropPluginDescription", description);
    properties.set_list("OfxImageEffectPropSupportedContexts",
                        {"OfxImageEffectContextFilter", "OfxImageEffectContextGeneral"});
    properties.set_list("OfxImageEffectPropSupportedPixelDepths", {"OfxBitDepthFloat"});
    properties.set("OfxImageEffectPropTemporalClipAccess", 1);
    properties.set("OfxImageEffectPropSupportsTiles", 0);
    properties.set("OfxImageEffectPropSupportsMultiResolution", 0);
    properties.set("OfxImageEffectPropMultipleClipDepths", 0);
    properties.set("OfxImageEffectPropSupportsMultipleClipPARs", 0);
    properties.set("OfxImageEffectPluginRenderThreadSafety", "OfxImageEffectRenderInstanceSafe");
    properties.set("OfxImageEffectPluginPropHostFrameThreading", 0);
    properties.set("OfxImageEffectPluginPropSingleInstance", 0);
    properties.set("OfxImageEffectPluginPropFieldRenderTwiceAlways", 0);
}

void describe_in_context(Handle effect) {
    define_clip(effect, "Source", true);
    define_clip(effect, "Output", false);
    Handle parameters = nullptr;
    suites().effects->get_parameters(effect, &parameters);
    define_parameters(parameters);
}

}  // namespace f2hdr::ofx
