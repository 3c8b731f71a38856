#include "analysis/compare/standing.h"

#include <algorithm>
#include <cmath>

#include "analysis/compare/words.h"
#include "analysis/judge.h"
#include "analysis/statistics/log_space.h"
#include "analysis/text.h"

namespace rollwatch {
namespace {

using statistics::ComparedMetric;
using statistics::ComparisonState;
using statistics::GaugeState;
using statistics::HistogramRules;
using statistics::HistogramState;
using statistics::log_threshold;
using statistics::RateState;

const CompareCondition* comparing(const Plan& plan, std::size_t i) {
  return std::get_if<CompareCondition>(&plan.conditions[i].kind);
}

bool shares_alpha(const Plan& plan, std::size_t i) {
  const CompareCondition* condition = comparing(plan, i);
  return condition != nullptr && condition->kind() != CompareKind::kMannWhitney &&
         plan.conditions[i].on_fail == OnFail::kRollback;
}

// Those whose evidence is taken together with this one's.
std::vector<std::size_t> members_of(const Plan& plan, std::size_t i) {
  if (!shares_alpha(plan, i)) return {i};
  std::vector<std::size_t> members;
  for (std::size_t j = 0; j < plan.conditions.size(); ++j)
    if (shares_alpha(plan, j)) members.push_back(j);
  return members;
}

// One test a step at that part of alpha: as evidence it is there, or it is not.
double log_evidence_of(const statistics::Look& look, const Plan& plan, double alpha) {
  const double part = alpha / static_cast<double>(plan.steps.size());
  return look.looked && look.p_greater < part ? log_threshold(alpha) : 0;
}

ComparedMetric metric_of(const Plan& plan, const ConditionState& of, std::size_t i) {
  const CompareCondition& condition = *comparing(plan, i);
  ComparedMetric metric;
  metric.log_promote = -statistics::kInfinite;
  const ComparisonState* state = of.memory.comparison();
  if (state == nullptr) return metric;
  if (const auto* rate = std::get_if<RateState>(&state->process)) {
    metric.log_evidence = rate->harm.log_evidence;
    metric.log_promote = rate->promote.log_evidence;
    metric.samples = rate->candidate_events;
  } else if (const auto* histogram = std::get_if<HistogramState>(&state->process)) {
    const auto* rules = std::get_if<HistogramRules>(&condition.rules);
    metric.log_evidence = rules == nullptr ? 0 : histogram->log_evidence(*rules);
    metric.log_promote = histogram->log_promote();
    metric.samples = histogram->candidate_events;
  } else if (const auto* gauge = std::get_if<GaugeState>(&state->process)) {
    metric.log_evidence = gauge->harm.log_evidence;
    metric.log_promote = gauge->promote.log_evidence;
    metric.samples = static_cast<double>(gauge->harm.updates);
  } else if (state->look) {
    metric.log_evidence = log_evidence_of(*state->look, plan, condition.alpha);
    metric.samples = static_cast<double>(slots_of(*state));
    // It has looked, maybe when this step was here before: then there were enough.
    if (state->look->looked) metric.samples = std::max(metric.samples, least_compared(condition));
  }
  return metric;
}

bool is_established(const Plan& plan, const ConditionState& of, std::size_t i,
                    const ComparedMetric& metric) {
  const CompareCondition& condition = *comparing(plan, i);
  if (of.memory.comparison() == nullptr || condition.kind() == CompareKind::kMannWhitney)
    return false;
  const bool is_gauge = condition.kind() == CompareKind::kGauge;
  const std::uint64_t slots = slots_of(*of.memory.comparison());
  if (slots < (is_gauge ? kLeastGaugeSlots : kLeastSlots)) return false;
  if (!is_gauge && metric.samples < std::max(kLeastEvents, condition.min_evidence)) return false;
  return metric.log_promote >= log_threshold(kAlphaPromote);
}

// Rolling back needs more evidence than there is against any part of stable itself.
double most_against_stable(const ConditionState& of) {
  const ComparisonState* state = of.memory.comparison();
  return state == nullptr || state->placebo.groups.empty() ? -statistics::kInfinite
                                                           : state->placebo.log_most;
}

}  // namespace

bool is_in_promise(const Plan& plan, std::size_t i) { return shares_alpha(plan, i); }

double log_needed(const Plan& plan, std::size_t i) {
  return log_threshold(comparing(plan, i)->alpha) +
         std::log(static_cast<double>(members_of(plan, i).size()));
}

double least_compared(const CompareCondition& condition) {
  switch (condition.kind()) {
    case CompareKind::kGauge:
      return static_cast<double>(kLeastGaugeSlots);
    case CompareKind::kMannWhitney:
      return static_cast<double>(kLeastValues);
    default:
      return condition.min_evidence;
  }
}

ComparisonStanding standing_of(const Plan& plan, const std::vector<ConditionState>& conditions,
                               std::size_t i) {
  const std::vector<std::size_t> members = members_of(plan, i);
  // Evidence that a part of stable reaches against the rest of it is none; less of it only makes
  // the promise safer.
  std::vector<ComparedMetric> metrics;
  ComparisonStanding standing;
  for (const std::size_t j : members) {
    ComparedMetric metric = metric_of(plan, conditions[j], j);
    if (j == i) standing.log_evidence = metric.log_evidence;
    const bool is_held_back =
        metric.log_evidence > 0 && metric.log_evidence <= most_against_stable(conditions[j]);
    if (is_held_back) metric.log_evidence = 0;
    if (j == i) standing.held_back = is_held_back;
    metrics.push_back(metric);
  }
  const auto own = static_cast<std::size_t>(std::ranges::find(members, i) - members.begin());
  const double alpha = comparing(plan, i)->alpha;

  standing.log_promote = metrics[own].log_promote;
  standing.log_alpha = log_threshold(alpha);
  standing.log_needed = log_needed(plan, i);
  standing.log_together = statistics::log_evidence_of(metrics);
  standing.events = metrics[own].samples;
  standing.is_established = is_established(plan, conditions[i], i, metrics[own]);
  standing.held_back = standing.held_back && standing.log_evidence >= standing.log_needed;
  standing.rejects = standing.log_together >= standing.log_alpha;
  const double holds_at = std::max(alpha, kAlphaHold);
  if (standing.rejects) {
    std::vector<std::size_t> found = statistics::causes(metrics, alpha);
    std::ranges::sort(found, std::greater{},
                      [&metrics](std::size_t m) { return metrics[m].log_evidence; });
    for (const std::size_t m : found) standing.causes.push_back(members[m]);
  } else if (standing.log_together >= log_threshold(holds_at)) {
    const std::vector<std::size_t> suspects = statistics::causes(metrics, holds_at);
    standing.keeps_weight = true;
    standing.suspicious = std::ranges::find(suspects, own) != suspects.end();
  }
  return standing;
}

Judgement judge_comparison(const Plan& plan, const std::vector<ConditionState>& conditions,
                           std::size_t i, Suspicion suspicion) {
  const CompareCondition& condition = *comparing(plan, i);
  const ComparisonStanding standing = standing_of(plan, conditions, i);
  const ComparisonState& state = *conditions[i].memory.comparison();
  const double least = least_compared(condition);
  constexpr double kMostLog = 690;
  Judgement j;
  std::string detail = measured(condition, state);
  if (standing.rejects && std::ranges::find(standing.causes, i) != standing.causes.end()) {
    j = ended(Outcome::kFail, Cause::kWorseThanStable);
    if (standing.log_evidence < standing.log_needed)
      detail +=
          "; all comparisons together " + evidence_of(standing.log_together, standing.log_alpha);
  } else if (standing.suspicious || standing.held_back) {
    j = ended(Outcome::kInconclusive, Cause::kSuspicious);
    if (standing.held_back) detail += "; stable's own parts differ as much from each other";
    if (suspicion == Suspicion::kKeepsWeight) detail += "; the weight is kept";
  } else if (standing.events < least) {
    j = ended(Outcome::kInconclusive, Cause::kFewCompared);
  } else {
    j = ended(Outcome::kPass, Cause::kNotWorse);
  }
  for (const std::string& more : {state.shared, left_out_text(state)})
    if (!more.empty()) detail += "; " + more;
  j.value = std::exp(std::min(standing.log_evidence, kMostLog));
  j.rule = Comparison{CompareOp::kGreaterEqual, std::exp(std::min(standing.log_needed, kMostLog))};
  j.evidence = standing.events;
  j.min_evidence = least;
  j.detail = cut(detail, kLongestDetail);
  return j;
}

}  // namespace rollwatch
