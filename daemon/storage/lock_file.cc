#include "daemon/storage/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <string>
#include <system_error>

#include "daemon/storage/private_file.h"

namespace rollwatch {
namespace {

int open_or_create(const std::filesystem::path& path) {
  create_private_file(path);
  return open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

std::string holder_in(int descriptor) {
  std::array<char, 16> text{};
  const ssize_t size = pread(descriptor, text.data(), text.size(), 0);
  long pid = 0;
  if (size > 0) std::from_chars(text.data(), text.data() + size, pid);
  return pid > 0 ? " (process " + std::to_string(pid) + ")" : "";
}

}  // namespace

LockFile::LockFile(const std::filesystem::path& path, const std::string& guarded,
                   const std::string& way_out)
    : descriptor_(open_or_create(path)) {
  if (descriptor_ < 0) {
    const std::string why = std::generic_category().message(errno);
    throw std::runtime_error("cannot create " + path.string() + ": " + why +
                             "; the store's directory must exist and be writable");
  }
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    const std::string holder = holder_in(descriptor_);
    close(descriptor_);
    if (error != EWOULDBLOCK) {
      throw std::runtime_error("cannot lock " + path.string() + ": " +
                               std::generic_category().message(error));
    }
    throw std::runtime_error(guarded + " is in use by another rollwatchd" + holder + "; " +
                             way_out);
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  // The number only serves the message above: without it the lock holds all the same.
  [[maybe_unused]] const bool noted =
      ftruncate(descriptor_, 0) == 0 &&
      pwrite(descriptor_, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
}

LockFile::~LockFile() { close(descriptor_); }

}  // namespace rollwatch
