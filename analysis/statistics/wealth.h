// A gambler who bets against "the candidate is fine". Each bet is a guess how much worse it could
// be; while the candidate is fine no bet gains on average, whatever the gambler knows of the past.
// So the chance that the wealth ever reaches 1/alpha is at most alpha, however often one looks
// (Ville's inequality). The wealth is the evidence, and is kept as its natural logarithm.
//
//   Wealth wealth = Wealth::start(kHarmWealth, 6);
//   wealth.update(kHarmWealth, increments);   // one for each bet: what this slot multiplied it by
//   if (wealth.reaches(0.01)) …
//
// Three things make it practical. Cash, and a share of the wealth that is dealt out anew after
// every slot, keep something on every bet: a regression that begins late is found as fast as an
// early one. A cap on what one slot can add keeps one burst from deciding. None of them can create
// wealth. A slot without usable data is not an update.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rollwatch::statistics {

struct WealthRules {
  double cash = 0.1;  // the part of the first wealth that is on no bet
  double share =
      0.02;        // how much of it is dealt out anew after a slot; 1/(slots+1) once that is less
  double cap = 2;  // nats that one slot adds at most; infinite for none
};

// For "it is worse", and for "it is not worse", which has one planned end and nothing to wait for.
inline constexpr WealthRules kHarmWealth{0.1, 0.02, 2};
inline constexpr WealthRules kPromoteWealth{0, 0, 2};

struct Wealth {
  static constexpr std::size_t kMostBets = 6;

  // All of these are logarithms; those of bets beyond `bets` mean nothing.
  std::uint32_t bets = 0;
  double cash = 0;
  std::array<double, kMostBets> stakes{};
  double log_evidence = 0;
  double log_most = 0;  // the most that log_evidence ever was
  std::uint64_t updates = 0;

  static Wealth start(const WealthRules& rules, std::size_t bets);

  // The logarithm of what this slot multiplies each bet by; finite, one for each bet.
  void update(const WealthRules& rules, std::span<const double> increments);

  // Now, and not only at some time before.
  bool reaches(double level) const;
  // Holds at any time, also when one stops because of it.
  double p_value() const;

  bool operator==(const Wealth&) const = default;
};

// The evidence at which a hypothesis is given up at this level: -ln(level).
double log_threshold(double level);

}  // namespace rollwatch::statistics
