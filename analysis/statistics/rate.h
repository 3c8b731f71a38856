// Bad events per event, candidate beside stable: is the candidate's rate more than `factor` times
// stable's plus `extra`? Stable's rate of the same slot is what it is held against, so a bad hour
// that both versions have is nobody's fault, and traffic and weights may change with every slot.
//
//   RateState state = RateState::start();
//   state.observe(rules, stable_series);              // history, and slots of the warm-up
//   state.update(rules, tick, stable_series);         // a slot of the rollout
//   state.harm.reaches(alpha), state.promote.reaches(alpha_promote)
//
// `harm` bets that the candidate is beyond the tolerance, `promote` that it is within the margin.
// Both go on through all steps of a rollout; beginning anew would spend alpha again.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "analysis/statistics/counts.h"
#include "analysis/statistics/dispersion.h"
#include "analysis/statistics/wealth.h"

namespace rollwatch::statistics {

// How many times as bad the bets guess the candidate to be.
inline constexpr std::array<double, 6> kHarmGrid{1.15, 1.4, 1.8, 2.6, 5, 15};
inline constexpr std::array<double, 6> kPromoteGrid{0.9, 0.75, 0.6, 0.4, 0.2, 0.05};

struct RateRules {
  Tolerance tolerance{1.25, 0.0005};
  Tolerance margin{1.5, 0.005};  // of early promotion; neither part is below the tolerance's
  DispersionRules dispersion;
};

// What one slot does to the bets of one side: a candidate's bad event multiplies bet j by 1 + x[j],
// one of stable by 1 - y[j], before the dispersion takes its root.
struct RateBets {
  std::array<double, 6> x{}, y{}, increments{};
};

// Nothing when one of the arms served nothing or a count is none.
std::optional<RateBets> rate_bets(const RateTick& tick, Side side, const Tolerance& tolerance,
                                  double dispersion);

struct RateState {
  Wealth harm;
  Wealth promote;
  Dispersion dispersion;
  double candidate_events = 0;  // in all slots that were fed
  std::uint64_t fed = 0;

  static RateState start();

  // Stable only: what the dispersion learns from. `series` is stable's counts of one slot, by
  // series.
  void observe(const RateRules& rules, std::span<const ArmCounts> series);

  struct Updated {
    Use use = Use::kUnusable;
    double dispersion = 1;  // that this slot was judged with
  };
  // The dispersion learns of the slot after it was judged. Stable's total comes with the tick: it
  // may be known where its series are not.
  Updated update(const RateRules& rules, const RateTick& tick, std::span<const ArmCounts> series);

  bool operator==(const RateState&) const = default;
};

}  // namespace rollwatch::statistics
