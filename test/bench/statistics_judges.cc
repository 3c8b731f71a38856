#include "test/bench/statistics_judges.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "analysis/statistics/decide.h"
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

Judge threshold(double limit, int in_a_row) {
  return [=](const SimulatedRollout& rollout) {
    int above = 0;
    for (std::size_t i = 0; i < rollout.slots().size(); ++i) {
      above = rate_of(rollout.slots()[i].candidate) > limit ? above + 1 : 0;
      if (above == in_a_row) return static_cast<int>(i) + 1;
    }
    return kNever;
  };
}

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

Judge ours(const RateRules& rules, double alpha, bool with_placebo) {
  return [=](const SimulatedRollout& rollout) {
    RateState state = RateState::start();
    auto guard = statistics::PlaceboGuard::start(with_placebo ? 19 : 0);
    for (const SimulatedSlot& slot : rollout.history()) state.observe(rules, slot.pods);
    for (std::size_t i = 0; i < rollout.slots().size(); ++i) {
      const SimulatedSlot& slot = rollout.slots()[i];
      const auto updated =
          state.update(rules, {slot.candidate, statistics::sum_of(slot.pods)}, slot.pods);
      if (with_placebo) guard.update(rules.tolerance, slot.pods, updated.dispersion);
      if (state.harm.reaches(alpha) && guard.allows(state.harm.log_evidence))
        return static_cast<int>(i) + 1;
    }
    return kNever;
  };
}

Judge ours_trusting(double alpha) {
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

Judge ours_promoting(const RateRules& rules, double alpha) {
  return [=](const SimulatedRollout& rollout) {
    RateState state = RateState::start();
    for (const SimulatedSlot& slot : rollout.history()) state.observe(rules, slot.pods);
    for (std::size_t i = 0; i < rollout.slots().size(); ++i) {
      const SimulatedSlot& slot = rollout.slots()[i];
      state.update(rules, {slot.candidate, statistics::sum_of(slot.pods)}, slot.pods);
      if (state.promote.reaches(alpha)) return static_cast<int>(i) + 1;
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
  return {{"threshold: > 5 % in one slot", threshold(0.05, 1)},
          {"threshold: > 5 %, three slots in a row", threshold(0.05, 3)},
          {"threshold: > 1 % in one slot", threshold(0.01, 1)},
          {"threshold: > 1 %, three slots in a row", threshold(0.01, 3)},
          {"z-test, p < 0.05 in any slot", z_test(1)},
          {"z-test, p < 0.05 in slot 60 only", z_test(60)},
          {"Mann-Whitney, p < 0.05 in any slot from 5 on", mann_whitney_repeated, 5},
          {"**rate, alpha 0.05, no tolerance**", ours(rules_with(1, 0), 0.05)},
          {"**rate, alpha 0.01, no tolerance**", ours(rules_with(1, 0), 0.01)},
          {"**rate, alpha 0.05, default tolerance**", ours(rules_with(1.25, 0.0005), 0.05)},
          {"**rate, alpha 0.01, default tolerance**", ours(rules_with(1.25, 0.0005), 0.01)}};
}

// A row for each procedure, a column for each world.
std::vector<std::vector<Found>> tried(const std::vector<Procedure>& all,
                                      const std::vector<World>& worlds, int replications,
                                      std::uint64_t seed) {
  std::vector<std::vector<Found>> found(all.size(), std::vector<Found>(worlds.size()));
  for (std::size_t w = 0; w < worlds.size(); ++w) {
    Chance chance(seed + w);
    for (int i = 0; i < replications; ++i) {
      const SimulatedRollout rollout(worlds[w], chance);
      for (std::size_t p = 0; p < all.size(); ++p)
        if (i % all[p].every == 0) found[p][w].add(all[p].judge(rollout));
    }
  }
  return found;
}

void Found::add(int slot) {
  ++replications;
  if (slot != kNever) slots.push_back(slot);
}

double Found::share() const { return static_cast<double>(slots.size()) / replications; }

std::string Found::percent() const {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f%%", 100 * share());
  return text.data();
}

std::string Found::with_delay() const {
  std::vector<int> sorted = slots;
  std::sort(sorted.begin(), sorted.end());
  const auto middle = static_cast<std::size_t>(replications / 2);
  const std::string delay = middle < sorted.size() ? std::to_string(sorted[middle]) : "–";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.0f%% / ", 100 * share());
  return text.data() + delay;
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
