#include "config/query_reader.h"

#include <algorithm>

namespace rollwatch {

namespace {

using promql::QueryTemplate;

constexpr std::string_view kHiddenMistake =
    "there is a mistake in the query; what it is would show text from the environment";

const std::vector<std::string>& variable_names() {
  static const std::vector<std::string> names = {"service", "namespace",   "target",   "candidate",
                                                 "stable",  "window",      "step",     "weight",
                                                 "id",      "labels.NAME", "args.NAME"};
  return names;
}

bool is_variable(const std::string& name) {
  for (const std::string_view family : {"labels.", "args."}) {
    if (name.rfind(family, 0) == 0 && name.size() > family.size()) return true;
  }
  const auto& names = variable_names();
  return name.find('.') == std::string::npos &&
         std::find(names.begin(), names.end(), name) != names.end();
}

bool is_label_name(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

std::optional<QueryTemplate> read_query(TableReader& reader, std::string_view key,
                                        Version version) {
  const auto text = reader.string(key);
  if (!text) return std::nullopt;
  const bool hidden = reader.find(key)->from_environment();
  auto query = promql::parse_query_template(*text);
  if (!query && hidden) {
    reader.wrong(key, std::string(kHiddenMistake));
    return std::nullopt;
  }
  if (!query) {
    reader.wrong(key, "in the query, " + promql::to_string(query.error()));
    return std::nullopt;
  }
  bool good = true;
  for (const auto& variable : query->variables()) {
    const bool is_version = variable.name == "version";
    if (is_variable(variable.name) || (is_version && version == Version::kAllowed)) continue;
    good = false;
    if (is_version && !hidden) {
      reader.wrong(key,
                   "{{version}} belongs to a comparison with stable (compare = …), which asks "
                   "once for each version; use {{candidate}} or {{stable}}");
      continue;
    }
    if (hidden) {
      reader.wrong(key, std::string(kHiddenMistake));
      break;
    }
    reader.wrong(key, "in the query, line " + std::to_string(variable.line) + ", column " +
                          std::to_string(variable.column) + ": unknown variable {{" +
                          variable.name + "}}" +
                          suggestion(variable.name, variable_names(), "there are", ""));
  }
  if (!good) return std::nullopt;
  return std::move(*query);
}

namespace {

// The value of one label of `select`, if it is a good one.
std::optional<promql::TextTemplate> read_label_value(TableReader& labels, const std::string& name) {
  const auto text = labels.string(name);
  if (!is_label_name(name)) {
    labels.wrong(name, "is no name of a label; those are letters, digits and _");
    return std::nullopt;
  }
  if (!text) return std::nullopt;
  const bool hidden = labels.find(name)->from_environment();
  const auto refuse = [&](const std::string& why) {
    labels.wrong(name, hidden ? "there is a mistake in the text from the environment" : why);
    return std::nullopt;
  };
  auto value = promql::parse_text_template(*text);
  if (!value) return refuse(promql::to_string(value.error()));
  for (const auto& variable : value->variables()) {
    if (!is_variable(variable.name)) {
      return refuse("unknown variable {{" + variable.name + "}}" +
                    suggestion(variable.name, variable_names(), "there are", ""));
    }
    if (variable.name == "window" || changes_on_the_way(variable.name)) {
      return refuse("{{" + variable.name +
                    "}} is not the rollout's own and picks no series of it; leave it out");
    }
  }
  return std::move(*value);
}

}  // namespace

bool changes_on_the_way(const std::string& variable) {
  return variable == "step" || variable == "weight";
}

std::vector<SelectLabel> read_select(TableReader& reader) {
  return read_labels(reader, "select",
                     "select = { app = \"{{service}}\", version = \"{{candidate}}\" }");
}

std::vector<SelectLabel> read_labels(TableReader& reader, std::string_view key,
                                     std::string_view example) {
  std::vector<SelectLabel> select;
  const Value* table = reader.table(key);
  if (table == nullptr) return select;
  if (table->as_table()->empty()) {
    reader.wrong(key, "must name at least one label, such as " + std::string(example));
  }
  TableReader labels(*table, join_key(reader.path(), key), reader.errors());
  for (const Value::Member& member : *table->as_table()) {
    if (auto value = read_label_value(labels, member.key)) {
      select.push_back({member.key, std::move(*value)});
    }
  }
  return select;
}

void check_shared_query(TableReader& reader, const ThresholdCondition& threshold) {
  if (threshold.select.empty()) return;
  const auto check = [&reader](std::string_view key, const QueryTemplate& query) {
    for (const auto& variable : query.variables()) {
      if (variable.name == "window") continue;
      const bool hidden = reader.find(key)->from_environment();
      reader.wrong(reader.to_blame("select", key),
                   "with select the " + std::string(key) + " is asked once for all rollouts, so " +
                       (hidden ? "a variable" : "{{" + variable.name + "}}") +
                       " has no place in it (only {{window}} has); pick the rollout's series by "
                       "a label under select instead");
      return;
    }
  };
  check("query", threshold.query);
  if (threshold.evidence) check("evidence", *threshold.evidence);
}

}  // namespace rollwatch
