// A rollout's thread in Slack over failures, restarts and limits: the sender, the outbox and what
// the store remembers, in virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/delivery/outbox_fixture.h"

namespace rollwatch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class SlackBotOutbox : public OutboxTest {
 protected:
  void started(const std::string& id, unsigned standing) {
    notification(id, "started", "bot", standing);
  }
  void step_began(const std::string& id, unsigned standing) {
    notification(id, "step_began", "bot", standing);
  }
  void paused(const std::string& id, unsigned standing) {
    notification(id, "paused", "bot", standing);
  }
  const Delivery& delivery(const std::string& id) { return store.deliveries_by_id.at(id); }
  DeliveryState state_of(const std::string& id) { return delivery(id).state; }
};

TEST_F(SlackBotOutbox, OneRootAndItsThread) {
  started("no_1", 1);
  step_began("no_2", 2);
  paused("no_3", 3);
  EXPECT_THAT(story(), ElementsAre("+0s  post #releases → 200", "+0s  edit ts1 → 200",
                                   "+0s  reply ts1 → 200", "+0s  edit ts1 → 200",
                                   "+0s  reply ts1 in the channel → 200"));
  for (const char* id : {"no_1", "no_2", "no_3"}) {
    EXPECT_EQ(state_of(id), DeliveryState::kDone);
    EXPECT_THAT(delivery(id).attempts, SizeIs(1));
  }
  EXPECT_EQ(requests[1].url.reveal(), "http://slack/api/chat.update");
  ASSERT_EQ(requests[0].headers.at(1).first, "authorization");
  EXPECT_EQ(requests[0].headers.at(1).second.reveal(), "Bearer xoxb-secret-token");
}

TEST_F(SlackBotOutbox, TheNextProcessContinuesTheThread) {
  started("no_1", 1);
  restart();
  step_began("no_2", 2);
  EXPECT_THAT(story(), ElementsAre("+0s  post #releases → 200", "+1ms  edit ts1 → 200",
                                   "+1ms  reply ts1 → 200"));
}

TEST_F(SlackBotOutbox, WhatWasPostedIsRememberedThoughTheRestFailed) {
  bot.script({{200, R"({"ok":true,"channel":"C1","ts":"root"})"}, {503, "", {}, ""}});
  step_began("no_1", 1);
  EXPECT_EQ(state_of("no_1"), DeliveryState::kPending);
  restart();
  pass(minutes{1});
  EXPECT_THAT(story(), ElementsAre("+0s  post #releases → 200", "+0s  reply root → 503",
                                   "+5s  reply root → 200"));
  EXPECT_EQ(state_of("no_1"), DeliveryState::kDone);
}

// While the store is away nothing may build on a root that only this process knows of.
TEST_F(SlackBotOutbox, TheNextOneWaitsUntilTheRootIsOnDisk) {
  bot.otherwise.takes = seconds{1};
  started("no_1", 1);
  step_began("no_2", 2);
  store.failures = 2;
  pass(seconds{1});
  EXPECT_THAT(story(), ElementsAre("+0s  post #releases → 200"));
  EXPECT_THAT(store.memos, IsEmpty());
  pass(minutes{1});
  const auto later = story();
  ASSERT_THAT(later, SizeIs(2));
  EXPECT_THAT(later[0], HasSubstr("edit ts1 → 200"));
  EXPECT_THAT(later[1], HasSubstr("reply ts1 → 200"));
}

// Slack got it, and nobody heard the answer.
TEST_F(SlackBotOutbox, AnAnswerThatGotLostCostsOneMessage) {
  ScriptedAnswer lost;
  lost.error = "no answer in 10s";
  bot.script({lost});
  started("no_1", 1);
  pass(seconds{5});
  step_began("no_2", 2);
  EXPECT_THAT(story(),
              ElementsAre("+0s  post #releases → no answer in 10s", "+5s  post #releases → 200",
                          "+5s  edit ts2 → 200", "+5s  reply ts2 → 200"));
}

TEST_F(SlackBotOutbox, SupersededEditsAreDropped) {
  bot.otherwise.takes = seconds{10};
  started("no_1", 1);
  for (unsigned i = 2; i <= 5; ++i) notification("no_" + std::to_string(i), "soaking", "bot", i);
  pass(minutes{1});
  EXPECT_THAT(story(), ElementsAre("+0s  post #releases → 200", "+10s  edit ts1 → 200"));
  for (unsigned i = 1; i <= 5; ++i)
    EXPECT_EQ(state_of("no_" + std::to_string(i)), DeliveryState::kDone);
  EXPECT_EQ(delivery("no_3").attempts.at(0).answer,
            "nothing was sent: a newer state is shown, or about to be");
}

// A failed edit that is due again after a newer one was made.
TEST_F(SlackBotOutbox, AnOldEditDoesNotComeBack) {
  started("no_1", 1);
  bot.script({{200, R"({"ok":false,"error":"internal_error"})"}});
  notification("no_2", "soaking", "bot", 2);
  notification("no_3", "promoted", "bot", 3);
  pass(minutes{1});
  EXPECT_THAT(story(), ElementsAre("+0s  post #releases → 200", "+0s  edit ts1 → 200",
                                   "+0s  edit ts1 → 200"));
  EXPECT_EQ(state_of("no_2"), DeliveryState::kDone);
}

TEST_F(SlackBotOutbox, ARootThatIsGoneIsReplacedAndRemembered) {
  started("no_1", 1);
  bot.script({{200, R"({"ok":false,"error":"message_not_found"})"}});
  step_began("no_2", 2);
  notification("no_3", "promoted", "bot", 3);
  EXPECT_THAT(story(), ElementsAre("+0s  post #releases → 200", "+0s  edit ts1 → 200",
                                   "+0s  post #releases → 200", "+0s  reply ts3 → 200",
                                   "+0s  edit ts3 → 200"));
  EXPECT_EQ(delivery("no_2").attempts.at(0).error, "Slack says message_not_found");
  EXPECT_EQ(state_of("no_2"), DeliveryState::kDone);
}

TEST_F(SlackBotOutbox, AWordThatOnlyTheConfigurationCanMendIsDeath) {
  bot.script({{200, R"({"ok":false,"error":"channel_not_found"})"}});
  started("no_1", 1);
  EXPECT_EQ(state_of("no_1"), DeliveryState::kDead);
  EXPECT_THAT(delivery("no_1").attempts.at(0).error, HasSubstr("Slack says channel_not_found"));
  EXPECT_THAT(counted, ElementsAre("bot started refused"));
  EXPECT_THAT(store.memos, IsEmpty());
  story();
  pass(hours{24});
  EXPECT_THAT(story(), IsEmpty());
}

// However often Slack asks for patience: late is fine, lost is not.
TEST_F(SlackBotOutbox, ALimitParksTheDestinationAndUsesUpNoAttempt) {
  const ScriptedAnswer limit{429, R"({"ok":false,"error":"ratelimited"})", {}, "30"};
  bot.script({limit, limit, limit, limit, limit, limit, limit, limit});
  started("no_1", 1);
  pass(seconds{1});
  step_began("no_2", 2);
  pass(minutes{3});
  EXPECT_EQ(state_of("no_1"), DeliveryState::kPending);
  const auto parked = story();
  ASSERT_THAT(parked, SizeIs(7)) << "one each time, whoever it is";
  EXPECT_THAT(parked[6], HasSubstr("+3m"));
  restart();
  pass(minutes{2});
  EXPECT_EQ(state_of("no_1"), DeliveryState::kDone);
  EXPECT_EQ(state_of("no_2"), DeliveryState::kDone);
  int posts = 0;
  for (const std::string& line : story()) posts += line.find("post #releases → 200") != line.npos;
  EXPECT_EQ(posts, 1);
}

TEST_F(SlackBotOutbox, AnEndlessAnswerThatIsNobodysIsNotRepeated) {
  bot.script({{200, "<html>xoxb-secret-token</html>"}});
  started("no_1", 1);
  EXPECT_EQ(state_of("no_1"), DeliveryState::kDead);
  EXPECT_THAT(delivery("no_1").attempts.at(0).answer, Not(HasSubstr("xoxb")));
  bot.script({{200, R"({"ok":true})"}});
  started("no_2", 2);
  EXPECT_EQ(delivery("no_2").attempts.at(0).error, "Slack's answer says neither channel nor ts");
}

TEST_F(SlackBotOutbox, WhatCannotBeReadIsDeadWithoutACall) {
  Delivery unreadable;
  unreadable.id = "no_1";
  unreadable.cls = DeliveryClass::kNotification;
  unreadable.rollout = "ro_a";
  unreadable.target = "bot";
  unreadable.created_at = clock.wall();
  unreadable.expires_at = clock.wall() + hours{24};
  unreadable.payload = "{}";
  RolloutSpec spec;
  spec.id = "ro_a";
  store.keep(spec, unreadable);
  outbox->add(unreadable, spec);
  clock.settle();
  EXPECT_EQ(state_of("no_1"), DeliveryState::kDead);
  EXPECT_THAT(story(), IsEmpty());
}

}  // namespace
}  // namespace rollwatch
