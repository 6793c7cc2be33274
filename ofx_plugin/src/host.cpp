#include "host.hpp"

namespace f2hdr::ofx {
namespace {

Host* the_host = nullptr;
Suites the_suites;

template <typename Suite>
const Suite* fetched(const char* name, int version) {
    return static_cast<const Suite*>(the_host->fetch_suite(the_host->properties, name, version));
}

// In Resolve 14, version 2 of the message suite has invalid pointers after those of version 1.
bool may_have_second_messages() { return host_name().rfind("DaVinciResolve", 0) != 0; }

}  // namespace

void set_host(Host* host) { the_host = host; }

bool fetch_suites() {
    if (!the_host || !the_host->fetch_suite) return false;
    Suites found;
    found.properties = fetched<PropertySuite>("OfxPropertySuite", 1);
    found.effects = fetched<EffectSuite>("OfxImageEffectSuite", 1);
    found.parameters = fetched<ParameterSuite>("OfxParameterSuite", 1);
    if (!found.properties || !found.effects || !found.parameters) return false;
    the_suites = found;
    if (may_have_second_messages()) found.messages = fetched<MessageSuite>("OfxMessageSuite", 2);
    found.has_persistent_messages =
        found.messages && found.messages->set_persistent && found.messages->clear_persistent;
    if (!found.has_persistent_messages) found.messages = fetched<MessageSuite>("OfxMessageSuite", 1);
    the_suites = found;
    return true;
}

const Suites& suites() { return the_suites; }

Properties host_properties() { return Properties(the_host ? the_host->properties : nullptr); }

std::string host_name() { return host_properties().text("OfxPropName").value_or(""); }

bool host_is_temporal() {
    return host_properties().integer("OfxImageEffectPropTemporalClipAccess").value_or(0) != 0;
}

void Properties::set(const char* name, const char* value, int index) const {
    the_suites.properties->set_string(handle_, name, index, value);
}

void Properties::set(const char* name, int value, int index) const {
    the_suites.properties->set_int(handle_, name, index, value);
}

void Properties::set(const char* name, double value, int index) const {
    the_suites.properties->set_double(handle_, name, index, value);
}

void Properties::set_pointer(const char* name, void* value) const {
    the_suites.properties->set_pointer(handle_, name, 0, value);
}

void Properties::set_list(const char* name, std::initializer_list<const char*> values) const {
    int index = 0;
    for (const char* value : values) set(name, value, index++);
}

std::optional<std::string> Properties::text(const char* name, int index) const {
    char* value = nullptr;
    if (!handle_ || the_suites.properties->get_string(handle_, name, index, &value) != status_ok || !value) {
        return std::nullopt;
    }
    return std::string(value);
}

std::optional<int> Properties::integer(const char* name, int index) const {
    int value = 0;
    if (!handle_ || the_suites.properties->get_int(handle_, name, index, &value) != status_ok) return std::nullopt;
    return value;
}

std::optional<double> Properties::real(const char* name, int index) const {
    double value = 0;
    if (!handle_ || the_suites.properties->get_double(handle_, name, index, &value) != status_ok) return std::nullopt;
    return value;
}

std::optional<RectI> Properties::rectangle(const char* name) const {
    int sides[4] = {0, 0, 0, 0};
    for (int index = 0; index < 4; ++index) {
        const auto side = integer(name, index);
        if (!side) return std::nullopt;
        sides[index] = *side;
    }
    return RectI{sides[0], sides[1], sides[2], sides[3]};
}

void* Properties::pointer(const char* name) const {
    void* value = nullptr;
    if (!handle_ || the_suites.properties->get_pointer(handle_, name, 0, &value) != status_ok) return nullptr;
    return value;
}

}  // namespace f2hdr::ofx
