// The promise itself, computed and not simulated: while the candidate is within tolerance no bet
// gains on average. Every outcome of a small slot is gone through with its probability, so that
// what is held against 1 is the exact expectation of what the library computes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <utility>
#include <vector>

#include "analysis/statistics/decide.h"
#include "analysis/statistics/gauge.h"
#include "analysis/statistics/histogram.h"
#include "analysis/statistics/rate.h"

namespace rollwatch::statistics {
namespace {

constexpr double kRounding = 1e-11;

struct Incident {
  double probability;
  double size;
};

struct Outcome {
  double bad;
  double probability;
};

double uniform(std::mt19937_64& random, double from, double to) {
  return std::uniform_real_distribution<double>(from, to)(random);
}

double mean_of(const std::vector<Incident>& incidents) {
  double mean = 0;
  for (const Incident& incident : incidents) mean += incident.probability * incident.size;
  return mean;
}

std::vector<Incident> scaled(std::vector<Incident> incidents, double by) {
  for (Incident& incident : incidents) incident.probability *= by;
  return incidents;
}

// What independent incidents add up to.
std::vector<Outcome> outcomes_of(const std::vector<Incident>& incidents) {
  std::vector<Outcome> all{{0, 1}};
  for (const Incident& incident : incidents) {
    std::vector<Outcome> next;
    const auto add = [&next](double bad, double probability) {
      for (Outcome& one : next) {
        if (one.bad != bad) continue;
        one.probability += probability;
        return;
      }
      next.push_back({bad, probability});
    };
    for (const Outcome& one : all) {
      add(one.bad, one.probability * (1 - incident.probability));
      add(one.bad + incident.size, one.probability * incident.probability);
    }
    all = std::move(next);
  }
  return all;
}

// A slot whose rates are at the edge of the tolerance, or (half of them) well inside.
struct Slot {
  double candidate_events, stable_events;
  std::vector<Incident> candidate, stable;
};

Slot slot_on_the_null(std::mt19937_64& random, Side side, const Tolerance& tolerance,
                      double largest, int incidents, double rarity = 1) {
  Slot slot{uniform(random, 1, 50), uniform(random, 1, 500), {}, {}};
  const auto draw = [&] {
    return Incident{rarity * uniform(random, 0, 1), std::ceil(uniform(random, 0, largest))};
  };
  for (int i = 0; i < incidents; ++i) slot.candidate.push_back(draw());
  for (int i = 0; i < incidents; ++i) slot.stable.push_back(draw());
  const double inside = uniform(random, 0, 1) < 0.5 ? 1 : uniform(random, 0, 1);
  const double ratio = slot.candidate_events / slot.stable_events;
  const double extra = tolerance.extra * slot.candidate_events;
  if (side == Side::kHarm) {
    const double allowed = tolerance.factor * ratio * mean_of(slot.stable) + extra;
    slot.candidate =
        scaled(slot.candidate, inside * std::min(1.0, allowed / mean_of(slot.candidate)));
  } else {
    // As many of the candidate's as make it too bad, whatever stable does.
    if (mean_of(slot.candidate) <= extra)
      slot.candidate_events *= 0.5 * mean_of(slot.candidate) / extra;
    const double left = mean_of(slot.candidate) - tolerance.extra * slot.candidate_events;
    const double allowed =
        tolerance.factor * slot.candidate_events / slot.stable_events * mean_of(slot.stable);
    slot.stable = scaled(slot.stable, inside * std::min(1.0, left / allowed));
  }
  return slot;
}

void each_outcome(const Slot& slot, const std::function<void(const RateTick&, double)>& each) {
  const auto of_stable = outcomes_of(slot.stable);
  for (const Outcome& c : outcomes_of(slot.candidate))
    for (const Outcome& b : of_stable)
      each({{slot.candidate_events, c.bad}, {slot.stable_events, b.bad}},
           c.probability * b.probability);
}

Tolerance some_tolerance(std::mt19937_64& random) {
  return {uniform(random, 0.5, 3), uniform(random, 0, 1) < 0.3 ? 0 : uniform(random, 0, 0.02)};
}

double largest_expectation(const Slot& slot, Side side, const Tolerance& tolerance,
                           double dispersion) {
  std::array<double, 6> expectation{};
  each_outcome(slot, [&](const RateTick& tick, double probability) {
    const auto bets = rate_bets(tick, side, tolerance, dispersion);
    for (std::size_t j = 0; j < expectation.size(); ++j)
      expectation[j] += probability * std::exp(bets->increments[j]);
  });
  return *std::max_element(expectation.begin(), expectation.end());
}

TEST(StatisticsValidity, NoBetOnRatesGainsWhileTheCandidateIsWithinTolerance) {
  std::mt19937_64 random(20'240'601);
  double worst = 0;
  for (int i = 0; i < 4000; ++i) {
    const Side side = i % 2 == 0 ? Side::kHarm : Side::kPromote;
    const double largest = i % 3 == 0 ? 1 : uniform(random, 1, 5);
    const Tolerance tolerance = some_tolerance(random);
    const Slot slot = slot_on_the_null(random, side, tolerance, std::floor(largest), 5);
    // Single events need no dispersion; incidents one of at least their largest.
    const double expectation = largest_expectation(slot, side, tolerance, largest);
    ASSERT_LE(expectation, 1 + kRounding) << "setting " << i;
    worst = std::max(worst, expectation);
  }
  EXPECT_GT(worst, 0.99) << "nothing came near the edge";
}

TEST(StatisticsValidity, BetsGainWhenTheCandidateIsWorse) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20; ++i) {
    const double rate = uniform(random, 0.01, 0.1);
    Slot slot{30, 90, std::vector<Incident>(30, {3 * rate, 1}),
              std::vector<Incident>(90, {rate, 1})};
    EXPECT_GT(largest_expectation(slot, Side::kHarm, {1, 0}, 1), 1);
    EXPECT_LE(largest_expectation(slot, Side::kPromote, {1, 0}, 1), 1);
  }
}

// Every history of a few slots, with cash, share and cap, stopped as soon as there is some
// evidence.
class Histories {
 public:
  Histories(const RateRules& rules, Side side, std::vector<Slot> slots, double level)
      : rules_(rules), side_(side), slots_(std::move(slots)), level_(level) {
    follow(RateState::start(), 0, 1);
  }
  double expectation() const { return expectation_; }
  double reached() const { return reached_; }

 private:
  void follow(const RateState& state, std::size_t at, double probability) {
    const Wealth& wealth = side_ == Side::kHarm ? state.harm : state.promote;
    const bool stops = wealth.reaches(level_);
    if (stops || at == slots_.size()) {
      expectation_ += probability * std::exp(wealth.log_evidence);
      reached_ += stops ? probability : 0;
      return;
    }
    each_outcome(slots_[at], [&](const RateTick& tick, double part) {
      RateState next = state;
      next.update(rules_, tick, std::vector{tick.stable});
      follow(next, at + 1, probability * part);
    });
  }

  RateRules rules_;
  Side side_;
  std::vector<Slot> slots_;
  double level_;
  double expectation_ = 0;
  double reached_ = 0;
};

TEST(StatisticsValidity, TheWholeProcessKeepsItsPromiseWheneverItIsStopped) {
  std::mt19937_64 random(99);
  double most_reached = 0, worst = 0;
  for (int i = 0; i < 120; ++i) {
    const Side side = i % 2 == 0 ? Side::kHarm : Side::kPromote;
    RateRules rules;
    rules.tolerance = rules.margin = some_tolerance(random);
    // The measured dispersion looks at stable's past only, so it may not spoil the promise either.
    rules.dispersion.mode = i % 3 == 0 ? DispersionMode::kAuto : DispersionMode::kOff;
    std::vector<Slot> slots;
    // The rarer events are the less is lost to the proof's one inequality, and the nearer is the
    // edge.
    const double rarity = i % 4 < 2 ? 0.01 : 1;
    for (int tick = 0; tick < 4; ++tick)
      slots.push_back(slot_on_the_null(random, side, rules.tolerance, 1, 2, rarity));
    const double level = uniform(random, 0.3, 0.9);
    const Histories histories(rules, side, slots, level);
    ASSERT_LE(histories.expectation(), 1 + kRounding) << "setting " << i;
    ASSERT_LE(histories.reached(), level + kRounding) << "setting " << i;
    most_reached = std::max(most_reached, histories.reached());
    worst = std::max(worst, histories.expectation());
  }
  EXPECT_GT(worst, 0.99) << "nothing came near the edge";
  EXPECT_GT(most_reached, 0.1) << "nothing was ever stopped";
}

// ---- Histograms

using Shares = std::vector<double>;

Shares some_shares(std::mt19937_64& random, std::size_t buckets) {
  Shares shares(buckets);
  double all = 0;
  for (double& share : shares) all += share = uniform(random, 0.01, 1);
  for (double& share : shares) share /= all;
  return shares;
}

Shares slowed(const Shares& shares, const HistogramScale& scale) {
  Shares moved(shares.size(), 0.0);
  for (std::size_t j = 0; j < shares.size(); ++j)
    for (std::size_t k = 0; k < shares.size(); ++k)
      moved[k] += shares[j] * scale.moved()[j * shares.size() + k];
  return moved;
}

// Some of each bucket moves to the one beside it: faster, or slower.
Shares shifted(Shares shares, std::mt19937_64& random, bool faster) {
  for (std::size_t i = 1; i < shares.size(); ++i) {
    const std::size_t from = faster ? i : shares.size() - 1 - i;
    const double part = uniform(random, 0, 0.5) * shares[from];
    shares[from] -= part;
    shares[faster ? from - 1 : from + 1] += part;
  }
  return shares;
}

// Calls with the counts of so many requests, and how probable they are.
void each_histogram(const Shares& shares, int requests,
                    const std::function<void(const std::vector<double>&, double)>& each) {
  std::vector<double> counts(shares.size(), 0.0);
  const std::function<void(std::size_t, int, double)> fill = [&](std::size_t at, int left,
                                                                 double probability) {
    if (at + 1 == counts.size()) {
      counts[at] = left;
      each(counts, probability * std::pow(shares[at], left) / std::tgamma(left + 1.0));
      return;
    }
    for (int here = 0; here <= left; ++here) {
      counts[at] = here;
      fill(at + 1, left - here, probability * std::pow(shares[at], here) / std::tgamma(here + 1.0));
    }
  };
  fill(0, requests, std::tgamma(requests + 1.0));
}

TEST(StatisticsValidity, NoScoreOfAHistogramGainsWhileTheCandidateIsNotSlower) {
  std::mt19937_64 random(4711);
  const std::vector<double> bounds{0.1, 0.2, 0.5};
  double worst = 0;
  for (int i = 0; i < 60; ++i) {
    const bool is_harm = i % 2 == 0;
    HistogramRules rules;
    const double slower = i % 3 == 0 ? 0 : uniform(random, 0, 0.6);
    rules.tolerance = {slower, uniform(random, 1, 1.5), uniform(random, 0, 0.01)};
    rules.margin = {slower, 1, 0};
    rules.dispersion.mode = i % 5 == 0 ? DispersionMode::kAuto : DispersionMode::kOff;
    const HistogramScales scales(rules, bounds);
    const Shares stable = some_shares(random, bounds.size() + 1);
    const Shares edge = slowed(stable, is_harm ? scales.harm : scales.promote);
    const Shares candidate = i % 4 < 2 ? edge : shifted(edge, random, is_harm);
    HistogramState before = HistogramState::start(bounds);
    // The guesses may be bad; that costs power, not validity.
    std::vector<double> past;
    for (const double share : some_shares(random, stable.size())) past.push_back(100 * share);
    before.observe(rules, scales, past);
    std::vector<double> expectation(bounds.size() + 1, 0.0);
    double mean = 0;
    each_histogram(candidate, 3, [&](const auto& of_candidate, double one) {
      each_histogram(stable, 4, [&](const auto& of_stable, double other) {
        HistogramState after = before;
        ASSERT_EQ(after.update(rules, scales, of_candidate, of_stable), Use::kFed);
        for (std::size_t s = 0; s < expectation.size(); ++s)
          expectation[s] += one * other *
                            std::exp(is_harm ? after.scores[s].harm.log_evidence
                                             : after.scores[s].promote.log_evidence);
        mean += one * other * std::exp(after.log_evidence(rules));
      });
    });
    for (const double one : expectation) {
      ASSERT_LE(one, 1 + kRounding) << "setting " << i;
      worst = std::max(worst, one);
    }
    if (is_harm) {
      ASSERT_LE(mean, 1 + kRounding) << "setting " << i;
    }
  }
  EXPECT_GT(worst, 0.99) << "nothing came near the edge";
}

// ---- Gauges

TEST(StatisticsValidity, NoStakeOnAGaugeGainsWhileDifferencesAreEvenAboutSomethingTolerated) {
  std::mt19937_64 random(31);
  double worst = 0;
  for (int i = 0; i < 400; ++i) {
    const bool is_harm = i % 2 == 0;
    GaugeRules rules{GaugeMode::kDifference, i % 3 != 0, uniform(random, 0, 1), 0};
    rules.promote_margin = rules.margin;
    GaugeState before = GaugeState::start();
    const int past = static_cast<int>(uniform(random, 0, 30));
    for (int slot = 0; slot < past; ++slot)
      before.update(rules, uniform(random, -1, 1) + uniform(random, -1, 1), 0);
    const double beyond = i % 4 < 2 ? 0 : uniform(random, 0, 1);
    const double middle = is_harm ? rules.margin - beyond : rules.margin + beyond;
    double gains = 0;
    constexpr int kSizes = 5;
    for (int size = 0; size < kSizes; ++size) {
      const double apart = uniform(random, 0, 3);
      for (const double difference : {middle - apart, middle + apart}) {
        GaugeState after = before;
        after.update(rules, rules.larger_is_worse ? difference : -difference, 0);
        const double gain = is_harm ? after.harm.log_evidence - before.harm.log_evidence
                                    : after.promote.log_evidence - before.promote.log_evidence;
        gains += std::exp(gain) / (2 * kSizes);
      }
    }
    ASSERT_LE(gains, 1 + kRounding) << "setting " << i;
    worst = std::max(worst, gains);
  }
  EXPECT_GT(worst, 0.99) << "nothing came near the edge";
}

// ---- Together

TEST(StatisticsValidity, EvidenceOfMetricsThatHangTogetherIsStillOne) {
  // Two metrics that both know the same two outcomes: each is fair, and so is their mean. Their
  // product would not be.
  const double wins = std::log(1.8), loses = std::log(0.2);
  const std::vector<double> weights{3, 1};
  const double together = 0.5 * std::exp(combine(std::vector{wins, wins}, weights)) +
                          0.5 * std::exp(combine(std::vector{loses, loses}, weights));
  EXPECT_NEAR(together, 1, 1e-12);
  EXPECT_GT(0.5 * std::exp(wins + wins) + 0.5 * std::exp(loses + loses), 1.6);
}

}  // namespace
}  // namespace rollwatch::statistics
