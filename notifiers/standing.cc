#include "notifiers/standing.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/graph_link.h"
#include "analysis/judge.h"
#include "analysis/mover.h"
#include "analysis/render.h"
#include "notifiers/json_number.h"

namespace rollwatch {
namespace {

constexpr std::size_t kLongestGraphLink = 2000;

std::uint32_t count_of(const ConditionState& condition, Outcome outcome) {
  return condition.counts[static_cast<std::size_t>(outcome)];
}

// The larger, the worse.
int badness(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFailed:
      return 4;
    case Verdict::kFailing:
      return 3;
    case Verdict::kUnknown:
      return 2;
    case Verdict::kPending:
      return 1;
    case Verdict::kPassing:
    case Verdict::kPassed:
      break;
  }
  return 0;
}

bool passes(Verdict verdict) { return badness(verdict) == 0; }

std::string graph_of(const TakenStep& step, std::size_t i, const std::string& datasource_url) {
  const ConditionPlan& plan = step.plan.conditions[i];
  if (datasource_url.empty()) return {};
  const auto query = render_question(questions_of(plan).front(), step.spec, plan, step.after.step,
                                     step_weight(step.plan, step.after));
  if (!query) return {};
  std::string url = graph_link(datasource_url, *query, step.after.updated_at, step.spec.created_at);
  return url.size() <= kLongestGraphLink ? url : std::string();
}

void show_condition(Standing& standing, const TakenStep& step, std::size_t i, Verdict verdict) {
  const ConditionPlan& plan = step.plan.conditions[i];
  const ConditionState& c = step.after.conditions[i];
  standing.condition = plan.name;
  standing.verdict = name_of(verdict);
  standing.rule = c.last ? rule_text(*c.last, plan) : rule_text(plan);
  if (c.last) standing.value = c.last->value;
  standing.passed = count_of(c, Outcome::kPass);
  standing.failed = count_of(c, Outcome::kFail);
  standing.other = 0;
  for (const std::uint32_t count : c.counts) standing.other += count;
  standing.other -= standing.passed + standing.failed;
}

template <class T>
T value_in(const nlohmann::ordered_json& json, const char* key, T otherwise = {}) {
  const auto found = json.find(key);
  if (found == json.end()) return otherwise;
  if constexpr (std::is_same_v<T, std::string>) {
    return found->is_string() ? found->template get<std::string>() : otherwise;
  } else {
    return found->is_number_integer() ? found->template get<T>() : otherwise;
  }
}

std::optional<double> number_in(const nlohmann::ordered_json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

}  // namespace

Standing standing_of(const TakenStep& step,
                     const std::function<std::string(const std::string&)>& datasource_url) {
  const RolloutState& s = step.after;
  const Fixed fixed{step.spec, step.plan};
  Standing standing;
  standing.number = s.revision;
  standing.state = name_of(s.state);
  standing.reason = s.reason;
  standing.at = s.updated_at;
  standing.took = std::max(s.updated_at - step.spec.created_at, Millis{0});
  standing.step = s.step;
  standing.steps = static_cast<int>(step.plan.steps.size());
  if (step_weight(step.plan, s)) standing.weight = s.reached_weight;
  if (s.question) standing.question = question_id(*s.question);
  if (s.decisions_made > 0) standing.decision = decision_id(step.spec, s.decisions_made);

  std::optional<std::size_t> worst;
  int worst_yet = -1;
  for (std::size_t i = 0; i < s.conditions.size(); ++i) {
    if (step.plan.conditions[i].is_readiness) continue;
    const Verdict verdict = verdict_of(fixed, s, i);
    ++standing.conditions;
    if (passes(verdict)) ++standing.passing;
    // What only observes is shown if nothing that counts is as badly off.
    const bool observes = step.plan.conditions[i].on_fail == OnFail::kObserve;
    const int bad = 2 * badness(verdict) + (observes ? 0 : 1);
    if (bad <= worst_yet) continue;
    worst = i;
    worst_yet = bad;
  }
  if (worst) {
    show_condition(standing, step, *worst, verdict_of(fixed, s, *worst));
    if (datasource_url)
      standing.graph =
          graph_of(step, *worst, datasource_url(step.plan.conditions[*worst].datasource));
  }
  return standing;
}

std::string with_standing(const std::string& payload, const Standing& standing) {
  using Json = nlohmann::ordered_json;
  Json json = Json::parse(payload, nullptr, false);
  Json& s = json["standing"];
  s["number"] = standing.number;
  s["state"] = standing.state;
  s["reason"] = standing.reason;
  s["at"] = format_time(standing.at);
  s["took_ms"] = standing.took.count();
  s["step"] = standing.step;
  s["steps"] = standing.steps;
  s["weight"] = json_number(standing.weight);
  s["question"] = standing.question;
  s["decision"] = standing.decision;
  s["conditions"] = standing.conditions;
  s["passing"] = standing.passing;
  s["condition"] = standing.condition;
  s["verdict"] = standing.verdict;
  s["value"] = json_number(standing.value);
  s["rule"] = standing.rule;
  s["passed"] = standing.passed;
  s["failed"] = standing.failed;
  s["other"] = standing.other;
  s["graph"] = standing.graph;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<Standing> standing_in(std::string_view payload) {
  const auto json = nlohmann::ordered_json::parse(payload, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto found = json.find("standing");
  if (found == json.end() || !found->is_object()) return std::nullopt;
  const auto& s = *found;
  const auto at = parse_time(value_in<std::string>(s, "at"));
  if (!at) return std::nullopt;
  Standing standing;
  standing.number = value_in<unsigned>(s, "number");
  standing.state = value_in<std::string>(s, "state");
  standing.reason = value_in<std::string>(s, "reason");
  standing.at = *at;
  standing.took = Millis{value_in<Millis::rep>(s, "took_ms")};
  standing.step = value_in<int>(s, "step", -1);
  standing.steps = value_in<int>(s, "steps");
  standing.weight = number_in(s, "weight");
  standing.question = value_in<std::string>(s, "question");
  standing.decision = value_in<std::string>(s, "decision");
  standing.conditions = value_in<unsigned>(s, "conditions");
  standing.passing = value_in<unsigned>(s, "passing");
  standing.condition = value_in<std::string>(s, "condition");
  standing.verdict = value_in<std::string>(s, "verdict");
  standing.value = number_in(s, "value");
  standing.rule = value_in<std::string>(s, "rule");
  standing.passed = value_in<unsigned>(s, "passed");
  standing.failed = value_in<unsigned>(s, "failed");
  standing.other = value_in<unsigned>(s, "other");
  standing.graph = value_in<std::string>(s, "graph");
  return standing;
}

std::vector<Notice> first_failures(const TakenStep& step) {
  std::vector<Notice> first;
  const auto& before = step.before.conditions;
  const auto& after = step.after.conditions;
  if (before.size() != after.size()) return first;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const ConditionPlan& plan = step.plan.conditions[i];
    const bool first_time =
        count_of(before[i], Outcome::kFail) == 0 && count_of(after[i], Outcome::kFail) > 0;
    if (!first_time || after[i].failed || plan.is_readiness || !after[i].last) continue;
    Notice notice;
    notice.event = EventType::kVerdict;
    notice.at = step.after.updated_at;
    notice.state = name_of(step.after.state);
    notice.step = step.after.step;
    notice.weight = step_weight(step.plan, step.after);
    notice.summary = "first failing check: " + failing_sentence(plan, after[i]) + " (" +
                     std::to_string(plan.fail_after) + " would fail it)";
    notice.by = "engine";
    notice.condition = plan.name;
    notice.value = after[i].last->value;
    notice.rule = rule_text(*after[i].last, plan);
    first.push_back(std::move(notice));
  }
  return first;
}

}  // namespace rollwatch
