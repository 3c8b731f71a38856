// What one slot's answers mean: five different stories (data, no data, error, partial, not enough),
// each with a name. A pass needs positive evidence; nothing else is ever taken for one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/answer.h"
#include "analysis/outcome.h"
#include "analysis/plan.h"

namespace rollwatch {

inline constexpr std::size_t kLongestDetail = 300;

// A slot that ended without a number.
Judgement ended(Outcome outcome, Cause cause, const std::string& detail = {});

// An answer that cannot be judged, whatever the rule: an error, or not the whole truth. `of` says
// which of several answers it is.
std::optional<Judgement> unusable(const Answer& answer, const std::string& of);

struct JudgeContext {
  SysTime evaluated_at{};
  std::optional<SysTime> step_since;  // a window that begins before it can fail, but not pass
  std::vector<Label> select = {};     // only series with all of these labels are this rollout's
};

// `evidence` is null exactly if the condition has none.
Judgement judge(const ConditionPlan& condition, const Answer& value, const Answer* evidence,
                const JudgeContext& context);

// The rule of a condition for people: "> 0.05", "pass < 0.01", "any", "none".
std::string rule_text(const ConditionPlan& condition);
// The same as it stands beside an answer: the comparison that decided, or else the condition's
// rule, which is there also where no number was.
std::string rule_text(const Judgement& judged, const ConditionPlan& condition);

// describe() of a slot, with the limits that only its condition knows: what decides nothing lies
// between two of them.
std::string describe(const Judgement& judged, const ConditionPlan& condition);

// {job="x",instance="a:1"}, the way Prometheus writes it; "" for a series without labels.
std::string series_name(const Series& series);

}  // namespace rollwatch
