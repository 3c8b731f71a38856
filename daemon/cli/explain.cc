#include "daemon/cli/explain.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daemon/cli/fields.h"
#include "daemon/cli/text.h"

namespace rollwatch {
namespace {

using Cells = std::vector<std::string>;

// A field that may be a name or an object that has one.
std::string named(const nlohmann::json& value, std::string_view key) {
  return value.is_object() ? text_at(value, key) : text_of(value);
}

void section(std::string& text, std::string_view title, const std::string& body) {
  if (!body.empty()) text += fmt::format("\n{}\n{}", title, indented(body, "  "));
}

std::string evaluation_rows(const nlohmann::json& evaluation) {
  std::vector<Cells> rows;
  const auto add = [&](const char* title, const char* key) {
    if (std::string value = text_at(evaluation, key); !value.empty()) {
      rows.push_back({title, std::move(value)});
    }
  };
  add("evaluated for", "time");
  add("datasource", "datasource");
  add("value", "value");
  add("rule", "rule");
  add("arithmetic", "arithmetic");
  add("answer sha256", "response_sha256");
  if (const std::string others = text_at(evaluation, "shared_with"); !others.empty())
    rows.push_back({"shared with", others + (others == "1" ? " other" : " others")});
  if (std::string picked; evaluation.is_object() && evaluation.contains("picked_by")) {
    for (const auto& [label, value] : evaluation["picked_by"].items())
      picked += (picked.empty() ? "" : ", ") + label + "=\"" + text_of(value) + "\"";
    rows.push_back({"its series", std::move(picked)});
  }
  for (const auto& warning : child_at(evaluation, "warnings")) {
    rows.push_back({"warning", text_of(warning)});
  }
  add("graph", "graph_url");
  return aligned(rows);
}

// Slots or siblings: the same fields as an evaluation, as far as they are known.
std::string outcome_rows(const nlohmann::json& list) {
  std::vector<Cells> rows;
  for (const auto& item : list) {
    if (!item.is_object()) {
      rows.push_back({text_of(item)});
      continue;
    }
    Cells cells;
    for (const char* key :
         {"slot", "name", "condition", "verdict", "outcome", "value", "rule", "detail"}) {
      if (item.contains(key)) cells.push_back(cell_at(item, key));
    }
    rows.push_back(std::move(cells));
  }
  return aligned(rows);
}

std::string delivery_rows(const nlohmann::json& deliveries) {
  std::vector<Cells> rows;
  for (const auto& delivery : deliveries) {
    rows.push_back({cell_at(delivery, "kind"), cell_at(delivery, "target"),
                    cell_at(delivery, "state"), cell_at(delivery, "id")});
    for (const auto& attempt : child_at(delivery, "attempts")) {
      const std::string error = text_at(attempt, "error");
      rows.push_back(
          {"", cell_at(attempt, "at"), error.empty() ? cell_at(attempt, "status") : error});
    }
  }
  return aligned(rows);
}

}  // namespace

std::string explain_text(const nlohmann::json& bundle) {
  const auto& decision = child_at(bundle, "decision");
  const auto& evaluation = child_at(bundle, "evaluation");
  std::string text = fmt::format("{} by {} at {}\n", cell_at(decision, "kind"),
                                 cell_at(decision, "by"), cell_at(decision, "at"));
  if (const std::string reason = named(child_at(decision, "reason"), "summary"); !reason.empty()) {
    text += reason + "\n";
  }
  text += fmt::format("decision {}\n", cell_at(decision, "id"));
  const std::string condition = named(child_at(bundle, "condition"), "name");
  section(text, condition.empty() ? "evaluation" : "condition " + condition,
          evaluation_rows(evaluation));
  section(text, "query", lines_at(evaluation, "query"));
  section(text, "ask again", lines_at(evaluation, "curl"));
  section(text, "the slots that counted", outcome_rows(child_at(bundle, "window")));
  section(text, "the other conditions at that moment", outcome_rows(child_at(bundle, "siblings")));
  section(text, "deliveries", delivery_rows(child_at(bundle, "deliveries")));
  return text;
}

}  // namespace rollwatch
