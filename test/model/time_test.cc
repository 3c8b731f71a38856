// Time never matters except through slots and the timers that were asked for: whenever an answer is
// delivered between two of them, what follows is the same, and looking in between changes nothing.
#include <gtest/gtest.h>

#include "analysis/state_codec.h"
#include "test/analysis/run_invariants.h"
#include "test/model/story.h"

namespace rollwatch::model {
namespace {

constexpr unsigned kTimeSeeds = 1'000;
constexpr int kTimeSteps = 120;

// What may differ: the moments that begin with the delivery itself.
Seen without_moments(Seen seen) {
  seen.timer.reset();
  for (SeenCondition& condition : seen.conditions) condition.next_slot.reset();
  return seen;
}

class Probes {
 public:
  Probes(const Story& story, Dice dice) : fixed_{story.spec, story.plan}, dice_(dice) {}

  int decided() const { return decided_; }

  void expect_same_whenever_delivered(const RolloutState& state, const Input& input, SysTime now) {
    const Seen expected = seen_at(state, input, now);
    decided_ += expected.decisions.empty() ? 0 : 1;
    const auto timer = next_timer(fixed_, state);
    // Not before it was asked; and a timer that has passed has been rung by the engine.
    if (timer && *timer <= now) return;
    const Millis longest = timer ? *timer - now - Millis{1} : Millis{std::chrono::hours(24 * 365)};
    for (const Millis later : {Millis{1}, Millis{dice_.roll(60'000)}, longest}) {
      const Seen shifted = seen_at(state, input, now + std::min(later, longest));
      EXPECT_TRUE(without_moments(expected) == without_moments(shifted))
          << "delivered " << later.count() << " ms later: " << difference(shifted, expected);
    }
  }

  void expect_nothing_before_a_timer(const RolloutState& state, SysTime now) {
    const auto timer = next_timer(fixed_, state);
    if (timer && *timer <= now) return;
    for (const SysTime at : {now, timer ? *timer - Millis{1} : now + std::chrono::hours(9'999)}) {
      const Transition looked = advance(fixed_, state, TimePassed{}, at);
      EXPECT_FALSE(looked.changed());
      EXPECT_EQ(encode_state(looked.state), encode_state(state));
    }
  }

 private:
  Seen seen_at(const RolloutState& state, const Input& input, SysTime now) const {
    const Transition step = advance(fixed_, state, input, now);
    return seen_of(fixed_, step.refusal ? state : step.state, step);
  }

  Fixed fixed_;
  Dice dice_;
  int decided_ = 0;
};

TEST(TimeTest, NeverMattersExceptThroughSlotsAndTimers) {
  int decided = 0;
  for (unsigned seed = 1; seed <= kTimeSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Story story = random_story(seed, kTimeSteps);
    const Fixed fixed{story.spec, story.plan};
    Probes probes(story, Dice(seed));
    RunInvariants run(fixed);
    RolloutState state = registration_of(story).state;
    for (const Happening& h : story.happenings) {
      if (std::holds_alternative<SlotAnswered>(h.input) ||
          std::holds_alternative<SlotsMissed>(h.input))
        probes.expect_same_whenever_delivered(state, h.input, h.now);
      const Transition step = advance(fixed, state, h.input, h.now);
      run.expect_kept(state, h.input, step);
      if (!step.refusal) state = step.state;
      probes.expect_nothing_before_a_timer(state, h.now);
    }
    decided += probes.decided();
  }
  EXPECT_GT(decided, 100) << "slots that decide nothing prove nothing";
}

}  // namespace
}  // namespace rollwatch::model
