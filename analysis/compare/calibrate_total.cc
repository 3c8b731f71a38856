#include "analysis/compare/calibrate_total.h"

#include <algorithm>
#include <cmath>

#include "analysis/comparison.h"
#include "analysis/statistics/decide.h"

namespace rollwatch {
namespace {

// To so many digits that a share near alpha is told from it.
std::string percentage(double share) {
  return format_number(std::round(share * 100'000) / 1'000) + " %";
}

// One pod has most of the rollbacks: it is that pod, not the test.
bool is_one_pods(const CalibrationTotal::Pod& worst, std::size_t rolled_back) {
  return worst.rolled_back >= 3 && 2 * worst.rolled_back > rolled_back;
}

}  // namespace

statistics::Interval interval_of_share(std::size_t found, std::size_t of) {
  if (of == 0) return {0, 1};
  constexpr double kZ = 1.959963984540054;
  const auto n = static_cast<double>(of);
  const double share = static_cast<double>(found) / n;
  const double middle = share + kZ * kZ / (2 * n);
  const double half = kZ * std::sqrt(share * (1 - share) / n + kZ * kZ / (4 * n * n));
  const double scale = 1 + kZ * kZ / n;
  return {found == 0 ? 0 : std::max(0.0, (middle - half) / scale),
          found == of ? 1 : std::min(1.0, (middle + half) / scale)};
}

std::string_view name_of(CalibrationTotal::Meaning meaning) {
  switch (meaning) {
    case CalibrationTotal::Meaning::kNothing:
      return "nothing";
    case CalibrationTotal::Meaning::kWithin:
      return "within";
    case CalibrationTotal::Meaning::kUnclear:
      return "unclear";
    case CalibrationTotal::Meaning::kAbove:
      return "above";
  }
  return "nothing";
}

void CalibrationTotal::add(const std::string& pod, const PretendedEnd& end) {
  if (!end.counts) return;
  Pod& counted = pods_[pod];
  counted.name = pod;
  ++counted.trials;
  ++trials_;
  if (!end.rolled_back) return;
  ++counted.rolled_back;
  ++rolled_back_;
  for (const std::size_t cause : end.causes) ++by_condition_[cause];
}

double CalibrationTotal::share() const {
  return trials_ == 0 ? 0 : static_cast<double>(rolled_back_) / static_cast<double>(trials_);
}

CalibrationTotal::Meaning CalibrationTotal::meaning() const {
  if (trials_ == 0) return Meaning::kNothing;
  const statistics::Interval where = interval();
  if (where.low > alpha_) return Meaning::kAbove;
  return where.high <= alpha_ ? Meaning::kWithin : Meaning::kUnclear;
}

std::vector<CalibrationTotal::Pod> CalibrationTotal::worst_pods(std::size_t most) const {
  std::vector<Pod> worst;
  for (const auto& [name, pod] : pods_)
    if (pod.rolled_back > 0) worst.push_back(pod);
  std::ranges::stable_sort(worst, std::greater{}, &Pod::rolled_back);
  if (worst.size() > most) worst.resize(most);
  return worst;
}

std::vector<std::string> CalibrationTotal::words(std::size_t most_pods) const {
  const statistics::Interval where = interval();
  if (trials_ == 0)
    return {
        most_pods == 0
            ? std::string("nothing was measured: stable had no series in any window; look "
                          "at the stable version, the labels and the range of time")
        : most_pods == 1
            ? std::string("nothing was measured: stable had one pod only, and nobody to hold "
                          "it against")
            : std::string("nothing was measured: no pod served for half of a window what can be "
                          "compared; look for a time with more traffic, or with the same pods "
                          "for longer; whether it can be compared at all says rollwatch check")};
  const std::string found =
      std::to_string(rolled_back_) + " of " + std::to_string(trials_) +
      " pretended rollouts of stable itself were rolled back: " + percentage(share()) +
      " (95 %: " + percentage(where.low) + " to " + percentage(where.high) +
      "); alpha promises at most " + percentage(alpha_);
  switch (meaning()) {
    case Meaning::kAbove:
      return {found, "that is more than is promised: what the promise rests on does not hold here",
              advice(most_pods)};
    case Meaning::kUnclear:
      if (share() > alpha_)
        return {found,
                "that is more than alpha, but may still be chance; a longer range would tell",
                advice(most_pods)};
      return {found,
              "that is within the promise, on too few trials to be sure; a longer range "
              "would tell"};
    default:
      return {found, "that is within the promise"};
  }
}

// What helps depends on whether it is a pod, or all of them.
std::string CalibrationTotal::advice(std::size_t most_pods) const {
  const std::vector<Pod> worst = worst_pods(1);
  std::string text;
  if (!worst.empty() && is_one_pods(worst.front(), rolled_back_))
    text = "most of it is the pod " + worst.front().name + ", which was rolled back in " +
           std::to_string(worst.front().rolled_back) + " of its " +
           std::to_string(worst.front().trials) +
           " windows: find out what is different there (its node, its share of the traffic); ";
  text +=
      "what helps: to mend what makes pods differ, a wider tolerance, more than one pod for "
      "the candidate";
  // The pretended candidate is none of them.
  if (most_pods <= statistics::PlaceboGuard::kLeastGroups)
    text +=
        ", more pods of stable (with 5 beside the candidate's size, stable's own differences "
        "hold a rollback back)";
  return text;
}

}  // namespace rollwatch
