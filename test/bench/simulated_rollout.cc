#include "test/bench/simulated_rollout.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rollwatch::bench {
namespace {

constexpr int kPods = 19;  // of stable

// The step in which the slot is when every step is as long as every other.
std::size_t scheduled(int number, std::size_t steps) {
  const int slots = SimulatedRollout::kSlots / static_cast<int>(steps);
  return static_cast<std::size_t>((number - 1) / slots);
}

// The finisher of SplitMix64: neighbours become strangers.
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

Chance Chance::of(std::uint64_t seed, std::uint64_t number) {
  return Chance(mixed(mixed(seed) + number * 0x9e3779b97f4a7c15));
}

double Chance::uniform() { return (static_cast<double>(engine_() >> 11) + 0.5) * 0x1p-53; }

double Chance::normal() {
  return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform());
}

double Chance::poisson(double mean) {
  double count = 0;
  // In parts, so that the first probability does not vanish.
  for (; mean > 30; mean -= 30) count += poisson(30);
  double left = uniform();
  double probability = std::exp(-mean);
  for (double at = 0; left > probability && at < 1000; ++at, ++count) {
    left -= probability;
    probability *= mean / (at + 1);
  }
  return count;
}

double Chance::binomial(double of, double probability) {
  const double p = std::min(1.0, probability);
  if (p > 0.5) return of - binomial(of, 1 - p);
  // In parts, so that the first probability does not vanish.
  if (of * p > 60) {
    const double half = std::floor(of / 2);
    return binomial(half, p) + binomial(of - half, p);
  }
  double left = uniform();
  double here = std::exp(of * std::log1p(-p));
  double count = 0;
  for (const double odds = p / (1 - p); left > here && count < of; ++count) {
    left -= here;
    here *= odds * (of - count) / (count + 1);
  }
  return count;
}

double Chance::student_3() {
  const double one = normal();
  const double squares = one * one - 2 * std::log(uniform());
  return normal() / std::sqrt(squares / 3);
}

double Chance::log_normal_factor(double variation) {
  if (variation <= 0) return 1;
  const double variance = std::log1p(variation * variation);
  return std::exp(std::sqrt(variance) * normal() - variance / 2);
}

SimulatedRollout::SimulatedRollout(World world, Chance& chance)
    : world_(world), chance_(chance), by_step_(world.weights().size()) {
  for (int pod = 0; pod <= kPods; ++pod)
    pod_factors_.push_back(chance.log_normal_factor(world_.pod_variation));
  for (int i = 0; i < kHistory; ++i) history_.push_back(past());
  const std::vector<double> weights = world_.weights();
  for (int i = 1; i <= kSlots; ++i) {
    const Weather now = weather();
    for (std::size_t step = 0; step < weights.size(); ++step)
      by_step_[step].push_back(drawn(i, weights[step] / 100, now));
    slots_.push_back(by_step_[scheduled(i, weights.size())].back());
  }
}

const SimulatedSlot& SimulatedRollout::slot(int number, int step) const {
  return by_step_[static_cast<std::size_t>(step)][static_cast<std::size_t>(number) - 1];
}

double SimulatedRollout::errors(double events, double rate) {
  const double mean_rate = rate * chance_.log_normal_factor(world_.pod_slot_variation);
  if (world_.burst <= 1) return chance_.binomial(events, mean_rate);
  // Incidents of sizes that fall geometrically.
  double bad = 0;
  for (double incidents = chance_.poisson(events * mean_rate / world_.burst); incidents > 0;
       --incidents)
    bad += 1 + std::floor(std::log(chance_.uniform()) / std::log1p(-1 / world_.burst));
  return bad;
}

SimulatedRollout::Weather SimulatedRollout::weather() {
  const double swing = world_.ramps ? 0.5 + chance_.uniform() : 1;
  return {swing, chance_.uniform() < world_.incident_share ? 16.0 : 1.0};
}

// Stable alone, with the load that it has in the first step.
SimulatedSlot SimulatedRollout::past() {
  SimulatedSlot before = drawn(0, world_.weights().front() / 100, weather());
  before.candidate = {};
  return before;
}

SimulatedSlot SimulatedRollout::drawn(int number, double share, const Weather& weather) {
  const double traffic = world_.traffic * weather.swing;
  const double candidate_rate =
      number >= world_.worse_from ? world_.candidate_rate : world_.stable_rate;
  SimulatedSlot slot;
  slot.candidate.events = std::round(traffic * share);
  slot.candidate.bad =
      errors(slot.candidate.events, weather.shared * candidate_rate * pod_factors_[0]);
  for (int pod = 1; pod <= kPods; ++pod) {
    const double events = std::round(traffic * (1 - share) / kPods);
    const double rate = world_.stable_rate * pod_factors_[static_cast<std::size_t>(pod)];
    slot.pods.push_back({events, errors(events, weather.shared * rate)});
  }
  return slot;
}

}  // namespace rollwatch::bench
