// Who judges the simulated rollouts of rollwatch_bench_statistics, and how what they said is
// counted.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analysis/statistics/rate.h"
#include "test/bench/simulated_rollout.h"

namespace rollwatch::bench {

// The slot, from 1 on, in which it would have rolled back, or promoted.
using Judge = std::function<int(const SimulatedRollout&)>;
inline constexpr int kNever = 0;

Judge ours(const statistics::RateRules& rules, double alpha, bool with_placebo = false);
// Ours without what bursts made necessary: each error is taken for one of its own, and no cap.
Judge ours_trusting(double alpha);
Judge ours_promoting(const statistics::RateRules& rules, double alpha);
statistics::RateRules rules_with(
    double factor, double extra,
    statistics::DispersionMode mode = statistics::DispersionMode::kAuto);

struct Procedure {
  std::string name;
  Judge judge;
  int every = 1;  // only each so-manieth replication is shown to it
};

// Thresholds, textbook tests, and ours.
std::vector<Procedure> procedures();
inline constexpr std::size_t kRepeatedZTest = 4, kOursAt5Percent = 7;

// ---- Counting

struct Found {
  int replications = 0;
  std::vector<int> slots;  // of those that were found

  void add(int slot);
  double share() const;
  std::string percent() const;
  // The share, and the median over all, those that were never found included.
  std::string with_delay() const;
};

// A row for each procedure, a column for each world.
std::vector<std::vector<Found>> tried(const std::vector<Procedure>& all,
                                      const std::vector<World>& worlds, int replications,
                                      std::uint64_t seed);

class Table {
 public:
  explicit Table(std::vector<std::string> head) { add(std::move(head)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace rollwatch::bench
