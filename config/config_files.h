// Reads the main file and conf.d/*.toml beside it, in the order of their names, into one tree.
#pragma once

#include <cstdint>
#include <string>

#include "config/environment.h"
#include "config/field_error.h"
#include "config/value.h"

namespace rollwatch {

// [server], [store] and [defaults] of several files are put together key by key; what has a name
// ([policy.NAME], …) stands in one file as a whole. What is given twice is an error that names both
// places.
// `fingerprint` becomes a number of 48 bits (so that a double holds it) made from their text.
Value read_config_files(const std::string& main_file, const Environment& environment,
                        FieldErrors& errors, std::uint64_t& fingerprint);

// A path as it is meant in a file: relative to the folder that file is in.
std::string resolve_path(const std::string& path, const std::string& file,
                         const std::string& working_folder);

}  // namespace rollwatch
