// A decision for a revision: it is held against what it would change, not against what was on disk
// when it came.
#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

class RevisionTest : public EngineTest {
 protected:
  awaitable<DecideResult> decide_at(unsigned revision, DecisionKind kind) {
    return world.engine().decide(id, person(kind), revision);
  }
  unsigned revision() { return world.rollout(id).state.revision; }

  const std::string id = begin("1.1");
};

TEST_F(RevisionTest, IsTakenAtThatOneAndNoOther) {
  const unsigned now = revision();
  for (const unsigned other : {now - 1, now + 1})
    EXPECT_EQ(world.run(decide_at(other, DecisionKind::kPause)).end, DecideEnd::kChanged);
  EXPECT_EQ(state(id), State::kAnalyzing);
  EXPECT_EQ(revision(), now);
  EXPECT_EQ(world.run(decide_at(now, DecisionKind::kPause)).end, DecideEnd::kDone);
  EXPECT_EQ(state(id), State::kPaused);
}

// Both had seen the same rollout; the second promoted what the first one had just paused.
TEST_F(RevisionTest, OfTwoAtOnceTheSecondIsToldThatItHasChanged) {
  const unsigned seen = revision();
  world.store_hangs(true);
  const Called<DecideResult> first(world, decide_at(seen, DecisionKind::kPause));
  const Called<DecideResult> second(world, decide_at(seen, DecisionKind::kPromote));
  EXPECT_EQ(revision(), seen) << "nothing is on disk";
  world.store_hangs(false);
  world.settle();
  EXPECT_EQ(first.value().end, DecideEnd::kDone);
  EXPECT_EQ(second.value().end, DecideEnd::kChanged);
  EXPECT_GT(second.value().rollout->state.revision, seen) << "as it is now";
  EXPECT_EQ(state(id), State::kPaused);
}

TEST_F(RevisionTest, OfTwoThatBecomeOneStepAsWell) {
  const unsigned seen = revision();
  world.store_fails(true);  // so that both wait in the mailbox …
  const Called<DecideResult> failed(world, decide_at(seen, DecisionKind::kPause));
  EXPECT_THROW(failed.value(), StoreError);
  const Called<DecideResult> first(world, decide_at(seen, DecisionKind::kPause));
  const Called<DecideResult> second(world, decide_at(seen, DecisionKind::kPromote));
  world.store_fails(false);  // … until the store is back
  world.advance(Millis{1'000});
  EXPECT_EQ(first.value().end, DecideEnd::kDone);
  EXPECT_EQ(second.value().end, DecideEnd::kChanged);
  EXPECT_EQ(state(id), State::kPaused);
}

}  // namespace
}  // namespace rollwatch
