// The files that build.mjs made, as they are in this program; written by the build.
#pragma once

#include <span>
#include <string_view>

namespace rollwatch {

struct PageFile {
  std::string_view name;  // "index.html", "app-2FZ3B7.js.gz"
  std::string_view bytes;
};
// None if it was built without npm.
std::span<const PageFile> page_files();

}  // namespace rollwatch
