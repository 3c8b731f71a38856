// What a slot does to a rollout: it is recorded, it may fail its condition, use up patience, lift a
// pause for want of answers, or end the step. In that order: a failure goes before everything.
#include <algorithm>

#include "analysis/compare/count.h"
#include "analysis/compare/outlook.h"
#include "analysis/compare/see.h"
#include "analysis/compare/standing.h"
#include "analysis/judge.h"
#include "analysis/mover.h"
#include "analysis/render.h"
#include "analysis/silence.h"
#include "analysis/slots.h"
#include "analysis/text.h"

namespace rollwatch {
namespace {

// A failing slot, or one without an answer that is told to count as failing.
bool counts_as_fail(const ConditionPlan& plan, Outcome outcome) {
  return outcome == Outcome::kFail ||
         (outcome == Outcome::kNoData && plan.on_no_data == OnMissing::kFail) ||
         (outcome == Outcome::kError && plan.on_error == OnMissing::kFail);
}

// Inconclusive only because there is not enough to judge yet: that lengthens the step, nothing
// else.
bool is_too_early(const Judgement& j) {
  return j.outcome == Outcome::kInconclusive &&
         (j.cause == Cause::kReachesBack || j.cause == Cause::kFewEvents ||
          j.cause == Cause::kSuspicious || j.cause == Cause::kWarmingUp ||
          j.cause == Cause::kCountingBegins || j.cause == Cause::kNotLookedYet ||
          j.cause == Cause::kFewCompared);
}

void push_answer(const ConditionPlan& plan, ConditionState& c, const Judgement& j, bool failing) {
  const bool all = plan.within == kWithinAll;
  if (all) {
    ++c.answers_of_all;
    c.fails_of_all += failing ? 1 : 0;
  }
  const auto kept = static_cast<std::size_t>(all ? kShownOfAll : plan.within);
  c.recent.reserve(std::min(kept, c.recent.size() + 4));  // and not twice as many
  if (c.recent.size() >= kept) c.recent.erase(c.recent.begin());
  c.recent.push_back({c.last_slot, j.outcome, failing, j.value});
}

bool is_answer(const ConditionPlan& plan, Outcome outcome) {
  return counts_as_fail(plan, outcome) || outcome == Outcome::kPass ||
         outcome == Outcome::kInconclusive;
}

// `first` is the first one's for a run of missed slots: so long was there no answer. `before` is
// the time the slot before it was evaluated for.
void note(Mover& m, std::size_t i, const Judgement& j, SysTime first, SysTime before) {
  const ConditionPlan& plan = m.condition(i);
  ConditionState& c = m.state().conditions[i];
  const bool failing = counts_as_fail(plan, j.outcome);
  const bool answered = is_answer(plan, j.outcome);
  // How long nobody answered is not how long the answers decided nothing, also where it is ignored
  // that nobody did.
  if (c.inconclusive_since) {
    if (c.last && !is_answer(plan, c.last->outcome)) *c.inconclusive_since += first - before;
    *c.inconclusive_since += c.last_evaluated_at - first;
  }
  c.last = j;
  if (answered) {
    push_answer(plan, c, j, failing);
    c.answered_for = c.last_evaluated_at;
    c.silent_since.reset();
  } else if (m.is_ignored(i)) {
    c.silent_since.reset();
  } else if (!c.silent_since) {
    c.silent_since = first;
  }
  if (j.outcome == Outcome::kPass) {
    ++c.passes_in_step;
    ++c.passes;
  }
  if (j.outcome == Outcome::kInconclusive && !is_too_early(j)) {
    if (!c.inconclusive_since) c.inconclusive_since = first;
  } else if (answered) {
    c.inconclusive_since.reset();
  }
}

// A yes to these sends the rollout on, and a pause for want of answers is lifted by itself: none of
// that may happen once a condition has failed. The yes to any other question begins the step
// afresh.
bool yields_to_a_failure(QuestionKind kind) {
  return kind == QuestionKind::kNoAnswers || kind == QuestionKind::kApproveStep ||
         kind == QuestionKind::kApprovePromote || kind == QuestionKind::kNothingMeasured;
}

void on_condition_failed(Mover& m, std::size_t i, bool can_stop) {
  const ConditionPlan& plan = m.condition(i);
  RolloutState& s = m.state();
  const std::string sentence = cut(failing_sentence(plan, s.conditions[i]), kLongestSentence);
  const auto tell_failed = [&](const std::string& what) {
    Event& event = m.tell(EventType::kConditionFailed, what);
    event.condition = plan.name;
    event.value = s.conditions[i].last->value;
    event.rule = rule_text(*s.conditions[i].last, plan);
  };

  if (!can_stop) {
    const bool pauses = plan.on_fail == OnFail::kPause;
    tell_failed((pauses ? "would have paused: " : "would have rolled back: ") + sentence);
    Decision would;
    would.number = ++s.decisions_made;
    would.kind = pauses ? DecisionKind::kPause : DecisionKind::kRollback;
    would.by = kEngine;
    would.reason = sentence;
    would.condition = i;
    would.would_have = true;
    would.at = m.now;
    m.out.decisions.push_back(std::move(would));
    return;
  }
  if (plan.on_fail == OnFail::kRollback) {
    tell_failed(sentence);
    m.roll_back(kEngine, sentence, i);
    return;
  }
  tell_failed(sentence);
  pause_for_failed(m, QuestionKind::kConditionFailed, sentence, i);
}

void check_patience(Mover& m, std::size_t i, SysTime evaluated_at) {
  RolloutState& s = m.state();
  const ConditionPlan& plan = m.condition(i);
  const ConditionState& c = s.conditions[i];
  const Millis patience = m.fixed.plan.patience;
  if (s.state != State::kAnalyzing || !m.gates(i)) return;
  if (c.silent_since && evaluated_at - *c.silent_since >= patience) {
    m.pause(
        QuestionKind::kNoAnswers, kEngine,
        plan.name + " gave no answer for " + format_duration(patience) + ": " + describe(*c.last),
        i, silent_datasource(plan, *c.last));
  } else if (c.last->outcome == Outcome::kInconclusive && c.inconclusive_since &&
             evaluated_at - *c.inconclusive_since >= patience) {
    const std::string text = plan.name + " was inconclusive for " + format_duration(patience) +
                             ": " + describe(*c.last, plan);
    if (m.fixed.plan.on_inconclusive == OnInconclusive::kRollback)
      m.roll_back(kEngine, text, i);
    else
      m.pause(QuestionKind::kInconclusive, kEngine, text, i);
  }
}

// In the soak nothing waits for answers; that there are none is told, once per silence.
void tell_silence_in_soak(Mover& m, std::size_t i, SysTime before, SysTime evaluated_at) {
  const ConditionState& c = m.state().conditions[i];
  const Millis patience = m.fixed.plan.patience;
  if (m.state().state != State::kSoaking || !c.silent_since || m.condition(i).is_readiness) return;
  if (evaluated_at - *c.silent_since < patience || before - *c.silent_since >= patience) return;
  Event& event = m.tell(EventType::kNote, m.condition(i).name + " gave no answer for " +
                                              format_duration(patience) + ": " + describe(*c.last) +
                                              "; it is promoted, so nothing waits for one");
  event.condition = m.condition(i).name;
  event.datasource = silent_datasource(m.condition(i), *c.last);
  event.is_news = true;
}

// Only a pause for want of answers is lifted by the engine, when every gating condition passes
// again. The step's hold then starts again: nobody was watching meanwhile.
void lift_pause_if_answered(Mover& m, SysTime evaluated_at) {
  RolloutState& s = m.state();
  if (s.state != State::kPaused || s.question->kind != QuestionKind::kNoAnswers) return;
  bool any_passed = false;
  for (std::size_t i = 0; i < s.conditions.size(); ++i) {
    if (!m.gates(i)) continue;
    const auto& last = s.conditions[i].last;
    if (m.is_ignored(i)) continue;
    if (!last || last->outcome != Outcome::kPass) return;
    any_passed = true;
  }
  if (!any_passed) return;
  m.resume_for_answers(evaluated_at);
}

// The labels that pick this rollout's series; nullopt: one of them has no value any more.
std::optional<std::vector<Label>> selected_labels(const Mover& m, const ThresholdCondition& t) {
  std::vector<Label> labels;
  for (const SelectLabel& label : t.select) {
    auto value = render_select(label, m.fixed.spec);
    if (!value) return std::nullopt;
    labels.push_back({label.name, std::move(*value)});
  }
  return labels;
}

Judgement judge_threshold(const Mover& m, const ConditionPlan& plan, const Answer& value,
                          const SlotAnswered& input) {
  JudgeContext context;
  context.evaluated_at = input.evaluated_at;
  // Before the rollout begins, and after it has ended, there is no step to reach back before.
  if (!plan.is_readiness && !m.state().recovery) context.step_since = m.state().step_since;
  const auto labels = selected_labels(m, std::get<ThresholdCondition>(plan.kind));
  if (!labels) {  // whose series they are is not known
    const Answer none{QueryFailure{FailureKind::kNotAsked, "a label of select has no value", 0},
                      {},
                      false,
                      nullptr,
                      {}};
    return judge(plan, none, input.evidence ? &*input.evidence : nullptr, context);
  }
  context.select = *labels;
  return judge(plan, value, input.evidence ? &*input.evidence : nullptr, context);
}

// What has been counted since the step began, in the place of the counters.
Judgement judge_count(Mover& m, std::size_t i, const SlotAnswered& input) {
  const ConditionPlan& plan = m.condition(i);
  ConditionState& c = m.state().conditions[i];
  if (unusable(input.value, "")) return judge_threshold(m, plan, input.value, input);
  statistics::CountState before;
  if (c.memory.count() != nullptr) before = *c.memory.count();
  // After a rollback what counts is what happens from then on.
  const MaybeTime since = m.state().recovery ? c.watched_from : m.state().step_since;
  SeenCount seen = see_count(before, input.value, input.evaluated_at, since, plan.interval);
  const auto* vector = std::get_if<Vector>(&input.value.result);
  const bool is_empty = vector != nullptr && vector->series.empty();
  // Where the evidence finds nobody either, the metrics are not there: counting begins when they
  // are.
  if (is_empty && input.evidence && !before.table.last_at) {
    Judgement nobody = judge_threshold(m, plan, seen.value, input);
    if (nobody.outcome == Outcome::kNoData || nobody.outcome == Outcome::kError) return nobody;
  }
  // Without evidence that anybody was there, no counter is no answer.
  if (is_empty && !input.evidence) seen.value = input.value;
  c.memory = ConditionMemory(std::move(seen.state));
  if (seen.end) return *seen.end;
  return judge_threshold(m, plan, seen.value, input);
}

// What the slot counts may have happened while the step was young: it has counted since the slot
// before it that was answered. So may what happens while the next share is on its way, when pods
// are new; and on the way to 100 % stable goes away.
bool is_young(const Mover& m, std::size_t i, SysTime evaluated_at) {
  const RolloutState& s = m.state();
  const CompareCondition& compares = *comparison_of(m.condition(i));
  const statistics::ComparisonState* memory = s.conditions[i].memory.comparison();
  SysTime since = evaluated_at - m.condition(i).interval;
  if (memory != nullptr && memory->stable.last_at) since = *memory->stable.last_at;
  if (s.step_since && since < *s.step_since + compares.warmup) return true;
  if (s.state == State::kPromoting) return true;
  return m.progress_is_ordered() && since < s.order->at + compares.warmup;
}

// While a person is asked, or promoted it is, no step ends by itself.
Suspicion suspicion_of(const Mover& m, std::size_t i) {
  const bool keeps_weight = m.state().state == State::kAnalyzing && m.gates(i);
  return keeps_weight ? Suspicion::kKeepsWeight : Suspicion::kObserves;
}

// Warm-up and the end of the step are known by the clock.
Judgement judge_against_stable(Mover& m, std::size_t i, const SlotAnswered& input) {
  const ConditionPlan& plan = m.condition(i);
  const CompareCondition& compares = *comparison_of(plan);
  RolloutState& s = m.state();
  ComparedSlot slot;
  slot.evaluated_at = input.evaluated_at;
  slot.step = static_cast<std::uint32_t>(std::max(s.step, 0));
  slot.warms_up = is_young(m, i, input.evaluated_at);
  slot.ends_step = s.state == State::kAnalyzing && s.step >= 0 && s.hold_since &&
                   input.evaluated_at >= m.hold_end();
  const auto questions = questions_of(plan);
  for (std::size_t q = 0; q < questions.size(); ++q) {
    ArmAnswers& arm = *questions[q].arm == Arm::kCandidate ? slot.candidate : slot.stable;
    (questions[q].is_bad ? arm.bad : arm.counted) = &input.arms[q];
  }
  ConditionMemory& memory = s.conditions[i].memory;
  SeenSlot seen = see(compares, memory.comparison(), slot);
  memory = ConditionMemory(std::move(seen.state));
  return seen.end ? *seen.end : judge_comparison(m.fixed.plan, s.conditions, i, suspicion_of(m, i));
}

Judgement judge_slot(Mover& m, std::size_t i, const SlotAnswered& input) {
  const ConditionPlan& plan = m.condition(i);
  if (comparison_of(plan) != nullptr) return judge_against_stable(m, i, input);
  if (count_of(plan) != nullptr) return judge_count(m, i, input);
  return judge_threshold(m, plan, input.value, input);
}

// All that compare have reached together what none may have reached alone: those it is due to have
// failed, whichever was looked at last, and also if one is not asked at this weight any more.
void fail_by_evidence(Mover& m, std::size_t i) {
  RolloutState& s = m.state();
  if (s.conditions[i].memory.comparison() == nullptr) return;
  const ComparisonStanding standing = standing_of(m.fixed.plan, s.conditions, i);
  std::optional<std::size_t> first;
  for (const std::size_t cause : standing.causes) {
    ConditionState& c = s.conditions[cause];
    if (c.failed) continue;
    c.failed = true;
    if (cause != i)
      c.last = judge_comparison(m.fixed.plan, s.conditions, cause, suspicion_of(m, cause));
    if (!first) first = cause;
  }
  if (first) on_condition_failed(m, *first, m.can_stop(i));
}

// Not if it was asked for what was before: a step with this condition, or a person's yes that began
// the step afresh. Then it is recorded, without effect.
bool counts_now(const ConditionState& c, SysTime evaluated_at) {
  return c.watched_from && evaluated_at >= *c.watched_from;
}

// Of the slowest answer.
Millis duration_of(const SlotAnswered& input) {
  Millis longest = input.value.duration;
  if (input.evidence) longest = std::max(longest, input.evidence->duration);
  for (const Answer& answer : input.arms) longest = std::max(longest, answer.duration);
  return longest;
}

}  // namespace

void pause_for_failed(Mover& m, QuestionKind kind, const std::string& sentence,
                      std::optional<std::size_t> i) {
  const RolloutState& s = m.state();
  // Promoted already, on_fail = "pause" only tells; and behind a person's question it does not
  // even ask.
  const bool pauses = s.state != State::kSoaking &&
                      (s.state != State::kPaused || yields_to_a_failure(s.question->kind));
  if (pauses) return m.pause(kind, kEngine, sentence, i);
  m.out.events.back().is_news = true;  // that it failed
}

void on_slot(Mover& m, const SlotAnswered& input) {
  RolloutState& s = m.state();
  const std::size_t i = input.condition;
  const ConditionPlan& plan = m.condition(i);
  ConditionState& c = s.conditions[i];
  if (!is_watching(s) || input.slot <= c.last_slot) return;  // ended meanwhile, or never twice

  const Judgement j = judge_slot(m, i, input);
  Evaluation evaluation;
  evaluation.condition = i;
  evaluation.slot = evaluation.last_slot = input.slot;
  evaluation.slot_time = grid_of(plan, c).at(input.slot);
  evaluation.evaluated_at = input.evaluated_at;
  evaluation.judgement = j;
  evaluation.step = s.step;
  evaluation.duration = duration_of(input);
  m.out.evaluations.push_back(std::move(evaluation));

  c.last_slot = input.slot;
  ++c.counts[static_cast<std::size_t>(j.outcome)];
  const SysTime before = c.last_evaluated_at;
  c.last_evaluated_at = input.evaluated_at;
  if (!counts_now(c, input.evaluated_at)) {
    c.last = j;
    return;
  }
  note(m, i, j, input.evaluated_at, before);
  if (s.recovery) return on_recovery_slot(m);
  if (plan.is_readiness) return on_readiness(m, i);

  if (comparison_of(plan) != nullptr) {
    fail_by_evidence(m, i);
  } else if (!c.failed && fails_in_window(plan, c) >= static_cast<std::uint32_t>(plan.fail_after)) {
    c.failed = true;
    on_condition_failed(m, i, m.can_stop(i));
  }
  check_patience(m, i, input.evaluated_at);
  tell_silence_in_soak(m, i, before, input.evaluated_at);
  if (j.outcome == Outcome::kMissed) return;  // it could not be asked
  lift_pause_if_answered(m, input.evaluated_at);
  m.end_step_if_done(input.evaluated_at);
}

void on_slots_missed(Mover& m, const SlotsMissed& input) {
  RolloutState& s = m.state();
  const ConditionPlan& plan = m.condition(input.condition);
  ConditionState& c = s.conditions[input.condition];
  const std::int64_t first =
      std::max(input.first, c.last_slot == ConditionState::kNoSlot ? input.first : c.last_slot + 1);
  const bool records = is_watching(s) || input.cause == Cause::kMissedEnded;
  if (!records || first > input.last) return;

  Evaluation evaluation;
  evaluation.condition = input.condition;
  evaluation.slot = first;
  evaluation.last_slot = input.last;
  evaluation.slot_time = grid_of(plan, c).at(first);
  // The time goes on, also where a delay has grown.
  const SysTime before = c.last_evaluated_at;
  const SysTime evaluated_at = std::max(before, input.evaluated_at);
  evaluation.evaluated_at = evaluated_at;
  evaluation.judgement.outcome = Outcome::kMissed;
  evaluation.judgement.cause = input.cause;
  evaluation.step = s.step;
  m.out.evaluations.push_back(evaluation);

  c.last_slot = input.last;
  c.counts[static_cast<std::size_t>(Outcome::kMissed)] +=
      static_cast<std::uint32_t>(input.last - first + 1);
  if (input.cause == Cause::kMissedEnded) return;  // recorded, and nothing else
  c.last_evaluated_at = evaluated_at;
  if (!counts_now(c, evaluated_at)) {
    c.last = evaluation.judgement;
    return;
  }
  note(m, input.condition, evaluation.judgement,
       std::max(before, evaluated_at - (input.last - first) * plan.interval), before);
  // Nobody was there to see whether there were answers: patience starts again.
  if (input.cause == Cause::kMissedDowntime || input.cause == Cause::kMissedClockJump ||
      input.cause == Cause::kMissedStore) {
    c.silent_since.reset();
    c.inconclusive_since.reset();
    return;
  }
  if (s.recovery) return;  // it tells nothing about how it is now
  check_patience(m, input.condition, evaluated_at);
  tell_silence_in_soak(m, input.condition, before, evaluated_at);
}

void on_history(Mover& m, const HistoryRead& input) {
  RolloutState& s = m.state();
  const ConditionPlan& plan = m.condition(input.condition);
  const CompareCondition* compares = comparison_of(plan);
  ConditionMemory& memory = s.conditions[input.condition].memory;
  const statistics::ComparisonState* before = memory.comparison();
  if (compares == nullptr || is_final(s.state) || (before != nullptr && before->history_read))
    return;
  statistics::ComparisonState after = with_history(*compares, before, input.slots);
  after.outlook = cut(outlook_of(m.fixed.plan, input.condition, after), kLongestSentence);
  std::string text = plan.name + ", compared with stable: ";
  const bool counts =
      compares->kind() == CompareKind::kRate || compares->kind() == CompareKind::kHistogram;
  if (!input.failed.empty())
    text += "its history could not be read (" + input.failed + "), so " +
            (counts ? "bursts are" : "what is usual of it is") + " learnt on the way";
  else if (after.outlook.empty())
    text += after.history_slots > 0
                ? std::to_string(after.history_slots) + " slots of its history were read"
                : std::string("it has no history");
  else
    text += after.outlook;
  memory = ConditionMemory(std::move(after));
  m.tell(EventType::kNote, cut(text, kLongestSentence)).condition = plan.name;
}

}  // namespace rollwatch
