#include "analysis/statistics/decide.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "analysis/statistics/log_space.h"
#include "analysis/statistics/rate.h"

namespace rollwatch::statistics {
namespace {

double sum_of_weights(std::span<const ComparedMetric> metrics) {
  double sum = 0;
  for (const ComparedMetric& metric : metrics) sum += metric.weight;
  return sum;
}

bool is_established(std::span<const ComparedMetric> metrics, double alpha_promote) {
  bool any = false;
  for (const ComparedMetric& metric : metrics) {
    if (!metric.required) continue;
    if (metric.samples < metric.least_samples) return false;
    if (metric.log_promote < log_threshold(alpha_promote)) return false;
    any = true;
  }
  return any;
}

}  // namespace

double combine(std::span<const double> log_evidence, std::span<const double> weights) {
  assert(log_evidence.size() == weights.size() && "every metric has a weight");
  double all = 0;
  for (const double weight : weights) all += weight;
  if (all <= 0) return 0;
  std::vector<double> parts;
  parts.reserve(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (weights[i] > 0) parts.push_back(std::log(weights[i] / all) + log_evidence[i]);
  return log_sum(parts);
}

double log_evidence_of(std::span<const ComparedMetric> metrics) {
  std::vector<double> evidence, weights;
  for (const ComparedMetric& metric : metrics) {
    evidence.push_back(metric.log_evidence);
    weights.push_back(metric.weight);
  }
  return combine(evidence, weights);
}

std::vector<std::size_t> causes(std::span<const ComparedMetric> metrics, double alpha) {
  const double all = sum_of_weights(metrics);
  std::vector<std::size_t> found;
  double most = -kInfinite;
  std::size_t largest = 0;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (metrics[i].weight <= 0) continue;
    const double contributes = metrics[i].log_evidence + std::log(metrics[i].weight / all);
    if (contributes >= log_threshold(alpha)) found.push_back(i);
    if (contributes > most) {
      most = contributes;
      largest = i;
    }
  }
  if (found.empty() && most > -kInfinite) found.push_back(largest);
  return found;
}

Decision decide(const DecisionRules& rules, std::span<const ComparedMetric> metrics,
                const Standing& standing) {
  const double evidence = log_evidence_of(metrics);
  const auto is = [evidence](Advice advice, Because because) {
    return Decision{advice, because, evidence};
  };
  if (standing.guard_breached) return is(Advice::kRollback, Because::kGuard);
  const bool is_proven = evidence >= log_threshold(rules.alpha) && evidence > standing.placebo;
  if (standing.rolled_back || is_proven) return is(Advice::kRollback, Because::kEvidence);
  if (standing.ticks_without_data >= rules.no_data_limit)
    return is(Advice::kPause, Because::kNoData);
  if (evidence >= log_threshold(rules.alpha_hold)) return is(Advice::kPause, Because::kSuspicious);
  if (rules.early_promote && standing.tick >= rules.least_ticks &&
      is_established(metrics, rules.alpha_promote))
    return is(Advice::kPromote, Because::kNonInferior);
  if (standing.tick >= rules.most_ticks)
    return rules.at_the_end == AtTheEnd::kPromoteIfNoHarm
               ? is(Advice::kPromote, Because::kNoHarm)
               : is(Advice::kPause, Because::kInconclusive);
  return is(Advice::kContinue, Because::kNothing);
}

std::size_t PlaceboGuard::groups_for(double candidate_events, double stable_events,
                                     std::size_t stable_series) {
  if (candidate_events <= 0 || stable_events <= 0) return 0;
  const double alike = std::floor(stable_events / candidate_events);
  const double groups = std::min(alike, static_cast<double>(stable_series));
  return groups < static_cast<double>(kLeastGroups) ? 0 : static_cast<std::size_t>(groups);
}

PlaceboGuard PlaceboGuard::start(std::size_t groups) {
  return {std::vector<Wealth>(groups, Wealth::start(kHarmWealth, kHarmGrid.size())), 0, {}};
}

void PlaceboGuard::deal(std::span<const std::uint64_t> present,
                        std::span<const std::uint64_t> known) {
  if (std::ranges::equal(members, known, {}, &Member::source)) return;  // as in nearly every slot
  // One that was saved before members were kept goes on with the groups it has had.
  const bool had_none = members.empty();
  const bool goes_on = std::ranges::any_of(groups, [](const Wealth& w) { return w.updates > 0; });
  std::erase_if(members, [known](const Member& member) {
    return !std::ranges::binary_search(known, member.source);
  });
  std::vector<std::size_t> sizes(groups.size());
  std::vector<std::uint64_t> newcomers;
  for (const std::uint64_t source : present) {
    const auto place = std::ranges::lower_bound(members, source, {}, &Member::source);
    if (place != members.end() && place->source == source)
      ++sizes[place->group];
    else
      newcomers.push_back(source);
  }
  const auto known_before = static_cast<std::ptrdiff_t>(members.size());
  for (const std::uint64_t source : newcomers) {
    const auto smallest = std::ranges::min_element(sizes) - sizes.begin();
    const std::size_t group =
        had_none && goes_on ? source % groups.size() : static_cast<std::size_t>(smallest);
    ++sizes[group];
    members.push_back({source, static_cast<std::uint32_t>(group)});
  }
  std::ranges::inplace_merge(members, members.begin() + known_before, {}, &Member::source);
}

std::size_t PlaceboGuard::group_of(std::uint64_t source) const {
  const auto place = std::ranges::lower_bound(members, source, {}, &Member::source);
  const bool was_dealt = place != members.end() && place->source == source;
  return was_dealt ? place->group : source % groups.size();
}

void PlaceboGuard::update(const Tolerance& tolerance, std::span<const ArmCounts> by_group,
                          double dispersion) {
  assert(by_group.size() == groups.size() && "every group was counted");
  const ArmCounts all = sum_of(by_group);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    // What rounding leaves of nothing is nothing.
    const ArmCounts others{std::max(0.0, all.events - by_group[i].events),
                           std::max(0.0, all.bad - by_group[i].bad)};
    const auto bets = rate_bets({by_group[i], others}, Side::kHarm, tolerance, dispersion);
    if (!bets) continue;
    groups[i].update(kHarmWealth, bets->increments);
    log_most = std::max(log_most, groups[i].log_evidence);
  }
}

}  // namespace rollwatch::statistics
