// The promise, computed and not simulated, of the whole judging path: every outcome of small slots
// goes through counters and answers, with its probability. (That no bet gains on average, of rates,
// histograms and gauges, is in statistics/validity_test.cc.)
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>
#include <span>
#include <utility>

#include "test/analysis/compare_fixture.h"

namespace rollwatch {
namespace {

using Generator = std::mt19937_64;

double between(Generator& random, double from, double to) {
  return std::uniform_real_distribution<double>(from, to)(random);
}
int one_of(Generator& random, int from, int to) {
  return std::uniform_int_distribution<int>(from, to)(random);
}

// Each arm has two pods, and each pod two requests that may fail; all others of it succeed.
struct SmallSlot {
  double candidate_events = 0, stable_events = 0;  // of each pod
  double candidate_rate = 0, stable_rate = 0;      // of each request that may fail
};
constexpr int kOutcomes = 3 * 3 * 3 * 3;

SmallSlot on_the_edge(Generator& random, const statistics::Tolerance& tolerance) {
  SmallSlot slot{static_cast<double>(one_of(random, 2, 30)),
                 static_cast<double>(one_of(random, 2, 300)), 0, between(random, 0, 0.3)};
  const double allowed =
      tolerance.factor * slot.candidate_events / slot.stable_events * 4 * slot.stable_rate +
      tolerance.extra * 2 * slot.candidate_events;
  slot.candidate_rate = std::min(1.0, allowed / 4);
  return slot;
}

// The outcome's number is four digits to the base three: what failed of each pod.
double serve(Compared& rollout, const SmallSlot& slot, int outcome) {
  static constexpr std::array kWays{1.0, 2.0, 1.0};
  double probability = 1;
  for (int pod = 0; pod < 4; ++pod, outcome /= 3) {
    const bool is_candidate = pod < 2;
    const double rate = is_candidate ? slot.candidate_rate : slot.stable_rate;
    const int bad = outcome % 3;
    Counts& counts = is_candidate ? rollout.candidate["candidate-" + std::to_string(pod)]
                                  : rollout.stable["stable-" + std::to_string(pod - 2)];
    counts.events += is_candidate ? slot.candidate_events : slot.stable_events;
    counts.bad += bad;
    probability *=
        kWays[static_cast<std::size_t>(bad)] * std::pow(rate, bad) * std::pow(1 - rate, 2 - bad);
  }
  return probability;
}

// So much that a restart is seen, whatever comes after it.
Compared counted_before(const Plan& plan) {
  Compared rollout(plan);
  rollout.stable = Pods("stable", 2);
  rollout.play("begin ack");
  rollout.candidate.add({10'000, 1'000});
  rollout.stable.add({10'000, 1'000});
  for (const ConditionPlan& one : plan.conditions) rollout.ask(one.name);
  return rollout;
}

Plan with_tolerance(const statistics::Tolerance& tolerance, int conditions, double alpha) {
  std::vector<ConditionPlan> all;
  for (int i = 0; i < conditions; ++i) {
    all.push_back(compared_rate("errors-" + std::to_string(i)));
    std::get<statistics::RateRules>(comparison(all.back()).rules).tolerance = tolerance;
    comparison(all.back()).warmup = Millis{0};
    comparison(all.back()).alpha = alpha;
  }
  return long_steps(std::move(all));
}

statistics::Tolerance some_tolerance(Generator& random) {
  return {between(random, 0.7, 2.5), std::max(0.0, between(random, -0.004, 0.01))};
}

TEST(ComparePromise, ASlotOfOneThatIsWithinToleranceAddsNothingOnAverage) {
  Generator random(20'240'601);
  double most = 0;
  for (int setting = 0; setting < 60; ++setting) {
    const auto tolerance = some_tolerance(random);
    Compared before = counted_before(with_tolerance(tolerance, 1, 0.001));
    // Some evidence, for or against: what was before must not matter.
    for (int slot = one_of(random, 0, 3); slot > 0; --slot) {
      serve(before, on_the_edge(random, tolerance), one_of(random, 0, kOutcomes - 1));
      before.ask("errors-0");
    }
    if (setting % 3 == 0) before.candidate["candidate-0"] = {};  // began anew
    if (setting % 3 == 1) before.stable["stable-1"] = {};
    const SmallSlot slot = on_the_edge(random, tolerance);
    double mean = 0, all = 0;
    for (int outcome = 0; outcome < kOutcomes; ++outcome) {
      Compared after = before;
      const double probability = serve(after, slot, outcome);
      after.ask("errors-0");
      mean += probability * std::exp(after.log_evidence() - before.log_evidence());
      all += probability;
    }
    ASSERT_NEAR(all, 1, 1e-12);
    ASSERT_LE(mean, 1 + 1e-11) << "setting " << setting;
    most = std::max(most, mean);
  }
  EXPECT_GT(most, 0.97) << "nothing came near the edge";
}

// The chance that it is rolled back in one of the slots, over all their outcomes.
double chance_of_rollback(const Compared& before, std::span<const SmallSlot> slots) {
  if (before.state.state == State::kRollingBack) return 1;
  if (slots.empty()) return 0;
  double chance = 0;
  // Of those that look alike to a sum, one is played.
  std::map<std::pair<int, int>, std::pair<int, double>> alike;
  for (int outcome = 0; outcome < kOutcomes; ++outcome) {
    const std::pair key{outcome % 3 + outcome / 3 % 3, outcome / 9 % 3 + outcome / 27};
    Compared sample = before;
    auto& [number, probability] = alike[key];
    number = outcome;
    probability += serve(sample, slots.front(), outcome);
  }
  for (const auto& [key, one] : alike) {
    Compared after = before;
    serve(after, slots.front(), one.first);
    for (const ConditionPlan& condition : after.plan().conditions)
      if (after.state.state == State::kAnalyzing) after.ask(condition.name);
    chance += one.second * chance_of_rollback(after, slots.subspan(1));
  }
  return chance;
}

TEST(ComparePromise, OneThatIsWithinToleranceIsRolledBackWithAtMostAlpha) {
  Generator random(7);
  double most = 0;
  for (int setting = 0; setting < 8; ++setting) {
    const auto tolerance = some_tolerance(random);
    const double alpha = 0.3 + 0.05 * setting;
    // Two that know the same share one alpha.
    const Compared before = counted_before(with_tolerance(tolerance, 1 + setting % 2, alpha));
    const std::vector<SmallSlot> slots{on_the_edge(random, tolerance),
                                       on_the_edge(random, tolerance),
                                       on_the_edge(random, tolerance)};
    const double chance = chance_of_rollback(before, slots);
    ASSERT_LE(chance, alpha + 1e-11) << "setting " << setting;
    most = std::max(most, chance / alpha);
  }
  EXPECT_GT(most, 0.1) << "nothing was ever rolled back";
}

}  // namespace
}  // namespace rollwatch
