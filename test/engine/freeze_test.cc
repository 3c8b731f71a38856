// Freezes through the engine, its outbox and the store: what was to go on does not, what had its
// effect counts, and neither a restart nor a store that was away leaves anybody out.
#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

constexpr const char* kService = "default/checkout";

class Freeze : public EngineTest {
 protected:
  RolloutState of(const std::string& id) { return world.rollout(id).state; }
  std::string held(const std::string& id) {
    const auto& freeze = world.rollout(id).state.freeze;
    return freeze ? freeze->text : "";
  }
  std::string last_sent() const {
    if (world.attempts().empty()) return "nothing";
    const DeliveredOrder& order = world.attempts().back();
    return order.kind + " " + std::to_string(static_cast<int>(order.weight));
  }
  int events(const std::string& id, EventType type) {
    int count = 0;
    for (const StoredEvent& event : world.events(id)) count += event.event.type == type ? 1 : 0;
    return count;
  }
  // Until the second step has been ordered.
  std::string ordered_further(Deployer deployer) {
    const std::string id = begin("1.1");
    world.deployer_is(deployer);
    while (of(id).orders_given < 2) world.advance(Millis{10'000});
    return id;
  }
};

TEST_F(Freeze, ATakenBackOrderIsNotSentAgainAndTheNextPassOrdersAnew) {
  const std::string id = ordered_further(Deployer::kFails);
  ASSERT_EQ(delivery(order(id, 2)).state, DeliveryState::kPending);
  const std::int64_t fence = delivery(order(id, 2)).fence;
  world.freeze(kService, "ana", "stocktaking");
  EXPECT_EQ(delivery(order(id, 2)).state, DeliveryState::kWithdrawn);
  EXPECT_EQ(held(id), "frozen by ana: stocktaking");
  world.deployer_is(Deployer::kAcknowledges);
  const std::size_t attempts = world.attempts().size();
  const std::size_t evaluations = world.evaluations(id).size();
  world.advance(60 * kMinute);
  EXPECT_EQ(world.attempts().size(), attempts);
  EXPECT_EQ(of(id).step, 0);
  EXPECT_EQ(state(id), State::kAnalyzing);
  EXPECT_GT(world.evaluations(id).size(), evaluations + 300);  // watched all the same
  EXPECT_TRUE(world.lift_freeze(kService, "ben"));
  world.advance(Millis{10'000});
  EXPECT_EQ(of(id).step, 1);
  EXPECT_EQ(last_sent(), "advance 50");
  EXPECT_GT(world.attempts().back().fence, fence);
}

TEST_F(Freeze, AnAttemptInFlightThatSucceedsCounts) {
  const std::string id = begin("1.1");
  world.deployer_hangs(true);
  while (of(id).orders_given < 2) world.advance(Millis{10'000});
  world.freeze(kService, "ana", "stocktaking");
  EXPECT_EQ(delivery(order(id, 2)).state, DeliveryState::kWithdrawn);
  world.deployer_hangs(false);
  world.advance(Millis{10'000});  // the attempt ends well
  EXPECT_EQ(delivery(order(id, 2)).state, DeliveryState::kDone);
  EXPECT_EQ(of(id).step, 1);
  EXPECT_EQ(held(id), "frozen by ana: stocktaking");
  world.advance(60 * kMinute);
  EXPECT_EQ(of(id).step, 1);
}

TEST_F(Freeze, AnAttemptInFlightThatFailsIsNotMadeAgain) {
  const std::string id = begin("1.1");
  world.deployer_hangs(true);
  while (of(id).orders_given < 2) world.advance(Millis{10'000});
  world.freeze(kService, "ana", "stocktaking");
  world.deployer_is(Deployer::kFails);
  world.advance(Millis{10'000});
  world.deployer_hangs(false);
  world.deployer_is(Deployer::kAcknowledges);
  const std::size_t attempts = world.attempts().size();
  world.advance(10 * kMinute);
  EXPECT_EQ(world.attempts().size(), attempts);
  EXPECT_EQ(delivery(order(id, 2)).state, DeliveryState::kWithdrawn);
  EXPECT_EQ(delivery(order(id, 2)).attempts.size(), 1U);
}

TEST_F(Freeze, AnAcceptedOrderMayStillBeAcknowledged) {
  const std::string id = ordered_further(Deployer::kAccepts);
  world.freeze(kService, "ana", "stocktaking");
  EXPECT_EQ(delivery(order(id, 2)).state, DeliveryState::kAccepted);
  EXPECT_EQ(world.acknowledge(order(id, 2), true).end, DecideEnd::kDone);
  EXPECT_EQ(of(id).step, 1);
}

TEST_F(Freeze, ALateAcknowledgementOfWhatWasTakenBackCounts) {
  const std::string id = ordered_further(Deployer::kIsDown);
  world.freeze(kService, "ana", "stocktaking");
  EXPECT_EQ(world.acknowledge(order(id, 2), true).end, DecideEnd::kDone);
  EXPECT_EQ(of(id).step, 1);
  EXPECT_EQ(delivery(order(id, 2)).state, DeliveryState::kDone);
}

TEST_F(Freeze, APromotionIsTakenBackAndGivenAgainWithAHigherFence) {
  const std::string id = begin("1.1");
  world.deployer_is(Deployer::kFails);
  world.decide(id, person(DecisionKind::kPromote));
  ASSERT_EQ(state(id), State::kPromoting);
  const std::int64_t fence = delivery(order(id, 2)).fence;
  world.freeze(kService, "ana", "stocktaking");
  EXPECT_EQ(state(id), State::kAnalyzing);
  EXPECT_EQ(world.decide(id, person(DecisionKind::kPromote)).end, DecideEnd::kConflict);
  EXPECT_EQ(world.decide(id, person(DecisionKind::kAdvance)).end, DecideEnd::kConflict);
  world.deployer_is(Deployer::kAcknowledges);
  world.advance(kMinute);
  EXPECT_EQ(last_sent(), "advance 5");
  world.lift_freeze(kService, "ana");
  EXPECT_EQ(state(id), State::kPromoted);
  EXPECT_EQ(last_sent(), "promote 100");
  EXPECT_GT(world.attempts().back().fence, fence);
}

TEST_F(Freeze, ARollbackGoesOutUnderIt) {
  const std::string id = begin("1.1");
  world.freeze("", "ana", "stocktaking");
  world.metrics_are("errors", {Behaviour::Kind::kValue, {0.5}});
  world.advance(kMinute);
  EXPECT_EQ(state(id), State::kRolledBack);
  EXPECT_EQ(last_sent(), "rollback 0");
}

TEST_F(Freeze, ANewRolloutWaitsAndBeginsAfterIt) {
  world.freeze(kService, "ana", "stocktaking");
  const RegisterResult registered = world.register_rollout(spec("1.1"));
  const std::string id = registered.rollout->spec.id;
  EXPECT_EQ(registered.rollout->state.state, State::kWaiting);
  EXPECT_EQ(registered.rollout->state.reason, "frozen by ana: stocktaking");
  EXPECT_EQ(events(id, EventType::kFrozen), 1);
  const SysTime deadline = of(id).deadline_at;
  world.advance(30 * kMinute);
  EXPECT_EQ(state(id), State::kWaiting);
  EXPECT_EQ(last_sent(), "nothing");
  // Another service goes its way.
  RolloutSpec other = spec("1.1", "cart");
  EXPECT_EQ(world.register_rollout(other).rollout->state.state, State::kAnalyzing);
  world.lift_freeze(kService, "ana");
  EXPECT_EQ(state(id), State::kAnalyzing);
  EXPECT_EQ(of(id).deadline_at, deadline + 30 * kMinute);
}

TEST_F(Freeze, TwoHoldUntilNeitherDoes) {
  const std::string id = begin("1.1");
  world.freeze(kService, "ana", "stocktaking");
  world.freeze("", "ben", "holidays");
  EXPECT_EQ(held(id), "frozen by ana: stocktaking; everything is frozen by ben: holidays");
  EXPECT_EQ(world.engine().freezes_in_force(), 2U);
  world.lift_freeze(kService, "ana");
  EXPECT_EQ(held(id), "everything is frozen by ben: holidays");
  EXPECT_EQ(events(id, EventType::kThawed), 0);
  world.advance(30 * kMinute);
  EXPECT_EQ(of(id).step, 0);
  world.lift_freeze("", "ben");
  EXPECT_EQ(held(id), "");
  EXPECT_EQ(events(id, EventType::kThawed), 1);
  EXPECT_EQ(events(id, EventType::kFrozen), 3);
  EXPECT_EQ(world.engine().freezes_in_force(), 0U);
  EXPECT_FALSE(world.lift_freeze(kService, "ana"));
}

TEST_F(Freeze, TheSameAgainChangesNothingAndAnotherOneReplacesIt) {
  const std::string id = begin("1.1");
  const FreezeRecord first = world.freeze(kService, "ana", "stocktaking");
  const unsigned revision = of(id).revision;
  world.advance(Millis{1'000});
  EXPECT_EQ(world.freeze(kService, "ana", "stocktaking"), first);
  EXPECT_EQ(of(id).revision, revision);
  const SysTime until = world.now() + kMinute;
  const FreezeRecord second = world.freeze(kService, "ben", "audit", until);
  EXPECT_EQ(second.since, first.since);
  EXPECT_EQ(second.until, until);
  EXPECT_EQ(held(id), "frozen by ben: audit");
}

TEST_F(Freeze, EndsByItselfAtItsMoment) {
  const std::string id = begin("1.1");
  world.freeze(kService, "ana", "stocktaking", world.now() + 30 * kMinute);
  world.advance(30 * kMinute - Millis{1});
  EXPECT_NE(held(id), "");
  world.advance(Millis{1});
  EXPECT_EQ(held(id), "");
  EXPECT_EQ(events(id, EventType::kThawed), 1);
  EXPECT_EQ(world.engine().freezes_in_force(), 0U);
  const FreezeView view = world.engine().freeze_of("default", "checkout");
  EXPECT_FALSE(view.in_force);
  EXPECT_EQ(view.latest->by, "ana");
  world.advance(Millis{10'000});
  EXPECT_EQ(of(id).step, 1);
}

TEST_F(Freeze, MayBeProlongedBeforeItEnds) {
  const std::string id = begin("1.1");
  world.freeze(kService, "ana", "stocktaking", world.now() + kMinute);
  world.freeze(kService, "ana", "stocktaking", world.now() + 3 * kMinute);
  world.advance(2 * kMinute);
  EXPECT_NE(held(id), "");
  world.advance(kMinute);
  EXPECT_EQ(held(id), "");
}

TEST_F(Freeze, HoldsAcrossARestartAndEndsAtItsMomentAfterIt) {
  const std::string id = begin("1.1");
  world.freeze(kService, "ana", "stocktaking", world.now() + 30 * kMinute);
  world.restart(10 * kMinute);
  EXPECT_NE(held(id), "");
  EXPECT_EQ(events(id, EventType::kFrozen), 1);
  EXPECT_EQ(world.register_rollout(spec("1.1", "cart")).rollout->state.state, State::kAnalyzing);
  world.advance(20 * kMinute - Millis{1});
  EXPECT_NE(held(id), "");
  world.advance(Millis{1});
  EXPECT_EQ(held(id), "");
}

TEST_F(Freeze, EndsWhileTheDaemonIsDown) {
  const std::string id = begin("1.1");
  world.freeze(kService, "ana", "stocktaking", world.now() + kMinute);
  world.restart(2 * kMinute);
  EXPECT_EQ(held(id), "");
  EXPECT_EQ(events(id, EventType::kThawed), 1);
}

// Killed after the freeze was on disk and before any rollout had recorded it: the order that was
// open must not go out when the outbox takes up what is open.
TEST_F(Freeze, AKillBeforeTheRolloutsRecordedItLetsNoOrderOut) {
  const std::string id = ordered_further(Deployer::kIsDown);
  world.store_refuses(id);
  EXPECT_THROW(world.freeze(kService, "ana", "stocktaking"), StoreError);
  EXPECT_EQ(held(id), "");
  ASSERT_EQ(delivery(order(id, 2)).state, DeliveryState::kPending);
  world.store_refuses("");
  world.deployer_is(Deployer::kAcknowledges);
  const std::size_t attempts = world.attempts().size();
  world.restart(Millis{1'000});
  EXPECT_EQ(held(id), "frozen by ana: stocktaking");
  EXPECT_EQ(delivery(order(id, 2)).state, DeliveryState::kWithdrawn);
  world.advance(kMinute);
  EXPECT_EQ(world.attempts().size(), attempts);
}

TEST_F(Freeze, AKillBeforeTheRolloutsRecordedThatItIsLifted) {
  const std::string id = begin("1.1");
  world.freeze(kService, "ana", "stocktaking");
  world.store_refuses(id);
  EXPECT_TRUE(world.lift_freeze(kService, "ana"));
  EXPECT_NE(held(id), "");
  world.store_refuses("");
  world.restart(Millis{1'000});
  EXPECT_EQ(held(id), "");
}

TEST_F(Freeze, WhatTheStoreRefusedIsRecordedWhenItIsBack) {
  const std::string id = begin("1.1");
  world.store_refuses(id);
  EXPECT_THROW(world.freeze(kService, "ana", "stocktaking"), StoreError);
  world.store_refuses("");
  world.advance(Millis{1'000});
  EXPECT_EQ(held(id), "frozen by ana: stocktaking");
}

TEST_F(Freeze, WithoutAStoreNothingIsFrozen) {
  const std::string id = begin("1.1");
  world.store_fails(true);
  EXPECT_THROW(world.freeze(kService, "ana", "stocktaking"), StoreError);
  world.store_fails(false);
  world.advance(Millis{2'000});
  EXPECT_EQ(held(id), "");
  EXPECT_EQ(world.engine().freezes_in_force(), 0U);
}

// It was checked, and is being recorded, while somebody freezes its service.
TEST_F(Freeze, ARegistrationThatIsBeingRecordedIsHeldTo) {
  world.store_hangs(true);
  const Called<RegisterResult> registered(
      world, world.engine().register_rollout(world.registration(spec("1.1"))));
  FreezeRecord wanted;
  wanted.ns = "default";
  wanted.service = "checkout";
  wanted.by = "ana";
  wanted.reason = "stocktaking";
  const Called<FreezeRecord> frozen(world, world.engine().freeze(wanted));
  EXPECT_TRUE(frozen.answered());
  world.store_hangs(false);
  world.settle();
  const std::string id = registered.value().rollout->spec.id;
  EXPECT_EQ(state(id), State::kWaiting);
  EXPECT_EQ(held(id), "frozen by ana: stocktaking");
  EXPECT_EQ(last_sent(), "nothing");
}

// A step was with the store when the freeze came: what it orders is taken back at once.
TEST_F(Freeze, AStepThatIsBeingRecordedIsTakenBack) {
  const std::string id = begin("1.1");
  world.deployer_is(Deployer::kFails);
  world.store_hangs(true);
  const Called<DecideResult> decided(world,
                                     world.engine().decide(id, person(DecisionKind::kAdvance)));
  FreezeRecord wanted;
  wanted.by = "ana";
  const Called<FreezeRecord> frozen(world, world.engine().freeze(wanted));
  EXPECT_FALSE(frozen.answered()) << "its rollout has not recorded it";
  world.store_hangs(false);
  world.settle();
  ASSERT_TRUE(frozen.answered());
  EXPECT_EQ(held(id), "everything is frozen by ana");
  EXPECT_EQ(delivery(order(id, 2)).state, DeliveryState::kWithdrawn);
  world.deployer_is(Deployer::kAcknowledges);
  world.lift_freeze("", "ana");
  EXPECT_EQ(of(id).step, 1) << "a person had decided it";
}

TEST_F(Freeze, TheViewOfAServiceSaysWhoAndWhy) {
  begin("1.1");
  world.freeze(kService, "ana", "stocktaking");
  FreezeView own = world.engine().freeze_of("default", "checkout");
  EXPECT_TRUE(own.in_force);
  EXPECT_EQ(own.text, "frozen by ana: stocktaking");
  FreezeView other = world.engine().freeze_of("default", "cart");
  EXPECT_FALSE(other.latest.has_value());
  EXPECT_FALSE(other.text.has_value());
  world.freeze("", "ben", "holidays");
  EXPECT_EQ(world.engine().freeze_of("default", "cart").text,
            "everything is frozen by ben: holidays");
}

TEST_F(Freeze, AClockPutBackHoldsAgainWhatHadEnded) {
  const std::string id = begin("1.1");
  world.freeze(kService, "ana", "stocktaking", world.now() + kMinute);
  world.advance(2 * kMinute);
  ASSERT_EQ(held(id), "");
  world.jump_wall(Millis{-2 * 60'000});
  world.advance(Millis{10'000});
  EXPECT_NE(held(id), "");
  world.advance(2 * kMinute);
  EXPECT_EQ(held(id), "");
}

}  // namespace
}  // namespace rollwatch
