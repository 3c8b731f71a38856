// A node that has lost a place, knowing it or not: nothing that was out for it has an effect any
// more, and whoever has it now finds everything that was on disk, and nothing twice.
#include <gmock/gmock.h>

#include "test/engine/two_nodes.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Effect = StoreError::Effect;
using LostLease = TwoNodes;

TEST_F(LostLease, WhileACommitWaitsForTheStore) {
  const std::string id = begin("1.1");
  world.store_hangs(true);
  const Called<DecideResult> call(world,
                                  world.engine().decide(id, person(DecisionKind::kRollback)));
  world.lose(checkout);
  world.settle();
  EXPECT_EQ(effect(call), Effect::kUnknown) << "at once, not when the store answers";
  EXPECT_EQ(active(0), 0U);
  EXPECT_TRUE(world.seize(checkout, 1));
  world.store_hangs(false);
  world.settle();
  EXPECT_EQ(state(id), State::kAnalyzing) << "the database refused it";
  EXPECT_EQ(world.engine().store_trouble(), std::nullopt) << "which is no trouble of the store";
  world.advance(kMinute);
  EXPECT_EQ(world.attempts().size(), 1U);
  EXPECT_EQ(slots(id).missed, 0U);
}

// The commit got through before anybody else had the place: it happened, and is the next owner's.
TEST_F(LostLease, WhileACommitGetsThrough) {
  const std::string id = begin("1.1");
  world.store_hangs(true);
  const Called<DecideResult> call(world,
                                  world.engine().decide(id, person(DecisionKind::kRollback)));
  world.leases(0).lose(checkout);
  world.settle();
  EXPECT_EQ(effect(call), Effect::kUnknown) << "and this time it is done";
  world.store_hangs(false);
  world.settle();
  world.advance(Millis{30'000});
  EXPECT_EQ(order(id, 2).state, DeliveryState::kPending);
  EXPECT_EQ(world.attempts().size(), 1U) << "the one who lost it does not send what it recorded";
  EXPECT_EQ(active(0), 0U) << "and does not show it";
  EXPECT_TRUE(world.seize(checkout, 1));
  EXPECT_EQ(state(id), State::kRolledBack);
  EXPECT_EQ(world.attempts().size(), 2U);
}

// What waited behind the commit that is with the store was never handed over to it.
TEST_F(LostLease, WhileACallWaitsBehindACommit) {
  const std::string id = begin("1.1");
  world.store_hangs(true);
  const Called<DecideResult> first(world, world.engine().decide(id, person(DecisionKind::kPause)));
  const Called<DecideResult> second(world,
                                    world.engine().decide(id, person(DecisionKind::kRollback)));
  world.lose(checkout);
  world.settle();
  EXPECT_EQ(effect(first), Effect::kUnknown);
  EXPECT_EQ(effect(second), Effect::kNone);
  world.store_hangs(false);
  world.settle();
}

TEST_F(LostLease, WhileAnAnswerIsOut) {
  const std::string id = begin("1.1");
  world.advance(kMinute);
  world.metrics_are("errors", {Behaviour::Kind::kSlow, {}});
  world.advance(Millis{10'000});
  const std::size_t before = world.evaluations(id).size();
  world.lose(checkout);
  world.advance(Millis{30'000});
  EXPECT_EQ(world.evaluations(id).size(), before);
  world.metrics_are("errors", {Behaviour::Kind::kValue, {0.01}});
  const std::size_t asked = world.asked().size();
  EXPECT_TRUE(world.seize(checkout, 1));
  world.advance(kMinute);
  const Slots seen = slots(id);
  EXPECT_GE(seen.missed, 3U) << "what was out, and what nobody asked";
  EXPECT_LE(seen.missed, 5U);
  EXPECT_GE(world.asked().size(), asked + 5);
}

TEST_F(LostLease, WhileAnAttemptIsOut) {
  world.deployer_hangs(true);
  const std::string id = begin("1.1");
  world.advance(Millis{3'000});
  world.lose(checkout);
  world.advance(Millis{3'000});
  EXPECT_TRUE(world.seize(checkout, 1));
  world.deployer_hangs(false);
  world.advance(Millis{4'000});  // the first one's answer comes now, to somebody who is not asked
  world.advance(Millis{30'000});
  ASSERT_EQ(world.attempts().size(), 2U);
  EXPECT_EQ(world.attempts()[0].id, world.attempts()[1].id);
  EXPECT_EQ(world.attempts()[0].fence, world.attempts()[1].fence);
  EXPECT_EQ(world.effects().size(), 1U);
  EXPECT_EQ(order(id, 1).attempts.size(), 1U) << "the second one's";
  EXPECT_THAT(world.leases(0).refusals, IsEmpty());
}

TEST_F(LostLease, WhileARegistrationIsBeingRecorded) {
  for (const bool gets_through : {false, true}) {
    SCOPED_TRACE(gets_through);
    const std::string service = gets_through ? "search" : "checkout";
    const Place place = World::place(service);
    world.store_hangs(true);
    const Called<RegisterResult> call(
        world, world.engine().register_rollout(world.registration(spec("1.1", service))));
    EXPECT_FALSE(call.answered());
    if (gets_through)
      world.leases(0).lose(place);
    else
      world.lose(place);
    world.store_hangs(false);
    world.settle();
    EXPECT_EQ(effect(call), gets_through ? Effect::kUnknown : Effect::kNone);
    EXPECT_EQ(active(0), 0U);
    EXPECT_TRUE(world.seize(place, 1));
    EXPECT_EQ(world.run(world.engine(1).find("ro_none")).has_value(), false);
    const RegisterResult again = world.register_rollout(spec("1.1", service));
    EXPECT_EQ(again.end, gets_through ? RegisterEnd::kExisting : RegisterEnd::kCreated);
    EXPECT_EQ(again.rollout->spec.attempt, 1);
  }
  EXPECT_EQ(active(1), 2U);
  EXPECT_EQ(world.attempts().size(), 2U);
}

// A node that was paused and knows of nothing: the first thing it wants to record tells it.
TEST_F(LostLease, TheStoreSaysSo) {
  const std::string id = begin("1.1");
  const std::string other = begin("1.1", "search");
  world.advance(kMinute);
  EXPECT_TRUE(world.seize(checkout, 1));
  EXPECT_EQ(active(0), 2U);
  EXPECT_EQ(active(1), 1U);
  world.advance(5 * kMinute);
  EXPECT_THAT(world.leases(0).refusals, ElementsAre(checkout));
  EXPECT_EQ(active(0), 1U);
  EXPECT_EQ(slots(id).missed, 0U) << "the other one asked as well";
  EXPECT_EQ(slots(other).missed, 0U) << "what was recorded together with it, was recorded alone";
  EXPECT_FALSE(world.engine().store_trouble()) << "nothing is the matter with the store";
  EXPECT_EQ(world.attempts().size(), 2U);
}

TEST_F(LostLease, TheStoreSaysSoToACall) {
  const std::string id = begin("1.1");
  EXPECT_TRUE(world.seize(checkout, 1));
  const Called<DecideResult> call(world,
                                  world.engine().decide(id, person(DecisionKind::kRollback)));
  EXPECT_EQ(effect(call), Effect::kNone) << "the store has refused it";
  EXPECT_THAT(world.leases(0).refusals, ElementsAre(checkout));
  EXPECT_EQ(state(id), State::kAnalyzing);
  EXPECT_THROW(world.run(world.engine().decide(id, person(DecisionKind::kRollback))), NotHere);
}

TEST_F(LostLease, TheStoreSaysSoToARegistration) {
  begin("1.1");
  EXPECT_TRUE(world.seize(checkout, 1));
  const Called<RegisterResult> call(
      world, world.engine().register_rollout(world.registration(spec("1.2"))));
  EXPECT_TRUE(throws_store_error(call));
  EXPECT_THAT(world.leases(0).refusals, ElementsAre(checkout));
  EXPECT_EQ(active(0), 0U);
  EXPECT_EQ(active(1), 1U);
}

// The outbox learns of it when it wants to tell what became of an order: that is not recorded
// beside a rollout that is active elsewhere.
TEST_F(LostLease, TheEngineSaysSoToTheOutbox) {
  world.deployer_hangs(true);
  const std::string id = begin("1.1");
  world.advance(Millis{3'000});
  world.engine().lose({checkout});
  world.advance(Millis{10'000});
  EXPECT_THAT(world.leases(0).refusals, ElementsAre(checkout));
  EXPECT_EQ(world.outbox(0).stats().orders, 0U);
  EXPECT_EQ(order(id, 1).state, DeliveryState::kPending);
  EXPECT_THAT(order(id, 1).attempts, IsEmpty());
}

// What became of an order that was sent under the old lease is not recorded under the new one.
TEST_F(LostLease, AndHadAgainAtOnce) {
  world.deployer_hangs(true);
  const std::string id = begin("1.1");
  world.advance(Millis{3'000});
  world.lose(checkout);
  EXPECT_TRUE(world.seize(checkout, 0));
  world.deployer_hangs(false);
  world.advance(Millis{30'000});
  EXPECT_EQ(active(0), 1U);
  EXPECT_EQ(order(id, 1).attempts.size(), 1U);
  EXPECT_EQ(world.effects().size(), 1U);
  EXPECT_EQ(state(id), State::kAnalyzing);
  const Lease old{checkout, 1};
  SendResult result;
  result.end = SendEnd::kDone;
  EXPECT_THROW(world.run(world.engine().order_attempted(old, id, order(id, 1).id, result)),
               StaleLease);
}

}  // namespace
}  // namespace rollwatch
