// One effect in a project.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "abi.hpp"
#include "host.hpp"
#include "parameters.hpp"
#include "problem.hpp"

namespace f2hdr::ofx {

class Instance {
public:
    // Throws Problem.
    explicit Instance(Handle effect);
    ~Instance();

    // The instance of an effect; null if there is none.
    static Instance* of(Handle effect);

    Status frames_needed(const Properties& in, const Properties& out) const;
    Status is_identity(const Properties& in, const Properties& out) const;
    Status render(const Properties& in);
    // A control was changed by the user, or a button pressed.
    Status changed(const Properties& in);
    // Show the last event in Status. Only for actions that may set parameters.
    void show_status();

    // Report a problem to the user: each cause once, until a frame succeeds.
    void report(const std::string& cause, const std::string& type, const std::string& message);

private:
    struct Range {
        std::optional<double> first, last;
        bool has(int frame) const { return (!first || frame >= *first) && (!last || frame <= *last); }
    };

    Range range() const;
    bool is_aborted() const;
    void refuse_fields(const Properties& in) const;
    std::optional<Image> image(int frame) const;
    std::string render_frame(const Properties& in, int frame);
    void measure(double time);
    void clear_report();
    void say(const std::string& status);
    std::string client() const;

    Handle effect_;
    Handle source_clip_ = nullptr;
    Handle output_clip_ = nullptr;
    ParameterSet parameters_;

    std::timed_mutex rendering_;  // some hosts render one instance on several threads despite its declaration

    std::mutex mutex_;  // guards the members below
    std::string reported_cause_;
    std::string status_ = "Not rendered yet.";
    std::optional<double> measured_ratio_;
    std::string measured_for_;  // the settings that it was measured with
};

// Clear the list of causes reported in dialogs, so that they are reported again. For tests and the unload action.
void forget_dialogs();

}  // namespace f2hdr::ofx
