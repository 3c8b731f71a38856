// A file that only its owner may read: what the store keeps holds queries and raw answers.
#pragma once

#include <filesystem>

namespace rollwatch {

// Creates an empty file with mode 0600, whatever the umask; one that is there stays as it is, with
// its mode. Tells nothing of failures: whoever opens the file next finds out.
void create_private_file(const std::filesystem::path& path);

}  // namespace rollwatch
