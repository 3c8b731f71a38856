#include "analysis/statistics/dispersion.h"

#include <algorithm>
#include <cassert>

namespace rollwatch::statistics {
namespace {

bool takes_series(const DispersionRules& rules, std::size_t usable) {
  return usable >= 2 &&
         (rules.mode == DispersionMode::kAuto || rules.mode == DispersionMode::kSeries);
}

bool takes_successive(const DispersionRules& rules) {
  return rules.mode == DispersionMode::kAuto || rules.mode == DispersionMode::kSuccessive;
}

double events_in(std::span<const double> buckets) {
  double sum = 0;
  for (const double count : buckets) sum += count;
  return sum;
}

double score_in(std::span<const double> buckets, std::span<const double> score) {
  double sum = 0;
  for (std::size_t k = 0; k < buckets.size(); ++k) sum += buckets[k] * score[k];
  return sum;
}

}  // namespace

double Dispersion::factor(const DispersionRules& rules) const {
  if (rules.mode == DispersionMode::kOff) return 1;
  if (rules.mode == DispersionMode::kFixed) return std::max(1.0, rules.largest_incident);
  return std::max(1.0,
                  (rules.prior_weight * rules.prior + squares) / (rules.prior_weight + degrees));
}

void Dispersion::update(const DispersionRules& rules, std::span<const ArmCounts> series) {
  ArmCounts all;
  std::size_t usable = 0;
  for (const ArmCounts& one : series) {
    if (!is_usable(one)) return;
    all.events += one.events;
    all.bad += one.bad;
    usable += one.events > 0 ? 1 : 0;
  }
  if (takes_series(rules, usable)) {
    if (all.bad > 0) {
      const double rate = all.bad / all.events;
      for (const ArmCounts& one : series) {
        if (one.events <= 0) continue;
        const double expected = one.events * rate;
        squares += (one.bad - expected) * (one.bad - expected) / expected;
      }
      degrees += static_cast<double>(usable) - 1;
    }
  } else if (takes_successive(rules) && all.events > 0 && last_events > 0 &&
             all.bad + last_bad > 0) {
    const double rate = (all.bad + last_bad) / (all.events + last_events);
    const double jump = all.bad / all.events - last_bad / last_events;
    squares += jump * jump / (rate * (1 / all.events + 1 / last_events));
    degrees += 1;
  }
  last_events = all.events;
  last_bad = all.bad;
}

void Dispersion::update_score(const DispersionRules& rules, std::span<const double> score,
                              std::span<const double> counts) {
  assert(!score.empty() && counts.size() % score.size() == 0 && "every series has every bucket");
  const std::size_t buckets = score.size();
  double events = 0;
  double sum = 0;
  std::size_t usable = 0;
  for (std::size_t at = 0; at < counts.size(); at += buckets) {
    const double events_of_one = events_in(counts.subspan(at, buckets));
    events += events_of_one;
    sum += score_in(counts.subspan(at, buckets), score);
    usable += events_of_one > 0 ? 1 : 0;
  }
  const double mean = events > 0 ? sum / events : 0;
  double variance = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double apart = score[i % buckets] - mean;
    variance += counts[i] * apart * apart;
  }
  variance = events > 0 ? variance / events : 0;

  if (takes_series(rules, usable)) {
    if (variance > 0) {
      for (std::size_t at = 0; at < counts.size(); at += buckets) {
        const auto one = counts.subspan(at, buckets);
        const double events_of_one = events_in(one);
        if (events_of_one <= 0) continue;
        const double apart = score_in(one, score) - events_of_one * mean;
        squares += apart * apart / (events_of_one * variance);
      }
      degrees += static_cast<double>(usable) - 1;
    }
  } else if (takes_successive(rules) && events > 0 && last_events > 0 && variance > 0) {
    const double jump = mean - last_bad / last_events;
    squares += jump * jump / (variance * (1 / events + 1 / last_events));
    degrees += 1;
  }
  last_events = events;
  last_bad = sum;
}

}  // namespace rollwatch::statistics
