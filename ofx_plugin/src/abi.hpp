// The part of the C ABI of OpenFX 1.5 that this plug-in uses: independent declarations, checked below.
//
// Every handle is an opaque pointer, so all handles are `void*` here. Functions that the plug-in never calls keep
// their place in a suite as `Unused`.
#pragma once

#include <cstddef>

namespace f2hdr::ofx {

using Status = int;
using Time = double;
using Handle = void*;
using Unused = void (*)();

enum : Status {
    status_ok = 0,
    status_failed = 1,
    status_fatal = 2,
    status_missing_host_feature = 4,
    status_unsupported = 5,
    status_memory = 8,
    status_bad_handle = 9,
    status_reply_default = 14,
    status_image_format = 1000,
};

struct RectI {
    int x1, y1, x2, y2;  // x2 and y2 are exclusive
};

struct RectD {
    double x1, y1, x2, y2;
};

struct Host {
    Handle properties;
    const void* (*fetch_suite)(Handle properties, const char* name, int version);
};

struct Plugin {
    const char* api;
    int api_version;
    const char* identifier;
    unsigned version_major;
    unsigned version_minor;
    void (*set_host)(Host*);
    Status (*main_entry)(const char* action, const void* handle, Handle in, Handle out);
};

struct PropertySuite {
    Status (*set_pointer)(Handle, const char*, int index, void*);
    Status (*set_string)(Handle, const char*, int index, const char*);
    Status (*set_double)(Handle, const char*, int index, double);
    Status (*set_int)(Handle, const char*, int index, int);
    Unused set_pointers, set_strings, set_doubles, set_ints;
    Status (*get_pointer)(Handle, const char*, int index, void**);
    Status (*get_string)(Handle, const char*, int index, char**);
    Status (*get_double)(Handle, const char*, int index, double*);
    Status (*get_int)(Handle, const char*, int index, int*);
    Unused get_pointers, get_strings, get_doubles, get_ints;
    Unused reset;
    Status (*get_dimension)(Handle, const char*, int*);
};

struct EffectSuite {
    Status (*get_properties)(Handle effect, Handle* properties);
    Status (*get_parameters)(Handle effect, Handle* parameters);
    Status (*define_clip)(Handle effect, const char* name, Handle* properties);
    Status (*get_clip)(Handle effect, const char* name, Handle* clip, Handle* properties);
    Status (*get_clip_properties)(Handle clip, Handle* properties);
    Status (*get_image)(Handle clip, Time, const RectD* region, Handle* image);
    Status (*release_image)(Handle image);
    Unused get_region_of_definition;
    int (*abort)(Handle effect);
    Unused memory_alloc, memory_free, memory_lock, memory_unlock;
};

struct ParameterSuite {
    Status (*define)(Handle parameters, const char* type, const char* name, Handle* properties);
    Status (*get)(Handle parameters, const char* name, Handle* parameter, Handle* properties);
    Unused get_set_properties, get_properties;
    Status (*get_value)(Handle parameter, ...);
    Status (*get_value_at_time)(Handle parameter, Time, ...);
    Unused get_derivative, get_integral;
    Status (*set_value)(Handle parameter, ...);
    Unused set_value_at_time;
    Unused get_key_count, get_key_time, get_key_index, delete_key, delete_all_keys, copy, edit_begin, edit_end;
};

// Version 1 ends after `message`.
struct MessageSuite {
    Status (*message)(Handle effect, const char* type, const char* id, const char* format, ...);
    Status (*set_persistent)(Handle effect, const char* type, const char* id, const char* format, ...);
    Status (*clear_persistent)(Handle effect);
};

// Offsets and sizes on 64-bit systems, from the reference of OpenFX; every pointer has 8 bytes.
static_assert(sizeof(void*) == 8 && sizeof(void (*)()) == 8 && sizeof(int) == 4 && sizeof(double) == 8);
static_assert(sizeof(RectI) == 16 && sizeof(RectD) == 32 && offsetof(RectI, y2) == 12 && offsetof(RectD, x2) == 16);
static_assert(sizeof(Host) == 16 && offsetof(Host, fetch_suite) == 8);
static_assert(sizeof(Plugin) == 48 && offsetof(Plugin, api_version) == 8 && offsetof(Plugin, identifier) == 16 &&
              offsetof(Plugin, version_major) == 24 && offsetof(Plugin, version_minor) == 28 &&
              offsetof(Plugin, set_host) == 32 && offsetof(Plugin, main_entry) == 40);
static_assert(sizeof(PropertySuite) == 18 * 8 && offsetof(PropertySuite, get_pointer) == 8 * 8 &&
              offsetof(PropertySuite, get_int) == 11 * 8 && offsetof(PropertySuite, get_dimension) == 17 * 8);
static_assert(sizeof(EffectSuite) == 13 * 8 && offsetof(EffectSuite, get_image) == 5 * 8 &&
              offsetof(EffectSuite, release_image) == 6 * 8 && offsetof(EffectSuite, abort) == 8 * 8);
static_assert(sizeof(ParameterSuite) == 18 * 8 && offsetof(ParameterSuite, get_value) == 4 * 8 &&
              offsetof(ParameterSuite, get_value_at_time) == 5 * 8 && offsetof(ParameterSuite, set_value) == 8 * 8);
static_assert(sizeof(MessageSuite) == 3 * 8);

}  // namespace f2hdr::ofx
