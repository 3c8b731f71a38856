#include "analysis/statistics/comparison_state.h"

namespace rollwatch::statistics {
namespace {

FedTick together(const FedTick& a, const FedTick& b) {
  FedTick sum;
  const ArmCounts candidates[]{a.tick.candidate, b.tick.candidate};
  const ArmCounts stables[]{a.tick.stable, b.tick.stable};
  sum.tick = {sum_of(candidates), sum_of(stables)};
  sum.dispersion = (a.dispersion + b.dispersion) / 2;
  return sum;
}

}  // namespace

void keep(std::vector<FedTick>& fed, const FedTick& tick) {
  if (fed.size() >= kKeptTicks) {
    // The older half in pairs: then there is room for a quarter of them.
    std::size_t to = 0;
    for (std::size_t from = 0; from + 1 < kKeptTicks / 2; from += 2)
      fed[to++] = together(fed[from], fed[from + 1]);
    fed.erase(fed.begin() + static_cast<std::ptrdiff_t>(to),
              fed.begin() + static_cast<std::ptrdiff_t>(kKeptTicks / 2));
  }
  fed.push_back(tick);
}

}  // namespace rollwatch::statistics
