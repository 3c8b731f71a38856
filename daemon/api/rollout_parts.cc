// What several views of a rollout have in common.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <tuple>
#include <variant>

#include "daemon/api/json_values.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

// The worst first.
int rank_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFailed:
      return 0;
    case Verdict::kFailing:
      return 1;
    case Verdict::kUnknown:
      return 2;
    case Verdict::kPending:
      return 3;
    case Verdict::kPassing:
      return 4;
    case Verdict::kPassed:
      break;
  }
  return 5;
}

// How far on the way to its limit the latest value is: 1 is there. Of "> 0.05", 0.04 is at 0.8; of
// "< 100", 200 is at 0.5.
double nearness(const ConditionPlan& plan, const ConditionState& state) {
  const auto limit = failing_limit(plan, state);
  if (!limit || !state.last || !state.last->value) return 0;
  const double value = *state.last->value;
  const bool is_above = limit->op == CompareOp::kGreater || limit->op == CompareOp::kGreaterEqual;
  const double share = is_above ? value / limit->limit : limit->limit / value;
  return std::isfinite(share) ? share : 0;
}

}  // namespace

std::string_view on_fail_name(OnFail on_fail) {
  switch (on_fail) {
    case OnFail::kRollback:
      return "rollback";
    case OnFail::kPause:
      return "pause";
    case OnFail::kObserve:
      return "observe";
  }
  return "";
}

std::string_view on_missing_name(OnMissing on_missing) {
  switch (on_missing) {
    case OnMissing::kWait:
      return "wait";
    case OnMissing::kFail:
      return "fail";
    case OnMissing::kIgnore:
      return "ignore";
  }
  return "";
}

Json step_json(const RolloutView& view) {
  if (view.state.step < 0) return nullptr;
  return {{"index", view.state.step},
          {"weight", number_json(step_weight(*view.plan, view.state))},
          {"since", time_json(view.state.step_since)},
          {"count", view.plan->steps.size()}};
}

Json question_json(const RolloutView& view) {
  const auto& question = view.state.question;
  if (!question) return nullptr;
  return {{"id", question_id(*question)},
          {"kind", name_of(question->kind)},
          {"text", question->text},
          {"since", format_time(question->since)},
          {"lifts_itself", lifts_itself(*question)}};
}

std::string reason_of(const RolloutState& state) {
  if (state.state == State::kWaiting && !state.waits_for.empty()) return state.waits_for;
  return state.reason;
}

// One that has ended, or is rolling back, is held by nothing any more.
Json held_by_json(const RolloutState& state) {
  const bool held = state.freeze && !is_final(state.state) && state.state != State::kRollingBack;
  return held ? Json(state.freeze->text) : Json(nullptr);
}

Json next_slot_json(const RolloutView& view) {
  std::optional<SysTime> first;
  for (const auto& slot : view.next_slots)
    if (slot && (!first || *slot < *first)) first = slot;
  return time_json(first);
}

// How far it is: the steps done and the share of the current one's hold, the promotion counted as
// one more step. 100 is kept for a promotion: there are tools that take it for success. What ended
// otherwise stays where it was.
int percent_of(const RolloutView& view) {
  constexpr double kNearlyAll = 99;
  const RolloutState& state = view.state;
  if (state.state == State::kPromoted) return 100;
  if (state.state == State::kSoaking) return static_cast<int>(kNearlyAll);
  const auto steps = static_cast<double>(view.plan->steps.size());
  double done = std::max(state.step, 0);
  if (state.state == State::kPromoting) {
    done = steps;
  } else if (state.step >= 0 && state.hold_since && state.step < static_cast<int>(steps)) {
    const Millis hold =
        view.plan->steps[static_cast<std::size_t>(state.step)].hold + state.extension;
    const Millis held = state.ended_at.value_or(state.updated_at) - *state.hold_since;
    if (hold > Millis{0})
      done += std::clamp(static_cast<double>(held.count()) / static_cast<double>(hold.count()), 0.0,
                         1.0);
  }
  return static_cast<int>(std::min(kNearlyAll, std::floor(100 * done / (steps + 1))));
}

std::string_view condition_kind(const ConditionPlan& condition) {
  if (condition.is_readiness) return "readiness";
  if (comparison_of(condition) != nullptr) return "comparison";
  return count_of(condition) != nullptr ? "count" : "threshold";
}

std::optional<Comparison> failing_limit(const ConditionPlan& condition,
                                        const ConditionState& state) {
  const auto* threshold = std::get_if<ThresholdCondition>(&condition.kind);
  // Of a comparison: the evidence that decides.
  if (threshold == nullptr) return state.last ? state.last->rule : std::nullopt;
  if (threshold->rule.series != SeriesRule::kByValue) return std::nullopt;
  return threshold->rule.fail_if;
}

std::optional<std::size_t> worst_condition(const RolloutView& view) {
  if (const auto ready = readiness_of(*view.plan);
      ready && view.state.state == State::kWaiting && !view.state.question)
    return ready;
  std::optional<std::size_t> worst;
  const auto order = [&](std::size_t i) {
    const ConditionPlan& plan = view.plan->conditions[i];
    return std::tuple(plan.is_readiness, plan.on_fail == OnFail::kObserve,
                      rank_of(verdict_of({view.spec, *view.plan}, view.state, i)),
                      -nearness(plan, view.state.conditions[i]));
  };
  const std::size_t count = std::min(view.plan->conditions.size(), view.state.conditions.size());
  for (std::size_t i = 0; i < count; ++i)
    if (!worst || order(i) < order(*worst)) worst = i;
  return worst;
}

}  // namespace rollwatch
