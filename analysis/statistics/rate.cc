#include "analysis/statistics/rate.h"

#include <cmath>

namespace rollwatch::statistics {

std::optional<RateBets> rate_bets(const RateTick& tick, Side side, const Tolerance& tolerance,
                                  double dispersion) {
  const auto& [candidate, stable] = tick;
  if (!is_usable(candidate) || !is_usable(stable)) return std::nullopt;
  if (candidate.events <= 0 || stable.events <= 0) return std::nullopt;
  const auto& grid = side == Side::kHarm ? kHarmGrid : kPromoteGrid;
  const double ratio = candidate.events / stable.events;
  const double extra = tolerance.extra * candidate.events;
  std::optional<RateBets> bets(std::in_place);
  for (std::size_t j = 0; j < grid.size(); ++j) {
    const double x = (grid[j] - 1) / (1 + tolerance.factor * grid[j] * ratio);
    const double y = tolerance.factor * ratio * x;
    bets->x[j] = x;
    bets->y[j] = y;
    bets->increments[j] =
        (candidate.bad * std::log1p(x) + stable.bad * std::log1p(-y) - extra * x) / dispersion;
  }
  return bets;
}

RateState RateState::start() {
  RateState state;
  state.harm = Wealth::start(kHarmWealth, kHarmGrid.size());
  state.promote = Wealth::start(kPromoteWealth, kPromoteGrid.size());
  return state;
}

void RateState::observe(const RateRules& rules, std::span<const ArmCounts> series) {
  dispersion.update(rules.dispersion, series);
}

RateState::Updated RateState::update(const RateRules& rules, const RateTick& tick,
                                     std::span<const ArmCounts> series) {
  Updated updated;
  updated.dispersion = dispersion.factor(rules.dispersion);
  if (!is_usable(tick.candidate) || !is_usable(tick.stable)) return updated;
  const auto harms = rate_bets(tick, Side::kHarm, rules.tolerance, updated.dispersion);
  if (harms) {
    harm.update(kHarmWealth, harms->increments);
    const auto promotes = rate_bets(tick, Side::kPromote, rules.margin, updated.dispersion);
    promote.update(kPromoteWealth, promotes->increments);
    candidate_events += tick.candidate.events;
    ++fed;
    updated.use = Use::kFed;
  } else {
    updated.use = tick.candidate.events <= 0 ? Use::kNoCandidate : Use::kNoStable;
  }
  observe(rules, series);
  return updated;
}

}  // namespace rollwatch::statistics
