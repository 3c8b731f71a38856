// Rollouts as they might have been: traffic of twenty pods, one of them the candidate, with errors
// that come alone or in bursts, incidents that both versions share, and pods that differ. Seeded,
// and the same on every machine: of the standard library only the engine is used, whose numbers are
// laid down.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "analysis/statistics/counts.h"

namespace rollwatch::bench {

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}
  // Of one of many: what one draws does not move what the next one does.
  static Chance of(std::uint64_t seed, std::uint64_t number);

  double uniform();  // above 0, below 1
  double normal();
  double poisson(double mean);
  double binomial(double of, double probability);
  double student_3();  // heavy tails: Student's t of three degrees of freedom
  // Around 1, with this coefficient of variation.
  double log_normal_factor(double variation);

 private:
  std::mt19937_64 engine_;
};

struct World {
  double traffic = 1000;  // requests a slot, all pods together
  double stable_rate = 0.005;
  double candidate_rate = 0.005;
  int worse_from = 1;             // the slot from which the candidate has its rate
  double incident_share = 0;      // of the slots, in which both have sixteen times the errors
  bool ramps = false;             // three steps of twenty slots, and traffic swings by half
  double burst = 1;               // errors of an incident, on average
  double pod_slot_variation = 0;  // of a pod's rate, anew in each slot
  double pod_variation = 0;       // of a pod's rate, for good

  // The candidate's share of each step, in percent.
  std::vector<double> weights() const {
    return ramps ? std::vector<double>{5, 25, 50} : std::vector<double>{5};
  }
};

struct SimulatedSlot {
  statistics::ArmCounts candidate;
  std::vector<statistics::ArmCounts> pods;  // of stable
};

class SimulatedRollout {
 public:
  static constexpr int kSlots = 60;
  static constexpr int kHistory = 30;

  SimulatedRollout(World world, Chance& chance);

  const World& world() const { return world_; }
  // The past first, in which the candidate has served nothing.
  const std::vector<SimulatedSlot>& history() const { return history_; }
  // With every step as long as every other.
  const std::vector<SimulatedSlot>& slots() const { return slots_; }
  // The slot (from 1 on) as it is when the rollout is at that step then: it may have been kept.
  const SimulatedSlot& slot(int number, int step) const;

 private:
  // Of a slot, whatever share the candidate has of it.
  struct Weather {
    double swing = 1;
    double shared = 1;
  };

  Weather weather();
  SimulatedSlot past();
  SimulatedSlot drawn(int number, double share, const Weather& weather);
  double errors(double events, double rate);

  World world_;
  Chance& chance_;
  std::vector<double> pod_factors_;  // the candidate's first
  std::vector<SimulatedSlot> history_, slots_;
  std::vector<std::vector<SimulatedSlot>> by_step_;
};

}  // namespace rollwatch::bench
