// The host: its suites, and typed access to properties.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>

#include "abi.hpp"

namespace f2hdr::ofx {

// A property set of the host. Setters of missing properties do nothing; getters return none.
class Properties {
public:
    Properties() = default;
    explicit Properties(Handle handle) : handle_(handle) {}

    void set(const char* name, const char* value, int index = 0) const;
    void set(const char* name, const std::string& value, int index = 0) const { set(name, value.c_str(), index); }
    void set(const char* name, int value, int index = 0) const;
    void set(const char* name, double value, int index = 0) const;
    void set_pointer(const char* name, void* value) const;
    void set_list(const char* name, std::initializer_list<const char*> values) const;

    std::optional<std::string> text(const char* name, int index = 0) const;
    std::optional<int> integer(const char* name, int index = 0) const;
    std::optional<double> real(const char* name, int index = 0) const;
    std::optional<RectI> rectangle(const char* name) const;
    void* pointer(const char* name) const;

private:
    Handle handle_ = nullptr;
};

// The suites, fetched by the load action and the same for every instance.
struct Suites {
    const PropertySuite* properties = nullptr;
    const EffectSuite* effects = nullptr;
    const ParameterSuite* parameters = nullptr;
    const MessageSuite* messages = nullptr;
    bool has_persistent_messages = false;
};

void set_host(Host* host);

// Fetch the suites; false if the host lacks one that this plug-in needs.
bool fetch_suites();

const Suites& suites();

Properties host_properties();

// The host's name, such as "uk.co.thefoundry.nuke"; empty if it has none.
std::string host_name();

// Whether the host provides images of other times than the rendered one.
bool host_is_temporal();

}  // namespace f2hdr::ofx
