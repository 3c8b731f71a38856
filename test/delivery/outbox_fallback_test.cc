// What is for a notifier that cannot be told goes to another one: when, what, how often, and what a
// crash changes. "slack" is an incoming webhook, "bot" its fallback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "notifiers/notification.h"
#include "test/delivery/outbox_fixture.h"

namespace rollwatch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class OutboxFallback : public OutboxTest {
 protected:
  OutboxFallback() {
    fallbacks["slack"] = {"bot", [this](const RolloutSpec&, const Notice& notice) {
                            return !notice.notifier.empty() || notice.event != unwanted;
                          }};
    configure();
  }

  // What the fallback was told, as text.
  std::vector<std::string> told_instead() {
    std::vector<std::string> texts;
    for (const HttpRequest& request : std::exchange(requests, {}))
      texts.push_back(nlohmann::json::parse(request.body)["text"].get<std::string>());
    return texts;
  }
  DeliveryState state_of(const std::string& id) { return store.deliveries_by_id.at(id).state; }

  EventType unwanted = EventType::kVerdict;
};

constexpr const char* kDown = "connection refused";

ScriptedAnswer no_answer() {
  ScriptedAnswer answer;
  answer.error = kDown;
  return answer;
}

TEST_F(OutboxFallback, IsToldWhatWasRefusedAndWhyOnce) {
  slack.otherwise = {404, "no_service"};
  notification("no_1");
  EXPECT_THAT(told_instead(),
              ElementsAre("notifier slack refuses what it is sent: HTTP 404, refused: no_service; "
                          "what is for it is told here until it takes something again",
                          "checkout 1.24: paused: no_1 (told in place of slack)"));
  EXPECT_EQ(state_of("no_1"), DeliveryState::kDead);
  EXPECT_EQ(state_of("no_1f"), DeliveryState::kDone);
  notification("no_2");
  EXPECT_THAT(told_instead(), ElementsAre("checkout 1.24: paused: no_2 (told in place of slack)"))
      << "that it is so was said";
  slack.otherwise = {};
  notification("no_3");
  EXPECT_THAT(told_instead(), ElementsAre("notifier slack answers again after 1s"));
  notification("no_4");
  EXPECT_THAT(told_instead(), IsEmpty());
}

TEST_F(OutboxFallback, IsToldAfterTwoMinutesOfFailingAndTheNotifierLate) {
  slack.otherwise = no_answer();
  notification("no_1");
  notification("no_2");
  pass(seconds{60});
  EXPECT_THAT(told_instead(), IsEmpty()) << "it may be back in a moment";
  pass(seconds{120});
  EXPECT_THAT(told_instead(), ElementsAre(HasSubstr("notifier slack cannot be told since"),
                                          "checkout 1.24: paused: no_1 (told in place of slack)",
                                          "checkout 1.24: paused: no_2 (told in place of slack)"));
  EXPECT_EQ(state_of("no_1"), DeliveryState::kPending) << "and is tried on";
  notification("no_3");
  EXPECT_THAT(told_instead(), ElementsAre("checkout 1.24: paused: no_3 (told in place of slack)"))
      << "what comes meanwhile goes there at once";
  slack.otherwise = {};
  pass(hours{1});
  EXPECT_THAT(told_instead(), ElementsAre(HasSubstr("notifier slack answers again after")));
  for (const char* id : {"no_1", "no_2", "no_3"}) EXPECT_EQ(state_of(id), DeliveryState::kDone);
}

TEST_F(OutboxFallback, IsNotToldOfATroubleThatPasses) {
  slack.script({no_answer(), no_answer(), no_answer()});
  notification("no_1");
  pass(hours{1});
  EXPECT_EQ(state_of("no_1"), DeliveryState::kDone);
  EXPECT_THAT(told_instead(), IsEmpty());
}

TEST_F(OutboxFallback, ALimitIsNoTrouble) {
  slack.otherwise = {429, "rate_limited", {}, "60"};
  notification("no_1");
  pass(hours{1});
  EXPECT_THAT(told_instead(), IsEmpty());
}

TEST_F(OutboxFallback, IsToldWhatExpiredUndelivered) {
  slack.otherwise = {429, "rate_limited", {}, "3600"};
  notification("no_1");
  pass(hours{25});
  EXPECT_EQ(state_of("no_1"), DeliveryState::kDead);
  EXPECT_THAT(told_instead(), ElementsAre(HasSubstr("not delivered in time"),
                                          "checkout 1.24: paused: no_1 (told in place of slack)"));
  EXPECT_EQ(state_of("no_1f"), DeliveryState::kDone) << "though the news is a day old";
}

TEST_F(OutboxFallback, IsNotToldWhatIsNoNewsForIt) {
  unwanted = EventType::kPaused;
  slack.otherwise = {404, "no_service"};
  notification("no_1");
  EXPECT_THAT(told_instead(), IsEmpty()) << "nor that it was not told";
}

TEST_F(OutboxFallback, ARestartTellsNothingTwice) {
  slack.otherwise = no_answer();
  notification("no_1");
  pass(minutes{3});
  EXPECT_THAT(told_instead(), SizeIs(2));
  restart();
  pass(hours{24});
  EXPECT_EQ(state_of("no_1"), DeliveryState::kDead);
  EXPECT_THAT(told_instead(), IsEmpty());
}

// The news is on its way to the fallback before its end is on disk.
TEST_F(OutboxFallback, ACrashBeforeTheEndIsRecordedLosesNothing) {
  slack.otherwise = {404, "no_service"};
  store.failures = 1;
  notification("no_1");
  EXPECT_EQ(state_of("no_1"), DeliveryState::kPending) << "the store failed";
  EXPECT_THAT(store.deliveries_by_id, SizeIs(1));
  pass(minutes{1});
  EXPECT_THAT(told_instead(), SizeIs(2));
  EXPECT_EQ(state_of("no_1"), DeliveryState::kDead);
}

TEST_F(OutboxFallback, GoesOnToTheFallbackOfTheFallback) {
  fallbacks["bot"] = {"slack", [](const RolloutSpec&, const Notice&) { return true; }};
  fallbacks.erase("slack");
  configure();
  bot.otherwise = no_answer();
  bot.script({{200, R"({"ok":false,"error":"invalid_auth"})"}});
  notification("no_1", "paused", "bot");
  EXPECT_THAT(story(), ElementsAre("+0s  post #releases → 200",
                                   testing::AllOf(HasSubstr("notifier bot refuses what it is sent"),
                                                  HasSubstr("invalid_auth")),
                                   HasSubstr("paused: no_1 (told in place of bot) → 200")));
}

TEST_F(OutboxFallback, WithoutOneNobodyElseIsTold) {
  fallbacks.clear();
  configure();
  slack.otherwise = {404, "no_service"};
  notification("no_1");
  EXPECT_EQ(state_of("no_1"), DeliveryState::kDead);
  EXPECT_THAT(told_instead(), IsEmpty());
  EXPECT_THAT(store.deliveries_by_id, SizeIs(1));
}

TEST_F(OutboxFallback, ATestIsSentAtOnceAndRecordedNowhere) {
  slack.otherwise = {404, "no_service"};
  std::optional<SendResult> result;
  std::optional<SendResult> nobody;
  spawn(io.get_executor(), "test", [&]() -> awaitable<void> {
    result = co_await outbox->test("slack", "ana");
    nobody = co_await outbox->test("nobody", "ana");
  });
  clock.settle();
  EXPECT_THAT(story(), ElementsAre("+0s  test of notifier slack, asked for by ana: nothing has "
                                   "happened → 404"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->end, SendEnd::kRefused);
  EXPECT_EQ(result->attempt.status, 404);
  EXPECT_EQ(result->attempt.answer, "no_service");
  EXPECT_FALSE(nobody);
  EXPECT_THAT(store.deliveries_by_id, IsEmpty());
  EXPECT_THAT(told_instead(), IsEmpty());
}

}  // namespace
}  // namespace rollwatch
