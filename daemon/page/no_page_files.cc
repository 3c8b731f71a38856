// In place of what the build writes where there is no npm.
#include "daemon/page/page_files.h"

namespace rollwatch {

std::span<const PageFile> page_files() { return {}; }

}  // namespace rollwatch
