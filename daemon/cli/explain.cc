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

// Both versions side by side, and what that proves.
std::string comparison_rows(const nlohmann::json& comparison) {
  if (!comparison.is_object()) return "";
  std::vector<Cells> rows;
  const auto add = [&](const char* title, std::string value) {
    if (!value.empty()) rows.push_back({title, std::move(value)});
  };
  for (const char* version : {"candidate", "stable"}) {
    const auto& counts = child_at(comparison, version);
    if (const std::string mean = text_at(counts, "mean"); !mean.empty())
      add(version, mean + " on average");
    else
      add(version, fmt::format("{} bad of {} (rate {})", cell_at(counts, "bad"),
                               cell_at(counts, "events"), cell_at(counts, "rate")));
  }
  if (const auto& ratio = child_at(comparison, "ratio"); ratio.is_object())
    add("ratio", fmt::format("{} (95 %: {} to {})", cell_at(ratio, "value"), cell_at(ratio, "low"),
                             cell_at(ratio, "high")));
  add("tolerated", "not " + text_at(comparison, "tolerance"));
  add("evidence", fmt::format("{} of {}, together {} of {}", cell_at(comparison, "evidence"),
                              cell_at(comparison, "needed"), cell_at(comparison, "together"),
                              cell_at(comparison, "needed_together")));
  add("slots", text_at(comparison, "slots"));
  add("bursts", text_at(comparison, "dispersion"));
  add("shared", text_at(comparison, "shared"));
  add("outlook", text_at(comparison, "outlook"));
  return aligned(rows);
}

std::string list_lines(const nlohmann::json& list) {
  std::string text;
  for (const auto& item : list) text += "- " + text_of(item) + "\n";
  return text;
}

std::string arm_lines(const nlohmann::json& arms) {
  std::string text;
  for (const auto& arm : arms)
    text += fmt::format("{}{}: {}\n  {}\n", cell_at(arm, "version"),
                        text_at(arm, "counts") == "all" ? "" : ", bad events",
                        text_at(arm, "query"), text_at(arm, "curl"));
  return text;
}

void add_questions(std::string& text, const nlohmann::json& evaluation) {
  if (const auto& arms = child_at(evaluation, "arms"); arms.is_array()) {
    section(text, "asked for each version", arm_lines(arms));
  } else {
    section(text, "query", lines_at(evaluation, "query"));
    section(text, "ask again", lines_at(evaluation, "curl"));
  }
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
  const auto& would_have = child_at(decision, "would_have");
  std::string text = fmt::format("{} by {} at {}{}\n", cell_at(decision, "kind"),
                                 cell_at(decision, "by"), cell_at(decision, "at"),
                                 would_have == true ? ": what would have been, not ordered" : "");
  if (const std::string reason = named(child_at(decision, "reason"), "summary"); !reason.empty()) {
    text += reason + "\n";
  }
  text += fmt::format("decision {}\n", cell_at(decision, "id"));
  const std::string condition = named(child_at(bundle, "condition"), "name");
  section(text, condition.empty() ? "evaluation" : "condition " + condition,
          evaluation_rows(evaluation));
  const auto& comparison = child_at(bundle, "comparison");
  section(text, "compared with stable", comparison_rows(comparison));
  section(text, "what that assumes", list_lines(child_at(comparison, "assumes")));
  add_questions(text, evaluation);
  if (const std::string promise = text_at(bundle, "promise"); !promise.empty())
    section(text, "promised", promise + "\n");
  section(text, "the slots that counted", outcome_rows(child_at(bundle, "window")));
  const auto& siblings = child_at(bundle, "siblings");
  section(text, "the other conditions at that moment", outcome_rows(siblings));
  for (const auto& sibling : siblings) {
    const auto& last = child_at(sibling, "evaluation");
    if (!last.is_object()) continue;
    section(text, "the slot that decided, of " + text_at(sibling, "name"), evaluation_rows(last));
    add_questions(text, last);
  }
  section(text, "deliveries", delivery_rows(child_at(bundle, "deliveries")));
  return text;
}

}  // namespace rollwatch
