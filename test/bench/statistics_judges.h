// Who judges the simulated rollouts of rollwatch_bench_statistics, and how what they said is
// counted.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analysis/statistics/rate.h"
#include "test/bench/judged_rollout.h"
#include "test/bench/simulated_rollout.h"

namespace rollwatch::bench {

// The slot, from 1 on, in which it would have rolled back, or promoted.
using Judge = std::function<int(const SimulatedRollout&)>;

// ---- The product, from answers to decisions

Judge by_threshold(double limit, int in_a_row);
Judge by_rate(const statistics::RateRules& rules, double alpha);
Judge by_ranks(double alpha);
Judge promoting_early(const statistics::RateRules& rules, double alpha);

// ---- Its formulas alone

// Without the placebo guard, which needs pods.
Judge formula(const statistics::RateRules& rules, double alpha);
// And without what bursts made necessary: each error is taken for one of its own, and no cap.
Judge trusting_formula(double alpha);

statistics::RateRules rules_with(
    double factor, double extra,
    statistics::DispersionMode mode = statistics::DispersionMode::kAuto);

struct Procedure {
  std::string name;
  Judge judge;
  int every = 1;      // only each so-manieth replication is shown to it
  double alpha = -1;  // that is promised; below 0: nothing is
};

// Thresholds, textbook tests, and ours.
std::vector<Procedure> procedures();

// ---- Counting

struct Found {
  int replications = 0;
  std::vector<int> slots;  // of those that were found

  void add(int slot);
  double share() const;
  std::string percent() const;
  // Of what is seen where the truth is `share`.
  double standard_error(double share) const;
  // The share, and the median over all, those that were never found included.
  std::string with_delay() const;
};

// On all processors; in no order.
void each_in_parallel(int count, const std::function<void(int)>& work);

// A row for each procedure, a column for each world.
std::vector<std::vector<Found>> tried(const std::vector<Procedure>& all,
                                      const std::vector<World>& worlds, int replications,
                                      std::uint64_t seed);

// One number, as printf writes it.
std::string text_of(const char* format, double value);
// The binomial standard error of a share of so many.
void say_error(int replications, double share);

class Table {
 public:
  explicit Table(std::vector<std::string> head) { add(std::move(head)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace rollwatch::bench
