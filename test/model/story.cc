#include "test/model/story.h"

#include <sstream>

#include "test/model/model.h"

namespace rollwatch::model {
namespace {

std::vector<Millis> phases_of(const RolloutState& state) {
  std::vector<Millis> phases;
  for (const ConditionState& c : state.conditions) phases.emplace_back(c.phase_ms);
  return phases;
}

// ---- Words

std::string seconds(Millis span) {
  if (span < Millis{0}) return "-" + format_duration(-span);
  return format_duration(span);
}

std::string number(double value) { return std::isnan(value) ? "NaN" : format_exact(value); }

std::string words_of(const Answer& answer) {
  std::string text;
  if (const auto* scalar = std::get_if<Scalar>(&answer.result)) {
    text = number(scalar->value);
  } else if (const auto* vector = std::get_if<Vector>(&answer.result)) {
    for (const Series& series : vector->series) {
      const bool mine = !series.labels.empty() && series.labels[0].value == "checkout";
      text += (text.empty() ? "" : " ") + number(series.value) + (mine ? "" : " (another's)");
    }
    if (text.empty()) text = "no series";
  } else if (std::holds_alternative<Unusable>(answer.result)) {
    text = "unusable";
  } else {
    text =
        "failure " + std::to_string(static_cast<int>(std::get<QueryFailure>(answer.result).kind));
  }
  return answer.partial ? "partial " + text : text;
}

struct Words {
  SysTime zero;

  std::string at(SysTime time) const { return seconds(time - zero); }
  std::string operator()(const Begin&) const { return "nothing stands before it"; }
  std::string operator()(const SlotAnswered& s) const {
    std::string text = "condition " + std::to_string(s.condition) + " slot " +
                       std::to_string(s.slot) + " for " + at(s.evaluated_at) + ": " +
                       words_of(s.value);
    if (s.evidence) text += ", evidence " + words_of(*s.evidence);
    return text;
  }
  std::string operator()(const SlotsMissed& s) const {
    return "condition " + std::to_string(s.condition) + " slots " + std::to_string(s.first) +
           " to " + std::to_string(s.last) + " for " + at(s.evaluated_at) + ": missed, " +
           std::string(name_of(s.cause));
  }
  std::string operator()(const PersonDecided& p) const {
    std::string text = std::string(name_of(p.kind)) + " by " + p.by.substr(0, 1);
    if (p.question) text += " to " + *p.question;
    if (p.kind == DecisionKind::kExtend) text += " for " + seconds(p.span);
    return text;
  }
  std::string operator()(const OrderEnded& o) const {
    static const char* const kEnds[] = {"done", "accepted", "refused", "expired"};
    return "order " + std::to_string(o.number) + " " + kEnds[static_cast<std::size_t>(o.end)];
  }
  std::string operator()(const WeightReported& w) const {
    return number(w.weight) + " % reported, since " + at(w.since);
  }
  std::string operator()(const SupersededBy&) const { return "superseded"; }
  std::string operator()(const WatchResumed& w) const {
    return "watching goes on after " + std::string(name_of(w.cause));
  }
  std::string operator()(const TimePassed&) const { return "time passed"; }
  std::string operator()(const PredecessorRollingBack& p) const {
    return p.rolling_back ? "an earlier one rolls back" : "no earlier one rolls back";
  }
  std::string operator()(const NewerWaits& n) const {
    return n.waits ? "a newer one waits" : "no newer one waits";
  }
  std::string operator()(const AlertChanged& a) const {
    return "alert " + a.fingerprint + (a.firing ? " fires" : " is resolved") + ", since " +
           at(a.starts_at) + (a.ends_at ? ", until " + at(*a.ends_at) : "");
  }
  std::string operator()(const HistoryRead& h) const {
    return "history of " + std::to_string(h.condition);
  }
  std::string operator()(const OlderActive& o) const {
    return o.active ? "an older one is active" : "no older one is active";
  }
  std::string operator()(const RollbackSentAgain&) const { return "the rollback is sent again"; }
  std::string operator()(const FreezeChanged& f) const { return f.text ? "frozen" : "thawed"; }
};

std::string words_of(const ConditionPlan& c) {
  static const char* const kOnFail[] = {"rollback", "pause", "observe"};
  static const char* const kMissing[] = {"wait", "fail", "ignore"};
  const auto& t = std::get<ThresholdCondition>(c.kind);
  std::ostringstream text;
  text << c.name << ": fails ";
  if (t.rule.series != SeriesRule::kByValue) {
    text << "by presence";
  } else {
    text << to_string(*t.rule.fail_if);
  }
  if (t.rule.pass_if) text << ", passes " << to_string(*t.rule.pass_if);
  text << ", reduce " << static_cast<int>(t.reduce) << ", every " << seconds(c.interval);
  if (t.query.uses("window")) text << ", window " << seconds(c.window);
  if (t.evidence) text << ", evidence";
  if (!t.select.empty()) text << ", select";
  text << ", fail_after " << c.fail_after << " within " << c.within << ", min_passes "
       << c.min_passes << ", on_fail " << kOnFail[static_cast<std::size_t>(c.on_fail)]
       << ", no_data " << kMissing[static_cast<std::size_t>(c.on_no_data)] << ", error "
       << kMissing[static_cast<std::size_t>(c.on_error)] << ", delay " << seconds(c.initial_delay);
  for (const double weight : c.steps) text << ", at " << number(weight);
  return text.str();
}

std::string words_of(const Plan& plan) {
  std::ostringstream text;
  text << "steps:";
  for (const StepPlan& step : plan.steps)
    text << " " << (step.weight ? number(*step.weight) + " %" : "duration") << " "
         << seconds(step.hold) << (step.approve ? " approve," : ",");
  if (plan.approve_start) text << " approve start,";
  if (plan.approve_promote) text << " approve promote,";
  text << " soak " << seconds(plan.soak) << ", patience " << seconds(plan.patience)
       << (plan.on_inconclusive == OnInconclusive::kRollback ? " (inconclusive: rollback)" : "")
       << ", deadline " << seconds(plan.deadline)
       << (plan.on_deadline == OnDeadline::kRollback ? " (rollback)" : "") << ", recovery "
       << seconds(plan.recovery);
  if (plan.ready)
    text << ", ready within " << seconds(plan.ready->timeout) << ", " << plan.ready->attempts
         << " attempts, again after " << seconds(plan.ready->retry_after);
  if (plan.alerts)
    text << ", alerts: "
         << (plan.alerts->on_fire == OnFail::kPause      ? "pause"
             : plan.alerts->on_fire == OnFail::kRollback ? "rollback"
                                                         : "observe");
  text << "\n";
  for (const ConditionPlan& c : plan.conditions) text << "  " << words_of(c) << "\n";
  return text.str();
}

}  // namespace

Transition registration_of(const Story& story) {
  FreezeChanged frozen;
  if (story.frozen) frozen.text = kHostile;
  return registered({story.spec, story.plan}, story.registered_at, frozen);
}

Story random_story(unsigned seed, int steps) {
  Dice dice(seed);
  Story story;
  story.spec = random_spec(dice);
  story.plan = random_plan(dice, Temper::kAny);
  RandomInputs inputs(dice, story.spec, story.plan);
  story.registered_at = inputs.now;
  story.frozen = inputs.frozen_from_the_start();
  const Fixed fixed{story.spec, story.plan};
  RolloutState state = registration_of(story).state;
  for (int i = 0; i < steps; ++i) {
    Input input = inputs.next(state);
    const Transition step = advance(fixed, state, input, inputs.now);
    if (!step.refusal) state = step.state;
    story.happenings.push_back({std::move(input), inputs.now});
  }
  return story;
}

std::optional<Mismatch> play(const Story& story) {
  const Fixed fixed{story.spec, story.plan};
  const Transition registration = registration_of(story);
  RolloutState state = registration.state;
  Model model(story.spec, story.plan, phases_of(state), story.registered_at, story.frozen);
  const auto compare = [&](const Transition& step, const Seen& expected,
                           std::size_t at) -> std::optional<Mismatch> {
    const Seen real = seen_of(fixed, state, step);
    if (real == expected) return std::nullopt;
    return Mismatch{at, difference(real, expected)};
  };
  if (auto mismatch = compare(registration, model.seen(), 0)) return mismatch;
  for (std::size_t i = 0; i < story.happenings.size(); ++i) {
    const Happening& happening = story.happenings[i];
    const Transition step = advance(fixed, state, happening.input, happening.now);
    if (!step.refusal) state = step.state;
    if (auto mismatch = compare(step, model.take(happening.input, happening.now), i + 1))
      return mismatch;
  }
  return std::nullopt;
}

Story shrink(Story story) {
  const auto cut = [&](std::size_t from, std::size_t count) {
    Story shorter = story;
    const auto begin = shorter.happenings.begin() + static_cast<std::ptrdiff_t>(from);
    shorter.happenings.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
    const auto mismatch = play(shorter);
    if (!mismatch) return false;
    shorter.happenings.resize(mismatch->step);  // what came after it was never needed
    story = std::move(shorter);
    return true;
  };
  if (const auto mismatch = play(story)) story.happenings.resize(mismatch->step);
  for (std::size_t count = story.happenings.size() / 2; count > 0; count /= 2) {
    for (std::size_t from = 0; from + count <= story.happenings.size();)
      if (!cut(from, count)) from += count;
  }
  for (std::size_t from = 0; from < story.happenings.size();)  // once more, one by one
    if (!cut(from, 1)) ++from;
  return story;
}

std::string in_words(const Story& story) {
  std::ostringstream text;
  text << words_of(story.plan)
       << (story.spec.orchestrator.empty() ? "without orchestrator" : "told")
       << (story.spec.observe ? ", observe" : "") << (story.frozen ? ", frozen" : "") << "\n";
  const Words words{story.registered_at};
  for (std::size_t i = 0; i < story.happenings.size(); ++i)
    text << i + 1 << ". at " << words.at(story.happenings[i].now) << ": "
         << std::visit(words, story.happenings[i].input) << "\n";
  return text.str();
}

}  // namespace rollwatch::model
