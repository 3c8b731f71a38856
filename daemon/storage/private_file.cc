#include "daemon/storage/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

namespace rollwatch {

void create_private_file(const std::filesystem::path& path) {
  // Not opened just to look: closing it again would end the locks SQLite may hold on it here.
  std::error_code error;
  if (std::filesystem::exists(path, error) || error) return;
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return;
  [[maybe_unused]] const int done = fchmod(descriptor, 0600);
  close(descriptor);
}

}  // namespace rollwatch
