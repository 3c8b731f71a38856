#include "daemon/telemetry/rollout_series.h"

namespace rollwatch {
namespace {

// Longer than most scrape intervals, and less than the minute that is promised.
constexpr Millis kSeenAfterItsEnd{45'000};

prometheus::Family<prometheus::Gauge>& gauge(prometheus::Registry& registry, const char* name,
                                             const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

std::optional<double> threshold_of(const ConditionPlan& condition) {
  return std::visit(
      [](const ThresholdCondition& threshold) -> std::optional<double> {
        if (threshold.rule.fail_if) return threshold.rule.fail_if->limit;
        if (threshold.rule.pass_if) return threshold.rule.pass_if->limit;
        return std::nullopt;
      },
      condition.kind);
}

// "a,b"
std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

}  // namespace

RolloutSeries::RolloutSeries(prometheus::Registry& registry)
    : info_(gauge(registry, "rollwatch_rollout_info",
                  "An active rollout and what it is made of; always 1.")),
      weight_(gauge(
          registry, "rollwatch_rollout_weight",
          "Share of the traffic that the candidate has, in percent, as acknowledged or reported.")),
      value_(gauge(registry, "rollwatch_condition_value",
                   "Latest value of a condition; absent while there is none.")),
      threshold_(gauge(registry, "rollwatch_condition_threshold",
                       "Limit that a condition's value is compared with.")),
      verdict_(gauge(registry, "rollwatch_condition_verdict",
                     "Verdict of a condition: 0 pending, 1 passing, 2 failing, 3 unknown, 4 "
                     "failed, 5 passed.")),
      states_(gauge(registry, "rollwatch_rollouts", "Active rollouts by state.")) {
  for (int i = 0; !is_final(static_cast<State>(i)); ++i) count(static_cast<State>(i), 0);
}

void RolloutSeries::update(const RolloutView& view, SysTime now) {
  forget(now);
  const bool ended = is_final(view.state.state);
  auto found = rollouts_.find(view.spec.id);
  if (found == rollouts_.end()) {
    if (ended) return;
    found = rollouts_.emplace(view.spec.id, begin(view)).first;
  } else {
    count(found->second.state, -1);
  }
  Rollout& rollout = found->second;
  rollout.state = view.state.state;
  count(rollout.state, 1);
  if (ended && !rollout.ended) {
    rollout.ended = now;
    ended_.push_back(view.spec.id);
  }
  rollout.weight->Set(view.state.reached_weight);
  set_conditions(rollout, view);
}

RolloutSeries::Rollout RolloutSeries::begin(const RolloutView& view) {
  const RolloutSpec& spec = view.spec;
  const prometheus::Labels place{{"namespace", spec.ns},
                                 {"service", spec.service},
                                 {"target", spec.target},
                                 {"rollout", spec.id}};
  prometheus::Labels about = place;
  about.insert(
      {{"stable", spec.stable}, {"candidate", spec.candidate}, {"policy", joined(spec.policy)}});
  Rollout rollout;
  rollout.info = &info_.Add(about);
  rollout.info->Set(1);
  rollout.weight = &weight_.Add(place);
  for (const ConditionPlan& plan : view.plan->conditions) {
    Condition condition;
    condition.labels = {{"namespace", spec.ns},
                        {"service", spec.service},
                        {"rollout", spec.id},
                        {"condition", plan.name}};
    condition.verdict = &verdict_.Add(condition.labels);
    if (const auto limit = threshold_of(plan)) {
      condition.threshold = &threshold_.Add(condition.labels);
      condition.threshold->Set(*limit);
    }
    rollout.conditions.push_back(std::move(condition));
  }
  return rollout;
}

void RolloutSeries::set_conditions(Rollout& rollout, const RolloutView& view) {
  for (std::size_t i = 0; i < rollout.conditions.size() && i < view.state.conditions.size(); ++i) {
    Condition& condition = rollout.conditions[i];
    condition.verdict->Set(static_cast<double>(verdict_of({view.spec, *view.plan}, view.state, i)));
    const auto& last = view.state.conditions[i].last;
    if (last && last->value) {
      if (condition.value == nullptr) condition.value = &value_.Add(condition.labels);
      condition.value->Set(*last->value);
    } else if (condition.value != nullptr) {
      value_.Remove(condition.value);
      condition.value = nullptr;
    }
  }
}

void RolloutSeries::forget(SysTime now) {
  while (!ended_.empty()) {
    const auto rollout = rollouts_.find(ended_.front());
    const SysTime at = *rollout->second.ended;
    // A wall clock that was set back must not keep a series for long either.
    if (now >= at && now - at < kSeenAfterItsEnd) return;
    remove(rollout->second);
    rollouts_.erase(rollout);
    ended_.pop_front();
  }
}

void RolloutSeries::drop(const std::string& rollout) {
  const auto found = rollouts_.find(rollout);
  if (found == rollouts_.end() || found->second.ended) return;
  count(found->second.state, -1);
  remove(found->second);
  rollouts_.erase(found);
}

void RolloutSeries::remove(Rollout& rollout) {
  info_.Remove(rollout.info);
  weight_.Remove(rollout.weight);
  for (const Condition& condition : rollout.conditions) {
    verdict_.Remove(condition.verdict);
    if (condition.threshold != nullptr) threshold_.Remove(condition.threshold);
    if (condition.value != nullptr) value_.Remove(condition.value);
  }
}

void RolloutSeries::count(State state, int change) {
  if (!is_final(state)) states_.Add({{"state", std::string(name_of(state))}}).Increment(change);
}

}  // namespace rollwatch
