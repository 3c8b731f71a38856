#include "analysis/compare/outlook.h"

#include <algorithm>
#include <cmath>

#include "analysis/compare/standing.h"
#include "analysis/comparison.h"

namespace rollwatch {
namespace {

using statistics::ExpectedTick;
using statistics::Side;

// The share of the traffic, held for how long: what the plan intends. Without weights nobody knows
// the share; a tenth stands for it, and is named.
struct Intended {
  double weight = 10;  // percent, of the first step that has any
  double mean_weight = 10;
  Millis span{0};
  bool is_guess = false;
};

Intended intended(const Plan& plan) {
  Intended found;
  double weighed = 0;
  double first = 0;
  for (const StepPlan& step : plan.steps) {
    found.span += step.hold;
    if (!step.weight) continue;
    if (first == 0) first = *step.weight;
    weighed += *step.weight * static_cast<double>(step.hold.count());
  }
  found.is_guess = first == 0;
  if (found.is_guess) return found;
  found.weight = first;
  found.mean_weight =
      found.span > Millis{0} ? weighed / static_cast<double>(found.span.count()) : first;
  return found;
}

ExpectedTick expected(double events, double rate, double weight, double dispersion) {
  const double part = std::clamp(weight / 100, 0.0, 1.0);
  return {events * part, events * (1 - part), rate, dispersion};
}

std::string about(double slots, Millis interval) {
  const double minutes = slots * static_cast<double>(interval.count()) / 60'000;
  if (minutes < 1) return std::to_string(static_cast<int>(std::ceil(minutes * 60))) + " seconds";
  if (minutes < 1.5) return "a minute";
  if (minutes < 120) return std::to_string(static_cast<int>(std::ceil(minutes))) + " minutes";
  return std::to_string(static_cast<int>(std::ceil(minutes / 60))) + " hours";
}

}  // namespace

std::string outlook_of(const Plan& plan, std::size_t i, const statistics::ComparisonState& state) {
  const ConditionPlan& condition = plan.conditions[i];
  const auto* compares = std::get_if<CompareCondition>(&condition.kind);
  const auto* rules = compares ? std::get_if<statistics::RateRules>(&compares->rules) : nullptr;
  const auto* rate = std::get_if<statistics::RateState>(&state.process);
  if (rules == nullptr || rate == nullptr || state.history_slots == 0) return "";
  const double events = state.history.events / static_cast<double>(state.history_slots);
  const double seconds = static_cast<double>(condition.interval.count()) / 1000;
  const Intended plans = intended(plan);
  const std::string traffic = "at " + format_number(events / seconds) + " a second, " +
                              format_number(plans.weight) + " % of it" +
                              (plans.is_guess ? " (a guess: the plan has no weights)" : "");
  if (events <= 0) return "stable has served nothing lately: what can be seen is not known";
  const double before = state.history.bad / state.history.events;
  // Where nothing was bad so far a doubling is nothing either; one bad event in a thousand is
  // shown.
  const double base = before > 0 ? before : 0.001;
  const double dispersion = rate->dispersion.factor(rules->dispersion);
  const double level =
      std::exp(-standing_of(plan, {plan.conditions.size(), ConditionState{}}, i).log_needed);
  const auto doubled =
      statistics::expected_slots(expected(events, before, plans.weight, dispersion), Side::kHarm,
                                 rules->tolerance, 2 * base, level);
  std::string text = traffic + ": ";
  text += before > 0 ? "a doubling of stable's " + format_number(100 * before) + " %"
                     : std::string("0.2 % bad, where stable has none,");
  text += doubled ? " is found within about " + about(*doubled, condition.interval)
                  : " is within the tolerance, and never found";
  if (plans.span <= Millis{0}) return text;
  const double slots =
      static_cast<double>(plans.span.count()) / static_cast<double>(condition.interval.count());
  const auto least = statistics::smallest_visible_rate(
      expected(events, before, plans.mean_weight, dispersion), rules->tolerance, level, slots);
  if (!least) return text + "; nothing is found before the end of the last step";
  if (before > 0)
    return text + "; less than " + format_number(std::round(10 * *least / before) / 10) +
           " times is not found before the end of the last step";
  return text + "; less than " + format_number(100 * *least) +
         " % is not found before the end of the last step";
}

}  // namespace rollwatch
