// Places that go from one node to the other in good order, and calls about places of another node.
#include <gmock/gmock.h>

#include "test/engine/two_nodes.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using HandOver = TwoNodes;

TEST_F(HandOver, ARolloutGoesOnWhereItWas) {
  const std::string id = begin("1.1");
  EXPECT_EQ(world.owner(checkout), 0U) << "the call claimed it";
  for (std::size_t to : {1U, 0U, 1U}) {
    world.advance(Millis{245'000});
    EXPECT_TRUE(world.hand_over(checkout, to));
    EXPECT_EQ(active(to), 1U);
    EXPECT_EQ(active(1 - to), 0U);
  }
  world.advance(15 * kMinute);
  EXPECT_EQ(state(id), State::kPromoted);
  const Slots seen = slots(id);
  EXPECT_GT(seen.all, 100U);
  EXPECT_EQ(seen.missed, 0U);

  std::vector<std::string> orders;
  std::int64_t fence = 0;
  for (const DeliveredOrder& sent : world.attempts()) {
    orders.push_back(sent.id);
    EXPECT_GT(sent.fence, fence);
    fence = sent.fence;
  }
  const RolloutSpec spec = world.rollout(id).spec;
  EXPECT_THAT(orders, ElementsAre(order_id(spec, 1), order_id(spec, 2), order_id(spec, 3)));
  EXPECT_THAT(told(id), ElementsAre("started", "promoted"));
}

TEST_F(HandOver, AnAttemptThatIsOutIsRecordedFirst) {
  world.deployer_hangs(true);
  const std::string id = begin("1.1");
  world.advance(Millis{3'000});
  EXPECT_FALSE(world.hand_over(checkout, 1));
  EXPECT_EQ(world.owner(checkout), 0U);
  EXPECT_EQ(active(0), 1U);
  world.advance(Millis{7'000});
  EXPECT_EQ(world.owner(checkout), 1U);
  EXPECT_EQ(active(1), 1U);
  EXPECT_EQ(order(id, 1).state, DeliveryState::kDone);
  world.advance(kMinute);
  EXPECT_EQ(world.attempts().size(), 1U) << "nobody sent it again";
  EXPECT_EQ(slots(id).missed, 0U);
}

// One that is given while the outbox has given the place up already is left for the next owner.
TEST_F(HandOver, AnOrderGivenMeanwhileIsSentByTheNext) {
  world.deployer_hangs(true);
  const std::string id = begin("1.1");
  world.advance(Millis{3'000});
  EXPECT_FALSE(world.hand_over(checkout, 1));
  EXPECT_EQ(world.decide(id, person(DecisionKind::kRollback)).end, DecideEnd::kDone);
  world.advance(Millis{1'000});
  EXPECT_EQ(order(id, 2).state, DeliveryState::kPending);
  EXPECT_THAT(world.attempts(), IsEmpty());
  world.deployer_hangs(false);
  world.advance(Millis{30'000});
  EXPECT_EQ(world.owner(checkout), 1U);
  EXPECT_EQ(state(id), State::kRolledBack);
  EXPECT_EQ(world.effects().back().kind, "rollback");
  EXPECT_EQ(world.attempts().size(), 2U) << "the first one's end, and the rollback";
}

TEST_F(HandOver, WhatIsWithTheStoreIsWaitedForAndThenItsCallsAreAnothers) {
  const std::string id = begin("1.1");
  world.store_hangs(true);
  const Called<DecideResult> paused(world, world.engine().decide(id, person(DecisionKind::kPause)));
  EXPECT_FALSE(world.hand_over(checkout, 1));
  const Called<DecideResult> late(world, world.engine().decide(id, person(DecisionKind::kResume)));
  const Called<RegisterResult> newer(
      world, world.engine().register_rollout(world.registration(spec("1.2"))));
  EXPECT_FALSE(late.answered());
  world.advance(Millis{60'000});
  EXPECT_EQ(world.owner(checkout), 0U) << "not while it may still be recorded";
  world.store_hangs(false);
  world.settle();
  EXPECT_EQ(paused.value().end, DecideEnd::kDone);
  EXPECT_THROW(late.value(), NotHere);
  EXPECT_THROW(newer.value(), NotHere);
  EXPECT_EQ(world.owner(checkout), 1U);
  EXPECT_EQ(state(id), State::kPaused);
  EXPECT_EQ(world.decide(id, person(DecisionKind::kResume)).end, DecideEnd::kDone);
}

TEST_F(HandOver, ARegistrationThatIsBeingRecordedIsFinished) {
  world.store_hangs(true);
  const Called<RegisterResult> call(
      world, world.engine().register_rollout(world.registration(spec("1.1"))));
  EXPECT_FALSE(world.hand_over(checkout, 1));
  world.store_hangs(false);
  world.settle();
  EXPECT_EQ(call.value().end, RegisterEnd::kCreated);
  EXPECT_EQ(active(0), 0U);
  EXPECT_EQ(active(1), 1U);
  world.advance(kMinute);
  EXPECT_EQ(state(call.value().rollout->spec.id), State::kAnalyzing);
  EXPECT_EQ(world.attempts().size(), 1U);
}

TEST_F(HandOver, AStoreThatIsAwayHoldsNobodyUp) {
  const std::string id = begin("1.1");
  world.advance(2 * kMinute);
  world.store_fails(true);
  world.advance(Millis{15'000});
  EXPECT_TRUE(world.hand_over(checkout, 1));
  EXPECT_EQ(active(1), 1U);
  world.store_fails(false);
  world.advance(2 * kMinute);
  const Slots seen = slots(id);
  EXPECT_GT(seen.missed, 0U);
  EXPECT_GT(seen.all - seen.missed, 15U);
}

// Before any effect, and whatever is asked.
TEST_F(HandOver, ACallAboutAnotherNodesPlaceIsNotHere) {
  world.deployer_is(Deployer::kAccepts);
  const std::string id = begin("1.1");
  const std::size_t events = world.events(id).size();
  Engine& other = world.engine(1);
  EXPECT_THROW(world.run(other.register_rollout(world.registration(spec("1.2")))), NotHere);
  EXPECT_THROW(world.run(other.decide(id, person(DecisionKind::kPause))), NotHere);
  WeightReported report{50, world.now(), "the deployer"};
  EXPECT_THROW(world.run(other.report_weight(id, report)), NotHere);
  EXPECT_THROW(world.run(other.acknowledge(order(id, 1).id, true, "")), NotHere);
  try {
    world.run(other.decide(id, person(DecisionKind::kPause)));
  } catch (const NotHere& error) {
    EXPECT_EQ(error.place, checkout);
  }
  EXPECT_EQ(world.events(id).size(), events);
  EXPECT_EQ(active(1), 0U);
  EXPECT_EQ(world.owner(checkout), 0U);

  // What is no matter of the place is answered by any.
  world.decide(id, person(DecisionKind::kCancel));
  const DecideResult late = world.run(other.decide(id, person(DecisionKind::kPause)));
  EXPECT_EQ(late.end, DecideEnd::kConflict);
  EXPECT_EQ(late.rollout->state.state, State::kCancelled);
  EXPECT_EQ(world.run(other.decide("ro_none", person(DecisionKind::kPause))).end,
            DecideEnd::kNotFound);
}

TEST_F(HandOver, ACallAboutAFreePlaceTakesItOver) {
  const std::string id = begin("1.1");
  world.advance(kMinute);
  world.lose(checkout);
  world.advance(kMinute);
  EXPECT_EQ(world.run(world.engine(1).decide(id, person(DecisionKind::kPause))).end,
            DecideEnd::kDone);
  world.settle();
  EXPECT_EQ(world.owner(checkout), 1U);
  EXPECT_EQ(state(id), State::kPaused);
  world.advance(kMinute);
  EXPECT_GT(slots(id).missed, 0U) << "while nobody had it";
}

// Else the outbox, which is reading them at that time, would send what has just been withdrawn.
TEST_F(HandOver, NothingMovesBetweenBeingTakenOverAndBeingWatched) {
  const std::string id = begin("1.1");
  world.advance(kMinute);
  world.lose(checkout);
  Engine& next = world.engine(1);
  world.run([](Engine& engine, Place place) -> awaitable<bool> {
    std::vector<Lease> leases;
    leases.push_back({std::move(place), 1'000});
    co_await engine.take_over(std::move(leases));
    co_return true;
  }(next, checkout));
  EXPECT_EQ(active(1), 1U);
  const std::size_t asked = world.asked().size();
  FreezeRecord everything;
  everything.by = "ana";
  const Called<FreezeRecord> frozen(world, next.freeze(everything));
  const Called<DecideResult> paused(world, next.decide(id, person(DecisionKind::kPause)));
  world.advance(kMinute);
  EXPECT_FALSE(frozen.answered());
  EXPECT_FALSE(paused.answered());
  EXPECT_EQ(world.asked().size(), asked);
  next.watch(std::vector<Place>{checkout}, Cause::kMissedDowntime);
  world.settle();
  EXPECT_TRUE(frozen.answered());
  EXPECT_TRUE(paused.answered());
}

// A node that had not heard of a freeze took the rollout over, saw one in its state and none in
// memory, and recorded that it was lifted: orders went out under the freeze.
TEST_F(HandOver, AFreezeTheNextNodeHasNotHeardOfHoldsThereToo) {
  const std::string id = begin("1.1");
  FreezeRecord everything;
  everything.by = "ana";
  everything.reason = "stocktaking";
  const Called<FreezeRecord> frozen(world, world.engine(0).freeze(everything));
  world.settle();
  ASSERT_TRUE(frozen.answered());
  ASSERT_FALSE(world.engine(1).freeze_of("", "").in_force) << "nobody told it";
  EXPECT_TRUE(world.hand_over(checkout, 1));
  world.advance(12 * kMinute);
  EXPECT_TRUE(world.rollout(id).state.freeze);
  EXPECT_EQ(world.rollout(id).state.step, 0);
  EXPECT_TRUE(world.engine(1).freeze_of("", "").in_force);
  for (const StoredEvent& event : world.events(id))
    EXPECT_NE(event.event.type, EventType::kThawed) << event.event.summary;
}

TEST_F(HandOver, AFreezeOfOneNodeIsTheOthersToo) {
  const std::string here = begin("1.1");
  const std::string there = begin("1.1", "search");
  EXPECT_TRUE(world.hand_over(World::place("search"), 1));
  world.freeze("default/search", "ana", "stocktaking");
  EXPECT_TRUE(world.rollout(there).state.freeze);
  EXPECT_FALSE(world.rollout(here).state.freeze);
  world.advance(12 * kMinute);
  EXPECT_EQ(world.rollout(there).state.step, 0);
  EXPECT_EQ(world.rollout(here).state.step, 1);
  EXPECT_TRUE(world.engine(1).freeze_of("default", "search").in_force);
  world.lift_freeze("default/search", "ben");
  EXPECT_FALSE(world.rollout(there).state.freeze);
  EXPECT_EQ(world.events(there).back().event.by, "ben") << "in the words of who lifted it";
  world.advance(12 * kMinute);
  EXPECT_EQ(world.rollout(there).state.step, 1);
  const auto kinds = told(there);
  EXPECT_EQ(std::count(kinds.begin(), kinds.end(), "frozen"), 1);
  EXPECT_EQ(std::count(kinds.begin(), kinds.end(), "thawed"), 1);
}

// Both have a rollout that gets no answers; whoever comes second finds that people were told.
TEST_F(HandOver, WhatConcernsRolloutsOfBothIsToldOnce) {
  begin("1.1");
  begin("1.1", "search");
  EXPECT_TRUE(world.hand_over(World::place("search"), 1));
  world.advance(2 * kMinute);
  world.whole_source_is(Behaviour::Kind::kDown);
  world.advance(20 * kMinute);
  EXPECT_EQ(world.engine(0).active().front().state.state, State::kPaused);
  EXPECT_EQ(world.engine(1).active().front().state.state, State::kPaused);
  const auto paused = std::count_if(world.told().begin(), world.told().end(),
                                    [](const Message& m) { return m.kind == "paused"; });
  EXPECT_EQ(paused, 1);
  EXPECT_FALSE(world.engine(0).store_trouble());
  EXPECT_FALSE(world.engine(1).store_trouble());
}

TEST_F(HandOver, AWaiterOnAnotherNodeIsWokenByWhatChanged) {
  const auto wait = [](Engine& engine, std::string id, unsigned revision) -> awaitable<bool> {
    co_await engine.wait_for_change(std::move(id), revision, Millis{600'000});
    co_return true;
  };
  const std::string id = begin("1.1");
  world.metrics_are("errors", {Behaviour::Kind::kSlow, {}});
  const unsigned revision = world.rollout(id).state.revision;
  EXPECT_TRUE(Called<bool>(world, wait(world.engine(1), id, revision - 1)).answered());
  const Called<bool> waiter(world, wait(world.engine(1), id, revision));
  world.engine(1).changed_elsewhere(id);
  world.settle();
  EXPECT_FALSE(waiter.answered()) << "nothing that it does not know";
  world.decide(id, person(DecisionKind::kPause));
  EXPECT_FALSE(waiter.answered());
  world.engine(1).changed_elsewhere(id);
  world.settle();
  EXPECT_TRUE(waiter.answered());

  const unsigned now = world.rollout(id).state.revision;
  const Called<bool> limited(world, wait(world.engine(1), id, now));
  // One that waits where the rollout is waits on where it is not.
  const Called<bool> moved(world, wait(world.engine(0), id, now));
  EXPECT_TRUE(world.hand_over(checkout, 1));
  world.decide(id, person(DecisionKind::kResume));
  EXPECT_TRUE(limited.answered()) << "it is here now";
  world.engine(0).changed_elsewhere(id);
  world.settle();
  EXPECT_TRUE(moved.answered());
  world.decide(id, person(DecisionKind::kCancel));
  EXPECT_TRUE(
      Called<bool>(world, wait(world.engine(0), id, world.rollout(id).state.revision)).answered())
      << "it has ended";
}

}  // namespace
}  // namespace rollwatch
