#include "analysis/compare/outlook.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "analysis/compare/standing.h"
#include "analysis/comparison.h"

namespace rollwatch {
namespace {

using statistics::ExpectedTick;
using statistics::RateRules;
using statistics::Side;

// Without weights nobody knows the candidate's share; this stands for it, and is said to.
constexpr double kGuessedWeight = 10;

// What of stable's past is counted on, in one slot.
struct OfStable {
  double events = 0;
  double rate = 0;
  double dispersion = 1;
};

std::optional<double> first_weight(const Plan& plan) {
  for (const StepPlan& step : plan.steps)
    if (step.weight && *step.weight > 0) return step.weight;
  return std::nullopt;
}

// What a plan can find of a condition's candidate, step by step: with a larger share it takes fewer
// slots.
class Foresight {
 public:
  Foresight(const Plan& plan, std::size_t i, const RateRules& rules, const OfStable& expected)
      : plan_(plan),
        condition_(plan.conditions[i]),
        rules_(rules),
        expected_(expected),
        level_(std::exp(-log_needed(plan, i))) {
    for (const StepPlan& step : plan.steps) span_ += step.hold;
  }

  // Whether it lasts a known time: without any hold nobody knows when it ends.
  bool has_end() const { return span_ > Millis{0}; }

  // Slots until a candidate of this rate has probably been found; nothing: not before the end, or
  // never.
  std::optional<double> slots_to_find(double rate) const {
    if (!has_end()) {
      const auto takes = slots_at(first_weight(plan_), rate);
      if (!takes) return std::nullopt;
      return *takes + not_compared(true);
    }
    double found = 0, passed = 0;  // of 1; slots
    for (const StepPlan& step : plan_.steps) {
      const double slots = in_slots(step.hold);
      const double unseen = std::min(slots, not_compared(passed == 0));
      const auto takes =
          applies(condition_, step.weight) ? slots_at(step.weight, rate) : std::nullopt;
      if (takes) {
        const double left = (1 - found) * *takes;
        if (left <= slots - unseen) return passed + unseen + left;
        found += (slots - unseen) / *takes;
      }
      passed += slots;
    }
    return std::nullopt;
  }

  bool is_tolerated(double rate) const { return !slots_at(first_weight(plan_), rate); }

  // The smallest rate that is probably found before the end.
  std::optional<double> least_found() const {
    if (!slots_to_find(1)) return std::nullopt;
    double low = 0, high = 1;
    for (int i = 0; i < 60; ++i) {
      const double middle = (low + high) / 2;
      (slots_to_find(middle) ? high : low) = middle;
    }
    return high;
  }

 private:
  double in_slots(Millis span) const {
    return static_cast<double>(span.count()) / static_cast<double>(condition_.interval.count());
  }
  // When a step begins; the very first slot only remembers.
  double not_compared(bool is_first) const {
    return in_slots(comparison_of(condition_)->warmup) + (is_first ? 1 : 0);
  }
  std::optional<double> slots_at(std::optional<double> weight, double rate) const {
    const double part = std::clamp(weight.value_or(kGuessedWeight) / 100, 0.0, 1.0);
    const ExpectedTick tick{expected_.events * part, expected_.events * (1 - part), expected_.rate,
                            expected_.dispersion};
    return statistics::expected_slots(tick, Side::kHarm, rules_.tolerance, rate, level_);
  }

  const Plan& plan_;
  const ConditionPlan& condition_;
  const RateRules& rules_;
  const OfStable expected_;
  const double level_;
  Millis span_{0};
};

std::string rounded_up(double number) {
  return std::to_string(static_cast<int>(std::ceil(std::min(number, 1e6))));
}

std::string about(double slots, Millis interval) {
  const double minutes = slots * static_cast<double>(interval.count()) / 60'000;
  constexpr double kMinutesOfADay = 24 * 60, kMostDays = 999;
  if (minutes < 1) return rounded_up(minutes * 60) + " seconds";
  if (minutes < 1.5) return "a minute";
  if (minutes < 120) return rounded_up(minutes) + " minutes";
  if (minutes < 2 * kMinutesOfADay) return rounded_up(minutes / 60) + " hours";
  if (minutes > kMostDays * kMinutesOfADay) return rounded_up(kMostDays) + " days, or more";
  return rounded_up(minutes / kMinutesOfADay) + " days";
}

// "1.4 times"; of a stable that had nothing bad "0.2 %".
std::string size_text(double rate, double before, double (*round)(double)) {
  return before > 0 ? format_number(round(10 * rate / before) / 10) + " times"
                    : format_number(round(100'000 * rate) / 1'000) + " %";
}

constexpr const char* kNotFound = " is not found before the end of the last step";

}  // namespace

std::string outlook_of(const Plan& plan, std::size_t i, const statistics::ComparisonState& state) {
  const ConditionPlan& condition = plan.conditions[i];
  const auto* compares = std::get_if<CompareCondition>(&condition.kind);
  const auto* rules = compares ? std::get_if<RateRules>(&compares->rules) : nullptr;
  const auto* rate = std::get_if<statistics::RateState>(&state.process);
  if (rules == nullptr || rate == nullptr || state.history_slots == 0) return "";
  const double events = state.history.events / static_cast<double>(state.history_slots);
  if (events <= 0) return "stable has served nothing lately: what can be seen is not known";
  const double before = state.history.bad / state.history.events;
  const Foresight foresight(plan, i, *rules,
                            {events, before, rate->dispersion.factor(rules->dispersion)});
  const double seconds = static_cast<double>(condition.interval.count()) / 1000;
  const auto weight = first_weight(plan);
  std::string text = "at " + format_number(events / seconds) + " a second, " +
                     format_number(weight.value_or(kGuessedWeight)) + " % of it" +
                     (weight ? "" : " (a guess: the plan has no weights)") + ": ";
  // Where nothing was bad so far a doubling is nothing either; one bad event in a thousand is
  // shown.
  const double doubled = 2 * (before > 0 ? before : 0.001);
  text += before > 0 ? "a doubling of stable's " + format_number(100 * before) + " %"
                     : std::string("0.2 % bad, where stable has none,");
  if (foresight.is_tolerated(doubled)) {
    text += " is within the tolerance, and never found";
  } else if (const auto slots = foresight.slots_to_find(doubled)) {
    text += " is found within about " + about(*slots, condition.interval);
  } else {
    text += kNotFound;
    if (const auto least = foresight.least_found())
      return text + ", only " + size_text(*least, before, std::ceil) + " or more";
    return text + ", nor is anything else";
  }
  if (!foresight.has_end()) return text;
  const auto least = foresight.least_found();
  if (!least) return text + "; nothing is found before the end of the last step";
  return text + "; less than " + size_text(*least, before, std::round) + kNotFound;
}

}  // namespace rollwatch
