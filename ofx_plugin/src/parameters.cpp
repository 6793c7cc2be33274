#include "parameters.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include "json.hpp"
#include "parameter_table.hpp"
#include "platform.hpp"
#include "problem.hpp"
#include "text.hpp"

namespace f2hdr::ofx {
namespace {

const char* type_of(Kind kind) {
    switch (kind) {
        case Kind::choice:
            return "OfxParamTypeChoice";
        case Kind::real:
            return "OfxParamTypeDouble";
        case Kind::revision:
            return "OfxParamTypeInteger";
        case Kind::button:
            return "OfxParamTypePushButton";
        case Kind::group:
            return "OfxParamTypeGroup";
        case Kind::text:
        case Kind::path:
        case Kind::label:
            break;
    }
    return "OfxParamTypeString";
}

void describe_value(const Parameter& parameter, const Properties& properties) {
    switch (parameter.kind) {
        case Kind::choice:
            for (int index = 0; index < parameter.option_count; ++index) {
                properties.set("OfxParamPropChoiceOption", parameter.options[index], index);
            }
            properties.set("OfxParamPropDefault", static_cast<int>(parameter.value));
            break;
        case Kind::real:
            properties.set("OfxParamPropDefault", parameter.value);
            properties.set("OfxParamPropMin", parameter.low);
            properties.set("OfxParamPropMax", parameter.high);
            properties.set("OfxParamPropDisplayMin", parameter.low);
            properties.set("OfxParamPropDisplayMax", parameter.high);
            break;
        case Kind::revision:
            properties.set("OfxParamPropDefault", 0);
            properties.set("OfxParamPropSecret", 1);
            break;
        case Kind::text:
        case Kind::path:
        case Kind::label:
            properties.set("OfxParamPropDefault", parameter.text);
            properties.set("OfxParamPropStringMode", parameter.kind == Kind::label  ? "OfxParamStringIsLabel"
                                                     : parameter.kind == Kind::path ? "OfxParamStringIsFilePath"
                                                                                    : "OfxParamStringIsSingleLine");
            break;
        case Kind::button:
            break;
        case Kind::group:
            properties.set("OfxParamPropGroupOpen", 1);
            break;
    }
}

std::size_t place_of(const char* name) {
    const auto found = std::find_if(std::begin(parameter_table), std::end(parameter_table),
                                    [&](const Parameter& one) { return std::strcmp(one.name, name) == 0; });
    return static_cast<std::size_t>(found - std::begin(parameter_table));
}

// The value of a parameter as JSON, for the Shot.
std::string json_value(const Parameter& parameter, const ParameterSet& parameters) {
    const std::string field = parameter.shot;
    if (field == "color.clip_level") return "[" + number_text(parameters.real(parameter.name)) + "]";
    if (parameter.kind == Kind::real) return number_text(parameters.real(parameter.name));
    std::string text = parameters.text(parameter.name);
    if (field == "output.anchor" && text == "EV") text = decimal_text(parameters.real("anchor_ev"));
    if (field == "color.config" && text.empty()) text = platform::environment("OCIO").value_or("");
    return json::string(text);
}

}  // namespace

void define_parameters(Handle parameters) {
    for (const Parameter& parameter : parameter_table) {
        Handle handle = nullptr;
        if (suites().parameters->define(parameters, type_of(parameter.kind), parameter.name, &handle) != status_ok) {
            throw Problem("describe", std::string("The host refused the parameter ") + parameter.name + ".");
        }
        const Properties properties(handle);
        properties.set("OfxPropLabel", parameter.label);
        properties.set("OfxParamPropHint", parameter.hint);
        properties.set("OfxParamPropScriptName", parameter.name);
        if (*parameter.group) properties.set("OfxParamPropParent", parameter.group);
        describe_value(parameter, properties);
        if (parameter.kind == Kind::group || parameter.kind == Kind::button) continue;
        properties.set("OfxParamPropAnimates", 0);
        properties.set("OfxParamPropEvaluateOnChange", parameter.affects_pixels ? 1 : 0);
        properties.set("OfxParamPropCacheInvalidation", "OfxParamInvalidateAll");
        if (parameter.kind == Kind::label) properties.set("OfxParamPropPersistant", 0);
    }
}

ParameterSet::ParameterSet(Handle parameters) {
    for (const Parameter& parameter : parameter_table) {
        Handle handle = nullptr;
        if (suites().parameters->get(parameters, parameter.name, &handle, nullptr) != status_ok || !handle) {
            throw Problem("parameter", std::string("The host has no parameter ") + parameter.name +
                                           ": it has cached an older version of this effect. Clear its plug-in cache.");
        }
        handles_.push_back(handle);
    }
}

Handle ParameterSet::handle(const char* name) const { return handles_.at(place_of(name)); }

double ParameterSet::real(const char* name) const {
    double value = parameter_table[place_of(name)].value;
    suites().parameters->get_value(handle(name), &value);
    return value;
}

int ParameterSet::index(const char* name) const {
    int value = static_cast<int>(parameter_table[place_of(name)].value);
    suites().parameters->get_value(handle(name), &value);
    return value;
}

std::string ParameterSet::text(const char* name) const {
    const Parameter& parameter = parameter_table[place_of(name)];
    if (parameter.kind == Kind::choice) {
        const int chosen = index(name);
        return parameter.options[chosen >= 0 && chosen < parameter.option_count ? chosen : static_cast<int>(parameter.value)];
    }
    char* value = nullptr;
    if (suites().parameters->get_value(handle(name), &value) != status_ok || !value) return parameter.text;
    return value;
}

void ParameterSet::set_real(const char* name, double value) const {
    suites().parameters->set_value(handle(name), value);
}

void ParameterSet::set_text(const char* name, const std::string& value) const {
    suites().parameters->set_value(handle(name), value.c_str());
}

void ParameterSet::set_index(const char* name, int value) const { suites().parameters->set_value(handle(name), value); }

Values read_values(const ParameterSet& parameters) {
    Values values;
    values.input_space = parameters.text("input_space");
    values.clip_level = parameters.real("clip_level");
    if (parameters.text("exposures") == "given") values.ratio = parameters.real("ratio");
    values.phase = static_cast<Phase>(parameters.index("phase"));
    values.backend = parameters.text("backend");
    values.longest_wait_s = parameters.real("longest_wait");
    std::map<std::string, std::string> sections;
    for (const Parameter& parameter : parameter_table) {
        const std::string field = parameter.shot;
        if (field.empty()) continue;
        const auto dot = field.find('.');
        std::string& section = sections[field.substr(0, dot)];
        if (!section.empty()) section += ", ";
        section += json::string(field.substr(dot + 1)) + ": " + json_value(parameter, parameters);
    }
    for (const auto& [name, members] : sections) values.sections += ", " + json::string(name) + ": {" + members + "}";
    return values;
}

std::string frame_request(const Values& values, const Window& window, int frame, const std::vector<std::string>& buffers,
                          const std::string& result, const std::string& client) {
    const int start = window.is_short ? frame : frame - 1;
    std::string paths;
    for (const std::string& path : buffers) paths += (paths.empty() ? "" : ", ") + json::string(path);
    return "{\"shot\": {\"plate\": \"live\", \"exposures\": {\"cycle\": [0, " + number_text(window.ratio) +
           "], \"start\": " + std::to_string(start) + "}" + values.sections + "}, \"buffers\": [" + paths +
           "], \"output\": " + json::string(result) + ", \"client\": " + json::string(client) + "}";
}

}  // namespace f2hdr::ofx
