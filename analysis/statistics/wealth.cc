#include "analysis/statistics/wealth.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "analysis/statistics/log_space.h"

namespace rollwatch::statistics {
namespace {

double log_part_of_each_bet(const WealthRules& rules, std::uint32_t bets) {
  return std::log((1 - rules.cash) / bets);
}

}  // namespace

Wealth Wealth::start(const WealthRules& rules, std::size_t bets) {
  assert(bets > 0 && bets <= kMostBets && "a wealth has between one and six bets");
  Wealth wealth;
  wealth.bets = static_cast<std::uint32_t>(bets);
  wealth.cash = std::log(rules.cash);
  std::fill_n(wealth.stakes.begin(), bets, log_part_of_each_bet(rules, wealth.bets));
  return wealth;
}

void Wealth::update(const WealthRules& rules, std::span<const double> increments) {
  assert(increments.size() == bets && "each bet gains or loses once in a slot");
  std::array<double, kMostBets + 1> parts{};
  parts[0] = cash;
  for (std::size_t j = 0; j < bets; ++j) parts[j + 1] = stakes[j] + increments[j];
  const std::span<double> all(parts.data(), bets + std::size_t{1});

  double sum = log_sum(all);
  if (const double above = sum - log_evidence - rules.cap; above > 0) {
    for (double& part : all) part -= above;
    sum -= above;
  }
  log_evidence = sum;
  log_most = std::max(log_most, sum);
  ++updates;

  if (rules.share > 0) {
    const double share = std::min(rules.share, 1 / (static_cast<double>(updates) + 1));
    const double keeps = std::log1p(-share);
    const double gives = std::log(share) + sum;
    const double to_each = gives + log_part_of_each_bet(rules, bets);
    all[0] = log_add(keeps + all[0], gives + std::log(rules.cash));
    for (double& part : all.subspan(1)) part = log_add(keeps + part, to_each);
  }
  cash = all[0];
  std::copy(all.begin() + 1, all.end(), stakes.begin());
}

bool Wealth::reaches(double level) const { return log_evidence >= log_threshold(level); }

double Wealth::p_value() const { return std::min(1.0, std::exp(-log_most)); }

double log_threshold(double level) { return -std::log(level); }

}  // namespace rollwatch::statistics
