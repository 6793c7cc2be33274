// The effect's description for the host.
#pragma once

#include "abi.hpp"

namespace f2hdr::ofx {

void describe(Handle effect);
void describe_in_context(Handle effect);

}  // namespace f2hdr::ofx
