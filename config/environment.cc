#include "config/environment.h"

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace rollwatch {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestFile = 16u << 20;

std::string reason(const std::error_code& error) {
  std::string text = error.message();
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

Expected<FileText, std::string> read_file(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error) return Unexpected(reason(error));
  if (fs::is_directory(status)) return Unexpected(std::string("it is a folder"));
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return Unexpected(reason(std::error_code(errno != 0 ? errno : EIO, std::generic_category())));
  if (fs::is_regular_file(status) && fs::file_size(path, error) > kLargestFile) {
    return Unexpected(std::string("it is larger than 16 MiB"));
  }
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad()) return Unexpected(std::string("reading failed"));
  FileText file;
  file.text = std::move(text).str();
  file.world_readable = (status.permissions() & fs::perms::others_read) != fs::perms::none;
  return file;
}

Expected<std::vector<std::string>, std::string> list_folder(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error == std::errc::no_such_file_or_directory) return names;
  if (error) return Unexpected(reason(error));
  for (; entries != fs::directory_iterator(); entries.increment(error)) {
    names.push_back(entries->path().filename().string());
  }
  return names;
}

}  // namespace

Environment process_environment() {
  std::error_code error;
  const fs::path here = fs::current_path(error);
  return Environment{variable, read_file, list_folder, error ? "/" : here.string()};
}

}  // namespace rollwatch
