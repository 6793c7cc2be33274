// The entry points that a host calls. No exception leaves this file.
#include <cstring>
#include <exception>
#include <new>

#include "buffer_pool.hpp"
#include "describe.hpp"
#include "host.hpp"
#include "instance.hpp"
#include "trace.hpp"

#if defined(_WIN32)
#define F2HDR_EXPORT extern "C" __declspec(dllexport)
#else
#define F2HDR_EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace f2hdr::ofx {
namespace {

Status load() {
    if (!fetch_suites()) return status_missing_host_feature;
    trace("load in " + host_name() + " " + host_properties().text("OfxPropVersionLabel").value_or("") + ", temporal " +
          (host_is_temporal() ? "1" : "0"));
    return status_ok;
}

Status unload() {
    BufferPool::purge(true);
    forget_dialogs();
    return status_ok;
}

Status create(Handle effect) {
    auto instance = std::make_unique<Instance>(effect);
    if (!host_is_temporal()) {
        instance->report("not_temporal", "OfxMessageError",
                         "This host provides no other frames than the current one, but F2HDR needs the frames "
                         "before and after it. Use f2hdr render, or a host with temporal access.");
    }
    instance.release();  // owned by the host until the destroy action
    return status_ok;
}

Status act(const char* action, Handle effect, const Properties& in, const Properties& out) {
    const auto is = [action](const char* name) { return std::strcmp(action, name) == 0; };
    if (is("OfxActionLoad")) return load();
    if (is("OfxActionUnload")) return unload();
    if (is("OfxActionDescribe")) return describe(effect), status_ok;
    if (is("OfxImageEffectActionDescribeInContext")) return describe_in_context(effect), status_ok;
    if (is("OfxActionCreateInstance")) return create(effect);
    if (is("OfxImageEffectActionGetClipPreferences")) {
        out.set("OfxImageEffectFrameVarying", 1);
        return status_ok;
    }
    if (is("OfxActionPurgeCaches")) {
        BufferPool::purge();
        return status_ok;
    }
    const bool is_destroy = is("OfxActionDestroyInstance");
    const bool is_for_instance = is_destroy || is("OfxImageEffectActionGetFramesNeeded") ||
                                 is("OfxImageEffectActionIsIdentity") || is("OfxImageEffectActionRender") ||
                                 is("OfxActionInstanceChanged") || is("OfxActionSyncPrivateData") ||
                                 is("OfxActionEndInstanceEdit");
    if (!is_for_instance) return status_reply_default;
    Instance* instance = Instance::of(effect);
    if (!instance) return status_bad_handle;
    if (is("OfxImageEffectActionGetFramesNeeded")) return instance->frames_needed(in, out);
    if (is("OfxImageEffectActionIsIdentity")) return instance->is_identity(in, out);
    if (is("OfxImageEffectActionRender")) return instance->render(in);
    if (is("OfxActionInstanceChanged")) return instance->changed(in);
    if (is_destroy) {
        delete instance;
        return status_ok;
    }
    instance->show_status();
    return status_ok;
}

Status main_entry(const char* action, const void* handle, Handle in, Handle out) {
    try {
        return act(action, const_cast<Handle>(handle), Properties(in), Properties(out));
    } catch (const std::bad_alloc&) {
        return status_memory;
    } catch (const std::exception& error) {
        trace(std::string(action) + " failed: " + error.what());
        return status_failed;
    } catch (...) {
        return status_failed;
    }
}

Plugin the_plugin = {
    "OfxImageEffectPluginAPI", 1, "org.f2hdr.F2HDR", 1, 0, set_host, main_entry,
};

}  // namespace
}  // namespace f2hdr::ofx

F2HDR_EXPORT int OfxGetNumberOfPlugins() { return 1; }

F2HDR_EXPORT f2hdr::ofx::Plugin* OfxGetPlugin(int index) { return index == 0 ? &f2hdr::ofx::the_plugin : nullptr; }

F2HDR_EXPORT f2hdr::ofx::Status OfxSetHost(const f2hdr::ofx::Host* host) {
    f2hdr::ofx::set_host(const_cast<f2hdr::ofx::Host*>(host));
    return host ? f2hdr::ofx::status_ok : f2hdr::ofx::status_failed;
}
