// A rollback that failed: people are reminded until somebody acts, by having it sent again, by
// saying that it is carried out, or by a newer rollout; and one that would be the older one's loss
// is not ordered at all.
#include <gmock/gmock.h>

#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::SizeIs;

class FailedRollback : public EngineTest {
 protected:
  // A rollout whose rollback was refused just now.
  std::string fail() {
    const std::string id = begin("1.1");
    world.advance(minutes{1});
    world.deployer_is(Deployer::kRefuses);
    world.decide(id, person(DecisionKind::kRollback));
    world.settle();
    EXPECT_EQ(state(id), State::kRollbackFailed);
    return id;
  }
  std::string rollback_of(const std::string& id) {
    for (const Delivery& d : world.deliveries(id))
      if (d.kind == "rollback" && d.cls == DeliveryClass::kOrder) return d.id;
    ADD_FAILURE() << "no rollback";
    return "";
  }
  DeliveryState state_of(const std::string& order) { return delivery(order).state; }
  std::vector<std::string> reminders(const std::string& id) {
    std::vector<std::string> texts;
    for (const StoredEvent& e : world.events(id))
      if (e.event.type == EventType::kReminder) texts.push_back(e.event.summary);
    return texts;
  }
  const Event* told(const std::string& id, const std::string& text) {
    events_ = world.events(id);
    for (const StoredEvent& e : events_)
      if (e.event.summary.find(text) != std::string::npos) return &e.event;
    return nullptr;
  }

 private:
  std::vector<StoredEvent> events_;
};

TEST_F(FailedRollback, IsRemindedOfEveryFiveMinutesAlsoAfterARestart) {
  const std::string id = fail();
  world.advance(minutes{4});
  EXPECT_THAT(reminders(id), SizeIs(0));
  world.advance(minutes{1});
  ASSERT_THAT(reminders(id), SizeIs(1));
  EXPECT_THAT(reminders(id)[0], HasSubstr("nobody has acted for 5m: rollback failed: rollback was "
                                          "refused"));
  world.restart(minutes{2});
  world.advance(minutes{3});
  EXPECT_THAT(reminders(id), SizeIs(2)) << "as if there had been none";
  world.advance(hours{10});
  EXPECT_THAT(reminders(id), SizeIs(2 + 120));
  EXPECT_EQ(state(id), State::kRollbackFailed);
}

TEST_F(FailedRollback, SentAgainAndDoneEndsIt) {
  const std::string id = fail();
  const std::string order = rollback_of(id);
  const std::int64_t fence = delivery(order).fence;
  world.advance(minutes{11});
  world.deployer_is(Deployer::kAcknowledges);
  const RedeliverResult again = world.redeliver(order);
  ASSERT_EQ(again.end, DecideEnd::kDone) << again.why;
  EXPECT_EQ(again.delivery->id, order);
  world.settle();
  EXPECT_EQ(state_of(order), DeliveryState::kDone);
  EXPECT_EQ(delivery(order).fence, fence) << "the same order";
  EXPECT_THAT(delivery(order).attempts, SizeIs(2));
  EXPECT_EQ(world.effects().back().kind, "rollback");
  EXPECT_EQ(state(id), State::kRollbackFailed) << "ended is ended";
  EXPECT_EQ(world.rollout(id).state.reached_weight, 0);
  EXPECT_THAT(world.rollout(id).state.reason, HasSubstr("carried out since; rollback failed"));
  const Event* by = told(id, "the rollback that failed is sent again by ana: it is back");
  ASSERT_NE(by, nullptr);
  EXPECT_EQ(by->by, "ana");
  EXPECT_EQ(by->reason, "it is back");
  EXPECT_NE(told(id, "the rollback that had failed is carried out"), nullptr);
  world.advance(hours{5});
  EXPECT_THAT(reminders(id), SizeIs(2));
  EXPECT_EQ(world.redeliver(order).end, DecideEnd::kConflict) << "it is done";
  EXPECT_TRUE(world.engine().active().empty()) << "nothing of it is kept in memory";
}

TEST_F(FailedRollback, SentAgainInVainIsTriedUntilItExpiresAndFailsAgain) {
  const std::string id = fail();
  const std::string order = rollback_of(id);
  world.deployer_is(Deployer::kFails);
  ASSERT_EQ(world.redeliver(order).end, DecideEnd::kDone);
  const RedeliverResult twice = world.redeliver(order);
  EXPECT_EQ(twice.end, DecideEnd::kConflict);
  EXPECT_THAT(twice.why, HasSubstr("it is pending"));
  world.advance(minutes{20});
  EXPECT_EQ(state_of(order), DeliveryState::kPending);
  EXPECT_THAT(reminders(id), SizeIs(4)) << "as any rollback: after a minute and every 5";
  EXPECT_THAT(reminders(id).back(), HasSubstr("not acknowledged after 16m"));
  world.restart(minutes{1});
  world.advance(minutes{10});
  EXPECT_EQ(state_of(order), DeliveryState::kDead);
  EXPECT_NE(told(id, "rollback failed again: "), nullptr);
  const std::size_t before = reminders(id).size();
  world.advance(minutes{5});
  EXPECT_THAT(reminders(id), SizeIs(before + 1)) << "reminded of all the same";
  world.deployer_is(Deployer::kAcknowledges);
  ASSERT_EQ(world.redeliver(order).end, DecideEnd::kDone);
  world.settle();
  EXPECT_EQ(state_of(order), DeliveryState::kDone);
}

TEST_F(FailedRollback, SentAgainAcceptedAndAcknowledgedLater) {
  const std::string id = fail();
  const std::string order = rollback_of(id);
  world.deployer_is(Deployer::kAccepts);
  ASSERT_EQ(world.redeliver(order).end, DecideEnd::kDone);
  world.settle();
  EXPECT_EQ(state_of(order), DeliveryState::kAccepted);
  EXPECT_EQ(world.acknowledge(order, true).end, DecideEnd::kDone);
  EXPECT_EQ(state_of(order), DeliveryState::kDone);
  world.advance(hours{2});
  EXPECT_THAT(reminders(id), SizeIs(0));
}

TEST_F(FailedRollback, IsAcknowledgedByWhoeverCarriedItOut) {
  const std::string id = fail();
  const std::string order = rollback_of(id);
  EXPECT_EQ(world.acknowledge(order, true).end, DecideEnd::kDone);
  EXPECT_EQ(world.acknowledge(order, true).end, DecideEnd::kDone) << "a repeat";
  EXPECT_EQ(state_of(order), DeliveryState::kDone);
  EXPECT_EQ(state(id), State::kRollbackFailed);
  world.advance(hours{2});
  EXPECT_THAT(reminders(id), SizeIs(0));
}

TEST_F(FailedRollback, ANewerRolloutThatBeginsEndsIt) {
  const std::string id = fail();
  world.advance(minutes{6});
  EXPECT_THAT(reminders(id), SizeIs(1));
  world.deployer_is(Deployer::kAcknowledges);
  begin("1.2");
  world.settle();
  EXPECT_NE(told(id, "a newer rollout (1.2, "), nullptr);
  const RedeliverResult late = world.redeliver(rollback_of(id));
  EXPECT_EQ(late.end, DecideEnd::kConflict);
  EXPECT_THAT(late.why, HasSubstr("a later order was given"));
  EXPECT_EQ(world.acknowledge(rollback_of(id), true).end, DecideEnd::kConflict);
  world.advance(hours{2});
  EXPECT_THAT(reminders(id), SizeIs(1));
}

// Until then the traffic is where the failed rollback left it, so people go on being told.
TEST_F(FailedRollback, OneThatOnlyWaitsDoesNot) {
  const std::string id = fail();
  const std::string newer = world.register_rollout(approved("1.2")).rollout->spec.id;
  world.advance(minutes{11});
  EXPECT_THAT(reminders(id), SizeIs(2));
  world.decide(newer, person(DecisionKind::kCancel));
  world.advance(minutes{5});
  EXPECT_THAT(reminders(id), SizeIs(3));
}

// It was ordered to 0 % before it began, which takes the failed one's traffic as well.
TEST_F(FailedRollback, ANewerRolloutsOwnRollbackEndsIt) {
  const std::string id = fail();
  world.deployer_is(Deployer::kAcknowledges);
  const std::string newer = world.register_rollout(approved("1.2")).rollout->spec.id;
  world.decide(newer, person(DecisionKind::kRollback));
  world.settle();
  EXPECT_EQ(state(newer), State::kRolledBack);
  EXPECT_EQ(world.effects().back().id, rollback_of(newer));
  EXPECT_NE(told(id, "a newer rollout (1.2, "), nullptr);
  EXPECT_EQ(world.redeliver(rollback_of(id)).end, DecideEnd::kConflict);
  world.advance(hours{2});
  EXPECT_THAT(reminders(id), SizeIs(0));
}

TEST_F(FailedRollback, ANewerRolloutWaitsForOneThatIsSentAgain) {
  const std::string id = fail();
  world.deployer_is(Deployer::kAccepts);
  ASSERT_EQ(world.redeliver(rollback_of(id)).end, DecideEnd::kDone);
  world.settle();
  const std::string newer = begin("1.2");
  world.advance(minutes{3});
  EXPECT_EQ(state(newer), State::kWaiting);
  EXPECT_EQ(world.rollout(newer).state.orders_given, 0U);
  world.restart(minutes{1});
  EXPECT_EQ(state(newer), State::kWaiting);
  EXPECT_EQ(world.acknowledge(rollback_of(id), true).end, DecideEnd::kDone);
  world.settle();
  EXPECT_EQ(state(newer), State::kAnalyzing);
}

// A decision needs the disk: what could not be recorded is neither sent nor forgotten.
TEST_F(FailedRollback, SentAgainWhileTheStoreIsAwayIsNotSent) {
  const std::string id = fail();
  const std::string order = rollback_of(id);
  const std::size_t attempts = delivery(order).attempts.size();
  world.deployer_is(Deployer::kAcknowledges);
  world.store_fails(true);
  const Called<RedeliverResult> away(world, world.engine().redeliver(order, "ana", ""));
  EXPECT_THROW(away.value(), StoreError);
  world.store_fails(false);
  world.advance(seconds{10});
  EXPECT_THAT(delivery(order).attempts, SizeIs(attempts));
  ASSERT_EQ(world.redeliver(order).end, DecideEnd::kDone);
  world.settle();
  EXPECT_EQ(state_of(order), DeliveryState::kDone);
}

TEST_F(FailedRollback, OtherOrdersAreNotSentAgain) {
  const std::string id = begin("1.1");
  world.advance(minutes{1});
  EXPECT_EQ(world.redeliver("ord_none-1").end, DecideEnd::kNotFound);
  const RedeliverResult advance = world.redeliver(order(id, 1));
  EXPECT_EQ(advance.end, DecideEnd::kConflict);
  EXPECT_THAT(advance.why, HasSubstr("only a rollback that failed is sent again"));
  world.deployer_is(Deployer::kAccepts);
  world.decide(id, person(DecisionKind::kRollback));
  world.settle();
  const RedeliverResult out = world.redeliver(rollback_of(id));
  EXPECT_EQ(out.end, DecideEnd::kConflict);
  EXPECT_THAT(out.why, HasSubstr("it is accepted"));
}

// The rollout may have ended long ago; who had it sent again is in its record all the same.
TEST(DeadNotification, IsSentAgainByAPersonOnce) {
  World world;
  world.configure(std::string(kTwoSteps) +
                  "[notifier.people]\ntype = \"slack\"\nwebhook_url = \"http://127.0.0.1:9/\"\n");
  world.metrics_are("errors", {Behaviour::Kind::kValue, {0.01}});
  RolloutSpec spec;
  spec.service = "checkout";
  spec.stable = "1.0";
  spec.candidate = "1.1";
  spec.policy = {"p"};
  spec.orchestrator = "deployer";
  const std::string id = world.register_rollout(std::move(spec)).rollout->spec.id;
  world.advance(minutes{1});
  world.people_refuse(true);
  world.decide(id, {DecisionKind::kCancel, "ben", "", std::nullopt});
  world.settle();
  const auto dead = [&] {
    std::vector<Delivery> found;
    for (const Delivery& d : world.deliveries(id))
      if (d.kind == "cancelled") found.push_back(d);
    return found;
  };
  ASSERT_THAT(dead(), SizeIs(1));
  ASSERT_EQ(dead()[0].state, DeliveryState::kDead);
  world.people_refuse(false);
  const std::size_t told = world.told().size();
  const std::string notification = dead()[0].id;
  world.restart(hours{48});
  ASSERT_TRUE(world.engine().active().empty());
  const RedeliverResult again = world.redeliver(notification, "the channel is back");
  ASSERT_EQ(again.end, DecideEnd::kDone) << again.why;
  world.advance(minutes{1});
  ASSERT_THAT(world.told(), SizeIs(told + 1));
  EXPECT_EQ(world.told().back().kind, "cancelled");
  EXPECT_EQ(dead()[0].state, DeliveryState::kDone);
  EXPECT_THAT(dead()[0].attempts, SizeIs(2));
  const Event last = world.events(id).back().event;
  EXPECT_EQ(
      last.summary,
      "a notification (cancelled) that did not reach people is sent again by ana: the channel "
      "is back");
  EXPECT_EQ(last.by, "ana");
  EXPECT_EQ(last.reason, "the channel is back");
  EXPECT_EQ(world.redeliver(notification).end, DecideEnd::kConflict);
  EXPECT_THAT(world.told(), SizeIs(told + 1));
}

// A newer rollout whose readiness failed ordered everything to stable, and the older one, which was
// at its step, lost its traffic until its next order.
TEST_F(FailedRollback, OneThatHasNotBegunOrdersNothingWhileAnOlderOneIsUnderWay) {
  const std::string older = begin("1.1");
  world.advance(minutes{1});
  ASSERT_EQ(state(older), State::kAnalyzing);
  const std::string newer = world.register_rollout(approved("1.2")).rollout->spec.id;
  world.decide(newer, person(DecisionKind::kRollback));
  world.settle();
  EXPECT_EQ(state(newer), State::kRolledBack);
  EXPECT_EQ(world.rollout(newer).state.orders_given, 0U);
  EXPECT_THAT(world.rollout(newer).state.reason, HasSubstr("nothing sent"));
  EXPECT_EQ(world.effects().back().kind, "advance") << "the older one's";
  EXPECT_EQ(state(older), State::kAnalyzing);
}

TEST_F(FailedRollback, NorWhileAnOlderOnesRollbackIsOut) {
  const std::string older = begin("1.1");
  world.advance(minutes{1});
  world.deployer_is(Deployer::kAccepts);
  world.decide(older, person(DecisionKind::kRollback));
  const std::string newer = begin("1.2");
  ASSERT_EQ(state(newer), State::kWaiting);
  world.decide(newer, person(DecisionKind::kRollback));
  EXPECT_EQ(state(newer), State::kRolledBack);
  EXPECT_EQ(world.rollout(newer).state.orders_given, 0U) << "its fence would overtake that";
  EXPECT_EQ(world.acknowledge(rollback_of(older), true).end, DecideEnd::kDone);
  EXPECT_EQ(state(older), State::kRolledBack);
}

TEST_F(FailedRollback, ItOrdersAgainWhenTheOlderOneHasEnded) {
  const std::string older = begin("1.1");
  world.advance(minutes{1});
  const std::string newer = world.register_rollout(approved("1.2")).rollout->spec.id;
  world.restart(minutes{1});
  world.decide(older, person(DecisionKind::kCancel));  // which leaves its traffic as it is
  world.decide(newer, person(DecisionKind::kRollback));
  world.settle();
  EXPECT_EQ(state(newer), State::kRolledBack);
  EXPECT_EQ(world.effects().back().id, rollback_of(newer));
}

TEST_F(FailedRollback, OneOlderThatOnlyWaitsIsNotUnderWay) {
  const std::string older = world.register_rollout(approved("1.1")).rollout->spec.id;
  const std::string newer = world.register_rollout(approved("1.2")).rollout->spec.id;
  world.decide(newer, person(DecisionKind::kRollback));
  world.settle();
  EXPECT_EQ(world.effects().back().id, rollback_of(newer));
  EXPECT_EQ(state(older), State::kWaiting);
}

}  // namespace
}  // namespace rollwatch
