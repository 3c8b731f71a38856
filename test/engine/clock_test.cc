// The wall clock is set while something is out.
#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

class ClockSet : public EngineTest {
 protected:
  // The metrics server hangs, and the question of the next slot is out.
  SysTime ask_in_vain(const std::string& id) {
    world.metrics_are("errors", {Behaviour::Kind::kSlow, {}});
    const SysTime slot = world.rollout(id).next_slots[0].value();
    world.advance(slot - world.now());
    return slot;
  }
  // Up to now, each once.
  void expect_no_slot_lost(const std::string& id) {
    std::optional<SysTime> next;
    for (const StoredEvaluation& e : world.evaluations(id)) {
      EXPECT_EQ(e.slot, next.value_or(e.slot));
      next = e.last_slot + Millis{10'000};
    }
    EXPECT_GT(next.value(), world.now());
  }
};

// Its answer was recorded for a slot that lay two hours ahead by then, and nothing was asked before
// that time had come again.
TEST_F(ClockSet, BackWhileAQuestionIsOutDoesNotStopTheWatching) {
  const std::string id = begin("1.1");
  world.advance(Millis{60'000});
  const SysTime slot = ask_in_vain(id);
  world.jump_wall(Millis{-2 * 3'600'000});
  world.advance(Millis{15'000});
  world.metrics_are("errors", {Behaviour::Kind::kValue, {0.5}});
  world.advance(Millis{60'000});
  EXPECT_EQ(state(id), State::kRolledBack);
  bool missed = false;
  for (const StoredEvaluation& e : world.evaluations(id))
    if (e.slot == slot) missed = e.judgement.cause == Cause::kMissedClockJump;
  EXPECT_TRUE(missed);
}

TEST_F(ClockSet, ForwardWhileAQuestionIsOutLosesNothing) {
  const std::string id = begin("1.1");
  world.advance(Millis{60'000});
  ask_in_vain(id);
  world.jump_wall(Millis{2 * 3'600'000});
  world.advance(Millis{15'000});
  world.metrics_are("errors", {Behaviour::Kind::kValue, {0.01}});
  world.advance(Millis{60'000});
  expect_no_slot_lost(id);
  EXPECT_EQ(state(id), State::kAnalyzing);
}

// It ended before anybody had noticed that slots had gone by, and they had no record at all.
TEST_F(ClockSet, ForwardJustBeforeTheEndLosesNothing) {
  const std::string id = begin("1.1");
  world.advance(Millis{60'000});
  world.jump_wall(Millis{100'000});
  begin("1.2");
  ASSERT_EQ(state(id), State::kSuperseded);
  expect_no_slot_lost(id);
  EXPECT_EQ(world.evaluations(id).back().judgement.cause, Cause::kMissedEnded);
}

}  // namespace
}  // namespace rollwatch
