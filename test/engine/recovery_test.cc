// After a rollback was acknowledged: what failed is watched for a while, in the way of nobody.
#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

constexpr Millis kMinute{60'000};

class Recovery : public EngineTest {
 protected:
  std::string rolled_back() {
    const std::string id = begin("1.1");
    world.metrics_are("errors", {Behaviour::Kind::kValue, {0.5}});
    world.advance(kMinute);
    EXPECT_EQ(state(id), State::kRolledBack);
    world.metrics_are("errors", {Behaviour::Kind::kValue, {0.01}});
    return id;
  }
  bool has_event(const std::string& id, EventType type) {
    for (const StoredEvent& event : world.events(id))
      if (event.event.type == type) return true;
    return false;
  }
};

TEST_F(Recovery, IsToldAndThenNothingIsWatchedAnyMore) {
  const std::string id = rolled_back();
  EXPECT_EQ(world.engine().active().size(), 1U);
  EXPECT_EQ(world.rollout(id).state.verdict, Verdict::kFailed);
  world.advance(6 * kMinute);
  EXPECT_TRUE(has_event(id, EventType::kRecovered));
  EXPECT_EQ(state(id), State::kRolledBack);
  EXPECT_EQ(world.rollout(id).state.verdict, Verdict::kFailed);
  EXPECT_TRUE(world.engine().active().empty());
  const std::size_t evaluations = world.evaluations(id).size();
  world.advance(6 * kMinute);
  EXPECT_EQ(world.evaluations(id).size(), evaluations);
}

TEST_F(Recovery, GoesOnAfterARestart) {
  const std::string id = rolled_back();
  world.restart(kMinute);
  EXPECT_EQ(world.engine().active().size(), 1U);
  world.advance(6 * kMinute);
  EXPECT_TRUE(has_event(id, EventType::kRecovered));
  EXPECT_TRUE(world.engine().active().empty());
}

TEST_F(Recovery, HoldsUpNoNewerOneAndEndsWithItsBeginning) {
  const std::string id = rolled_back();
  const std::string newer = begin("1.2");
  EXPECT_EQ(state(newer), State::kAnalyzing);
  EXPECT_FALSE(world.rollout(id).state.recovery.has_value());
  EXPECT_EQ(world.engine().active().size(), 1U);
  world.advance(6 * kMinute);
  EXPECT_FALSE(has_event(id, EventType::kRecovered));
}

TEST_F(Recovery, DecisionsAreRefused) {
  const std::string id = rolled_back();
  for (const DecisionKind kind : {DecisionKind::kPromote, DecisionKind::kResume,
                                  DecisionKind::kRollback, DecisionKind::kCancel})
    EXPECT_EQ(world.decide(id, person(kind)).end, DecideEnd::kConflict) << name_of(kind);
}

}  // namespace
}  // namespace rollwatch
