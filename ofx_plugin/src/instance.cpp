#include "instance.hpp"

#include <cmath>
#include <set>

#include "backend.hpp"
#include "json.hpp"
#include "platform.hpp"
#include "text.hpp"
#include "trace.hpp"

namespace f2hdr::ofx {
namespace {

constexpr const char* message_id = "f2hdr";

// Causes already shown in a dialog, so that several instances do not report the same cause repeatedly.
struct Dialogs {
    std::mutex mutex;
    std::set<std::string> shown;
};

Dialogs& dialogs() {
    static Dialogs state;
    return state;
}

Handle parameters_of(Handle effect) {
    Handle parameters = nullptr;
    suites().effects->get_parameters(effect, &parameters);
    return parameters;
}

Handle clip_of(Handle effect, const char* name) {
    Handle clip = nullptr;
    if (suites().effects->get_clip(effect, name, &clip, nullptr) != status_ok || !clip) {
        throw Problem("clip", std::string("The host has no clip ") + name + ".");
    }
    return clip;
}

Properties properties_of(Handle effect) {
    Handle properties = nullptr;
    suites().effects->get_properties(effect, &properties);
    return Properties(properties);
}

}  // namespace

Instance::Instance(Handle effect)
    : effect_(effect),
      source_clip_(clip_of(effect, "Source")),
      output_clip_(clip_of(effect, "Output")),
      parameters_(parameters_of(effect)) {
    const Properties properties = properties_of(effect);
    trace("create, context " + properties.text("OfxImageEffectPropContext").value_or("unknown") + ", page " +
          properties.text("OfxImageEffectPropResolvePage").value_or("none"));
    properties.set_pointer("OfxPropInstanceData", this);
}

Instance::~Instance() { properties_of(effect_).set_pointer("OfxPropInstanceData", nullptr); }

Instance* Instance::of(Handle effect) {
    return static_cast<Instance*>(properties_of(effect).pointer("OfxPropInstanceData"));
}

Instance::Range Instance::range() const {
    Handle handle = nullptr;
    suites().effects->get_clip_properties(source_clip_, &handle);
    const Properties clip(handle);
    const auto first = clip.real("OfxImageEffectPropFrameRange", 0), last = clip.real("OfxImageEffectPropFrameRange", 1);
    // Some hosts report an empty, a reversed or an infinite range if it is unknown.
    if (!first || !last || !std::isfinite(*first) || !std::isfinite(*last) || *last <= *first) return {};
    return {first, last};
}

bool Instance::is_aborted() const { return suites().effects->abort(effect_) != 0; }

Status Instance::frames_needed(const Properties& in, const Properties& out) const {
    const double time = in.real("OfxPropTime").value_or(0);
    const Range known = range();
    out.set("OfxImageClipPropFrameRange_Source", known.first ? std::max(time - 1, std::min(*known.first, time)) : time - 1, 0);
    out.set("OfxImageClipPropFrameRange_Source", known.last ? std::min(time + 1, std::max(*known.last, time)) : time + 1, 1);
    return status_ok;
}

// Thumbnails show the source: the effect is an identity for them.
Status Instance::is_identity(const Properties& in, const Properties& out) const {
    Handle handle = nullptr;
    suites().effects->get_clip_properties(source_clip_, &handle);
    const bool is_thumbnail = in.text("OfxImageEffectPropThumbnailRender").value_or("false") == "true" ||
                              Properties(handle).integer("kOfxImageClipPropThumbnail").value_or(0) == 1;
    if (!is_thumbnail) return status_reply_default;
    out.set("OfxPropName", "Source");
    out.set("OfxPropTime", in.real("OfxPropTime").value_or(0));
    return status_ok;
}

void Instance::report(const std::string& cause, const std::string& type, const std::string& message) {
    trace("report " + cause + ": " + message);
    say(message);
    const MessageSuite* messages = suites().messages;
    if (!messages) return;
    if (suites().has_persistent_messages) {
        {
            const std::lock_guard<std::mutex> held(mutex_);
            if (reported_cause_ == cause) return;
            reported_cause_ = cause;
        }
        messages->set_persistent(effect_, type.c_str(), message_id, "%s", message.c_str());
        return;
    }
    {
        const std::lock_guard<std::mutex> held(dialogs().mutex);
        if (!dialogs().shown.insert(cause).second) return;
    }
    messages->message(effect_, type.c_str(), message_id, "%s", message.c_str());
}

void Instance::clear_report() {
    {
        const std::lock_guard<std::mutex> held(dialogs().mutex);
        dialogs().shown.clear();
    }
    const std::lock_guard<std::mutex> held(mutex_);
    if (reported_cause_.empty()) return;
    reported_cause_.clear();
    suites().messages->clear_persistent(effect_);
}

void forget_dialogs() {
    const std::lock_guard<std::mutex> held(dialogs().mutex);
    dialogs().shown.clear();
}

void Instance::say(const std::string& status) {
    const std::lock_guard<std::mutex> held(mutex_);
    status_ = status;
}

void Instance::show_status() {
    std::string status;
    {
        const std::lock_guard<std::mutex> held(mutex_);
        status = status_;
    }
    if (parameters_.text("status") != status) parameters_.set_text("status", status);
}

std::string Instance::client() const {
    return host_name() + " " + std::to_string(platform::process_id());
}

Status Instance::changed(const Properties& in) {
    const std::string name = in.text("OfxPropName").value_or("");
    if (in.text("OfxPropChangeReason").value_or("") != "OfxChangeUserEdited") return status_reply_default;
    try {
        if (name == "measure") {
            measure(in.real("OfxPropTime").value_or(0));
        } else if (name == "check") {
            const Values values = read_values(parameters_);
            say(backend::check(values.backend, {[this] { return is_aborted(); }, values.longest_wait_s}));
            clear_report();
        } else if (name == "render_again") {
            clear_report();
            parameters_.set_index("revision", parameters_.index("revision") + 1);
        }
    } catch (const Problem& problem) {
        report(problem.cause, "OfxMessageError", problem.what());
    } catch (const Canceled&) {
        say("Canceled.");
    }
    show_status();
    return status_ok;
}

}  // namespace f2hdr::ofx
