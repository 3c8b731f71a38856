// What all pretended rollouts of a calibration say together, and what that means.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "analysis/compare/pretended_rollout.h"
#include "analysis/statistics/rate_report.h"

namespace rollwatch {

// Of a share, with 95 % (Wilson's): where it lies if this many were found of so many, one
// independent of the other. From 0 to 1 where there were none.
statistics::Interval interval_of_share(std::size_t found, std::size_t of);

class CalibrationTotal {
 public:
  enum class Meaning : unsigned char {
    kNothing,  // there were no trials
    kWithin,   // no more than alpha, as far as can be told, and that is far enough
    kUnclear,  // alpha lies in the interval
    kAbove,    // more than alpha
  };
  struct Pod {
    std::string name;
    std::size_t trials = 0;
    std::size_t rolled_back = 0;
  };

  explicit CalibrationTotal(double alpha) : alpha_(alpha) {}

  void add(const std::string& pod, const PretendedEnd& end);

  std::size_t trials() const { return trials_; }
  std::size_t rolled_back() const { return rolled_back_; }
  double share() const;  // 0 without trials
  statistics::Interval interval() const { return interval_of_share(rolled_back_, trials_); }
  Meaning meaning() const;
  // Of rollbacks: whose condition's evidence it was, by its index in the plan.
  const std::map<std::size_t, std::size_t>& by_condition() const { return by_condition_; }
  // Those that were rolled back, the most frequent first.
  std::vector<Pod> worst_pods(std::size_t most) const;

  // What it means and what is to be done, in sentences. `most_pods` is how many there were in any
  // window.
  std::vector<std::string> words(std::size_t most_pods) const;

 private:
  std::string advice(std::size_t most_pods) const;

  const double alpha_;
  std::size_t trials_ = 0, rolled_back_ = 0;
  std::map<std::size_t, std::size_t> by_condition_;
  std::map<std::string, Pod> pods_;
};
std::string_view name_of(CalibrationTotal::Meaning meaning);

}  // namespace rollwatch
