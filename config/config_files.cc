#include "config/config_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>

#include "config/table_reader.h"
#include "config/toml_reader.h"

namespace rollwatch {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 5> kNamedTables = {"datasource", "orchestrator", "notifier",
                                                          "policy", "service"};
constexpr std::array<std::string_view, 3> kSingleTables = {"server", "store", "defaults"};

void merge_tables(Value& into, Value from, const std::string& path, FieldErrors& errors);

void merge_member(Value& into, Value::Member member, const std::string& path, FieldErrors& errors) {
  const Value::Member* existing = into.find_member(member.key);
  if (existing == nullptr) {
    into.set(std::move(member));
    return;
  }
  const std::string key = join_key(path, member.key);
  const auto has = [&member](const auto& names) {
    return std::find(names.begin(), names.end(), member.key) != names.end();
  };
  const bool tables = existing->value.as_table() != nullptr && member.value.as_table() != nullptr;
  if (path.empty() && tables && (has(kNamedTables) || has(kSingleTables))) {
    merge_tables(*into.find(member.key), std::move(member.value), key, errors);
    return;
  }
  if (path == "server" && member.key == "token" && existing->value.as_array() != nullptr &&
      member.value.as_array() != nullptr) {  // each file has those of its people
    Value::Array& all = *into.find(member.key)->as_array();
    std::ranges::move(*member.value.as_array(), std::back_inserter(all));
    return;
  }
  errors.push_back(
      {member.key_origin, key,
       "is already given at " + existing->key_origin.place() + "; remove one of the two"});
}

void merge_tables(Value& into, Value from, const std::string& path, FieldErrors& errors) {
  for (Value::Member& member : *from.as_table())
    merge_member(into, std::move(member), path, errors);
}

std::vector<std::string> further_files(const std::string& main_file, const Environment& environment,
                                       FieldErrors& errors) {
  const std::string folder = (fs::path(main_file).parent_path() / "conf.d").string();
  auto names = environment.list_folder(folder);
  if (!names) {
    Origin origin;
    origin.file = folder;
    errors.push_back({std::move(origin), "", "cannot be read: " + names.error()});
    return {};
  }
  std::sort(names->begin(), names->end());
  std::vector<std::string> files;
  for (const std::string& name : *names) {
    if (fs::path(name).extension() != ".toml" || name.front() == '.') continue;
    files.push_back((fs::path(folder) / name).string());
  }
  return files;
}

// FNV-1a, its upper 48 bits: to tell files apart, not to hide what is in them.
std::uint64_t fingerprint_of(const std::string& text) {
  constexpr std::uint64_t kBasis = 14695981039346656037ULL, kPrime = 1099511628211ULL;
  std::uint64_t hash = kBasis;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  return hash >> 16U;
}

}  // namespace

Value read_config_files(const std::string& main_file, const Environment& environment,
                        FieldErrors& errors, std::uint64_t& fingerprint) {
  std::vector<std::string> files = further_files(main_file, environment, errors);
  files.insert(files.begin(), main_file);
  Value root{Value::Table{}};
  Origin whole;
  whole.file = main_file;
  root.set_origin(whole);
  std::string everything;
  for (const std::string& file : files) {
    const auto text = environment.read_file(file);
    if (!text) {
      Origin origin;
      origin.file = file;
      errors.push_back(
          {std::move(origin), "",
           "cannot be read: " + text.error() + "; give the path of the configuration file"});
      continue;
    }
    // Lengths in front: no two lists of files run into each other.
    everything += std::to_string(text->text.size()) + ":" + text->text;
    Value tree = value_from_toml(text->text, file, errors);
    expand_variables(tree, environment, errors);
    merge_tables(root, std::move(tree), "", errors);
  }
  fingerprint = fingerprint_of(everything);
  return root;
}

std::string resolve_path(const std::string& path, const std::string& file,
                         const std::string& working_folder) {
  return (fs::path(working_folder) / fs::path(file).parent_path() / path)
      .lexically_normal()
      .string();
}

}  // namespace rollwatch
