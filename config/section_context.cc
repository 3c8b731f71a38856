#include "config/section_context.h"

#include <algorithm>
#include <cctype>

#include "config/config_files.h"

namespace rollwatch {

std::string SectionContext::written_key(TableReader& reader, const std::string& key) {
  return reader.find(key + "_file") != nullptr ? key + "_file" : key;
}

bool SectionContext::is_given(TableReader& reader, const std::string& key) {
  return reader.find(key) != nullptr || reader.find(key + "_file") != nullptr;
}

std::optional<Secret> SectionContext::secret(TableReader& reader, const std::string& key) {
  const std::string file_key = key + "_file";
  if (reader.find(key) != nullptr && reader.find(file_key) != nullptr) {
    reader.wrong(file_key, "is given beside " + key + "; give one of them");
    return std::nullopt;
  }
  if (reader.find(file_key) == nullptr) {
    auto text = reader.string(key);
    if (!text) return std::nullopt;
    return Secret(std::move(*text));
  }
  std::string path;
  auto file = read(reader, file_key, path, true);
  if (!file) return std::nullopt;
  while (!file->text.empty() && (file->text.back() == '\n' || file->text.back() == '\r'))
    file->text.pop_back();
  if (file->text.empty()) {
    reader.wrong(file_key, "the file " + path + " is empty; put the secret into it");
    return std::nullopt;
  }
  return Secret(std::move(file->text));
}

std::string SectionContext::readable_file(TableReader& reader, std::string_view key,
                                          bool is_secret) {
  std::string path;
  return read(reader, key, path, is_secret) ? path : "";
}

std::optional<FileText> SectionContext::read(TableReader& reader, std::string_view key,
                                             std::string& path, bool is_secret) {
  const auto given = reader.string(key);
  if (!given) return std::nullopt;
  const Value& value = *reader.find(key);
  path = resolve_path(*given, value.origin().file, environment.working_folder);
  auto file = environment.read_file(path);
  // A path from the environment is no secret, but a secret put where the path belongs would be one.
  const std::string shown = value.from_environment() ? "that the environment names" : path;
  if (!file) {
    reader.wrong(key, "the file " + shown + " cannot be read: " + file.error() +
                          "; give a file that rollwatchd may read");
    return std::nullopt;
  }
  if (is_secret && file->world_readable) {
    warnings.push_back(
        {value.origin(), join_key(reader.path(), key),
         "everybody on this machine can read " + shown + "; take that right away (chmod o-r)"});
  }
  return std::move(*file);
}

bool is_plain_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace rollwatch
