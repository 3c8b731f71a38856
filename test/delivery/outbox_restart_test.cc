#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/delivery/outbox_fixture.h"

namespace rollwatch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using OutboxRestart = OutboxTest;

TEST_F(OutboxRestart, TakesUpWhatWasPending) {
  deployer.otherwise.status = 500;
  order(1, "advance");
  pass(seconds{20});
  story();
  deployer.otherwise.status = 200;
  restart();
  EXPECT_THAT(story(), ElementsAre("+20s1ms  advance 1, attempt 6 → 200", "+20s1ms  recorded done"))
      << "at once, the attempts counted on, the id the same";
}

TEST_F(OutboxRestart, WhatEndedStaysEnded) {
  order(1, "advance");
  deployer.script({{409}});
  order(2, "pause");
  notification("no_1");
  deployer.script({{500}});
  order(3, "resume");
  withdraw(3);
  story();
  restart();
  pass(hours{1});
  EXPECT_THAT(story(), IsEmpty());
}

TEST_F(OutboxRestart, AnAcceptedOrderWaitsOn) {
  deployer.script({{202}});
  order(1, "advance");
  pass(minutes{10});
  story();
  restart();
  EXPECT_EQ(outbox->stats().accepted, 1U);
  pass(minutes{30});
  EXPECT_THAT(story(), ElementsAre("+30m  expired 1"));
}

TEST_F(OutboxRestart, WhatExpiredMeanwhileIsNotSent) {
  deployer.otherwise.status = 500;
  order(1, "promote");
  spawn(io.get_executor(), "drain",
        [this]() -> awaitable<void> { co_await outbox->drain(Millis{0}); });
  clock.settle();
  pass(hours{2});
  story();
  restart();
  EXPECT_THAT(story(), ElementsAre("+2h1ms  expired 1"));
}

TEST_F(OutboxRestart, ANotificationKeepsItsPace) {
  slack.otherwise = {500, ""};
  notification("no_1");
  pass(minutes{3});
  EXPECT_THAT(story(), SizeIs(4));
  for (int i = 0; i < 5; ++i) restart();
  EXPECT_THAT(story(), IsEmpty()) << "a crash loop does not use up the attempts";
  pass(minutes{10});
  EXPECT_THAT(story(), ElementsAre("+12m35s  checkout 1.24: paused: no_1 → 500"));
}

TEST_F(OutboxRestart, AnAttemptWhoseAnswerWasNotRecordedIsMadeAgainWithTheSameId) {
  deployer.script({{200, "", seconds{8}}});
  order(1, "rollback");
  pass(seconds{1});
  restart();
  pass(minutes{1});
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_THAT(story(), ElementsAre("+0s  rollback 1, attempt 1 → 200",
                                   "+1s1ms  rollback 1, attempt 1 → 200", "+1s1ms  recorded done"))
      << "and the answer to the first is nobody's any more";
}

TEST_F(OutboxRestart, AddedTwiceIsSentOnce) {
  deployer.script({{200, "", seconds{2}}});
  order(1, "advance");
  outbox->add(store.deliveries_by_id.at(id_of(1)), RolloutSpec{});
  pass(minutes{1});
  EXPECT_THAT(requests, SizeIs(1));
}

TEST_F(OutboxRestart, AReloadServesWhatWasWaitingForIt) {
  deployer_configured = false;
  restart();
  order(1, "advance");
  pass(seconds{10});
  EXPECT_THAT(requests, IsEmpty());
  deployer_configured = true;
  HttpSend http = [](HttpRequest) -> awaitable<HttpResponse> {
    HttpResponse response;
    response.status = 204;
    co_return response;
  };
  Outbox::Drivers drivers;
  drivers["deployer"] = std::make_shared<WebhookDriver>(http, clock, WebhookTarget{}, Originator{});
  outbox->configure(std::move(drivers), {});
  pass(seconds{30});
  EXPECT_EQ(state_of(1), DeliveryState::kDone);
}

TEST_F(OutboxRestart, DrainingLetsAttemptsEndAndBeginsNone) {
  deployer.script({{200, "", seconds{3}}});
  order(1, "advance");
  bool drained = false;
  spawn(io.get_executor(), "drain", [&]() -> awaitable<void> {
    co_await outbox->drain(seconds{10});
    drained = true;
  });
  clock.settle();
  order(1, "advance", "ro_b");
  EXPECT_FALSE(drained);
  pass(seconds{3});
  EXPECT_TRUE(drained);
  EXPECT_THAT(story(), ElementsAre("+0s  advance 1, attempt 1 → 200", "+3s  recorded done"));
  EXPECT_EQ(clock.sleepers(), 0U) << "nothing is left that could wake up";
}

TEST_F(OutboxRestart, DrainingDoesNotWaitForEver) {
  deployer.script({{200, "", hours{1}}});
  order(1, "advance");
  bool drained = false;
  spawn(io.get_executor(), "drain", [&]() -> awaitable<void> {
    co_await outbox->drain(seconds{10});
    drained = true;
  });
  pass(seconds{10} - Millis{1});
  EXPECT_FALSE(drained);
  pass(Millis{1});
  EXPECT_TRUE(drained);
  EXPECT_EQ(state_of(1), DeliveryState::kPending) << "the next process sends it again";
}

}  // namespace
}  // namespace rollwatch
