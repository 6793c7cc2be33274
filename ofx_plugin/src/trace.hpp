// A log of what the host asks and gives, for the first hour in a new host: F2HDR_OFX_LOG names the file.
#pragma once

#include <string>

namespace f2hdr::ofx {

bool is_tracing();

// Append one line, with the time and the thread. Does nothing unless F2HDR_OFX_LOG is set.
void trace(const std::string& line);

}  // namespace f2hdr::ofx
