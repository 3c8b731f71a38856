#include "daemon/cli/render.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daemon/cli/fields.h"
#include "daemon/cli/text.h"

namespace rollwatch {
namespace {

using Row = std::vector<std::string>;

// A freeze that the reason does not tell of already is told with it.
std::string with_reason(std::string text, const nlohmann::json& rollout) {
  const std::string reason = text_at(rollout, "reason");
  const std::string freeze = text_at(rollout, "freeze");
  if (!reason.empty()) text += ": " + reason;
  if (!freeze.empty() && reason.find(freeze) == std::string::npos) text += " (" + freeze + ")";
  return text;
}

// {"tier": "web"} as "tier=web", ["a", "b"] as "a, b".
std::string listed(const nlohmann::json& value) {
  if (!value.is_structured()) return text_of(value);
  Row parts;
  for (const auto& [key, item] : value.items()) {
    parts.push_back(value.is_object() ? printable(key) + "=" + text_of(item) : text_of(item));
  }
  return joined(parts, ", ");
}

std::string latest_text(const nlohmann::json& condition) {
  const auto& last = child_at(condition, "last");
  const std::string detail = text_at(last, "detail");
  return detail.empty() ? cell_at(last, "outcome")
                        : fmt::format("{}: {}", text_at(last, "outcome"), detail);
}

std::string condition_rows(const nlohmann::json& rollout) {
  std::vector<Row> rows{{"CONDITION", "VERDICT", "VALUE", "RULE", "PASS", "FAIL", "INCONCLUSIVE",
                         "NO DATA", "ERROR", "MISSED", "NEXT SLOT", "LATEST"}};
  for (const auto& condition : child_at(rollout, "conditions")) {
    const auto& counts = child_at(condition, "counts");
    rows.push_back(
        {cell_at(condition, "name"), cell_at(condition, "verdict"), cell_at(condition, "value"),
         cell_at(condition, "rule"), cell_at(counts, "pass"), cell_at(counts, "fail"),
         cell_at(counts, "inconclusive"), cell_at(counts, "no_data"), cell_at(counts, "error"),
         cell_at(counts, "missed"), cell_at(condition, "next_slot"), latest_text(condition)});
  }
  return rows.size() == 1 ? "" : "\n" + aligned(rows);
}

// The detail says value and rule in words; without one they are shown as they are.
std::string evaluation_text(const nlohmann::json& evaluation) {
  std::string text = text_at(evaluation, "outcome");
  if (const std::string detail = text_at(evaluation, "detail"); !detail.empty()) {
    return fmt::format("{}: {}", text, detail);
  }
  if (const std::string value = text_at(evaluation, "value"); !value.empty()) text += " " + value;
  if (const std::string rule = text_at(evaluation, "rule"); !rule.empty()) {
    text += fmt::format(" (rule {})", rule);
  }
  return text;
}

Row history_row(const nlohmann::json& entry) {
  if (text_at(entry, "kind") == "evaluation") {
    return {cell_at(entry, "slot"), cell_at(entry, "condition"), evaluation_text(entry)};
  }
  const auto& data = child_at(entry, "data");
  std::string summary = text_at(data, "summary");
  if (summary.empty() && !data.empty()) summary = text_of(data);
  return {cell_at(entry, "at"), cell_at(entry, "type"), summary};
}

}  // namespace

std::string rollout_name(const nlohmann::json& rollout) {
  const std::string stable = text_at(rollout, "stable");
  const std::string target = text_at(rollout, "target");
  const std::string space = text_at(rollout, "namespace");
  std::string name = text_at(rollout, "service");
  name += stable.empty() ? " " : fmt::format(" {} → ", stable);
  name += text_at(rollout, "candidate");
  if (!target.empty() && target != "default") name += fmt::format(" in {}", target);
  if (!space.empty() && space != "default") name += fmt::format(" ({})", space);
  return name;
}

std::string step_text(const nlohmann::json& rollout) {
  const auto& step = child_at(rollout, "step");
  const long index = child_at(step, "index").is_number() ? number_at(step, "index") : -1;
  if (index < 0 || text_at(rollout, "state") == "waiting") return "";
  std::string text = fmt::format("step {}", index + 1);
  if (const long count = number_at(step, "count"); count > 0) text += fmt::format(" of {}", count);
  // What the candidate has now: after a rollback that is not the step's share.
  if (!text_at(step, "weight").empty()) {
    text += fmt::format(", weight {}", cell_at(rollout, "weight"));
  }
  return text;
}

std::string progress_text(const nlohmann::json& rollout) {
  Row parts{text_at(rollout, "state")};
  if (const std::string step = step_text(rollout); !step.empty()) parts.push_back(step);
  if (const std::string verdict = text_at(rollout, "verdict"); !verdict.empty()) {
    parts.push_back(verdict);
  }
  return with_reason(joined(parts, ", "), rollout);
}

std::string progress_line(const nlohmann::json& rollout) {
  return fmt::format("{} {}", cell_at(rollout, "updated_at"), progress_text(rollout));
}

std::string result_line(const nlohmann::json& rollout) {
  return with_reason(fmt::format("{} {}: {}", text_at(rollout, "id"), text_at(rollout, "state"),
                                 rollout_name(rollout)),
                     rollout);
}

std::string question_text(const nlohmann::json& rollout) {
  const auto& question = child_at(rollout, "question");
  if (!question.is_object()) return "";
  const std::string text = text_at(question, "text");
  if (flag_at(question, "lifts_itself")) {
    return fmt::format("{}\n(goes on by itself when the answers come back)\n", text);
  }
  return fmt::format("{}\n(yes: rollwatch resume {} --question {} --reason …)\n", text,
                     text_at(rollout, "id"), text_at(question, "id"));
}

std::string consequence(std::string_view verb, const nlohmann::json& rollout) {
  const std::string candidate = text_at(rollout, "candidate");
  const std::string stable = text_at(rollout, "stable");
  const std::string weight = text_at(rollout, "weight");
  std::string effect;
  if (verb == "promote") {
    effect = fmt::format(
        "all traffic goes to {} at once, and its conditions only observe from then on", candidate);
  } else if (verb == "rollback") {
    effect = stable.empty() ? fmt::format("{} gets no traffic any more", candidate)
                            : fmt::format("traffic goes back to {}", stable);
  } else if (weight.empty() || text_at(rollout, "state") == "waiting") {
    effect = "watching stops and the traffic stays as it is";
  } else {
    effect = fmt::format("watching stops and the traffic stays as it is, {} at weight {}",
                         candidate, weight);
  }
  return fmt::format("{}: {}", rollout_name(rollout), effect);
}

std::string label_of(const nlohmann::json& rollout) {
  const auto& label = child_at(rollout, "label");
  if (!label.is_object()) return "";
  return fmt::format("{} by {}: {}", text_at(label, "label"), text_at(label, "by"),
                     text_at(label, "reason"));
}

std::string status_text(const nlohmann::json& rollout) {
  std::vector<Row> rows;
  const auto add = [&rows](std::string name, std::string value) {
    if (!value.empty()) rows.push_back({std::move(name), std::move(value)});
  };
  const std::string verdict = text_at(rollout, "verdict");
  std::string step = step_text(rollout);
  if (!step.empty()) step.erase(0, std::string_view("step ").size());
  if (const std::string since = text_at(child_at(rollout, "step"), "since"); !since.empty()) {
    if (!step.empty()) step += ", since " + since;
  }
  add("rollout", text_at(rollout, "id"));
  add("what", rollout_name(rollout));
  add("attempt", text_at(rollout, "attempt"));
  add("state", text_at(rollout, "state") + (verdict.empty() ? "" : ", " + verdict));
  add("reason", text_at(rollout, "reason"));
  add("freeze", text_at(rollout, "freeze"));
  add("step", step);
  if (const auto& order = child_at(rollout, "order"); order.is_object()) {
    add("order", fmt::format("{} of weight {}, not yet acknowledged", cell_at(order, "kind"),
                             cell_at(order, "weight")));
  }
  add("policy", listed(child_at(rollout, "policy")));
  add("orchestrator", text_at(rollout, "orchestrator"));
  for (const char* name : {"notify", "labels", "args", "links"}) {
    add(name, listed(child_at(rollout, name)));
  }
  const std::string by = text_at(rollout, "by");
  add("started", text_at(rollout, "created_at") + (by.empty() ? "" : " by " + by));
  add("ended", text_at(rollout, "ended_at"));
  add("label", label_of(rollout));
  std::string text = aligned(rows) + condition_rows(rollout);
  if (const std::string question = question_text(rollout); !question.empty()) {
    text += "\nopen question: " + question;
  }
  return text;
}

std::string freeze_text(const nlohmann::json& freeze) {
  const std::string space = text_at(freeze, "namespace");
  const std::string lifted_by = text_at(freeze, "lifted_by");
  const std::string why = text_at(freeze, "lift_reason");
  const bool in_force = flag_at(freeze, "in_force");
  const std::string until = text_at(freeze, "until");
  std::vector<Row> rows;
  rows.push_back({"what", space.empty() ? "everything" : space + "/" + text_at(freeze, "service")});
  rows.push_back({"state", in_force ? "frozen" : "not frozen any more"});
  rows.push_back({"by", text_at(freeze, "by")});
  if (const std::string token = text_at(freeze, "token"); !token.empty())
    rows.push_back({"token", token + " from " + text_at(freeze, "from")});
  rows.push_back({"reason", text_at(freeze, "reason")});
  rows.push_back({"since", text_at(freeze, "since")});
  if (in_force) rows.push_back({"until", until.empty() ? "somebody lifts it" : until});
  if (!lifted_by.empty())
    rows.push_back({"lifted", fmt::format("{} by {}{}", text_at(freeze, "lifted_at"), lifted_by,
                                          why.empty() ? "" : ": " + why)});
  rows.push_back({"rollouts", cell_at(freeze, "active_rollouts") + " active"});
  return aligned(rows);
}

std::string preview_text(const nlohmann::json& preview) {
  std::string text;
  for (const nlohmann::json& order : child_at(preview, "orders")) {
    if (!text.empty()) text += "\n";
    const std::string method = text_at(order, "method");
    text +=
        fmt::format("{}{}\n", text_at(order, "kind"),
                    method.empty() ? "" : fmt::format(": {} {}", method, text_at(order, "url")));
    std::string below;
    std::string headers;
    for (const nlohmann::json& name : child_at(order, "headers"))
      headers += (headers.empty() ? "" : ", ") + text_of(name);
    if (!headers.empty()) below += fmt::format("headers {}\n", headers);
    const nlohmann::json body = child_at(order, "body");
    if (!body.is_null() && !(body.is_structured() && body.empty()))
      below +=
          (body.is_string() ? text_of(body)
                            : body.dump(2, ' ', false, nlohmann::json::error_handler_t::replace)) +
          "\n";
    if (const std::string note = text_at(order, "note"); !note.empty()) below += note + "\n";
    text += indented(below, "  ");
  }
  return text + "nothing was sent\n";
}

std::string notify_test_text(const nlohmann::json& answer) {
  const std::string outcome = text_at(answer, "outcome");
  std::vector<Row> rows;
  rows.push_back({"notifier", text_at(answer, "name")});
  rows.push_back({"outcome", outcome == "done" ? "taken" : outcome});
  const std::string status = cell_at(answer, "status");
  rows.push_back({"status", status == "-" ? "none: no HTTP answer" : "HTTP " + status});
  rows.push_back({"time", cell_at(answer, "duration_ms") + " ms"});
  if (const std::string error = text_at(answer, "error"); !error.empty())
    rows.push_back({"error", error});
  std::string text = aligned(rows);
  if (const std::string raw = text_at(answer, "answer"); !raw.empty())
    text += "answer\n" + indented(raw + "\n", "  ");
  return text;
}

std::string list_text(const nlohmann::json& rollouts) {
  std::vector<Row> rows{{"ID", "NAMESPACE", "SERVICE", "TARGET", "STABLE", "CANDIDATE", "STATE",
                         "VERDICT", "WEIGHT", "CREATED"}};
  for (const auto& rollout : rollouts) {
    rows.push_back({cell_at(rollout, "id"), cell_at(rollout, "namespace"),
                    cell_at(rollout, "service"), cell_at(rollout, "target"),
                    cell_at(rollout, "stable"), cell_at(rollout, "candidate"),
                    cell_at(rollout, "state"), cell_at(rollout, "verdict"),
                    cell_at(rollout, "weight"), cell_at(rollout, "created_at")});
  }
  return aligned(rows);
}

std::string history_text(const nlohmann::json& entries) {
  std::vector<Row> rows;
  for (const auto& entry : entries) rows.push_back(history_row(entry));
  return aligned(rows);
}

}  // namespace rollwatch
