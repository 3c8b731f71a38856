// Values that try to be more than a value, or that some quoting gets wrong. All are valid UTF-8 and
// none is empty.
#pragma once

#include <string>
#include <vector>

namespace rollwatch {

const std::vector<std::string>& harmful_values();

}  // namespace rollwatch
