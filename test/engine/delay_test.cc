// The ingestion delay changes while rollouts are watched, as a measured one does: every slot still
// ends as something, and no time is looked at twice.

#include <random>

#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

constexpr Millis kInterval{10'000};

class DelayChanges : public EngineTest {
 protected:
  // Watched for a while with a delay of two seconds.
  std::string watched(Millis span = Millis{60'000}) {
    world.ingestion_delay_is(Millis{2'000});
    const std::string id = begin("1.1");
    world.advance(span);
    return id;
  }

  // Row after row without a gap; what was asked goes forward in time, and what was missed not back.
  void expect_in_order(const std::string& id) {
    std::optional<StoredEvaluation> before;
    SysTime asked{};
    for (const StoredEvaluation& e : world.evaluations(id)) {
      SCOPED_TRACE(format_time(e.slot) + " " + std::string(name_of(e.judgement.cause)));
      if (before) {
        EXPECT_EQ(e.slot, before->last_slot + kInterval);
        EXPECT_GE(e.evaluated_at, before->evaluated_at);
      }
      if (e.judgement.outcome != Outcome::kMissed) {
        EXPECT_GT(e.evaluated_at, asked);
        EXPECT_LE(e.evaluated_at, e.slot - Millis{1'000});
        asked = e.evaluated_at;
      }
      before = e;
    }
    EXPECT_TRUE(before);
  }

  std::size_t missed(const std::string& id, Cause cause) {
    std::size_t slots = 0;
    for (const StoredEvaluation& e : world.evaluations(id))
      if (e.judgement.outcome == Outcome::kMissed && e.judgement.cause == cause) slots += e.slots;
    return slots;
  }
  StoredEvaluation latest(const std::string& id) { return world.evaluations(id).back(); }
};

TEST_F(DelayChanges, GrownItWaitsUntilThereIsSomethingNewToLookAt) {
  const std::string id = watched();
  const SysTime looked_at = latest(id).evaluated_at;
  world.ingestion_delay_is(Millis{92'000});
  world.advance(Millis{80'000});
  EXPECT_EQ(missed(id, Cause::kMissedDelay), 8U);
  EXPECT_EQ(latest(id).evaluated_at, looked_at) << "the time stands still";
  EXPECT_EQ(world.rollout(id).state.verdict, Verdict::kUnknown);
  world.advance(Millis{120'000});
  EXPECT_EQ(missed(id, Cause::kMissedDelay), 9U);
  EXPECT_EQ(latest(id).judgement.outcome, Outcome::kPass);
  EXPECT_EQ(latest(id).slot - latest(id).evaluated_at, Millis{92'000});
  EXPECT_EQ(state(id), State::kAnalyzing) << "no patience is used up: nothing was silent";
  expect_in_order(id);
}

TEST_F(DelayChanges, ShrunkItSkipsNothing) {
  world.ingestion_delay_is(Millis{92'000});
  const std::string id = begin("1.1");
  world.advance(Millis{200'000});
  for (const int seconds : {69, 52, 39, 30, 23, 17, 13, 10, 8, 6, 5, 4, 3, 2}) {
    world.ingestion_delay_is(Millis{1'000 * seconds});
    world.advance(Millis{60'000});
  }
  EXPECT_EQ(missed(id, Cause::kMissedDelay), 0U);
  EXPECT_EQ(missed(id, Cause::kMissedLate), 0U);
  EXPECT_EQ(latest(id).slot - latest(id).evaluated_at, Millis{2'000});
  expect_in_order(id);
}

// The first slots of a watch are there, and the delay grows beyond its beginning: what follows was
// left without a record, as the first slot lay ahead again.
TEST_F(DelayChanges, GrownBeyondTheBeginningLeavesNoGap) {
  const std::string id = watched(Millis{25'000});
  world.ingestion_delay_is(Millis{92'000});
  world.advance(Millis{300'000});
  EXPECT_EQ(missed(id, Cause::kMissedDelay), 9U);
  expect_in_order(id);
}

TEST_F(DelayChanges, BeforeTheFirstSlotItOnlyMovesThat) {
  world.ingestion_delay_is(Millis{2'000});
  const std::string id = begin("1.1");
  const SysTime first = world.rollout(id).next_slots[0].value();
  world.ingestion_delay_is(Millis{92'000});
  EXPECT_EQ(world.rollout(id).next_slots[0].value(), first + Millis{90'000});
  world.advance(Millis{60'000});
  world.ingestion_delay_is(Millis{72'000});
  EXPECT_EQ(world.rollout(id).next_slots[0].value(), first + Millis{70'000});
  world.advance(Millis{120'000});
  EXPECT_EQ(world.evaluations(id).front().slot, first + Millis{70'000});
  EXPECT_EQ(missed(id, Cause::kMissedDelay), 0U);
  expect_in_order(id);
}

TEST_F(DelayChanges, AFailureIsStillSeen) {
  const std::string id = watched();
  world.ingestion_delay_is(Millis{92'000});
  world.metrics_are("errors", {Behaviour::Kind::kValue, {0.5}});
  world.advance(Millis{180'000});
  EXPECT_EQ(state(id), State::kRolledBack);
}

TEST_F(DelayChanges, HoweverItChanges) {
  const auto seed = static_cast<unsigned>(std::random_device{}());
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string id = watched();
  world.decide(id, person(DecisionKind::kPause));  // so that it does not end
  for (int i = 0; i < 60; ++i) {
    world.ingestion_delay_is(Millis{1'000 * (1 + static_cast<int>(random() % 300))});
    world.advance(Millis{static_cast<int>(random() % 90'000)});
    if (random() % 10 == 0) world.restart(Millis{static_cast<int>(random() % 60'000)});
  }
  EXPECT_EQ(state(id), State::kPaused);
  expect_in_order(id);
}

}  // namespace
}  // namespace rollwatch
