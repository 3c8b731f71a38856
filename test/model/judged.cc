#include "test/model/judged.h"

#include <algorithm>
#include <cmath>

namespace rollwatch::model {
namespace {

Judged judged(Outcome outcome, Cause cause, std::optional<double> value = std::nullopt) {
  return {outcome, cause, value, std::nullopt};
}

std::optional<Judged> error_of(const Answer& answer) {
  if (const auto* failure = std::get_if<QueryFailure>(&answer.result)) {
    switch (failure->kind) {
      case FailureKind::kUnreachable:
        return judged(Outcome::kError, Cause::kUnreachable);
      case FailureKind::kTimeout:
        return judged(Outcome::kError, Cause::kTimeout);
      case FailureKind::kBadQuery:
        return judged(Outcome::kError, Cause::kBadQuery);
      case FailureKind::kHttpStatus:
        return judged(Outcome::kError, Cause::kHttpStatus);
      case FailureKind::kMalformed:
        return judged(Outcome::kError, Cause::kMalformed);
      case FailureKind::kTooLarge:
        return judged(Outcome::kError, Cause::kTooLarge);
      case FailureKind::kNotAsked:
        return judged(Outcome::kError, Cause::kNotAsked);
      case FailureKind::kOverload:
        return judged(Outcome::kMissed, Cause::kMissedOverload);
    }
  }
  if (std::holds_alternative<Unusable>(answer.result))
    return judged(Outcome::kError, Cause::kUnusableKind);
  return std::nullopt;
}

// The numbers that came back for this rollout: a scalar is one without labels.
std::vector<double> numbers(const Answer& answer, const std::vector<Label>& select) {
  if (const auto* scalar = std::get_if<Scalar>(&answer.result)) {
    for (const Label& wanted : select)
      if (!wanted.value.empty()) return {};
    return {scalar->value};
  }
  std::vector<double> values;
  for (const Series& series : std::get<Vector>(answer.result).series) {
    bool mine = true;
    for (const Label& wanted : select) {
      std::string has;
      for (const Label& label : series.labels)
        if (label.name == wanted.name) has = label.value;
      mine = mine && has == wanted.value;
    }
    if (mine) values.push_back(series.value);
  }
  return values;
}

// How far a number is on the side for which the comparison holds.
double how_much(const Comparison& rule, double value) {
  switch (rule.op) {
    case CompareOp::kGreater:
    case CompareOp::kGreaterEqual:
      return value - rule.limit;
    case CompareOp::kLess:
    case CompareOp::kLessEqual:
      return rule.limit - value;
    case CompareOp::kEqual:
      return -std::fabs(value - rule.limit);
    case CompareOp::kNotEqual:
      return std::fabs(value - rule.limit);
  }
  return 0;
}

// The one nearest to failing (or furthest beyond); without a fail_if, furthest from passing.
double worst(const std::vector<double>& values, const Rule& rule) {
  const Comparison& towards = rule.fail_if ? *rule.fail_if : *rule.pass_if;
  const double sign = rule.fail_if ? 1 : -1;
  double found = values.front();
  for (const double value : values)
    if (sign * how_much(towards, value) > sign * how_much(towards, found)) found = value;
  return found;
}

Judged not_a_number(double value) {
  return judged(Outcome::kNoData, std::isnan(value) ? Cause::kNotANumber : Cause::kInfinite);
}

bool fails(const Rule& rule, double value) { return rule.fail_if && rule.fail_if->holds(value); }

Judged judge_numbers(const Rule& rule, const std::vector<double>& values) {
  std::vector<double> failing;
  std::vector<double> undecided;
  std::vector<double> passing;
  std::optional<double> strange;
  for (const double value : values) {
    if (!std::isfinite(value)) {
      if (!strange) strange = value;
    } else if (fails(rule, value)) {
      failing.push_back(value);
    } else if (rule.pass_if && !rule.pass_if->holds(value)) {
      undecided.push_back(value);
    } else {
      passing.push_back(value);
    }
  }
  if (!failing.empty()) return judged(Outcome::kFail, Cause::kBeyondLimit, worst(failing, rule));
  if (strange) return not_a_number(*strange);
  if (!undecided.empty())
    return judged(Outcome::kInconclusive, Cause::kBetweenLimits, worst(undecided, rule));
  return judged(Outcome::kPass, Cause::kWithinLimit, worst(passing, rule));
}

// Whether a larger (or smaller) number than a failing one fails as well.
bool larger_fails(const Comparison& rule) {
  return rule.op == CompareOp::kGreater || rule.op == CompareOp::kGreaterEqual;
}
bool smaller_fails(const Comparison& rule) {
  return rule.op == CompareOp::kLess || rule.op == CompareOp::kLessEqual;
}

Judged judge_values(const ThresholdCondition& condition, const std::vector<double>& values) {
  const Rule& rule = condition.rule;
  if (rule.series != SeriesRule::kByValue) {
    const bool some = !values.empty();
    const bool fail = some == (rule.series == SeriesRule::kAnySeriesFails);
    Judged j = judged(fail ? Outcome::kFail : Outcome::kPass,
                      some ? Cause::kSeriesCameBack : Cause::kNoSeriesCameBack);
    if (some && std::isfinite(values.front())) j.value = values.front();
    return j;
  }
  if (values.empty()) return judged(Outcome::kNoData, Cause::kNoSeries);
  if (condition.reduce == Reduce::kEach) return judge_numbers(rule, values);
  if (condition.reduce == Reduce::kOne) {
    if (values.size() > 1) return judged(Outcome::kError, Cause::kManySeries);
    return judge_numbers(rule, values);
  }
  std::vector<double> finite;
  std::optional<double> strange;
  for (const double value : values) {
    if (std::isfinite(value)) {
      finite.push_back(value);
    } else if (!strange) {
      strange = value;
    }
  }
  if (condition.reduce == Reduce::kSum || condition.reduce == Reduce::kAvg) {
    if (strange) return not_a_number(*strange);
    double sum = 0;
    for (const double value : finite) sum += value;
    if (condition.reduce == Reduce::kAvg) sum /= static_cast<double>(finite.size());
    return judge_numbers(rule, {sum});
  }
  if (finite.empty()) return not_a_number(*strange);
  const bool max = condition.reduce == Reduce::kMax;
  const double extreme = max ? *std::max_element(finite.begin(), finite.end())
                             : *std::min_element(finite.begin(), finite.end());
  if (strange) {
    // Whatever the strange one stands for, the result would fail all the more.
    const bool fails_anyway =
        fails(rule, extreme) && (max ? larger_fails(*rule.fail_if) : smaller_fails(*rule.fail_if));
    if (!fails_anyway) return not_a_number(*strange);
  }
  return judge_numbers(rule, {extreme});
}

bool uses_window(const ThresholdCondition& condition) {
  return condition.query.uses("window") ||
         (condition.evidence && condition.evidence->uses("window"));
}

}  // namespace

Judged judge(const ConditionPlan& plan, const Answer& value, const Answer* evidence,
             const std::vector<Label>& select, SysTime evaluated_at,
             std::optional<SysTime> step_since) {
  const auto& condition = std::get<ThresholdCondition>(plan.kind);
  for (const Answer* answer : {&value, evidence}) {
    if (answer == nullptr) continue;
    if (const auto error = error_of(*answer)) return *error;
    if (answer->partial) return judged(Outcome::kNoData, Cause::kPartial);
  }
  std::optional<double> events;
  if (evidence != nullptr) {
    events = 0;
    for (const double count : numbers(*evidence, select)) *events += count;
    if (!std::isfinite(*events) || *events <= 0) {
      Judged none = judged(Outcome::kNoData, Cause::kNoEvents);
      none.evidence = 0;
      return none;
    }
  }
  Judged result = judge_values(condition, numbers(value, select));
  result.evidence = events;
  // What would pass, or decide nothing, must be about this step and rest on enough. A fail stands.
  if (result.outcome != Outcome::kPass && result.outcome != Outcome::kInconclusive) return result;
  const SysTime window_begins = evaluated_at - (uses_window(condition) ? plan.window : Millis{0});
  const bool reaches_back = step_since && window_begins < *step_since;
  const bool few = events && *events < condition.min_evidence;
  if (reaches_back || few) {
    result.outcome = Outcome::kInconclusive;
    result.cause = reaches_back ? Cause::kReachesBack : Cause::kFewEvents;
  }
  return result;
}

}  // namespace rollwatch::model
