// Thousands of rollouts to which anything may happen, from printed seeds: the rules hold on every
// step.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "analysis/state_codec.h"
#include "test/analysis/rollout_fixture.h"
#include "test/analysis/rollout_invariants.h"

namespace rollwatch {
namespace {

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

const std::string kHostile =
    "a\nb\x01"
    "\xff\"'; DROP TABLE rollouts; --→" +
    std::string(400, 'x');

// What keeps rule 2: nothing in the plan lets missing or inconclusive answers roll back.
enum class Temper { kAny, kPatient };

Plan random_plan(Dice& dice, Temper temper) {
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
  plan.deadline = Millis(dice.pick({120'000, 600'000, 86'400'000}));
  plan.on_deadline = temper == Temper::kPatient
                         ? OnDeadline::kPause
                         : dice.pick({OnDeadline::kPause, OnDeadline::kRollback});
  plan.on_inconclusive = temper == Temper::kPatient
                             ? OnInconclusive::kPause
                             : dice.pick({OnInconclusive::kPause, OnInconclusive::kRollback});
  const int conditions = dice.pick({0, 1, 1, 2, 2, 3});
  for (int i = 0; i < conditions; ++i) {
    ConditionPlan c = condition("c" + std::to_string(i), "> 0.05");
    if (dice.one_in(3)) threshold(c).rule.pass_if = comparison("< 0.02");
    if (dice.one_in(3)) windowed(c, "30s");
    if (dice.one_in(3)) counting_events(c);
    if (dice.one_in(6))
      threshold(c).rule = {SeriesRule::kNoSeriesFails, std::nullopt, std::nullopt};
    threshold(c).reduce = dice.pick({Reduce::kEach, Reduce::kMax, Reduce::kSum, Reduce::kOne});
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
    if (dice.one_in(5) && plan.steps.front().weight) c.steps = {*plan.steps.back().weight, 100};
    plan.conditions.push_back(std::move(c));
  }
  return plan;
}

RolloutSpec random_spec(Dice& dice) {
  RolloutSpec spec;
  spec.id = "ro_1";
  spec.service = "checkout";
  spec.stable = "1.23";
  spec.candidate = dice.one_in(5) ? kHostile : "1.24";
  spec.orchestrator = dice.one_in(4) ? "" : "deployer";
  spec.by = dice.one_in(5) ? kHostile : "ci";
  spec.observe = dice.one_in(12);
  return spec;
}

Answer random_answer(Dice& dice, bool only_missing) {
  Answer answer;
  Vector vector;
  const int kind = only_missing ? 4 + dice.roll(6) : dice.roll(10);
  switch (kind) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const int series = 1 + (dice.one_in(5) ? dice.roll(3) : 0);
      for (int i = 0; i < series; ++i)
        vector.series.push_back(
            {{{"pod", dice.one_in(9) ? kHostile : "a"}}, dice.pick({0.0, 0.01, 0.01, 0.03, 0.09})});
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
      answer.result = Scalar{dice.pick({0.01, 0.09})};
      answer.partial = true;
      answer.warnings = {kHostile};
      return answer;
    case 8:
      answer.result = Unusable{"matrix"};
      return answer;
    default:
      answer.result = QueryFailure{static_cast<FailureKind>(dice.roll(7)), kHostile, 0};
      return answer;
  }
}

std::string pick_person(Dice& dice) { return dice.one_in(6) ? kHostile : "alice"; }

class RandomRollout {
 public:
  RandomRollout(unsigned seed, Temper temper)
      : dice_(seed),
        temper_(temper),
        spec_(random_spec(dice_)),
        plan_(random_plan(dice_, temper)) {}

  // The blobs of all states, one after the other: what the same seed must give again.
  std::string play(int steps) {
    std::string history;
    Transition first = registered({spec_, plan_}, now_);
    state_ = first.state;
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      const Input input = random_input();
      const Transition step = advance({spec_, plan_}, state_, input, now_);
      SCOPED_TRACE("step " + std::to_string(i) + ", input " + std::to_string(input.index()) + ", " +
                   std::string(name_of(state_.state)) + " → " +
                   std::string(name_of(step.state.state)) + ": " + step.state.reason);
      expect_rules_kept({spec_, plan_}, state_, step);
      expect_no_blame_for_silence(step);
      if (step.refusal) continue;
      const std::string blob = encode_state(step.state);
      const auto decoded = decode_state(blob);
      EXPECT_TRUE(decoded && encode_state(*decoded) == blob)
          << "the state does not survive a restart";
      expect_timer_works(step.state);
      history += blob;
      state_ = step.state;
    }
    return history;
  }

  State ended() const { return state_.state; }

 private:
  // A sick metrics system never rolls back a healthy release: without failing slots, only people
  // do.
  void expect_no_blame_for_silence(const Transition& step) {
    if (temper_ != Temper::kPatient || step.refusal) return;
    for (const Evaluation& e : step.evaluations)
      failing_slots_ += e.judgement.outcome == Outcome::kFail ? 1 : 0;
    for (const Decision& d : step.decisions)
      if (d.kind == DecisionKind::kRollback && is_the_engines(d)) {
        EXPECT_GT(failing_slots_, 0) << d.reason;
      }
  }

  // A timer that is due changes something, or it would ring for ever.
  void expect_timer_works(const RolloutState& state) {
    const auto timer = next_timer({spec_, plan_}, state);
    if (!timer) return;
    const Transition rung = advance({spec_, plan_}, state, TimePassed{}, std::max(*timer, now_));
    EXPECT_TRUE(rung.changed()) << "a timer rang for nothing";
  }

  Input random_input() {
    now_ += Millis(dice_.pick({0, 1'000, 5'000, 5'000, 10'000}));
    if (dice_.one_in(200)) now_ += std::chrono::hours(dice_.roll(30));
    switch (dice_.roll(40)) {
      case 0:
        return Begin{};
      case 1:
        return WatchResumed{dice_.pick({Cause::kMissedDowntime, Cause::kMissedClockJump})};
      case 2:
        return TimePassed{};
      case 3:
        if (dice_.one_in(8)) return SupersededBy{"ro_2", kHostile};
        return TimePassed{};
      case 4:
        return PredecessorRollingBack{dice_.one_in(3)};
      case 5:
        return WeightReported{dice_.pick({0.0, 1.0, 5.0, 10.5, 15.0, 25.0, 50.0, 100.0}),
                              now_ - Millis(dice_.pick({-60'000, 0, 0, 600'000})),
                              pick_person(dice_)};
      case 6:
      case 7: {
        // People are rare, and rarely end things.
        const auto kind = dice_.one_in(6)
                              ? static_cast<DecisionKind>(dice_.roll(6))
                              : dice_.pick({DecisionKind::kAdvance, DecisionKind::kPause,
                                            DecisionKind::kResume, DecisionKind::kResume});
        PersonDecided decided{kind, pick_person(dice_), dice_.one_in(3) ? kHostile : "",
                              std::nullopt};
        if (dice_.one_in(4)) decided.question = "q" + std::to_string(dice_.roll(4));
        return decided;
      }
      case 8:
      case 9:
      case 10:
      case 11:
      case 12:
      case 13:
        return order_ended();
      case 14: {
        now_ -= Millis(dice_.roll(100'000));
        return WatchResumed{Cause::kMissedClockJump};
      }
      default:
        return slot();
    }
  }

  Input order_ended() {
    const unsigned number =
        state_.order && !dice_.one_in(10)
            ? state_.order->number
            : static_cast<unsigned>(dice_.roll(static_cast<int>(state_.orders_given) + 2));
    const auto end = dice_.pick({OrderEnd::kDone, OrderEnd::kDone, OrderEnd::kDone,
                                 OrderEnd::kAccepted, OrderEnd::kRefused, OrderEnd::kExpired});
    return OrderEnded{number, end, dice_.one_in(3) ? kHostile : ""};
  }

  Input slot() {
    if (plan_.conditions.empty()) return TimePassed{};
    const auto i = static_cast<std::size_t>(dice_.roll(static_cast<int>(plan_.conditions.size())));
    const ConditionPlan& c = plan_.conditions[i];
    const Grid grid = grid_of(c, state_.conditions[i]);
    const auto next = next_slot(c, state_.conditions[i], Millis(0));
    std::int64_t slot = next.value_or(grid.last_at_or_before(now_));
    if (dice_.one_in(20)) slot += dice_.roll(5) - 2;
    now_ = std::max(now_, grid.at(slot));
    const bool outage = now_.time_since_epoch() / std::chrono::minutes(7) % 3 == 0;
    if (dice_.one_in(12)) {
      return SlotsMissed{
          i, slot, slot + dice_.roll(20), grid.at(slot),
          dice_.pick({Cause::kMissedLate, Cause::kMissedStore, Cause::kMissedDowntime})};
    }
    SlotAnswered answered{i, slot, grid.at(slot), random_answer(dice_, outage), std::nullopt};
    if (threshold_of(c).evidence) {
      answered.evidence = dice_.one_in(3) ? random_answer(dice_, false)
                                          : Answer{Scalar{500}, {}, false, nullptr, {}};
    }
    return answered;
  }

  static const ThresholdCondition& threshold_of(const ConditionPlan& c) {
    return std::get<ThresholdCondition>(c.kind);
  }

  Dice dice_;
  Temper temper_;
  RolloutSpec spec_;
  Plan plan_;
  RolloutState state_;
  SysTime now_ = *parse_time("2026-01-02T03:00:00Z");
  int failing_slots_ = 0;
};

constexpr unsigned kSeeds = 2'000;
constexpr int kSteps = 150;

TEST(RandomTest, TheRulesHoldWhateverHappens) {
  std::array<int, 11> ends{};
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomRollout rollout(seed, Temper::kAny);
    rollout.play(kSteps);
    ++ends[static_cast<std::size_t>(rollout.ended())];
    if (HasFailure()) return;
  }
  // A test in which some states are never reached would prove little.
  for (std::size_t i = 0; i < ends.size(); ++i)
    EXPECT_GT(ends[i], 0) << "none of them was " << name_of(static_cast<State>(i));
}

TEST(RandomTest, ASickMetricsSystemNeverRollsBack) {
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomRollout(seed, Temper::kPatient).play(kSteps);
    if (HasFailure()) return;
  }
}

TEST(RandomTest, TheSameInputsGiveTheSameStates) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    const bool same = RandomRollout(seed, Temper::kAny).play(kSteps) ==
                      RandomRollout(seed, Temper::kAny).play(kSteps);
    EXPECT_TRUE(same) << "seed " << seed;
  }
}

}  // namespace
}  // namespace rollwatch
