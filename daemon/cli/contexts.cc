#include "daemon/cli/contexts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "config/table_reader.h"
#include "config/toml_reader.h"

namespace rollwatch {
namespace {

constexpr const char* kNoFile = "no such file or directory";

Context read_context(const Value& value, const std::string& name, FieldErrors& errors) {
  TableReader reader(value, join_key("context", name), errors);
  Context context;
  if (!reader.is_table()) return context;
  context.server = reader.string("server").value_or("");
  if (context.server.empty() && reader.find("server") == nullptr)
    reader.missing("server", "say where it is, such as \"http://127.0.0.1:9797\"");
  context.token_file = reader.string("token_file").value_or("");
  context.ca_file = reader.string("ca_file").value_or("");
  context.cert_file = reader.string("cert_file").value_or("");
  context.key_file = reader.string("key_file").value_or("");
  reader.finish();
  return context;
}

bool write_all(int file, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t put = write(file, text.data() + done, text.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    done += static_cast<std::size_t>(put);
  }
  return fsync(file) == 0;
}

}  // namespace

std::string context_file_of(const Environment& environment) {
  const auto folder = environment.variable("XDG_CONFIG_HOME");
  if (folder && folder->starts_with('/')) return *folder + "/rollwatch/config.toml";
  const auto home = environment.variable("HOME");
  return home && !home->empty() ? *home + "/.config/rollwatch/config.toml" : "";
}

Expected<Contexts, std::string> read_contexts(const std::string& file,
                                              const Environment& environment) {
  Contexts contexts;
  if (file.empty()) return contexts;
  const auto text = environment.read_file(file);
  if (!text && text.error() == kNoFile) return contexts;
  if (!text) return Unexpected(fmt::format("{}: {}", file, text.error()));
  FieldErrors errors;
  const Value whole = value_from_toml(text->text, file, errors);
  if (errors.empty()) {
    TableReader reader(whole, "", errors);
    contexts.current = reader.string("current").value_or("");
    if (const Value* all = reader.table("context")) {
      for (const auto& member : *all->as_table())
        contexts.all[member.key] = read_context(member.value, member.key, errors);
    }
    if (!contexts.current.empty() && !contexts.all.contains(contexts.current))
      reader.wrong("current", fmt::format("there is no context \"{}\"", contexts.current));
    reader.finish();
  }
  tidy(errors, file);
  std::string said;
  for (const FieldError& error : errors) said += (said.empty() ? "" : "\n") + error.text();
  if (!said.empty()) return Unexpected(said);
  return contexts;
}

std::string toml_string(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20U || c == 0x7F) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string with_current(const std::string& text, const std::string& name) {
  const std::string line = "current = " + toml_string(name) + "\n";
  // Before the first table, where the file's own keys are.
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    const std::size_t word = std::min(text.find_first_not_of(" \t", begin), end - 1);
    if (text[word] == '[') break;
    const std::size_t behind = text.find_first_not_of(" \t", word + 7);
    if (text.compare(word, 7, "current") == 0 && behind < end && text[behind] == '=')
      return text.substr(0, begin) + line + text.substr(end);
    begin = end;
  }
  return line + (text.empty() || text.front() == '\n' ? "" : "\n") + text;
}

std::string with_context(const std::string& text, const std::string& name, const Context& context) {
  std::string more = text;
  if (!more.empty() && more.back() != '\n') more += '\n';
  more += fmt::format("{}[context.{}]\n", more.empty() ? "" : "\n", toml_string(name));
  for (const auto& [key, value] : {std::pair{"server", &context.server},
                                   {"token_file", &context.token_file},
                                   {"ca_file", &context.ca_file},
                                   {"cert_file", &context.cert_file},
                                   {"key_file", &context.key_file}}) {
    if (!value->empty()) more += fmt::format("{} = {}\n", key, toml_string(*value));
  }
  return more;
}

Expected<bool, std::string> write_privately(const std::string& file, const std::string& text) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) return Unexpected(error.message());
  const auto reason = [] { return Unexpected(std::generic_category().message(errno)); };
  const std::string beside = file + ".new";
  const int opened = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (opened < 0) return reason();
  const bool written = write_all(opened, text);
  close(opened);
  if (!written || rename(beside.c_str(), file.c_str()) != 0) {
    const auto why = reason();
    unlink(beside.c_str());
    return why;
  }
  return true;
}

}  // namespace rollwatch
