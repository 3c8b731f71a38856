#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/delivery/outbox_fixture.h"

namespace rollwatch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

using OutboxOrders = OutboxTest;

std::string header_of(const HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value.reveal();
  }
  return {};
}

TEST_F(OutboxOrders, GoesOutAtOnce) {
  order(1, "advance");
  EXPECT_THAT(story(), ElementsAre("+0s  advance 1, attempt 1 → 200", "+0s  recorded done"));
  EXPECT_EQ(outbox->stats().orders, 0U);
  EXPECT_THAT(counted, ElementsAre("deployer advance done", "deployer advance after 0s"));
  pass(hours{1});
  EXPECT_THAT(story(), IsEmpty());
}

TEST_F(OutboxOrders, ReceiverDownThenUp) {
  deployer.otherwise.error = "connection refused";
  order(1, "advance");
  pass(seconds{40});
  deployer.otherwise.error = "";
  pass(seconds{30});
  EXPECT_THAT(
      story(),
      ElementsAre("+0s  advance 1, attempt 1 → connection refused", "+0s  recorded pending",
                  "+1s  advance 1, attempt 2 → connection refused", "+1s  recorded pending",
                  "+3s  advance 1, attempt 3 → connection refused", "+3s  recorded pending",
                  "+8s  advance 1, attempt 4 → connection refused", "+8s  recorded pending",
                  "+18s  advance 1, attempt 5 → connection refused", "+18s  recorded pending",
                  "+38s  advance 1, attempt 6 → connection refused", "+38s  recorded pending",
                  "+1m8s  advance 1, attempt 7 → 200", "+1m8s  recorded done"));
  ASSERT_THAT(requests, SizeIs(7));
  for (const HttpRequest& request : requests) EXPECT_EQ(header_of(request, "webhook-id"), id_of(1));
  EXPECT_NE(header_of(requests[0], "webhook-timestamp"),
            header_of(requests[1], "webhook-timestamp"));
  const auto& attempts = store.deliveries_by_id.at(id_of(1)).attempts;
  ASSERT_THAT(attempts, SizeIs(7));
  EXPECT_EQ(attempts[0].error, "connection refused");
  EXPECT_EQ(attempts[0].status, std::nullopt);
  EXPECT_EQ(attempts[6].status, 200);
}

TEST_F(OutboxOrders, FiveHundredForAnHourThenExpiry) {
  order_deadline = hours{1};
  deployer.otherwise.status = 500;
  order(1, "rollback");
  pass(hours{1} - Millis{1});
  EXPECT_THAT(story(), Not(Contains(HasSubstr("expired"))));
  EXPECT_THAT(requests, SizeIs(6 + 118)) << "six in the first 38 s, then one every 30 s";
  pass(Millis{1});
  EXPECT_THAT(story(), ElementsAre("+1h  expired 1"));
  EXPECT_EQ(state_of(1), DeliveryState::kDead);
  EXPECT_EQ(counted.back(), "deployer rollback expired");
  pass(hours{1});
  EXPECT_THAT(story(), IsEmpty()) << "a promotion must never fire an hour late";
}

// The deadline was read off the wall clock alone: put back by two hours, it let the promotion fire
// two hours late.
TEST_F(OutboxOrders, AClockThatIsPutBackGivesNoMoreTime) {
  deployer.otherwise.status = 500;
  order(1, "promote");
  pass(minutes{1});
  clock.jump_wall(-hours{2});
  pass(minutes{4} - Millis{1});
  EXPECT_THAT(story(), Not(Contains(HasSubstr("expired"))));
  pass(Millis{1});
  EXPECT_THAT(story(), ElementsAre("+5m  expired 1"));
}

TEST_F(OutboxOrders, AClockThatIsPutBackGivesNoMoreTimeToAcknowledge) {
  deployer.script({{202}});
  order(1, "advance");
  pass(minutes{10});
  story();
  clock.jump_wall(-hours{2});
  pass(minutes{20});
  EXPECT_THAT(story(), ElementsAre("+30m  expired 1"));
}

TEST_F(OutboxOrders, ExpiresExactlyThoughTheNextAttemptWouldBeLater) {
  order_deadline = seconds{20};
  deployer.otherwise.status = 503;
  order(1, "promote");
  pass(minutes{2});
  EXPECT_EQ(story().back(), "+20s  expired 1");
}

TEST_F(OutboxOrders, AcceptedThenAcknowledged) {
  deployer.script({{202}});
  order(1, "advance");
  EXPECT_THAT(story(), ElementsAre("+0s  advance 1, attempt 1 → 202", "+0s  recorded accepted"));
  pass(minutes{29});
  EXPECT_EQ(outbox->stats().accepted, 1U);
  EXPECT_EQ(outbox->stats().orders, 0U);
  acknowledge(1);
  EXPECT_EQ(outbox->stats().accepted, 0U);
  EXPECT_THAT(counted, ElementsAre("deployer advance accepted", "deployer advance acknowledged",
                                   "deployer advance after 29m"));
  pass(hours{2});
  EXPECT_THAT(story(), IsEmpty());
}

TEST_F(OutboxOrders, AcceptedAndNeverAcknowledgedExpires) {
  deployer.script({{202}});
  order(1, "advance");
  story();
  pass(minutes{30} - Millis{1});
  EXPECT_THAT(story(), IsEmpty()) << "not at the order's own deadline, which was for delivering it";
  pass(Millis{1});
  EXPECT_THAT(story(), ElementsAre("+30m  expired 1"));
  EXPECT_EQ(state_of(1), DeliveryState::kDead);
}

TEST_F(OutboxOrders, AcknowledgedBeforeTheAnswerCame) {
  deployer.script({{202, "", seconds{2}}});
  order(1, "advance");
  acknowledge(1);
  pass(seconds{2});
  EXPECT_THAT(counted, ElementsAre("deployer advance acknowledged", "deployer advance after 0s",
                                   "deployer advance accepted"));
  pass(hours{1});
  EXPECT_EQ(outbox->stats().accepted, 0U);
  EXPECT_THAT(requests, SizeIs(1));
}

TEST_F(OutboxOrders, RefusalsEndIt) {
  unsigned number = 0;
  for (const int status : {409, 410, 422}) {
    deployer.script({{status, "fence is behind"}});
    order(++number, "advance");
    EXPECT_EQ(state_of(number), DeliveryState::kRefused) << status;
    EXPECT_EQ(store.deliveries_by_id.at(id_of(number)).attempts.at(0).answer, "fence is behind");
  }
  pass(hours{1});
  EXPECT_THAT(requests, SizeIs(3));
}

TEST_F(OutboxOrders, RetryAfterIsHonouredUpTo30Seconds) {
  deployer.script({{429, "", {}, "7"}, {503, "", {}, "600"}, {200}});
  order(1, "advance");
  pass(minutes{2});
  EXPECT_THAT(story(), ElementsAre("+0s  advance 1, attempt 1 → 429", "+0s  recorded pending",
                                   "+7s  advance 1, attempt 2 → 503", "+7s  recorded pending",
                                   "+37s  advance 1, attempt 3 → 200", "+37s  recorded done"));
}

TEST_F(OutboxOrders, RedirectsAreNotFollowed) {
  deployer.script({{302}});
  order(1, "advance");
  EXPECT_EQ(store.deliveries_by_id.at(id_of(1)).attempts.at(0).error, "redirects are not followed");
  EXPECT_EQ(store.deliveries_by_id.at(id_of(1)).attempts.at(0).status, 302);
  EXPECT_EQ(state_of(1), DeliveryState::kPending);
}

TEST_F(OutboxOrders, AHugeAnswerIsCut) {
  std::string huge = "x";
  while (huge.size() < 100'000) huge += "\u00e4";
  deployer.script({{200, huge}});
  order(1, "advance");
  const std::string& kept = store.deliveries_by_id.at(id_of(1)).attempts.at(0).answer;
  EXPECT_EQ(kept.size(), 2047U) << "2 KiB, and no half character at the end";
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].max_answer, 2048U);
  EXPECT_TRUE(requests[0].truncate);
}

TEST_F(OutboxOrders, OneAfterAnother) {
  deployer.script({{200, "", seconds{3}}});
  order(1, "pause");
  order(2, "resume");
  order(1, "advance", "ro_b");
  pass(seconds{3});
  EXPECT_THAT(story(),
              ElementsAre("+0s  pause 1, attempt 1 → 200", "+0s  advance 1, attempt 1 → 200",
                          "+0s  recorded done", "+3s  recorded done",
                          "+3s  resume 2, attempt 1 → 200", "+3s  recorded done"))
      << "the other rollout does not wait";
}

TEST_F(OutboxOrders, ALaterOrderWaitsForTheEarlierOnesRetries) {
  deployer.script({{500}, {500}});
  order(1, "pause");
  order(2, "resume");
  pass(seconds{10});
  EXPECT_THAT(story(), ElementsAre("+0s  pause 1, attempt 1 → 500", "+0s  recorded pending",
                                   "+1s  pause 1, attempt 2 → 500", "+1s  recorded pending",
                                   "+3s  pause 1, attempt 3 → 200", "+3s  recorded done",
                                   "+3s  resume 2, attempt 1 → 200", "+3s  recorded done"));
}

TEST_F(OutboxOrders, AReplacedOrderIsWithdrawn) {
  deployer.otherwise.status = 500;
  order(1, "advance");
  withdraw(1);
  deployer.otherwise.status = 200;
  order(2, "promote");
  pass(hours{1});
  EXPECT_THAT(story(), ElementsAre("+0s  advance 1, attempt 1 → 500", "+0s  recorded pending",
                                   "+0s  promote 2, attempt 1 → 200", "+0s  recorded done"));
  EXPECT_THAT(counted, Contains("deployer advance withdrawn"));
}

TEST_F(OutboxOrders, AWithdrawnOrdersAttemptEndsBeforeTheNextOrderGoes) {
  deployer.script({{200, "", seconds{4}}});
  order(1, "advance");
  withdraw(1);
  order(2, "pause");
  pass(seconds{10});
  EXPECT_THAT(story(), ElementsAre("+0s  advance 1, attempt 1 → 200", "+4s  recorded withdrawn",
                                   "+4s  pause 2, attempt 1 → 200", "+4s  recorded done"));
}

TEST_F(OutboxOrders, ARollbackOvertakesAnAdvanceInFlight) {
  deployer.script({{200, "", seconds{9}}, {200, "", seconds{1}}});
  order(1, "advance");
  pass(seconds{2});
  withdraw(1);
  order(2, "rollback");
  pass(seconds{10});
  EXPECT_THAT(story(),
              ElementsAre("+0s  advance 1, attempt 1 → 200", "+2s  rollback 2, attempt 1 → 200",
                          "+3s  recorded done", "+9s  recorded withdrawn"));
}

TEST_F(OutboxOrders, AWaitingOrderThatIsWithdrawnNeverGoes) {
  deployer.script({{200, "", seconds{4}}});
  order(1, "advance");
  withdraw(1);
  order(2, "pause");
  withdraw(2);
  pass(minutes{1});
  EXPECT_THAT(requests, SizeIs(1));
  EXPECT_EQ(outbox->stats().orders, 0U);
}

// A freeze that came with it: its attempt had been begun, but not made.
TEST_F(OutboxOrders, OneThatIsWithdrawnBeforeItsTurnNeverGoes) {
  hand_over(1, "advance");
  withdraw(1);
  order(2, "promote");
  EXPECT_THAT(story(), ElementsAre("+0s  promote 2, attempt 1 → 200", "+0s  recorded done"));
  for (unsigned number = 3; number < 100; ++number) {  // its place is free again
    hand_over(number, "advance");
    withdraw(number);
  }
  pass(minutes{1});
  EXPECT_THAT(requests, SizeIs(1));
  order(100, "promote");
  EXPECT_THAT(requests, SizeIs(2));
}

TEST_F(OutboxOrders, ATargetThatHangsHoldsUpNobodyElseAndNoRollback) {
  deployer.otherwise.takes = seconds{10};
  for (int i = 0; i < 70; ++i) order(1, "advance", "ro_" + std::to_string(i));
  EXPECT_THAT(requests, SizeIs(64)) << "as many places as a target has";
  order(1, "advance", "ro_x", "other");
  EXPECT_THAT(requests, SizeIs(65));
  withdraw(1, "ro_69");
  order(2, "rollback", "ro_69");
  EXPECT_THAT(requests, SizeIs(66));
  pass(seconds{10});
  EXPECT_THAT(requests, SizeIs(71)) << "and the five others have had their turn";
  pass(seconds{10});
  EXPECT_EQ(outbox->stats().orders, 0U);
}

TEST_F(OutboxOrders, AnAnswerIsToldUntilItIsRecorded) {
  sink_failures = 3;
  order(1, "advance");
  pass(minutes{1});
  EXPECT_THAT(story(), ElementsAre("+0s  advance 1, attempt 1 → 200", "+0s  not recorded",
                                   "+1s  not recorded", "+3s  not recorded", "+8s  recorded done"));
}

TEST_F(OutboxOrders, AFailedAttemptThatCannotBeRecordedDoesNotHoldUpTheNext) {
  deployer.script({{500}});
  sink_failures = 1;
  order(1, "rollback");
  pass(minutes{1});
  EXPECT_THAT(story(), ElementsAre("+0s  rollback 1, attempt 1 → 500", "+0s  not recorded",
                                   "+1s  rollback 1, attempt 2 → 200", "+1s  recorded done"));
}

TEST_F(OutboxOrders, AnExpiryIsToldUntilItIsRecorded) {
  deployer.otherwise.status = 500;
  order(1, "advance");
  pass(minutes{5} - Millis{1});
  story();
  sink_failures = 2;
  pass(minutes{1});
  EXPECT_THAT(story(), ElementsAre("+5m3s  expired 1"));
}

TEST_F(OutboxOrders, UntilWhenMayBeAcknowledgedIsReadAgainAfterAStoreFailure) {
  deployer.script({{202}});
  store.failures = 2;
  order(1, "advance");
  pass(seconds{10});
  EXPECT_EQ(outbox->stats().accepted, 1U);
  story();
  pass(minutes{31});
  EXPECT_THAT(story(), ElementsAre("+30m  expired 1"));
}

TEST_F(OutboxOrders, NoSuchTargetIsKeptAndSaysSo) {
  order(1, "advance", "ro_a", "gone");
  EXPECT_EQ(store.deliveries_by_id.at(id_of(1)).attempts.at(0).error,
            "no orchestrator named gone is configured");
  EXPECT_EQ(outbox->stats().orders, 1U);
  pass(minutes{5});
  EXPECT_EQ(story().back(), "+5m  expired 1");
}

TEST_F(OutboxOrders, TheWallClockJumping) {
  deployer.otherwise.status = 500;
  order(1, "advance");
  pass(seconds{40});
  story();
  clock.jump_wall(-hours{1});
  pass(seconds{30});
  EXPECT_THAT(story(), ElementsAre("+1m8s  advance 1, attempt 7 → 500", "+1m8s  recorded pending"))
      << "retries go by the steady clock";
  clock.jump_wall(hours{2});
  pass(seconds{30});
  EXPECT_THAT(story(), ElementsAre("+1m38s  expired 1"));
}

TEST_F(OutboxOrders, AgeIsThatOfTheOldestToBeSent) {
  deployer.otherwise.status = 500;
  deployer.script({{202}});
  order(1, "advance", "ro_b");
  pass(minutes{1});
  order(1, "advance");
  pass(minutes{2});
  EXPECT_EQ(outbox->stats().orders, 1U);
  EXPECT_EQ(outbox->stats().accepted, 1U);
  EXPECT_EQ(outbox->stats().oldest_age, minutes{2});
}

}  // namespace
}  // namespace rollwatch
