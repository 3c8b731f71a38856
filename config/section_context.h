// What reading any section needs, and the two things that several of them do: secrets and files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/secret.h"
#include "config/environment.h"
#include "config/field_error.h"
#include "config/table_reader.h"

namespace rollwatch {

struct SectionContext {
  const Environment& environment;
  FieldErrors& errors;
  FieldErrors& warnings;

  // KEY, or the content of the file KEY_file without the newline at its end. Nothing if neither is
  // given or it is wrong, which is then recorded.
  std::optional<Secret> secret(TableReader& reader, const std::string& key);
  // Whichever of KEY and KEY_file is written, for further errors about it.
  static std::string written_key(TableReader& reader, const std::string& key);
  static bool is_given(TableReader& reader, const std::string& key);

  // The absolute path of a file that can be read, or "".
  std::string readable_file(TableReader& reader, std::string_view key, bool is_secret = false);

 private:
  std::optional<FileText> read(TableReader& reader, std::string_view key, std::string& path,
                               bool is_secret);
};

// Names people give to datasources, policies and so on: letters, digits, '-', '_' and '.', at
// most 64.
bool is_plain_name(const std::string& name);

}  // namespace rollwatch
