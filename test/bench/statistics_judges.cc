#include "test/bench/statistics_judges.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <limits>
#include <thread>

#include "analysis/statistics/mann_whitney.h"

namespace rollwatch::bench {
namespace {

using statistics::ArmCounts;
using statistics::DispersionMode;
using statistics::RateRules;
using statistics::RateState;

double rate_of(const ArmCounts& counts) {
  return counts.events > 0 ? counts.bad / counts.events : 0;
}

double upper_tail(double z) { return std::erfc(z / std::sqrt(2.0)) / 2; }

// Two shares of all requests so far, pooled.
Judge z_test(int first_look) {
  return [=](const SimulatedRollout& rollout) {
    ArmCounts c, b;
    for (std::size_t i = 0; i < rollout.slots().size(); ++i) {
      const SimulatedSlot& slot = rollout.slots()[i];
      const ArmCounts stable = statistics::sum_of(slot.pods);
      c = {c.events + slot.candidate.events, c.bad + slot.candidate.bad};
      b = {b.events + stable.events, b.bad + stable.bad};
      if (static_cast<int>(i) + 1 < first_look) continue;
      const double pooled = (c.bad + b.bad) / (c.events + b.events);
      const double error = std::sqrt(pooled * (1 - pooled) * (1 / c.events + 1 / b.events));
      if (error > 0 && upper_tail((rate_of(c) - rate_of(b)) / error) < 0.05)
        return static_cast<int>(i) + 1;
    }
    return kNever;
  };
}

// The error rates of all slots so far.
int mann_whitney_repeated(const SimulatedRollout& rollout) {
  statistics::MannWhitneyState state;
  for (std::size_t i = 0; i < rollout.slots().size(); ++i) {
    const SimulatedSlot& slot = rollout.slots()[i];
    state.update(rate_of(slot.candidate), rate_of(statistics::sum_of(slot.pods)));
    if (i + 1 < 5) continue;
    if (statistics::mann_whitney_test(state.candidate, state.stable)->p_greater < 0.05)
      return static_cast<int>(i) + 1;
  }
  return kNever;
}

}  // namespace

Judge by_threshold(double limit, int in_a_row) {
  return [plan = threshold_condition(limit, in_a_row)](const SimulatedRollout& rollout) {
    return played_by_threshold(plan, rollout).rolled_back;
  };
}

Judge by_rate(const RateRules& rules, double alpha) {
  return [plan = comparing_condition(rules, alpha)](const SimulatedRollout& rollout) {
    return played_by_counters(plan, rollout).rolled_back;
  };
}

Judge by_ranks(double alpha) {
  return [plan = comparing_condition(RankRules{}, alpha)](const SimulatedRollout& rollout) {
    return played_by_shares(plan, rollout).rolled_back;
  };
}

Judge promoting_early(const RateRules& rules, double alpha) {
  return [plan = comparing_condition(rules, alpha, true)](const SimulatedRollout& rollout) {
    const int promoted = played_by_counters(plan, rollout).promoted;
    return promoted < SimulatedRollout::kSlots ? promoted : kNever;  // the last is the planned end
  };
}

Judge formula(const RateRules& rules, double alpha) {
  return [=](const SimulatedRollout& rollout) {
    RateState state = RateState::start();
    for (const SimulatedSlot& slot : rollout.history()) state.observe(rules, slot.pods);
    for (std::size_t i = 0; i < rollout.slots().size(); ++i) {
      const SimulatedSlot& slot = rollout.slots()[i];
      state.update(rules, {slot.candidate, statistics::sum_of(slot.pods)}, slot.pods);
      if (state.harm.reaches(alpha)) return static_cast<int>(i) + 1;
    }
    return kNever;
  };
}

Judge trusting_formula(double alpha) {
  return [=](const SimulatedRollout& rollout) {
    statistics::WealthRules rules = statistics::kHarmWealth;
    rules.cap = std::numeric_limits<double>::infinity();
    auto wealth = statistics::Wealth::start(rules, statistics::kHarmGrid.size());
    for (std::size_t i = 0; i < rollout.slots().size(); ++i) {
      const SimulatedSlot& slot = rollout.slots()[i];
      const auto bets = rate_bets({slot.candidate, statistics::sum_of(slot.pods)},
                                  statistics::Side::kHarm, {1, 0}, 1);
      wealth.update(rules, bets->increments);
      if (wealth.reaches(alpha)) return static_cast<int>(i) + 1;
    }
    return kNever;
  };
}

RateRules rules_with(double factor, double extra, DispersionMode mode) {
  RateRules rules;
  rules.tolerance = {factor, extra};
  rules.dispersion.mode = mode;
  return rules;
}

std::vector<Procedure> procedures() {
  return {{"threshold: > 5 % in one slot", by_threshold(0.05, 1)},
          {"threshold: > 5 %, three slots in a row", by_threshold(0.05, 3)},
          {"threshold: > 1 % in one slot", by_threshold(0.01, 1)},
          {"threshold: > 1 %, three slots in a row", by_threshold(0.01, 3)},
          {"z-test, p < 0.05 in any slot", z_test(1)},
          {"z-test, p < 0.05 in slot 60 only", z_test(60)},
          {"Mann-Whitney, p < 0.05 in any slot from 5 on", mann_whitney_repeated, 5},
          {"`mann-whitney`, alpha 0.05: one look a step", by_ranks(0.05)},
          {"formula of `rate` alone, alpha 0.05, no tolerance", formula(rules_with(1, 0), 0.05)},
          {"**`rate`, alpha 0.05, no tolerance**", by_rate(rules_with(1, 0), 0.05), 1, 0.05},
          {"**`rate`, alpha 0.01, no tolerance**", by_rate(rules_with(1, 0), 0.01), 1, 0.01},
          {"**`rate`, alpha 0.05, default tolerance**", by_rate(RateRules{}, 0.05), 1, 0.05},
          {"**`rate`, alpha 0.01, default tolerance**", by_rate(RateRules{}, 0.01), 1, 0.01}};
}

void each_in_parallel(int count, const std::function<void(int)>& work) {
  std::atomic<int> next = 0;
  const auto take = [&] {
    for (int i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::jthread> helpers;
  for (unsigned i = 1; i < std::max(1U, std::thread::hardware_concurrency()); ++i)
    helpers.emplace_back(take);
  take();
}

std::vector<std::vector<Found>> tried(const std::vector<Procedure>& all,
                                      const std::vector<World>& worlds, int replications,
                                      std::uint64_t seed) {
  std::vector<std::vector<Found>> found(all.size(), std::vector<Found>(worlds.size()));
  for (std::size_t w = 0; w < worlds.size(); ++w) {
    std::vector<std::vector<int>> said(static_cast<std::size_t>(replications));
    each_in_parallel(replications, [&](int i) {
      Chance chance = Chance::of(seed + w, static_cast<std::uint64_t>(i));
      const SimulatedRollout rollout(worlds[w], chance);
      for (const Procedure& one : all)
        said[static_cast<std::size_t>(i)].push_back(i % one.every == 0 ? one.judge(rollout)
                                                                       : kNever);
    });
    for (int i = 0; i < replications; ++i)
      for (std::size_t p = 0; p < all.size(); ++p)
        if (i % all[p].every == 0) found[p][w].add(said[static_cast<std::size_t>(i)][p]);
  }
  return found;
}

void Found::add(int slot) {
  ++replications;
  if (slot != kNever) slots.push_back(slot);
}

double Found::share() const { return static_cast<double>(slots.size()) / replications; }

double Found::standard_error(double share) const {
  return std::sqrt(share * (1 - share) / replications);
}

std::string Found::percent() const { return text_of("%.1f%%", 100 * share()); }

std::string Found::with_delay() const {
  std::vector<int> sorted = slots;
  std::sort(sorted.begin(), sorted.end());
  const auto middle = static_cast<std::size_t>(replications / 2);
  const std::string delay = middle < sorted.size() ? std::to_string(sorted[middle]) : "–";
  return text_of("%.0f%% / ", 100 * share()) + delay;
}

std::string text_of(const char* format, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

void say_error(int replications, double share) {
  std::printf(
      "%d replications a cell: where the truth is %.0f %%, the standard error is %.2f pp.\n\n",
      replications, 100 * share, 100 * std::sqrt(share * (1 - share) / replications));
}

void Table::print() const {
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    std::printf("|");
    for (const std::string& cell : rows_[i]) std::printf(" %s |", cell.c_str());
    std::printf("\n");
    if (i > 0) continue;
    for (std::size_t column = 0; column < rows_[0].size(); ++column) std::printf("|---");
    std::printf("|\n");
  }
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace rollwatch::bench
