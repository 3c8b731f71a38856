#include "daemon/api/report_condition.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <variant>

#include "analysis/compare/standing.h"
#include "analysis/graph_link.h"
#include "analysis/judge.h"
#include "analysis/position.h"
#include "analysis/render.h"
#include "daemon/api/json_values.h"
#include "daemon/api/views.h"
#include "daemon/engine/comparison_json.h"
#include "daemon/engine/explain.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

// A letter for each outcome, in the order of its enumerators.
constexpr std::string_view kLetters = "pfinem";

std::string_view reduce_name(Reduce reduce) {
  switch (reduce) {
    case Reduce::kEach:
      return "each";
    case Reduce::kMax:
      return "max";
    case Reduce::kMin:
      return "min";
    case Reduce::kSum:
      return "sum";
    case Reduce::kAvg:
      return "avg";
    case Reduce::kOne:
      break;
  }
  return "one";
}

Json limit_json(const std::optional<Comparison>& comparison) {
  if (!comparison) return nullptr;
  return {{"op", to_string(comparison->op)}, {"value", number_json(comparison->limit)}};
}

Json series_rule(SeriesRule rule) {
  switch (rule) {
    case SeriesRule::kAnySeriesFails:
      return "any";
    case SeriesRule::kNoSeriesFails:
      return "none";
    case SeriesRule::kByValue:
      break;
  }
  return nullptr;
}

// What is asked for the latest slot, or will be for the first.
Asked asked_of(const RolloutView& view, std::size_t index) {
  const Fixed fixed{view.spec, *view.plan};
  if (auto asked = unanswered(fixed, view.state, index)) return std::move(*asked);
  if (view.state.step < 0) return question_at(fixed, index, 0, view.plan->steps.front().weight);
  return question_at(fixed, index, view.state.step, step_weight(*view.plan, view.state));
}

Json arms_json(const Asked& asked) {
  Json arms = Json::array();
  for (const AskedArm& arm : asked.arms)
    arms.push_back({{"version", name_of(arm.arm)},
                    {"counts", arm.is_bad ? "bad_events" : "all"},
                    {"query", arm.query.str()}});
  return arms;
}

void add_question(Json& json, const ReportFacts& facts, std::size_t index) {
  Asked asked = asked_of(facts.view, index);
  const bool was_asked = facts.view.state.conditions[index].last.has_value();
  const auto source = std::ranges::find(facts.datasources, asked.datasource, &DatasourceView::name);
  json["query"] = asked.query.str();
  json["arms"] = nullptr;
  if (!asked.arms.empty()) json["arms"] = arms_json(asked);
  json["evidence_query"] = asked.evidence_query ? Json(asked.evidence_query->str()) : Json(nullptr);
  json["evaluated_at"] = was_asked ? Json(format_time(asked.evaluated_at)) : Json(nullptr);
  json["datasource"] = asked.datasource;
  json["curl"] = nullptr;
  json["graph_url"] = nullptr;
  if (!was_asked || source == facts.datasources.end()) return;
  asked.datasource_url = source->url;
  asked.headers = source->headers;
  json["curl"] = curl_line(asked, asked.query.str());
  json["graph_url"] = graph_link(asked.datasource_url, asked.query.str(), asked.evaluated_at,
                                 facts.view.spec.created_at);
}

// As the plan says it, whatever the latest slot was. Of a comparison: the evidence that decides.
void add_rule(Json& json, const Plan& all, std::size_t index) {
  const ConditionPlan& plan = all.conditions[index];
  json["rule"] = rule_text(plan);
  const auto* threshold = std::get_if<ThresholdCondition>(&plan.kind);
  if (threshold == nullptr) {
    json["min_evidence"] = number_json(least_compared(std::get<CompareCondition>(plan.kind)));
    json["fail_if"] =
        limit_json(Comparison{CompareOp::kGreaterEqual, std::exp(log_needed(all, index))});
    for (const char* key : {"pass_if", "series", "reduce"}) json[key] = nullptr;
    return;
  }
  json["min_evidence"] = threshold->evidence ? number_json(threshold->min_evidence) : Json(nullptr);
  json["fail_if"] = limit_json(threshold->rule.fail_if);
  json["pass_if"] = limit_json(threshold->rule.pass_if);
  json["series"] = series_rule(threshold->rule.series);
  json["reduce"] = reduce_name(threshold->reduce);
}

Json slot_json(const StoredEvaluation& evaluation, const Json& whole) {
  Json slot{{"slot", whole.at("slot")}};
  if (evaluation.slots > 1) {
    slot["last_slot"] = whole.at("last_slot");
    slot["slots"] = evaluation.slots;
  }
  for (const char* name : {"outcome", "value", "detail", "step", "number"})
    slot[name] = whole.at(name);
  return slot;
}

Json points_json(const std::vector<HistoryPoint>& points) {
  Json at = Json::array(), value = Json::array(), low = Json::array(), high = Json::array(),
       slots = Json::array(), fails = Json::array();
  std::string outcome;
  for (const HistoryPoint& point : points) {
    at.push_back(format_time(point.at));
    value.push_back(number_json(point.value));
    low.push_back(number_json(point.low));
    high.push_back(number_json(point.high));
    slots.push_back(point.slots);
    fails.push_back(point.fails);
    outcome += kLetters[static_cast<std::size_t>(point.outcome)];
  }
  return {{"at", std::move(at)},      {"value", std::move(value)}, {"low", std::move(low)},
          {"high", std::move(high)},  {"slots", std::move(slots)}, {"outcome", outcome},
          {"fails", std::move(fails)}};
}

Json counts_of(const ConditionState& state) {
  Json counts = Json::object();
  for (std::size_t i = 0; i < kOutcomeCount; ++i)
    counts[std::string(name_of(static_cast<Outcome>(i)))] = state.counts[i];
  return counts;
}

}  // namespace

Json report_condition_json(const ReportFacts& facts, std::size_t index) {
  const RolloutView& view = facts.view;
  const ConditionPlan& plan = view.plan->conditions[index];
  const ConditionState& state = view.state.conditions[index];
  const std::optional<double> evidence = state.last ? state.last->evidence : std::nullopt;
  const std::size_t answers =
      plan.within == kWithinAll ? state.answers_of_all : state.recent.size();
  Json json{{"name", plan.name},
            {"kind", condition_kind(plan)},
            {"verdict", name_of(verdict_of({view.spec, *view.plan}, view.state, index))},
            {"gating", !plan.is_readiness && plan.on_fail != OnFail::kObserve &&
                           !view.state.conditions_only_observe},
            {"applies", plan.is_readiness || applies(plan, step_weight(*view.plan, view.state))}};
  add_question(json, facts, index);
  json["interval"] = format_duration(plan.interval);
  json["window"] = format_duration(plan.window);
  json["initial_delay"] = format_duration(plan.initial_delay);
  json["fail_after"] = plan.fail_after;
  json["within"] = plan.within == kWithinAll ? Json("all") : Json(plan.within);
  json["min_passes"] = plan.min_passes;
  json["on_fail"] = on_fail_name(plan.on_fail);
  json["on_no_data"] = on_missing_name(plan.on_no_data);
  json["on_error"] = on_missing_name(plan.on_error);
  add_rule(json, *view.plan, index);
  json["comparison"] = comparison_json(*view.plan, view.state, index);
  json["value"] = state.last ? number_json(state.last->value) : Json(nullptr);
  json["evidence"] = number_json(evidence);
  json["counts"] = counts_of(state);
  json["failing"] = fails_in_window(plan, state);
  json["answers"] = answers;
  json["passes_in_step"] = state.passes_in_step;
  json["silent_since"] = time_json(state.silent_since);
  json["failed"] = state.failed;
  json["next_slot"] =
      index < view.next_slots.size() ? time_json(view.next_slots[index]) : Json(nullptr);
  const ReportFacts::OfCondition& history = facts.history[index];
  json["slots"] = Json::array();
  for (const StoredEvaluation& evaluation : history.latest)
    json["slots"].push_back(slot_json(evaluation, evaluation_json(evaluation, *view.plan)));
  json["points"] = points_json(history.points);
  return json;
}

}  // namespace rollwatch
