// Late acknowledgements through the API, against everything that may have happened to the order.
#include <functional>

#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

class Acknowledge : public EngineTest {
 protected:
  DecideResult acknowledge(const std::string& id, bool done) { return world.acknowledge(id, done); }
};

TEST_F(Acknowledge, UnknownIsNotFound) {
  EXPECT_EQ(acknowledge("ord_none-1", true).end, DecideEnd::kNotFound);
  EXPECT_EQ(acknowledge("", true).end, DecideEnd::kNotFound);
}

TEST_F(Acknowledge, AcceptedThenDoneGoesOnAndTwiceIsOnce) {
  world.deployer_is(Deployer::kAccepts);
  const std::string id = begin("1.1");
  EXPECT_EQ(delivery(order(id, 1)).state, DeliveryState::kAccepted);
  EXPECT_EQ(acknowledge(order(id, 1), true).end, DecideEnd::kDone);
  EXPECT_EQ(world.rollout(id).state.step, 0);
  const unsigned revision = world.rollout(id).state.revision;
  EXPECT_EQ(acknowledge(order(id, 1), true).end, DecideEnd::kDone);
  EXPECT_EQ(world.rollout(id).state.revision, revision);
}

TEST_F(Acknowledge, AcceptedThenRefusedPauses) {
  world.deployer_is(Deployer::kAccepts);
  const std::string id = begin("1.1");
  EXPECT_EQ(acknowledge(order(id, 1), false).end, DecideEnd::kDone);
  EXPECT_EQ(delivery(order(id, 1)).state, DeliveryState::kRefused);
  EXPECT_EQ(state(id), State::kPaused);
  const DecideResult late = acknowledge(order(id, 1), true);
  EXPECT_EQ(late.end, DecideEnd::kConflict);
  EXPECT_NE(late.why.find("refused"), std::string::npos) << late.why;
  EXPECT_EQ(delivery(order(id, 1)).state, DeliveryState::kRefused);
}

TEST_F(Acknowledge, BeforeTheAttemptIsAnswered) {
  world.deployer_hangs(true);
  const std::string id = begin("1.1");
  EXPECT_EQ(acknowledge(order(id, 1), true).end, DecideEnd::kDone);
  EXPECT_EQ(world.rollout(id).state.step, 0);
  world.deployer_is(Deployer::kFails);
  world.advance(Millis{60'000});
  const Delivery d = delivery(order(id, 1));
  EXPECT_EQ(d.state, DeliveryState::kDone);
  EXPECT_EQ(d.attempts.size(), 1U);
}

TEST_F(Acknowledge, AfterTheExpiryStillCounts) {
  world.deployer_is(Deployer::kAccepts);
  const std::string id = begin("1.1");
  world.advance(Millis{31 * 60'000});
  ASSERT_EQ(delivery(order(id, 1)).state, DeliveryState::kDead);
  ASSERT_EQ(state(id), State::kPaused);
  EXPECT_EQ(acknowledge(order(id, 1), true).end, DecideEnd::kDone);
  EXPECT_EQ(delivery(order(id, 1)).state, DeliveryState::kDone);
  EXPECT_EQ(state(id), State::kAnalyzing);
  EXPECT_EQ(world.rollout(id).state.step, 0);
}

TEST_F(Acknowledge, OfAWithdrawnOrderIsAConflict) {
  world.deployer_is(Deployer::kAccepts);
  const std::string id = begin("1.1");
  world.deployer_is(Deployer::kIsDown);
  world.decide(id, person(DecisionKind::kRollback));
  for (const bool done : {true, false}) {
    const DecideResult late = acknowledge(order(id, 1), done);
    EXPECT_EQ(late.end, DecideEnd::kConflict);
    EXPECT_NE(late.why.find("withdrawn"), std::string::npos) << late.why;
  }
  EXPECT_EQ(delivery(order(id, 1)).state, DeliveryState::kWithdrawn);
  EXPECT_EQ(state(id), State::kRollingBack);
}

TEST_F(Acknowledge, WhileTheOrderIsBeingWithdrawnIsAConflict) {
  world.deployer_is(Deployer::kAccepts);
  const std::string id = begin("1.1");
  world.deployer_is(Deployer::kIsDown);
  world.store_hangs(true);
  const Called<DecideResult> decided(world,
                                     world.engine().decide(id, person(DecisionKind::kRollback)));
  const Called<DecideResult> late(world, world.engine().acknowledge(order(id, 1), true, ""));
  world.store_hangs(false);
  world.settle();
  EXPECT_EQ(decided.value().end, DecideEnd::kDone);
  EXPECT_EQ(late.value().end, DecideEnd::kConflict);
  EXPECT_NE(late.value().why.find("withdrawn"), std::string::npos) << late.value().why;
  EXPECT_EQ(delivery(order(id, 1)).state, DeliveryState::kWithdrawn);
}

TEST_F(Acknowledge, TwiceAtOnceIsOnce) {
  world.deployer_is(Deployer::kAccepts);
  const std::string id = begin("1.1");
  world.store_hangs(true);
  const Called<DecideResult> first(world, world.engine().acknowledge(order(id, 1), true, ""));
  const Called<DecideResult> second(world, world.engine().acknowledge(order(id, 1), true, ""));
  const Called<DecideResult> third(world, world.engine().acknowledge(order(id, 1), false, ""));
  world.store_hangs(false);
  world.settle();
  EXPECT_EQ(first.value().end, DecideEnd::kDone);
  EXPECT_EQ(second.value().end, DecideEnd::kDone);
  EXPECT_EQ(third.value().end, DecideEnd::kConflict);
  EXPECT_EQ(delivery(order(id, 1)).state, DeliveryState::kDone);
}

TEST_F(Acknowledge, WhileTheStoreIsAwayChangesNothing) {
  world.deployer_is(Deployer::kAccepts);
  const std::string id = begin("1.1");
  world.store_fails(true);
  const Called<DecideResult> late(world, world.engine().acknowledge(order(id, 1), true, ""));
  EXPECT_THROW(late.value(), StoreError);
  world.store_fails(false);
  world.advance(Millis{1'000});
  EXPECT_EQ(delivery(order(id, 1)).state, DeliveryState::kAccepted);
  EXPECT_EQ(acknowledge(order(id, 1), true).end, DecideEnd::kDone);
}

TEST_F(Acknowledge, OfARollbackEndsTheRollout) {
  world.deployer_is(Deployer::kAccepts);
  const std::string id = begin("1.1");
  world.decide(id, person(DecisionKind::kRollback));
  EXPECT_EQ(acknowledge(order(id, 2), true).end, DecideEnd::kDone);
  EXPECT_EQ(state(id), State::kRolledBack);
  EXPECT_EQ(acknowledge(order(id, 2), true).end, DecideEnd::kDone);
  EXPECT_EQ(acknowledge(order(id, 2), false).end, DecideEnd::kConflict);
}

}  // namespace
}  // namespace rollwatch
