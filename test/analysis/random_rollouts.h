// Rollouts to which anything may happen, from a seed: plans, answers, and inputs that are likely
// enough for every state to be reached. The same seed gives the same ones on every machine.
#pragma once

#include <algorithm>
#include <limits>
#include <random>
#include <string>

#include "test/analysis/rollout_fixture.h"

namespace rollwatch {

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}

  int roll(int sides) { return static_cast<int>(engine_() % static_cast<unsigned>(sides)); }
  bool one_in(int n) { return roll(n) == 0; }
  template <class T>
  T pick(std::initializer_list<T> from) {
    return from.begin()[roll(static_cast<int>(from.size()))];
  }

 private:
  std::mt19937 engine_;
};

inline const std::string kHostile =
    "a\nb\x01"
    "\xff\"'; DROP TABLE rollouts; --→" +
    std::string(400, 'x');

// What keeps rule 2: nothing in the plan lets missing or inconclusive answers roll back, and no
// alert does.
enum class Temper { kAny, kPatient };

inline ConditionPlan random_condition(Dice& dice, Temper temper, const std::string& name) {
  ConditionPlan c = condition(name, "> 0.05");
  ThresholdCondition& t = threshold(c);
  if (dice.one_in(3)) t.rule.pass_if = comparison("< 0.02");
  if (dice.one_in(3)) windowed(c, "30s");
  if (dice.one_in(3)) counting_events(c);
  if (dice.one_in(6)) t.rule = {SeriesRule::kNoSeriesFails, std::nullopt, std::nullopt};
  t.reduce = dice.pick({Reduce::kEach, Reduce::kMax, Reduce::kSum, Reduce::kOne});
  if (dice.one_in(5))
    t.select = {
        {"app", promql::parse_text_template(dice.pick({"{{service}}", "checkout"})).value()}};
  c.interval = Millis(dice.pick({5'000, 10'000, 15'000}));
  c.initial_delay = Millis(dice.pick({0, 0, 20'000}));
  c.fail_after = 1 + dice.roll(4);
  c.within = dice.one_in(5) ? kWithinAll : c.fail_after + dice.roll(3);
  c.min_passes = 1 + dice.roll(3);
  c.on_fail = dice.pick({OnFail::kRollback, OnFail::kRollback, OnFail::kPause, OnFail::kObserve});
  const auto missing = [&] {
    return temper == Temper::kPatient
               ? dice.pick({OnMissing::kWait, OnMissing::kIgnore})
               : dice.pick({OnMissing::kWait, OnMissing::kFail, OnMissing::kIgnore});
  };
  c.on_no_data = missing();
  c.on_error = missing();
  return c;
}

// A gate that wants three of something.
inline void add_readiness(Dice& dice, Plan& plan) {
  plan.ready = ReadyPlan{3, Millis(dice.pick({20'000, 60'000, 600'000})),
                         Millis(dice.pick({10'000, 30'000})), 1 + dice.roll(3)};
  ConditionPlan ready = condition("ready", "< 3");
  ready.is_readiness = true;
  ready.interval = Millis(dice.pick({5'000, 10'000}));
  ready.fail_after = 1 + dice.roll(3);
  ready.within = dice.one_in(4) ? kWithinAll : ready.fail_after + dice.roll(2);
  ready.on_fail = dice.pick({OnFail::kObserve, OnFail::kPause, OnFail::kRollback});
  const int place = dice.roll(static_cast<int>(plan.conditions.size()) + 1);
  plan.conditions.insert(plan.conditions.begin() + place, std::move(ready));
}

inline Plan random_plan(Dice& dice, Temper temper) {
  Plan plan;
  if (dice.one_in(8)) {
    plan.steps = {{std::nullopt, Millis(dice.roll(60'000)), dice.one_in(4)}};
  } else {
    double weight = dice.pick({0.0, 1.0, 5.0});
    const int steps = 1 + dice.roll(4);
    for (int i = 0; i < steps; ++i) {
      plan.steps.push_back(
          {weight, Millis(dice.pick({0, 10'000, 30'000, 60'000})), dice.one_in(8)});
      weight += dice.pick({0.5, 10.0, 20.0});
    }
  }
  plan.approve_start = dice.one_in(8);
  plan.approve_promote = dice.one_in(6);
  plan.soak = Millis(dice.pick({0, 0, 30'000, 120'000}));
  plan.patience = Millis(dice.pick({20'000, 60'000, 300'000}));
  plan.recovery = Millis(dice.pick({0, 20'000, 60'000, 300'000}));
  plan.deadline = Millis(dice.pick({120'000, 600'000, 86'400'000}));
  plan.on_deadline = temper == Temper::kPatient
                         ? OnDeadline::kPause
                         : dice.pick({OnDeadline::kPause, OnDeadline::kRollback});
  plan.on_inconclusive = temper == Temper::kPatient
                             ? OnInconclusive::kPause
                             : dice.pick({OnInconclusive::kPause, OnInconclusive::kRollback});
  const int conditions = dice.pick({0, 1, 1, 2, 2, 3});
  for (int i = 0; i < conditions; ++i) {
    plan.conditions.push_back(random_condition(dice, temper, "c" + std::to_string(i)));
    if (dice.one_in(5) && plan.steps.front().weight)
      plan.conditions.back().steps = {*plan.steps.back().weight, 100};
  }
  if (dice.one_in(4)) add_readiness(dice, plan);
  if (dice.one_in(3))
    plan.alerts = AlertsPlan{
        {{"service", promql::parse_text_template("{{service}}").value()}},
        temper == Temper::kPatient
            ? dice.pick({OnFail::kPause, OnFail::kObserve})
            : dice.pick({OnFail::kRollback, OnFail::kPause, OnFail::kPause, OnFail::kObserve})};
  return plan;
}

inline RolloutSpec random_spec(Dice& dice) {
  RolloutSpec spec;
  spec.id = "ro_1";
  spec.service = "checkout";
  spec.stable = "1.23";
  spec.candidate = dice.one_in(5) ? kHostile : "1.24";
  spec.orchestrator = dice.one_in(4) ? "" : "deployer";
  spec.by = dice.one_in(5) ? kHostile : "ci";
  spec.observe = dice.one_in(12);
  spec.created_at = *parse_time("2026-01-02T03:00:00Z");
  return spec;
}

inline Answer random_answer(Dice& dice, bool only_missing, std::initializer_list<double> values) {
  Answer answer;
  Vector vector;
  switch (only_missing ? 4 + dice.roll(6) : dice.roll(10)) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const int series = 1 + (dice.one_in(5) ? dice.roll(3) : 0);
      for (int i = 0; i < series; ++i)
        vector.series.push_back(
            {{{"app", dice.one_in(9) ? kHostile : "checkout"}},
             dice.one_in(30) ? std::numeric_limits<double>::quiet_NaN() : dice.pick(values)});
      answer.result = vector;
      return answer;
    }
    case 4:
      answer.result = vector;
      return answer;
    case 5:
      vector.series.push_back({{}, std::numeric_limits<double>::quiet_NaN()});
      answer.result = vector;
      return answer;
    case 6:
      answer.result = Scalar{std::numeric_limits<double>::infinity()};
      return answer;
    case 7:
      answer.result = Scalar{dice.pick(values)};
      answer.partial = true;
      answer.warnings = {kHostile};
      return answer;
    case 8:
      answer.result = Unusable{"matrix"};
      return answer;
    default:
      answer.result = QueryFailure{static_cast<FailureKind>(dice.roll(8)), kHostile, 0};
      return answer;
  }
}

// What happens to one rollout. The state is only looked at to make likely what makes sense in it.
class RandomInputs {
 public:
  // The dice roll on after what made the plan, so that one seed is one story.
  RandomInputs(Dice dice, const RolloutSpec& spec, const Plan& plan)
      : dice_(dice),
        spec_(spec),
        plan_(plan),
        ingestion_delay_(dice_.pick({0, 0, 7'000, 15'000})),
        mood_(random_mood()) {}

  SysTime now = *parse_time("2026-01-02T03:00:00Z");  // of random_spec()

  bool frozen_from_the_start() { return dice_.one_in(15); }

  Input next(const RolloutState& state) {
    now += Millis(dice_.pick({0, 1'000, 5'000, 5'000, 10'000}));
    if (dice_.one_in(200)) now += std::chrono::hours(dice_.roll(30));
    // Without these most stories would end before they began.
    if (state.state == State::kWaiting && dice_.one_in(4)) return before_the_beginning(state);
    if (state.state == State::kPaused && dice_.one_in(12))
      return PersonDecided{DecisionKind::kResume, "alice", "", {}};
    if (awaits_somebody(state) ? dice_.one_in(6) : dice_.one_in(150))
      return RollbackSentAgain{person(), dice_.one_in(3) ? kHostile : ""};
    if (awaits_somebody(state) && dice_.one_in(20)) return SupersededBy{"ro_2", kHostile};
    if (state.order && dice_.one_in(6)) return OrderEnded{state.order->number, OrderEnd::kDone, ""};
    if (plan_.alerts && dice_.one_in(9)) return alert(state);
    switch (dice_.roll(44)) {
      case 0:
        return Begin{};
      case 1:
        if (!dice_.one_in(3)) return slot(state);
        return WatchResumed{dice_.pick({Cause::kMissedDowntime, Cause::kMissedClockJump})};
      case 2:
        return TimePassed{};
      case 3:
        if (dice_.one_in(30)) return SupersededBy{"ro_2", kHostile};
        return TimePassed{};
      case 4:
        if (dice_.one_in(2)) return OlderActive{dice_.one_in(2)};
        return PredecessorRollingBack{dice_.one_in(3)};
      case 5:
        if (!spec_.orchestrator.empty() && !dice_.one_in(3)) return slot(state);
        return WeightReported{dice_.pick({0.0, 1.0, 5.0, 10.5, 15.0, 25.0, 50.0, 100.0}),
                              now - Millis(dice_.pick({-60'000, 0, 0, 600'000})), person()};
      case 6:
      case 7:
        return dice_.one_in(2) ? decision() : slot(state);
      case 8:
      case 9:
      case 10:
      case 11:
      case 12:
      case 13:
        return order_ended(state);
      case 14:
        if (dice_.one_in(2)) return slot(state);
        now -= Millis(dice_.roll(100'000));
        return WatchResumed{Cause::kMissedClockJump};
      case 15:
        if (dice_.one_in(2)) return NewerWaits{dice_.one_in(3)};
        if (state.freeze || dice_.one_in(2)) return FreezeChanged{};
        return FreezeChanged{kHostile, person(), ""};
      case 16:
        // At the moment the timer asked for, as the engine does.
        if (const auto timer = next_timer({spec_, plan_}, state); timer && *timer > now)
          now = std::min(*timer, now + std::chrono::minutes(40));
        return TimePassed{};
      default:
        return slot(state);
    }
  }

 private:
  std::string person() { return dice_.one_in(6) ? kHostile : "alice"; }

  Input before_the_beginning(const RolloutState& state) {
    if (state.question) return PersonDecided{DecisionKind::kResume, "alice", "", {}};
    if (state.freeze && dice_.one_in(2)) return FreezeChanged{};
    return Begin{};
  }

  // Few, so that they meet; told again, out of order, and by a clock that is not ours.
  Input alert(const RolloutState& state) {
    AlertChanged alert;
    alert.fingerprint = dice_.pick({"a", "b", "c"});
    alert.name = dice_.one_in(5) ? kHostile : "Slow";
    alert.labels = dice_.one_in(5) ? kHostile : "";
    alert.summary = dice_.one_in(3) ? kHostile : "";
    alert.generator_url = dice_.one_in(9) ? std::string(3'000, 'u') : "http://prometheus/graph";
    alert.starts_at = now - Millis(dice_.pick({-5'000, 0, 0, 10'000, 600'000}));
    alert.firing = !dice_.one_in(3);
    for (const FiringAlert& known : state.alerts->firing)
      if (known.fingerprint == alert.fingerprint && dice_.one_in(2))
        alert.starts_at = known.starts_at;
    if (!alert.firing && !dice_.one_in(5))
      alert.ends_at = now - Millis(dice_.pick({0, 0, 30'000, 900'000}));
    return alert;
  }

  // People are rare, and rarely end things.
  Input decision() {
    const auto kind =
        dice_.one_in(6)
            ? static_cast<DecisionKind>(dice_.roll(7))
            : dice_.pick({DecisionKind::kAdvance, DecisionKind::kPause, DecisionKind::kResume,
                          DecisionKind::kResume, DecisionKind::kExtend});
    PersonDecided decided{kind, person(), dice_.one_in(3) ? kHostile : "", std::nullopt};
    if (kind == DecisionKind::kExtend) decided.span = Millis(dice_.pick({10'000, 60'000, 600'000}));
    if (dice_.one_in(4)) decided.question = "q" + std::to_string(dice_.roll(4));
    return decided;
  }

  Input order_ended(const RolloutState& state) {
    unsigned number = static_cast<unsigned>(dice_.roll(static_cast<int>(state.orders_given) + 2));
    if (state.order && !dice_.one_in(10)) {
      number = state.order->number;
    } else if (state.lapsed && !dice_.one_in(4)) {
      number = state.lapsed->number;
    }
    const auto end = dice_.pick({OrderEnd::kDone, OrderEnd::kDone, OrderEnd::kDone,
                                 OrderEnd::kAccepted, OrderEnd::kRefused, OrderEnd::kExpired});
    return OrderEnded{number, end, dice_.one_in(3) ? kHostile : ""};
  }

  Input slot(const RolloutState& state) {
    if (plan_.conditions.empty()) return TimePassed{};
    const auto i = static_cast<std::size_t>(dice_.roll(static_cast<int>(plan_.conditions.size())));
    const ConditionPlan& c = plan_.conditions[i];
    const Grid grid = grid_of(c, state.conditions[i]);
    const auto next = next_slot(c, state.conditions[i], ingestion_delay_);
    std::int64_t slot = next.value_or(grid.last_at_or_before(now));
    if (dice_.one_in(20)) slot += dice_.roll(5) - 2;
    now = std::max(now, grid.at(slot));
    const SysTime evaluated_at = grid.at(slot) - ingestion_delay_;
    // The question that was out when it ended, or went back.
    const bool over = is_over(state) || state.state == State::kRollingBack;
    if (over && dice_.one_in(4))
      return SlotsMissed{i, slot, slot, evaluated_at, Cause::kMissedEnded};
    if (dice_.one_in(12)) {
      const std::int64_t last = slot + dice_.roll(20);
      now = std::max(now, grid.at(last));
      return SlotsMissed{i, slot, last, grid.at(last) - ingestion_delay_,
                         dice_.pick({Cause::kMissedLate, Cause::kMissedStore, Cause::kMissedOverlap,
                                     Cause::kMissedDowntime})};
    }
    if (dice_.one_in(25)) mood_ = random_mood();
    SlotAnswered answered{i, slot, evaluated_at, value(c.is_readiness), std::nullopt};
    if (std::get<ThresholdCondition>(c.kind).evidence)
      answered.evidence = dice_.one_in(mood_ == Mood::kWild ? 3 : 12)
                              ? random_answer(dice_, false, {0, 60, 200})
                              : one(500);
    return answered;
  }

  // For a while most answers are alike, or few rollouts would get anywhere.
  enum class Mood { kGood, kBad, kUndecided, kSilent, kWild };
  Mood random_mood() {
    return dice_.pick({Mood::kGood, Mood::kGood, Mood::kGood, Mood::kBad, Mood::kUndecided,
                       Mood::kSilent, Mood::kWild, Mood::kWild});
  }

  static Answer one(double value) {
    return Answer{Vector{{Series{{{"app", "checkout"}}, value}}}, {}, false, nullptr, {}};
  }

  Answer value(bool ready) {
    if (mood_ == Mood::kWild || dice_.one_in(8))
      return ready ? random_answer(dice_, false, {2, 3, 3, 3, 4})
                   : random_answer(dice_, false, {0.0, 0.01, 0.01, 0.03, 0.09});
    switch (mood_) {
      case Mood::kGood:
        return one(ready ? 3 : 0.01);
      case Mood::kBad:
        return one(ready ? 2 : 0.09);
      case Mood::kUndecided:
        return one(ready ? 3 : 0.03);
      default:
        return random_answer(dice_, true, {0.01});
    }
  }

  Dice dice_;
  const RolloutSpec& spec_;
  const Plan& plan_;
  Millis ingestion_delay_;
  Mood mood_;
};

}  // namespace rollwatch
