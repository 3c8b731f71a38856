#include "daemon/engine/check_conditions.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <optional>

#include "analysis/compare/count.h"
#include "analysis/compare/see.h"
#include "analysis/compare/words.h"
#include "analysis/judge.h"
#include "analysis/render.h"

namespace rollwatch {
namespace {

constexpr Millis kLongestTimeout{60'000};

Answer not_asked(std::string why) {
  Answer answer;
  answer.result = QueryFailure{FailureKind::kNotAsked, std::move(why), 0};
  return answer;
}

// What is out, and for whom; answers may come after everybody has gone.
struct Round {
  explicit Round(const net::any_io_executor& executor) : answered(executor) {}
  struct Owner {
    std::size_t asked = 0;
    Role role = Role::kValue;
    std::size_t arm = 0;  // of Role::kArm
  };
  std::vector<Asked> asked;
  std::vector<Owner> owners;  // of the questions, in order
  std::size_t out = 0;
  Promise<bool> answered;

  void take(std::size_t question, Answer answer) {
    const Owner& owner = owners[question];
    if (owner.role == Role::kArm)
      asked[owner.asked].arms[owner.arm].answer = std::move(answer);
    else if (owner.role == Role::kEvidence)
      asked[owner.asked].evidence = std::move(answer);
    else
      asked[owner.asked].value = std::move(answer);
    if (--out == 0) answered.set(true);
  }
};

class Asker {
 public:
  Asker(const RolloutSpec& spec, const Plan& plan, const CheckSurroundings& around)
      : spec_(spec), plan_(plan), around_(around), now_(around.clock.wall()) {}

  void add(std::size_t condition, Round& round) {
    const ConditionPlan& plan = plan_.conditions[condition];
    Asked asked;
    asked.condition = condition;
    asked.evaluated_at = now_ - around_.source.ingestion_delay(plan.datasource);
    asked.datasource = plan.datasource;
    asked.datasource_url = around_.datasource_url(plan.datasource);
    asked.headers = around_.source.header_names(plan.datasource);
    const std::size_t place = round.asked.size();
    for (const PlannedQuestion& question : questions_of(plan)) {
      if (question.arm) {
        AskedArm arm{*question.arm, question.is_bad, {}, {}};
        arm.query = add(question, plan, asked.evaluated_at, {place, Role::kArm, asked.arms.size()},
                        round, arm.answer);
        asked.arms.push_back(std::move(arm));
      } else if (question.is_evidence) {
        asked.evidence.emplace();
        asked.evidence_query = add(question, plan, asked.evaluated_at, {place, Role::kEvidence},
                                   round, *asked.evidence);
      } else {
        asked.query =
            add(question, plan, asked.evaluated_at, {place, value_role(plan)}, round, asked.value);
      }
    }
    if (!asked.arms.empty()) asked.query = asked.arms.front().query;
    round.asked.push_back(std::move(asked));
  }

  std::vector<Question> questions;

 private:
  static Role value_role(const ConditionPlan& plan) {
    return plan.is_readiness ? Role::kReadiness : Role::kValue;
  }

  // The question as it is shown; one that cannot be rendered is answered at once.
  SharedText add(const PlannedQuestion& planned, const ConditionPlan& plan, SysTime at,
                 Round::Owner owner, Round& round, Answer& unasked) {
    const bool has_step = !plan.is_readiness && !plan_.steps.empty();
    const auto text = render_question(planned, spec_, plan, plan.is_readiness ? -1 : 0,
                                      has_step ? plan_.steps.front().weight : std::nullopt);
    if (!text) {
      unasked = not_asked(text.error().message);
      return SharedText(planned.query->text());
    }
    Question question;
    question.datasource = plan.datasource;
    question.query = SharedText(*text);
    question.time = at;
    if (plan.timeout) question.timeout = std::min(*plan.timeout, kLongestTimeout);
    question.role = owner.role;
    question.last_answered = now_;  // others have waited longer
    round.owners.push_back(owner);
    ++round.out;
    questions.push_back(question);
    return question.query;
  }

  const RolloutSpec& spec_;
  const Plan& plan_;
  const CheckSurroundings& around_;
  const SysTime now_;
};

// One look at counters: whether they can be compared is known, what they count is not yet.
Judgement judge_once(const CompareCondition& compares, const Asked& asked) {
  ComparedSlot slot;
  slot.evaluated_at = asked.evaluated_at;
  for (const AskedArm& arm : asked.arms) {
    ArmAnswers& answers = arm.arm == Arm::kCandidate ? slot.candidate : slot.stable;
    (arm.is_bad ? answers.bad : answers.counted) = &arm.answer;
  }
  const SeenSlot seen = see(compares, nullptr, slot);
  if (seen.end) return *seen.end;
  Judgement first =
      ended(Outcome::kInconclusive, Cause::kFewCompared, measured(compares, seen.state));
  first.evidence = 1;
  first.min_evidence = static_cast<double>(kLeastGaugeSlots);
  return first;
}

Judgement judge_once(const RolloutSpec& spec, const ConditionPlan& plan, const Asked& asked) {
  if (const CompareCondition* compares = comparison_of(plan)) return judge_once(*compares, asked);
  JudgeContext context;
  context.evaluated_at = asked.evaluated_at;
  Answer value = asked.value;
  if (count_of(plan) != nullptr && !unusable(value, "")) {
    SeenCount seen = see_count({}, value, asked.evaluated_at, {}, plan.interval);
    if (seen.end) return *seen.end;
    value = std::move(seen.value);
  }
  for (const SelectLabel& label : std::get<ThresholdCondition>(plan.kind).select) {
    auto text = render_select(label, spec);
    if (text)
      context.select.push_back({label.name, std::move(*text)});
    else
      value = not_asked("a label of select has no value");
  }
  return judge(plan, value, asked.evidence ? &*asked.evidence : nullptr, context);
}

CheckedCondition judged(const RolloutSpec& spec, const ConditionPlan& plan, Asked asked) {
  CheckedCondition checked;
  checked.name = plan.name;
  checked.judged = judge_once(spec, plan, asked);
  checked.rule = rule_text(checked.judged, plan);
  checked.detail = describe(checked.judged, plan);
  checked.duration = asked.value.duration;
  if (asked.evidence) checked.duration = std::max(checked.duration, asked.evidence->duration);
  for (const AskedArm& arm : asked.arms)
    checked.duration = std::max(checked.duration, arm.answer.duration);
  checked.asked = std::move(asked);
  return checked;
}

}  // namespace

awaitable<std::vector<CheckedCondition>> check_conditions(RolloutSpec spec,
                                                          std::shared_ptr<const Plan> plan,
                                                          std::vector<std::string> left_out,
                                                          CheckSurroundings around) {
  const auto round = std::make_shared<Round>(co_await net::this_coro::executor);
  Asker asker(spec, *plan, around);
  for (std::size_t i = 0; i < plan->conditions.size(); ++i)
    if (std::ranges::find(left_out, plan->conditions[i].name) == left_out.end())
      asker.add(i, *round);
  if (round->out > 0) {
    around.source.ask(std::move(asker.questions), [round](std::size_t question, Answer answer) {
      round->take(question, std::move(answer));
    });
    co_await round->answered.get();
  }
  std::vector<CheckedCondition> checked;
  for (Asked& asked : round->asked) {
    const ConditionPlan& condition = plan->conditions[asked.condition];
    checked.push_back(judged(spec, condition, std::move(asked)));
  }
  co_return checked;
}

}  // namespace rollwatch
