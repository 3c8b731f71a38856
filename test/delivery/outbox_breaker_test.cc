// A target that keeps failing is probed, not hammered; a rollback is tried all the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/delivery/outbox_fixture.h"

namespace rollwatch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class OutboxBreaker : public OutboxTest {
 protected:
  // Five rollouts whose orders fail at once: the breaker is open at +0s.
  void break_it() {
    deployer.otherwise.status = 500;
    for (const char* rollout : {"ro_1", "ro_2", "ro_3", "ro_4", "ro_5"})
      order(1, "advance", rollout);
    story();
  }
  static std::string only_attempts(std::vector<std::string> lines) {
    std::string text;
    for (const std::string& line : lines)
      if (line.find("recorded") == std::string::npos) text += line + "\n";
    return text;
  }
  TargetReading target(const std::string& name) const {
    for (const TargetReading& reading : outbox->targets())
      if (reading.name == name) return reading;
    ADD_FAILURE() << "no target " << name;
    return {};
  }
};

TEST_F(OutboxBreaker, OneProbeAtATimeInsteadOfEverybody) {
  break_it();
  EXPECT_EQ(target("deployer").breaker, BreakerState::kOpen);
  for (int i = 6; i < 56; ++i) order(1, "advance", "ro_" + std::to_string(i));
  EXPECT_THAT(story(), IsEmpty()) << "new orders wait with the others";
  pass(minutes{2});
  EXPECT_EQ(only_attempts(story()),
            "+5s  advance 1, attempt 1 → 500\n"
            "+15s  advance 1, attempt 1 → 500\n"
            "+35s  advance 1, attempt 1 → 500\n"
            "+1m5s  advance 1, attempt 1 → 500\n"
            "+1m35s  advance 1, attempt 1 → 500\n")
      << "who has waited longest";
  EXPECT_EQ(target("deployer").failures, 10U);
  EXPECT_EQ(target("deployer").open, 55U);
}

TEST_F(OutboxBreaker, AnAnswerClosesItAndEverythingThatWaitsGoesOut) {
  break_it();
  for (int i = 6; i < 26; ++i) order(1, "advance", "ro_" + std::to_string(i));
  deployer.otherwise.status = 200;
  pass(seconds{5} - Millis{1});
  EXPECT_THAT(story(), IsEmpty());
  pass(Millis{1});
  EXPECT_THAT(requests, SizeIs(5 + 25));
  EXPECT_EQ(outbox->stats().orders, 0U);
  EXPECT_EQ(target("deployer").breaker, BreakerState::kClosed);
  EXPECT_EQ(target("deployer").failures, 0U);
}

TEST_F(OutboxBreaker, ARefusalOfTheProbeIsAnAnswer) {
  break_it();
  deployer.script({{409}});
  deployer.otherwise.status = 200;
  pass(seconds{5});
  EXPECT_EQ(store.deliveries_by_id.at(id_of(1, "ro_1")).state, DeliveryState::kRefused);
  EXPECT_EQ(outbox->stats().orders, 0U) << "the four others are done";
}

TEST_F(OutboxBreaker, ARollbackIsTriedOnItsOwnScheduleAndItsSuccessClosesIt) {
  break_it();
  order(2, "rollback", "ro_x");
  pass(seconds{4});
  EXPECT_EQ(only_attempts(story()),
            "+0s  rollback 2, attempt 1 → 500\n"
            "+1s  rollback 2, attempt 2 → 500\n"
            "+3s  rollback 2, attempt 3 → 500\n");
  deployer.script({{500}});  // the probe at +5s
  deployer.otherwise.status = 200;
  pass(seconds{3});
  EXPECT_EQ(only_attempts(story()), "+5s  advance 1, attempt 2 → 500\n");
  pass(seconds{1});
  EXPECT_THAT(only_attempts(story()), StartsWith("+8s  rollback 2, attempt 4 → 200\n"));
  EXPECT_EQ(outbox->stats().orders, 0U) << "and what waited went out with it";
  EXPECT_EQ(target("deployer").breaker, BreakerState::kClosed);
}

// An order that its receiver never takes would be the probe for ever, and hold all the others.
TEST_F(OutboxBreaker, OneThatAlwaysFailsDoesNotStandBeforeTheOthers) {
  deployer.otherwise.status = 500;
  order(1, "advance", "ro_bad");
  pass(seconds{20});
  EXPECT_EQ(target("deployer").breaker, BreakerState::kOpen);
  order(1, "advance", "ro_1");
  order(1, "advance", "ro_2");
  story();
  deployer.script({{200}, {200}});
  pass(seconds{3});
  EXPECT_EQ(only_attempts(story()),
            "+23s  advance 1, attempt 1 → 200\n"
            "+23s  advance 1, attempt 1 → 200\n");
  EXPECT_EQ(store.deliveries_by_id.at(id_of(1, "ro_bad")).state, DeliveryState::kPending);
}

TEST_F(OutboxBreaker, OneOrderAloneKeepsToTheSchedule) {
  deployer.otherwise.status = 500;
  order(1, "advance");
  pass(minutes{2});
  EXPECT_EQ(only_attempts(story()),
            "+0s  advance 1, attempt 1 → 500\n"
            "+1s  advance 1, attempt 2 → 500\n"
            "+3s  advance 1, attempt 3 → 500\n"
            "+8s  advance 1, attempt 4 → 500\n"
            "+18s  advance 1, attempt 5 → 500\n"
            "+38s  advance 1, attempt 6 → 500\n"
            "+1m8s  advance 1, attempt 7 → 500\n"
            "+1m38s  advance 1, attempt 8 → 500\n");
}

TEST_F(OutboxBreaker, OtherTargetsAreNotConcerned) {
  break_it();
  deployer.script({{200}});
  order(1, "advance", "ro_x", "other");
  EXPECT_THAT(story(), ElementsAre("+0s  advance 1, attempt 1 → 200", "+0s  recorded done"));
  EXPECT_EQ(target("deployer").breaker, BreakerState::kOpen);
}

TEST_F(OutboxBreaker, AProbeThatHangsHoldsTheOthers) {
  break_it();
  deployer.otherwise = {200, "ok", seconds{9}};
  pass(seconds{5});
  EXPECT_EQ(only_attempts(story()), "+5s  advance 1, attempt 2 → 200\n");
  EXPECT_EQ(target("deployer").breaker, BreakerState::kProbing);
  EXPECT_EQ(target("deployer").next_probe, std::nullopt);
  EXPECT_THAT(outbox->held_because(id_of(1, "ro_2")).value(), HasSubstr("one is out to see"));
  pass(seconds{9});
  EXPECT_THAT(requests, SizeIs(10));
}

TEST_F(OutboxBreaker, AProbeThatIsWithdrawnMakesRoomForAnother) {
  break_it();
  for (const char* rollout : {"ro_1", "ro_2", "ro_3", "ro_4"}) withdraw(1, rollout);
  hand_over(1, "advance", "ro_6");
  deployer.otherwise.status = 200;
  pass(seconds{5});
  EXPECT_THAT(only_attempts(story()), HasSubstr("+5s  advance 1, attempt 2 → 200"));
  EXPECT_EQ(outbox->stats().orders, 0U);
}

TEST_F(OutboxBreaker, AnOrderThatWaitedInVainExpiresAndSaysWhy) {
  break_it();
  order(1, "promote", "ro_6");
  EXPECT_EQ(outbox->held_because(id_of(1, "ro_6")),
            "orchestrator deployer fails: 5 attempts in a row, the last: HTTP 500; it is tried "
            "again at 2026-01-02T03:04:10.678Z");
  EXPECT_EQ(outbox->held_because(id_of(1, "ro_nobody")), std::nullopt);
  for (const char* rollout : {"ro_1", "ro_2", "ro_3", "ro_4", "ro_5"}) withdraw(1, rollout);
  outbox->configure({}, {});  // and so there is nobody to be probed any more
  pass(minutes{6});
  EXPECT_THAT(story(), Contains("+5m  expired 1"));
}

TEST_F(OutboxBreaker, WhatNeverHadAnAttemptSaysWhyWhenItExpires) {
  break_it();
  order_deadline = seconds{4};
  order(1, "promote", "ro_6");
  pass(seconds{4});
  EXPECT_THAT(story(), ElementsAre("+4s  expired 1: orchestrator deployer fails, last: HTTP 500"));
}

TEST_F(OutboxBreaker, AReloadProbesAtOnce) {
  break_it();
  pass(minutes{1});
  story();
  order(1, "advance", "ro_6");
  deployer.otherwise.status = 200;
  configure();
  clock.settle();
  EXPECT_THAT(only_attempts(story()), HasSubstr("+1m  advance 1, attempt "));
  EXPECT_EQ(outbox->stats().orders, 0U);
}

TEST_F(OutboxBreaker, NobodyOfThatNameIsNoFailure) {
  for (int i = 0; i < 9; ++i) order(1, "advance", "ro_" + std::to_string(i), "gone");
  pass(minutes{1});
  for (const TargetReading& reading : outbox->targets())
    EXPECT_EQ(reading.breaker, BreakerState::kClosed) << reading.name;
  EXPECT_EQ(outbox->held_because(id_of(1, "ro_1")), std::nullopt);
}

TEST_F(OutboxBreaker, ARestartBeginsAnew) {
  break_it();
  restart();
  EXPECT_THAT(requests, SizeIs(10)) << "everything open is tried at once";
  EXPECT_EQ(target("deployer").breaker, BreakerState::kOpen) << "and the fifth opens it again";
}

TEST_F(OutboxBreaker, NotifiersHaveOneToo) {
  slack.otherwise.status = 500;
  for (const char* id : {"no_1", "no_2", "no_3", "no_4", "no_5", "no_6", "no_7"}) notification(id);
  EXPECT_EQ(target("slack").breaker, BreakerState::kOpen);
  pass(hours{1});
  EXPECT_THAT(story(), SizeIs(5 + 14)) << "half a minute, 1, 2, 4 minutes and every five";
  slack.otherwise.status = 200;
  pass(minutes{5});
  EXPECT_EQ(target("slack").breaker, BreakerState::kClosed);
  EXPECT_EQ(target("deployer").breaker, BreakerState::kClosed);
}

TEST_F(OutboxBreaker, TargetsAreListedWithoutTheirAddresses) {
  const auto targets = outbox->targets();
  std::vector<std::string> names;
  for (const TargetReading& one : targets)
    names.push_back((one.cls == DeliveryClass::kOrder ? "orchestrator " : "notifier ") + one.name);
  EXPECT_THAT(names, ElementsAre("orchestrator deployer", "orchestrator other", "notifier bot",
                                 "notifier slack"));
  break_it();
  EXPECT_EQ(target("deployer").since, clock.wall());
  EXPECT_EQ(target("deployer").next_probe, clock.wall() + seconds{5});
  EXPECT_EQ(target("deployer").last_error, "HTTP 500");
}

// An older state of a rollout than its message shows: done without a request. It used to close the
// breaker, as if Slack had answered, and everything that waited was sent into the outage.
TEST_F(OutboxBreaker, ThatNothingWasSentIsNoAnswer) {
  notification("no_1", "started", "bot", 9);
  bot.otherwise.status = 503;
  for (unsigned i = 2; i <= 6; ++i)
    notification("no_" + std::to_string(i), "step_began", "bot", 8 + i);
  EXPECT_EQ(target("bot").breaker, BreakerState::kOpen);
  notification("no_7", "soaking", "bot", 3);
  story();
  pass(seconds{30});
  EXPECT_EQ(store.deliveries_by_id.at("no_7").state, DeliveryState::kDone);
  EXPECT_THAT(story(), ElementsAre("+30s  reply ts1 → 503")) << "one probe, not everybody";
  EXPECT_EQ(target("bot").failures, 6U);
}

}  // namespace
}  // namespace rollwatch
