#include "analysis/judge.h"

#include <algorithm>
#include <cmath>

#include "analysis/compare/words.h"
#include "analysis/text.h"

namespace rollwatch {
namespace {

constexpr std::size_t kLongestSeries = 300;

Cause cause_of(FailureKind kind) {
  switch (kind) {
    case FailureKind::kUnreachable:
      return Cause::kUnreachable;
    case FailureKind::kTimeout:
      return Cause::kTimeout;
    case FailureKind::kBadQuery:
      return Cause::kBadQuery;
    case FailureKind::kHttpStatus:
      return Cause::kHttpStatus;
    case FailureKind::kMalformed:
      return Cause::kMalformed;
    case FailureKind::kTooLarge:
      return Cause::kTooLarge;
    case FailureKind::kNotAsked:
      return Cause::kNotAsked;
    case FailureKind::kOverload:
      return Cause::kMissedOverload;
  }
  return Cause::kMalformed;
}

// Those that are about this rollout. They live as long as the answer, a scalar as long as `place`.
using SomeSeries = std::vector<const Series*>;
SomeSeries series_of(const Answer& answer, const std::vector<Label>& select, Series& place) {
  if (const auto* vector = std::get_if<Vector>(&answer.result)) return vector->series.with(select);
  place.value = std::get<Scalar>(answer.result).value;
  if (std::ranges::all_of(select, [](const Label& label) { return label.value.empty(); }))
    return {&place};
  return {};
}

Judgement not_finite(const Series& series) {
  Judgement j =
      ended(Outcome::kNoData, std::isnan(series.value) ? Cause::kNotANumber : Cause::kInfinite);
  j.series = cut(series_name(series), kLongestSeries);
  return j;
}

// Larger is worse. Only used to choose which of several series is named.
double badness(const Comparison& fail_if, double value) {
  switch (fail_if.op) {
    case CompareOp::kGreater:
    case CompareOp::kGreaterEqual:
      return value;
    case CompareOp::kLess:
    case CompareOp::kLessEqual:
      return -value;
    case CompareOp::kEqual:
      return -std::abs(value - fail_if.limit);
    case CompareOp::kNotEqual:
      return std::abs(value - fail_if.limit);
  }
  return value;
}

Judgement judge_number(const Rule& rule, const Series& series) {
  const bool fails = rule.fail_if && rule.fail_if->holds(series.value);
  const bool passes = rule.pass_if ? rule.pass_if->holds(series.value) : !fails;
  Judgement j;
  if (fails) {
    j = ended(Outcome::kFail, Cause::kBeyondLimit);
    j.rule = rule.fail_if;
  } else if (passes) {
    j = ended(Outcome::kPass, Cause::kWithinLimit);
    j.rule = rule.pass_if ? rule.pass_if : rule.fail_if;
  } else {
    j = ended(Outcome::kInconclusive, Cause::kBetweenLimits);
    j.rule = rule.pass_if;
  }
  j.value = series.value;
  j.series = cut(series_name(series), kLongestSeries);
  return j;
}

// A failing series decides; else one that is no number; else one that is neither; else all passed.
// Among equals the worst is named.
Judgement judge_each(const Rule& rule, const SomeSeries& all) {
  const Comparison& towards = rule.fail_if ? *rule.fail_if : *rule.pass_if;
  // With a pass_if only, the worst is the one furthest from passing.
  const double sign = rule.fail_if ? 1 : -1;
  const auto rank = [](Outcome outcome) {
    return outcome == Outcome::kFail           ? 3
           : outcome == Outcome::kNoData       ? 2
           : outcome == Outcome::kInconclusive ? 1
                                               : 0;
  };
  std::optional<Judgement> worst;
  for (const Series* series : all) {
    Judgement j = std::isfinite(series->value) ? judge_number(rule, *series) : not_finite(*series);
    const bool worse = !worst || rank(j.outcome) > rank(worst->outcome) ||
                       (rank(j.outcome) == rank(worst->outcome) && j.value && worst->value &&
                        sign * badness(towards, *j.value) > sign * badness(towards, *worst->value));
    if (worse) worst = std::move(j);
  }
  return *worst;
}

// The largest (smallest) of those that are numbers; null if none is.
const Series* extreme_of(const SomeSeries& all, Reduce reduce) {
  const Series* found = nullptr;
  for (const Series* series : all) {
    if (!std::isfinite(series->value)) continue;
    const bool further =
        found == nullptr ||
        (reduce == Reduce::kMax ? series->value > found->value : series->value < found->value);
    if (further) found = series;
  }
  return found;
}

// Whether a maximum (minimum) that fails would fail as well if it were larger (smaller): then a
// series whose value is unknown changes nothing, and the failing one decides.
bool stays_failing(const ThresholdCondition& condition) {
  const CompareOp op = condition.rule.fail_if->op;
  return condition.reduce == Reduce::kMax
             ? op == CompareOp::kGreater || op == CompareOp::kGreaterEqual
             : op == CompareOp::kLess || op == CompareOp::kLessEqual;
}

Judgement judge_values(const ThresholdCondition& condition, const SomeSeries& all) {
  if (all.empty()) return ended(Outcome::kNoData, Cause::kNoSeries);
  if (condition.reduce == Reduce::kEach) return judge_each(condition.rule, all);
  if (condition.reduce == Reduce::kOne) {
    if (all.size() > 1)
      return ended(Outcome::kError, Cause::kManySeries,
                   std::to_string(all.size()) + " series, such as " + series_name(*all.front()));
    return judge_each(condition.rule, all);
  }
  const auto unknown = std::find_if(all.begin(), all.end(),
                                    [](const Series* s) { return !std::isfinite(s->value); });
  if (condition.reduce == Reduce::kMax || condition.reduce == Reduce::kMin) {
    if (const Series* extreme = extreme_of(all, condition.reduce)) {
      Judgement j = judge_number(condition.rule, *extreme);
      const bool certain = j.outcome == Outcome::kFail && stays_failing(condition);
      if (unknown == all.end() || certain) return j;
    }
  }
  if (unknown != all.end()) return not_finite(**unknown);
  Series combined;
  for (const Series* series : all) combined.value += series->value;
  if (condition.reduce == Reduce::kAvg) combined.value /= static_cast<double>(all.size());
  if (!std::isfinite(combined.value)) return not_finite(combined);
  return judge_number(condition.rule, combined);
}

Judgement judge_presence(SeriesRule rule, const SomeSeries& all) {
  const bool any = !all.empty();
  const bool fails = (rule == SeriesRule::kAnySeriesFails) == any;
  Judgement j = ended(fails ? Outcome::kFail : Outcome::kPass,
                      any ? Cause::kSeriesCameBack : Cause::kNoSeriesCameBack);
  if (any) {
    if (std::isfinite(all.front()->value)) j.value = all.front()->value;
    j.series = cut(series_name(*all.front()), kLongestSeries);
  }
  return j;
}

std::string escaped(const std::string& value) {
  std::string text;
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    if (c == '\n')
      text += "\\n";
    else
      text += c;
  }
  return text;
}

}  // namespace

Judgement ended(Outcome outcome, Cause cause, const std::string& detail) {
  Judgement j;
  j.outcome = outcome;
  j.cause = cause;
  j.detail = cut(detail, kLongestDetail);
  return j;
}

std::optional<Judgement> unusable(const Answer& answer, const std::string& of) {
  const auto in_words = [&of](const std::string& text) {
    return of.empty() || text.empty() ? of + text : of + ": " + text;
  };
  if (const auto* failure = std::get_if<QueryFailure>(&answer.result))
    return ended(failure->kind == FailureKind::kOverload ? Outcome::kMissed : Outcome::kError,
                 cause_of(failure->kind), in_words(failure->message));
  if (const auto* kind = std::get_if<Unusable>(&answer.result))
    return ended(Outcome::kError, Cause::kUnusableKind, in_words(kind->kind));
  if (answer.partial)
    return ended(Outcome::kNoData, Cause::kPartial,
                 in_words(answer.warnings.empty() ? "" : answer.warnings.front()));
  return std::nullopt;
}

std::string series_name(const Series& series) {
  std::string name;
  std::string labels;
  for (const Label& label : series.labels) {
    if (label.name == "__name__") {
      name = label.value;
      continue;
    }
    if (!labels.empty()) labels += ",";
    labels += label.name + "=\"" + escaped(label.value) + "\"";
  }
  return labels.empty() ? name : name + "{" + labels + "}";
}

Judgement judge(const ConditionPlan& condition, const Answer& value, const Answer* evidence,
                const JudgeContext& context) {
  const auto& threshold = std::get<ThresholdCondition>(condition.kind);
  if (auto early = unusable(value, "")) return *early;

  std::optional<double> events;
  if (evidence != nullptr) {
    if (auto early = unusable(*evidence, "evidence")) return *early;
    double sum = 0;
    Series scalar;
    for (const Series* series : series_of(*evidence, context.select, scalar)) sum += series->value;
    if (!std::isfinite(sum) || sum <= 0) {
      Judgement none = ended(Outcome::kNoData, Cause::kNoEvents);
      none.evidence = 0;
      none.min_evidence = threshold.min_evidence;
      return none;
    }
    events = sum;
  }

  Series scalar;
  const SomeSeries all = series_of(value, context.select, scalar);
  Judgement j = threshold.rule.series == SeriesRule::kByValue
                    ? judge_values(threshold, all)
                    : judge_presence(threshold.rule.series, all);
  j.evidence = events;
  j.min_evidence = events ? threshold.min_evidence : 0;

  // What would be a pass (or a maybe) must be about this step and rest on enough; a fail stands as
  // it is.
  if (j.outcome == Outcome::kPass || j.outcome == Outcome::kInconclusive) {
    if (context.step_since && context.evaluated_at - lookback(condition) < *context.step_since) {
      j.outcome = Outcome::kInconclusive;
      j.cause = Cause::kReachesBack;
    } else if (events && *events < threshold.min_evidence) {
      j.outcome = Outcome::kInconclusive;
      j.cause = Cause::kFewEvents;
    }
  }
  return j;
}

std::string rule_text(const ConditionPlan& condition) {
  if (const CompareCondition* compares = comparison_of(condition)) return tolerance_text(*compares);
  const Rule& rule = std::get<ThresholdCondition>(condition.kind).rule;
  if (rule.series == SeriesRule::kAnySeriesFails) return "any";
  if (rule.series == SeriesRule::kNoSeriesFails) return "none";
  if (rule.fail_if) return to_string(*rule.fail_if);
  return rule.pass_if ? "pass " + to_string(*rule.pass_if) : "";
}

std::string rule_text(const Judgement& judged, const ConditionPlan& condition) {
  if (comparison_of(condition) != nullptr) return rule_text(condition);
  return judged.rule ? to_string(*judged.rule) : rule_text(condition);
}

std::string describe(const Judgement& judged, const ConditionPlan& condition) {
  const auto* threshold = std::get_if<ThresholdCondition>(&condition.kind);
  const bool between = judged.cause == Cause::kBetweenLimits && judged.value && judged.rule;
  if (!between || threshold == nullptr || !threshold->rule.fail_if) return describe(judged);
  return format_number(*judged.value) + " neither fails (" + to_string(*threshold->rule.fail_if) +
         ") nor passes (" + to_string(*judged.rule) + ")" +
         (judged.series.empty() ? "" : " at " + judged.series);
}

}  // namespace rollwatch
