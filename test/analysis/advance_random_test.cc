// Thousands of rollouts to which anything may happen, from printed seeds: the rules hold on every
// step.
#include <gtest/gtest.h>

#include <set>

#include "analysis/state_codec.h"
#include "test/analysis/random_rollouts.h"
#include "test/analysis/run_invariants.h"

namespace rollwatch {
namespace {

class RandomRollout {
 public:
  RandomRollout(unsigned seed, Temper temper)
      : dice_(seed),
        temper_(temper),
        spec_(random_spec(dice_)),
        plan_(random_plan(dice_, temper)),
        inputs_(dice_, spec_, plan_),
        run_({spec_, plan_}) {}

  // The blobs of all states, one after the other: what the same seed must give again.
  std::string play(int steps) {
    std::string history;
    FreezeChanged frozen;
    if (inputs_.frozen_from_the_start()) frozen.text = kHostile;
    const Transition first = registered({spec_, plan_}, inputs_.now, frozen);
    state_ = first.state;
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      const Input input = inputs_.next(state_);
      const Transition step = advance({spec_, plan_}, state_, input, inputs_.now);
      SCOPED_TRACE("step " + std::to_string(i) + ", input " + std::to_string(input.index()) + ", " +
                   std::string(name_of(state_.state)) + " → " +
                   std::string(name_of(step.state.state)) + ": " + step.state.reason);
      run_.expect_kept(state_, input, step);
      expect_no_blame_for_silence(step);
      if (step.refusal) continue;
      const std::string blob = encode_state(step.state);
      const auto decoded = decode_state(blob);
      EXPECT_TRUE(decoded && encode_state(*decoded) == blob)
          << "the state does not survive a restart";
      expect_timer_works(step.state);
      history += blob;
      state_ = step.state;
      reached_.insert(state_.state);
    }
    return history;
  }

  const std::set<State>& reached() const { return reached_; }
  const RunInvariants::Applied& applied() const { return run_.applied(); }

 private:
  // A sick metrics system never rolls back a healthy release: without failing slots, only people
  // do; an alert that is observed would have had an alert to blame.
  void expect_no_blame_for_silence(const Transition& step) {
    if (temper_ != Temper::kPatient || step.refusal) return;
    for (const Evaluation& e : step.evaluations)
      failing_slots_ += e.judgement.outcome == Outcome::kFail ? 1 : 0;
    for (const Decision& d : step.decisions)
      if (d.kind == DecisionKind::kRollback && is_the_engines(d) && !d.by_alerts) {
        EXPECT_GT(failing_slots_, 0) << d.reason;
      }
  }

  // A timer that is due changes something, or it would ring for ever.
  void expect_timer_works(const RolloutState& state) {
    const auto timer = next_timer({spec_, plan_}, state);
    if (!timer) return;
    const Transition rung =
        advance({spec_, plan_}, state, TimePassed{}, std::max(*timer, inputs_.now));
    EXPECT_TRUE(rung.changed()) << "a timer rang for nothing";
  }

  Dice dice_;
  Temper temper_;
  RolloutSpec spec_;
  Plan plan_;
  RandomInputs inputs_;
  RunInvariants run_;
  RolloutState state_;
  std::set<State> reached_;
  int failing_slots_ = 0;
};

constexpr unsigned kSeeds = 2'000;
constexpr int kSteps = 150;

TEST(RandomTest, TheRulesHoldWhateverHappens) {
  std::set<State> reached;
  RunInvariants::Applied applied;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomRollout rollout(seed, Temper::kAny);
    rollout.play(kSteps);
    reached.insert(rollout.reached().begin(), rollout.reached().end());
    applied += rollout.applied();
    if (HasFailure()) return;
  }
  // A test in which some states are never reached would prove little.
  for (int i = 0; is_known(static_cast<State>(i)); ++i)
    EXPECT_TRUE(reached.contains(static_cast<State>(i)))
        << "none of them was " << name_of(static_cast<State>(i));
  expect_often(applied);
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
