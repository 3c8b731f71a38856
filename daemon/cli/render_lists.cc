// The tables of render.h that are not about one rollout.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/cli/fields.h"
#include "daemon/cli/render.h"
#include "daemon/cli/text.h"

namespace rollwatch {
namespace {

using Cells = std::vector<std::string>;

std::string last_attempt(const nlohmann::json& delivery) {
  const auto& attempts = child_at(delivery, "attempts");
  if (!attempts.is_array() || attempts.empty()) return "not yet";
  const auto& last = attempts.back();
  const std::string error = text_at(last, "error");
  return fmt::format("{} {}", cell_at(last, "at"),
                     error.empty() ? "HTTP " + cell_at(last, "status") : error);
}

Cells delivery_cells(const nlohmann::json& delivery) {
  const auto& attempts = child_at(delivery, "attempts");
  return {cell_at(delivery, "id"),
          cell_at(delivery, "kind"),
          cell_at(delivery, "target"),
          cell_at(delivery, "state"),
          attempts.is_array() ? std::to_string(attempts.size()) : "-",
          last_attempt(delivery)};
}

Cells delivery_head() { return {"ID", "KIND", "TARGET", "STATE", "ATTEMPTS", "LAST"}; }

std::string listed_names(const nlohmann::json& value) {
  if (!value.is_array()) return text_of(value).empty() ? "-" : text_of(value);
  Cells names;
  for (const auto& name : value) names.push_back(text_of(name));
  return names.empty() ? "-" : joined(names, ", ");
}

// Where the value at this JSON pointer comes from, or its parts do: "policy http
// rollwatch.toml:40".
std::string source_of(const nlohmann::json& sources, const std::string& pointer) {
  Cells seen;
  if (!sources.is_object()) return "";
  for (const auto& [place, source] : sources.items()) {
    if (place != pointer && !place.starts_with(pointer + "/")) continue;
    std::string text = text_of(source);
    if (std::ranges::find(seen, text) == seen.end()) seen.push_back(std::move(text));
  }
  return joined(seen, ", ");
}

// A row for each key; what takes several lines, such as a query, stands below on its own.
std::string settings_text(const nlohmann::json& settings, const nlohmann::json& sources,
                          const std::string& pointer) {
  std::vector<Cells> rows;
  std::string below;
  if (!settings.is_object()) return "";
  for (const auto& [key, value] : settings.items()) {
    if (key == "condition" || key == "name" || value.is_null()) continue;
    const bool is_query = key == "query" || key == "evidence";
    rows.push_back({printable(key), is_query ? "below" : text_of(value),
                    source_of(sources, pointer + "/" + key)});
    if (is_query) below += fmt::format("{}\n{}", key, indented(lines_at(settings, key), "  "));
  }
  return aligned(rows) + below;
}

}  // namespace

std::string event_text(const nlohmann::json& event, bool of_many) {
  const auto& data = child_at(event, "data");
  std::string text = cell_at(event, "at");
  if (of_many) text += " " + cell_at(event, "rollout");
  text += " " + cell_at(event, "type");
  std::string summary = text_at(data, "summary");
  if (summary.empty() && !data.empty()) summary = text_of(data);
  if (!summary.empty()) text += ": " + summary;
  return text;
}

std::string deliveries_text(const nlohmann::json& deliveries) {
  std::vector<Cells> rows{delivery_head()};
  for (const auto& delivery : deliveries) rows.push_back(delivery_cells(delivery));
  return aligned(rows);
}

std::string delivery_text(const nlohmann::json& delivery) {
  return aligned({delivery_head(), delivery_cells(delivery)});
}

std::string policies_text(const nlohmann::json& policies) {
  std::vector<Cells> rows{{"NAME", "STEPS", "CONDITIONS"}};
  for (const auto& policy : policies)
    rows.push_back({cell_at(policy, "name"), cell_at(policy, "steps"),
                    listed_names(child_at(policy, "conditions"))});
  return aligned(rows);
}

// Whether its conditions have ever said anything.
std::string record_text(const nlohmann::json& record) {
  if (!record.is_object()) return "";
  std::vector<Cells> rows{{"CONDITION", "ROLLOUTS", "ANSWERED", "FAILED"}};
  for (const auto& condition : child_at(record, "conditions"))
    rows.push_back({cell_at(condition, "name"), cell_at(condition, "rollouts"),
                    cell_at(condition, "answered"), cell_at(condition, "failed")});
  return fmt::format("\n{} of the latest {} rollouts had it, since {}\n{}",
                     number_at(record, "rollouts"), number_at(record, "looked_at"),
                     cell_at(record, "since"),
                     rows.size() == 1 ? "" : indented(aligned(rows), "  "));
}

std::string policy_text(const nlohmann::json& policy) {
  const auto& analysis = child_at(policy, "analysis");
  const auto& sources = child_at(policy, "analysis_sources");
  std::string text =
      fmt::format("policy {}\n\n{}", text_at(policy, "name"), settings_text(analysis, sources, ""));
  const auto& conditions = child_at(analysis, "condition");
  for (std::size_t i = 0; conditions.is_array() && i < conditions.size(); ++i)
    text += fmt::format(
        "\ncondition {}\n{}", text_at(conditions[i], "name"),
        indented(settings_text(conditions[i], sources, fmt::format("/condition/{}", i)), "  "));
  return text + record_text(child_at(policy, "record"));
}

std::string check_text(const nlohmann::json& items) {
  std::vector<Cells> rows{{"CONDITION", "OUTCOME", "VALUE", "RULE", "EVIDENCE", "DETAIL"}};
  for (const auto& item : items)
    rows.push_back({cell_at(item, "condition"), cell_at(item, "outcome"), cell_at(item, "value"),
                    cell_at(item, "rule"), cell_at(child_at(item, "evidence"), "value"),
                    text_at(item, "detail")});
  std::string text = aligned(rows);
  for (const auto& item : items) {
    if (text_at(item, "outcome") == "pass") continue;
    text += fmt::format("\n{}\n{}", text_at(item, "condition"),
                        indented(lines_at(item, "query"), "  "));
    if (const std::string curl = lines_at(item, "curl"); !curl.empty())
      text += indented(curl, "  ");
  }
  return text;
}

}  // namespace rollwatch
