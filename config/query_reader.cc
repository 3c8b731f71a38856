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

std::optional<QueryTemplate> read_query(TableReader& reader, std::string_view key) {
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
    if (is_variable(variable.name)) continue;
    good = false;
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

std::vector<SelectLabel> read_select(TableReader& reader) {
  std::vector<SelectLabel> select;
  const Value* table = reader.table("select");
  if (table == nullptr) return select;
  if (table->as_table()->empty()) {
    reader.wrong("select",
                 "must name at least one label, such as select = { app = "
                 "\"{{service}}\", version = \"{{candidate}}\" }");
  }
  TableReader labels(*table, join_key(reader.path(), "select"), reader.errors());
  for (const Value::Member& member : *table->as_table()) {
    const auto text = labels.string(member.key);
    if (!is_label_name(member.key)) {
      labels.wrong(member.key, "is no name of a label; those are letters, digits and _");
      continue;
    }
    if (!text) continue;
    auto value = promql::parse_text_template(*text);
    if (!value) {
      labels.wrong(member.key, promql::to_string(value.error()));
      continue;
    }
    for (const auto& variable : value->variables()) {
      const bool moves =
          variable.name == "window" || variable.name == "step" || variable.name == "weight";
      if (is_variable(variable.name) && !moves) continue;
      labels.wrong(member.key,
                   "{{" + variable.name + "}} " +
                       (moves ? "changes during a rollout and picks no series of it"
                              : "is no variable" + suggestion(variable.name, variable_names(),
                                                              "; there are", "")));
    }
    select.push_back({member.key, std::move(*value)});
  }
  return select;
}

void check_shared_query(TableReader& reader, const ThresholdCondition& threshold) {
  if (threshold.select.empty()) return;
  const auto check = [&reader](std::string_view key, const QueryTemplate& query) {
    for (const auto& variable : query.variables()) {
      if (variable.name == "window") continue;
      reader.wrong(key, "with select the query is asked once for all rollouts, so {{" +
                            variable.name +
                            "}} has no place in it (only {{window}} has); give "
                            "the label under select instead");
      return;
    }
  };
  check("query", threshold.query);
  if (threshold.evidence) check("evidence", *threshold.evidence);
}

}  // namespace rollwatch
