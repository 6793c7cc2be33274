// A log of the host's actions, for diagnosis in a new host: F2HDR_OFX_LOG is the path of the file.
#pragma once

#include <string>

namespace f2hdr::ofx {

bool is_tracing();

// Append one line, with the time and the thread. Does nothing unless F2HDR_OFX_LOG is set.
void trace(const std::string& line);

}  // namespace f2hdr::ofx
