#include "test/bench/simulated_rollout.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rollwatch::bench {
namespace {

constexpr int kPods = 19;  // of stable

// 5, 25 and 50 %, twenty slots of each.
double weight_of(const World& world, int number) {
  if (!world.ramps || number <= 20) return 0.05;
  return number <= 40 ? 0.25 : 0.5;
}

}  // namespace

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

SimulatedRollout::SimulatedRollout(const World& world, Chance& chance)
    : world_(world), chance_(chance) {
  for (int pod = 0; pod <= kPods; ++pod)
    pod_factors_.push_back(chance.log_normal_factor(world.pod_variation));
  for (int i = 0; i < kHistory; ++i) history_.push_back(slot(0));
  for (int i = 1; i <= kSlots; ++i) slots_.push_back(slot(i));
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

SimulatedSlot SimulatedRollout::slot(int number) {
  const double swing = world_.ramps ? 0.5 + chance_.uniform() : 1;
  const double shared = chance_.uniform() < world_.incident_share ? 16 : 1;
  const double weight = weight_of(world_, number);
  const double traffic = world_.traffic * swing;
  SimulatedSlot slot;
  if (number > 0) {
    const double rate = number >= world_.worse_from ? world_.candidate_rate : world_.stable_rate;
    slot.candidate.events = std::round(traffic * weight);
    slot.candidate.bad = errors(slot.candidate.events, shared * rate * pod_factors_[0]);
  }
  for (int pod = 1; pod <= kPods; ++pod) {
    const double events = std::round(traffic * (1 - weight) / kPods);
    const double rate = world_.stable_rate * pod_factors_[static_cast<std::size_t>(pod)];
    slot.pods.push_back({events, errors(events, shared * rate)});
  }
  return slot;
}

}  // namespace rollwatch::bench
