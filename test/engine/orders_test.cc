// What became of an attempt, reported while something else is being recorded: whatever the order in
// which they arrive, an order that was withdrawn is never to be sent again.
#include <gmock/gmock.h>

#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

class Orders : public EngineTest {};

struct Ending {
  const char* name;
  Deployer deployer;
  DeliveryState alone;  // what the delivery is when nothing came between
  State state;
};
const std::vector<Ending> kEndings{
    {"done", Deployer::kAcknowledges, DeliveryState::kDone, State::kAnalyzing},
    {"accepted", Deployer::kAccepts, DeliveryState::kAccepted, State::kAnalyzing},
    {"refused", Deployer::kRefuses, DeliveryState::kRefused, State::kPaused},
    {"failed", Deployer::kFails, DeliveryState::kPending, State::kAnalyzing},
    {"no answer", Deployer::kIsDown, DeliveryState::kPending, State::kAnalyzing},
};

class OrderEndings : public EngineTest, public testing::WithParamInterface<Ending> {};
INSTANTIATE_TEST_SUITE_P(All, OrderEndings, testing::ValuesIn(kEndings), [](const auto& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

TEST_P(OrderEndings, IsRecordedWithItsAttempt) {
  world.deployer_is(GetParam().deployer);
  const std::string id = begin("1.1");
  const Delivery d = delivery(order(id, 1));
  EXPECT_EQ(d.state, GetParam().alone);
  ASSERT_EQ(d.attempts.size(), 1U);
  EXPECT_EQ(d.attempts[0].at, world.now());
  EXPECT_EQ(state(id), GetParam().state);
}

TEST_P(OrderEndings, StaysWithdrawnIfARollbackIsBeingRecorded) {
  world.deployer_hangs(true);
  const std::string id = begin("1.1");
  world.store_hangs(true);
  const Called<DecideResult> decided(world,
                                     world.engine().decide(id, person(DecisionKind::kRollback)));
  world.deployer_is(GetParam().deployer);
  world.deployer_hangs(false);
  world.advance(Millis{10'000});
  ASSERT_FALSE(decided.answered());
  world.deployer_is(Deployer::kIsDown);
  world.store_hangs(false);
  world.settle();

  EXPECT_EQ(decided.value().end, DecideEnd::kDone);
  EXPECT_EQ(state(id), State::kRollingBack);
  const Delivery d = delivery(order(id, 1));
  EXPECT_EQ(d.state, DeliveryState::kWithdrawn);
  EXPECT_EQ(d.attempts.size(), 1U);
  world.deployer_is(Deployer::kAcknowledges);
  const std::size_t attempts = world.attempts().size();
  world.restart(Millis{1'000});
  ASSERT_EQ(world.attempts().size(), attempts + 1);
  EXPECT_EQ(world.attempts().back().kind, "rollback");
  EXPECT_EQ(state(id), State::kRolledBack);
}

// A freeze takes it back; that it was carried out counts all the same.
TEST_P(OrderEndings, IsTakenBackIfAFreezeIsBeingRecorded) {
  world.deployer_hangs(true);
  const std::string id = begin("1.1");
  world.store_hangs(true);
  FreezeRecord everything;
  everything.by = "ana";
  const Called<FreezeRecord> frozen(world, world.engine().freeze(everything));
  world.deployer_is(GetParam().deployer);
  world.deployer_hangs(false);
  world.advance(Millis{10'000});
  ASSERT_FALSE(frozen.answered());
  world.store_hangs(false);
  world.settle();

  ASSERT_TRUE(frozen.answered());
  const bool was_done = GetParam().alone == DeliveryState::kDone;
  const Delivery d = delivery(order(id, 1));
  EXPECT_EQ(d.state, was_done ? DeliveryState::kDone : DeliveryState::kWithdrawn);
  EXPECT_EQ(d.attempts.size(), 1U);
  EXPECT_EQ(world.rollout(id).state.step, was_done ? 0 : -1);
  EXPECT_EQ(state(id), State::kAnalyzing);
  world.deployer_is(Deployer::kAcknowledges);
  const std::size_t attempts = world.attempts().size();
  world.advance(Millis{60'000});
  world.restart(Millis{1'000});
  EXPECT_EQ(world.attempts().size(), attempts) << "not sent again";
}

TEST_P(OrderEndings, StaysWithdrawnIfTheRolloutIsBeingSuperseded) {
  world.deployer_hangs(true);
  const std::string id = begin("1.1");
  world.store_hangs(true);
  const Called<RegisterResult> newer(
      world, world.engine().register_rollout(world.registration(spec("1.2"))));
  world.let_commits_go();  // the registration; that it begins waits
  world.settle();
  world.deployer_is(GetParam().deployer);
  world.deployer_hangs(false);
  world.advance(Millis{10'000});
  world.deployer_is(Deployer::kAcknowledges);
  world.store_hangs(false);
  world.settle();

  EXPECT_EQ(state(id), State::kSuperseded);
  const Delivery d = delivery(order(id, 1));
  EXPECT_EQ(d.state, DeliveryState::kWithdrawn);
  EXPECT_EQ(d.attempts.size(), 1U);
  EXPECT_EQ(newer.value().rollout->state.state, State::kAnalyzing);
}

// The decision and the failed attempt become one commit.
TEST_P(OrderEndings, StaysWithdrawnIfItArrivesWithTheDecision) {
  world.deployer_hangs(true);
  const std::string id = begin("1.1");
  world.store_fails(true);  // so that both wait in the mailbox …
  const Called<DecideResult> first(world, world.engine().decide(id, person(DecisionKind::kPause)));
  EXPECT_THROW(first.value(), StoreError);
  const Called<DecideResult> decided(world,
                                     world.engine().decide(id, person(DecisionKind::kCancel)));
  SendResult result;
  result.end = SendEnd::kRetry;
  result.attempt.at = world.now();
  if (GetParam().alone == DeliveryState::kDone) result.end = SendEnd::kDone;
  if (GetParam().alone == DeliveryState::kAccepted) result.end = SendEnd::kAccepted;
  if (GetParam().alone == DeliveryState::kRefused) result.end = SendEnd::kRefused;
  const Called<DeliveryState> attempted(
      world, world.engine().order_attempted(lease(), id, order(id, 1), result));
  world.store_fails(false);  // … until the store is back
  world.advance(Millis{1'000});

  EXPECT_EQ(decided.value().end, DecideEnd::kDone);
  EXPECT_EQ(attempted.value(), DeliveryState::kWithdrawn);
  const Delivery d = delivery(order(id, 1));
  EXPECT_EQ(d.state, DeliveryState::kWithdrawn);
  EXPECT_EQ(d.attempts.size(), 1U);
}

// The deployer reports the weight and then fails the request: the order has taken effect.
TEST_F(Orders, AWeightReportedMeanwhileSettlesTheOrder) {
  world.deployer_hangs(true);
  world.deployer_is(Deployer::kFails);
  const std::string id = begin("1.1");
  world.store_hangs(true);
  const Called<DecideResult> reported(
      world, world.engine().report_weight(id, WeightReported{5, world.now(), "deployer"}));
  world.advance(Millis{10'000});
  world.store_hangs(false);
  world.settle();
  EXPECT_EQ(reported.value().end, DecideEnd::kDone);
  const Delivery d = delivery(order(id, 1));
  EXPECT_EQ(d.state, DeliveryState::kDone);
  EXPECT_EQ(d.attempts.size(), 1U);
  world.deployer_hangs(false);
  world.advance(Millis{120'000});
  EXPECT_EQ(delivery(order(id, 1)).attempts.size(), 1U);
}

// A failed attempt and the report in one commit: the outbox must hear of it too, or it sends again.
TEST_F(Orders, AWeightReportedWithAFailedAttemptEndsTheAttempts) {
  world.deployer_hangs(true);
  world.deployer_is(Deployer::kFails);
  const std::string id = begin("1.1");
  world.store_fails(true);
  const Called<DecideResult> first(world, world.engine().decide(id, person(DecisionKind::kPause)));
  world.store_hangs(true);
  world.store_fails(false);
  world.advance(Millis{1'000});  // the engine takes work again; nothing of it is to be recorded
  world.advance(Millis{8'999});
  const Called<DecideResult> reported(
      world, world.engine().report_weight(id, WeightReported{5, world.now(), "deployer"}));
  world.store_hangs(false);
  world.advance(Millis{1});
  world.deployer_hangs(false);
  world.advance(Millis{120'000});
  EXPECT_EQ(delivery(order(id, 1)).state, DeliveryState::kDone);
  EXPECT_LE(delivery(order(id, 1)).attempts.size(), 1U);
  EXPECT_EQ(state(id), State::kAnalyzing);
}

TEST_F(Orders, AnUnknownDeliveryIsToldAsWithdrawn) {
  const std::string id = begin("1.1");
  SendResult result;
  EXPECT_EQ(world.run(world.engine().order_attempted(lease(), id, "ord_none-1", result)),
            DeliveryState::kWithdrawn);
  EXPECT_EQ(world.run(world.engine().order_expired(lease(), id, "ord_none-1", "")),
            DeliveryState::kWithdrawn);
  EXPECT_EQ(world.run(world.engine().order_attempted(lease(), "ro_none", "ord_none-1", result)),
            DeliveryState::kWithdrawn);
}

TEST_F(Orders, ExpiryOfAnEndedOrderChangesNothing) {
  const std::string id = begin("1.1");
  ASSERT_EQ(delivery(order(id, 1)).state, DeliveryState::kDone);
  EXPECT_EQ(world.run(world.engine().order_expired(lease(), id, order(id, 1), "")),
            DeliveryState::kDone);
  EXPECT_EQ(delivery(order(id, 1)).state, DeliveryState::kDone);
}

TEST_F(Orders, ExpiryPausesWithThatQuestionAndARollbackEndsTheRollout) {
  world.deployer_is(Deployer::kIsDown);
  const std::string id = begin("1.1");
  EXPECT_EQ(world.run(world.engine().order_expired(lease(), id, order(id, 1), "")),
            DeliveryState::kDead);
  EXPECT_EQ(state(id), State::kPaused);
  ASSERT_TRUE(world.rollout(id).state.question.has_value());
  EXPECT_EQ(world.rollout(id).state.question->kind, QuestionKind::kOrderExpired);
  world.decide(id, person(DecisionKind::kRollback));
  EXPECT_EQ(world.run(world.engine().order_expired(lease(), id, order(id, 2), "")),
            DeliveryState::kDead);
  EXPECT_EQ(state(id), State::kRollbackFailed);
}

// An expiry that was looked up before the receiver's word was recorded.
TEST_F(Orders, ExpiryOfOneThatWasNeverTriedSaysWhy) {
  world.deployer_hangs(true);
  const std::string id = begin("1.1");
  world.settle();
  const std::string why = "orchestrator deployer fails, last: HTTP 500";
  EXPECT_EQ(world.run(world.engine().order_expired(lease(), id, order(id, 1), why)),
            DeliveryState::kDead);
  EXPECT_THAT(world.rollout(id).state.reason, testing::HasSubstr(why));
}

TEST_F(Orders, ExpiryDoesNotUndoAnAcknowledgement) {
  world.deployer_is(Deployer::kAccepts);
  const std::string id = begin("1.1");
  world.store_hangs(true);
  const Called<DecideResult> acknowledged(world,
                                          world.engine().acknowledge(order(id, 1), true, ""));
  const Called<DeliveryState> expired(world,
                                      world.engine().order_expired(lease(), id, order(id, 1), ""));
  world.store_hangs(false);
  world.settle();
  EXPECT_EQ(acknowledged.value().end, DecideEnd::kDone);
  EXPECT_EQ(expired.value(), DeliveryState::kDone);
  EXPECT_EQ(delivery(order(id, 1)).state, DeliveryState::kDone);
  EXPECT_EQ(world.rollout(id).state.step, 0);
}

TEST_F(Orders, AnAttemptThatCouldNotBeRecordedThrows) {
  world.deployer_hangs(true);
  const std::string id = begin("1.1");
  world.store_fails(true);
  SendResult result;
  result.end = SendEnd::kDone;
  const Called<DeliveryState> attempted(
      world, world.engine().order_attempted(lease(), id, order(id, 1), result));
  EXPECT_THROW(attempted.value(), StoreError);
  world.store_fails(false);
  world.advance(Millis{1'000});
  EXPECT_EQ(state(id), State::kAnalyzing);
  EXPECT_EQ(world.rollout(id).state.step, -1);
}

}  // namespace
}  // namespace rollwatch
