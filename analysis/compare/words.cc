#include "analysis/compare/words.h"

#include <algorithm>
#include <cmath>

#include "analysis/compare/histogram_words.h"
#include "analysis/compare/wording.h"

namespace rollwatch {
namespace {

using statistics::ComparisonState;
using statistics::GaugeMode;
using statistics::GaugeRules;
using statistics::GaugeState;
using statistics::HistogramRules;
using statistics::HistogramState;
using statistics::MannWhitneyState;
using statistics::RateRules;
using statistics::RateState;
using statistics::RateTick;

std::string tolerated(double factor, double extra) {
  std::string text = "> ";
  if (factor != 1) text += short_number(factor) + " × ";
  text += "stable";
  if (extra > 0) text += " + " + percent_of(extra);
  return text;
}

std::string slower_text(double slower) {
  return slower > 0 ? "> " + percent_of(slower) + " slower than stable" : "> as slow as stable";
}

std::string gauge_text(const GaugeRules& rules, double margin) {
  const std::string side = rules.larger_is_worse ? "above" : "below";
  if (rules.mode == GaugeMode::kDifference)
    return "> " + short_number(margin) + " " + side + " stable";
  const double part = rules.larger_is_worse ? std::expm1(margin) : -std::expm1(-margin);
  return "> " + percent_of(part) + " " + side + " stable";
}

std::string dispersion_text(const statistics::DispersionRules& rules) {
  using statistics::DispersionMode;
  if (rules.mode == DispersionMode::kOff)
    return "each event is bad by itself (dispersion off): then the promise is exact";
  if (rules.mode == DispersionMode::kFixed)
    return "no incident has more than " + short_number(rules.largest_incident) +
           " events of one version in one slot: then the promise is exact";
  return "bad events come in bursts as large as stable's own were before; that is learnt, so the "
         "promise is approximate";
}

// The median of all differences, which a few extreme values do not move.
std::string shift_text(const statistics::Look& look) {
  if (look.shift == 0) return "typically the same as stable";
  return "typically " + short_number(std::fabs(look.shift)) +
         (look.shift > 0 ? " higher than stable" : " lower than stable");
}

}  // namespace

std::uint64_t slots_of(const ComparisonState& state) {
  struct Visitor {
    std::uint64_t operator()(const std::monostate&) const { return 0; }
    std::uint64_t operator()(const RateState& rate) const { return rate.fed; }
    std::uint64_t operator()(const HistogramState& histogram) const { return histogram.fed; }
    std::uint64_t operator()(const GaugeState& gauge) const { return gauge.harm.updates; }
    std::uint64_t operator()(const MannWhitneyState& ranks) const { return ranks.candidate.size(); }
  };
  return std::visit(Visitor{}, state.process);
}

RateTick total_of(const ComparisonState& state) {
  RateTick total;
  for (const auto& [tick, dispersion] : state.fed) {
    total.candidate.events += tick.candidate.events;
    total.candidate.bad += tick.candidate.bad;
    total.stable.events += tick.stable.events;
    total.stable.bad += tick.stable.bad;
  }
  return total;
}

RateTick shown_total(const CompareCondition& condition, const ComparisonState& state) {
  const auto* rules = std::get_if<HistogramRules>(&condition.rules);
  return rules == nullptr ? total_of(state)
                          : slower_total(state, weightiest_score(*rules, state).boundary);
}

std::string measured(const CompareCondition& condition, const ComparisonState& state) {
  if (condition.kind() == CompareKind::kHistogram) return measured_latency(condition, state);
  if (condition.kind() == CompareKind::kRate) {
    const RateTick total = total_of(state);
    return counts_text(total.candidate, " bad") + ", stable " + counts_text(total.stable, "") +
           times_text(total);
  }
  double slots = 0;
  if (const auto* gauge = std::get_if<GaugeState>(&state.process))
    slots = static_cast<double>(gauge->harm.updates);
  if (const auto* ranks = std::get_if<statistics::MannWhitneyState>(&state.process))
    slots = static_cast<double>(ranks->candidate.size());
  const bool has_looked = state.look && state.look->looked;
  if (slots <= 0)
    return has_looked ? "looked at when this step was here before: " + shift_text(*state.look)
                      : std::string("no value yet");
  std::string text = short_number(state.candidate_sum / slots) + " on average, stable " +
                     short_number(state.stable_sum / slots) + ", in " + count_text(slots) +
                     (slots == 1 ? " slot" : " slots");
  if (has_looked) text += "; " + shift_text(*state.look);
  return text;
}

std::string evidence_of(double log_evidence, double log_needed) {
  constexpr double kMost = 690;  // beyond that a double has no number for it
  return short_number(std::exp(std::min(log_evidence, kMost))) + " of " +
         short_number(std::exp(std::min(log_needed, kMost)));
}

std::string tolerance_text(const CompareCondition& condition) {
  struct Visitor {
    std::string operator()(const RateRules& rules) const {
      return tolerated(rules.tolerance.factor, rules.tolerance.extra);
    }
    std::string operator()(const HistogramRules& rules) const {
      return slower_text(rules.tolerance.slower);
    }
    std::string operator()(const GaugeRules& rules) const {
      return gauge_text(rules, rules.margin);
    }
    std::string operator()(const RankRules& rules) const {
      return (rules.larger_is_worse ? "> " : "< ") + short_number(rules.factor) + " × stable";
    }
  };
  return std::visit(Visitor{}, condition.rules);
}

std::string margin_text(const CompareCondition& condition) {
  struct Visitor {
    std::string operator()(const RateRules& rules) const {
      return tolerated(rules.margin.factor, rules.margin.extra);
    }
    std::string operator()(const HistogramRules& rules) const {
      return slower_text(rules.margin.slower);
    }
    std::string operator()(const GaugeRules& rules) const {
      return gauge_text(rules, rules.promote_margin);
    }
    std::string operator()(const RankRules&) const { return ""; }
  };
  return std::visit(Visitor{}, condition.rules);
}

std::vector<std::string> assumptions(const CompareCondition& condition) {
  const std::string tolerated_now =
      "in every slot after the warm-up the candidate is within the tolerance (" +
      tolerance_text(condition) + " is not)";
  const std::string same_users =
      "both versions serve the same mix of requests on machines alike: what differs for other "
      "reasons than the release is not told apart";
  switch (condition.kind()) {
    case CompareKind::kRate:
      return {tolerated_now, dispersion_text(std::get<RateRules>(condition.rules).dispersion),
              same_users};
    case CompareKind::kHistogram:
      return {tolerated_now, "latencies are spread evenly within a bucket",
              dispersion_text(std::get<HistogramRules>(condition.rules).dispersion), same_users};
    case CompareKind::kGauge:
      return {tolerated_now,
              "differences from slot to slot are about symmetric; how much one resembles the slot "
              "before is learnt, so the promise is approximate",
              same_users};
    case CompareKind::kMannWhitney:
      return {
          "a fixed horizon: it looks once in each step, when the step could end, and is not "
          "valid under repeated looks",
          "values of different slots do not depend on each other", same_users};
  }
  return {};
}

std::string left_out_text(const ComparisonState& state) {
  if (state.left_out.empty()) return "";
  return "boundaries that not all histograms have are left out: " + list_text(state.left_out);
}

ComparedSize size_of(const CompareCondition& condition, const ComparisonState& state) {
  ComparedSize size;
  if (condition.kind() == CompareKind::kRate) {
    const RateTick total = total_of(state);
    if (total.stable.bad > 0 && total.candidate.events > 0)
      size.ratio =
          (total.candidate.bad / total.candidate.events) / (total.stable.bad / total.stable.events);
    if (!state.fed.empty())
      size.interval = statistics::rate_intervals(state.fed, kIntervalLevel).ratio;
  } else if (const auto* gauge = std::get_if<GaugeState>(&state.process)) {
    const auto* of_gauge = std::get_if<GaugeRules>(&condition.rules);
    if (of_gauge == nullptr) return size;
    const GaugeRules& rules = *of_gauge;
    if (state.stable_sum != 0) size.ratio = state.candidate_sum / state.stable_sum;
    if (rules.mode != GaugeMode::kRatio || gauge->differences.size() < 20) return size;
    if (const auto limits = statistics::mean_limits(gauge->differences, kIntervalLevel)) {
      const double sign = rules.larger_is_worse ? 1 : -1;
      const double one = std::exp(sign * limits->low), other = std::exp(sign * limits->high);
      size.interval = statistics::Interval{std::min(one, other), std::max(one, other)};
    }
  }
  return size;
}

}  // namespace rollwatch
