// The effect's parameters: their table, and their values as a Shot.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "abi.hpp"
#include "host.hpp"
#include "window.hpp"

namespace f2hdr::ofx {

enum class Kind { choice, text, path, real, button, label, revision, group };

constexpr int most_options = 8;

// One row of parameter_table.hpp; see generate_parameters.py.
struct Parameter {
    const char* name;
    Kind kind;
    const char* label;
    const char* hint;
    const char* group;
    const char* shot;  // field of the Shot, such as "engine.method"; empty for parameters of the effect alone
    const char* options[most_options];
    int option_count;
    const char* text;  // default of a text
    double value;      // default of a number, index of a choice's default
    double low, high;
    bool affects_pixels;
};

// Define all parameters in a descriptor.
void define_parameters(Handle parameters);

// The parameters of one instance.
class ParameterSet {
public:
    // Throws Problem if the host lacks one of them.
    explicit ParameterSet(Handle parameters);

    double real(const char* name) const;
    std::string text(const char* name) const;    // also the option of a choice
    int index(const char* name) const;           // of a choice
    void set_real(const char* name, double value) const;
    void set_text(const char* name, const std::string& value) const;
    void set_index(const char* name, int value) const;

private:
    Handle handle(const char* name) const;

    std::vector<Handle> handles_;  // as in the table
};

// Snapshot of all parameter values: unaffected by changes of the controls during a render.
struct Values {
    std::string input_space;
    double clip_level = 1;
    std::optional<double> ratio;  // stops; none to measure it
    Phase phase = Phase::measured;
    std::string backend;
    double longest_wait_s = 600;
    std::string sections;  // the sections color, engine and output of the Shot, as JSON members

    // Whether the host's values are linear light, or gamma 2.2 code values, so that exposure steps can be measured.
    bool is_exact() const { return input_space == "auto" || input_space == "linear" || input_space == "gamma22"; }
};

Values read_values(const ParameterSet& parameters);

// The JSON of a request for one frame.
std::string frame_request(const Values& values, const Window& window, int frame,
                          const std::vector<std::string>& buffers, const std::string& result, const std::string& client);

}  // namespace f2hdr::ofx
