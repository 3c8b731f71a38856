// What is said about notifiers themselves, and who is told in place of one.
#include "notifiers/notifier_notice.h"

#include <gtest/gtest.h>

#include "notifiers/look.h"
#include "notifiers/slack.h"

namespace rollwatch {
namespace {

constexpr SysTime kTroubleAt{Millis{1'767'323'045'678}};

TEST(NotifierNotice, TheSentences) {
  const NotifierTrouble down{kTroubleAt, "connection refused", false};
  const NotifierTrouble refused{kTroubleAt, "HTTP 404, refused: no_service", true};
  const SysTime later = kTroubleAt + Millis{754'321};
  EXPECT_EQ(trouble_begins("releases", down, later).summary,
            "notifier releases cannot be told since 2026-01-02T03:04:05.678Z: connection refused; "
            "what is for it is told here until it takes something again");
  EXPECT_EQ(trouble_begins("releases", refused, later).summary,
            "notifier releases refuses what it is sent: HTTP 404, refused: no_service; what is for "
            "it is told here until it takes something again");
  EXPECT_EQ(trouble_ends("releases", down, later).summary,
            "notifier releases answers again after 12m34s");
  EXPECT_EQ(test_notice("releases", "ana", later).summary,
            "test of notifier releases, asked for by ana: nothing has happened");
  Notice news;
  news.summary = "rolled back: errors";
  EXPECT_EQ(in_place_of("releases", news).summary,
            "rolled back: errors (told in place of releases)");
}

TEST(NotifierNotice, TheyBeginWithWhatTheyAreAboutAndSurviveTheStore) {
  const NotifierTrouble down{kTroubleAt, "x", false};
  for (const Notice& notice :
       {trouble_begins("releases", down, kTroubleAt), trouble_ends("releases", down, kTroubleAt),
        test_notice("releases", "ana", kTroubleAt)}) {
    EXPECT_TRUE(notice.summary.starts_with(notice.subject)) << notice.summary;
    const auto read = from_payload(to_payload(notice));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->notifier, "releases");
    EXPECT_EQ(read->is_test, notice.is_test);
    EXPECT_EQ(read->subject, notice.subject);
    EXPECT_EQ(plain_text(RolloutSpec{}, notice), notice.summary);
    EXPECT_NE(slack_message(RolloutSpec{}, notice, "http://r").find("notifier releases"),
              std::string::npos);
  }
}

TEST(NotifierNotice, TheFallbackTellsWhatItTellsAndWasNotToldAnyway) {
  std::vector<NotifierRoute> routes(2);
  routes[0].name = "releases";
  routes[1].name = "oncall";
  routes[1].tells_by_default = slack_webhook_tells;
  routes[1].is_spare = true;
  RolloutSpec spec;
  spec.service = "checkout";
  Notice back;
  back.event = EventType::kDecided;
  back.kind = "rollback";
  back.state = "rolling_back";
  const auto told = [&](const Notice& notice) {
    return tells_in_place(routes[1], routes, spec, notice);
  };
  EXPECT_TRUE(told(back));
  Notice step;
  step.event = EventType::kStepBegan;
  EXPECT_FALSE(told(step)) << "no news for an incoming webhook";
  routes[1].events = {"step_began"};
  EXPECT_TRUE(told(step));
  EXPECT_FALSE(told(back));
  EXPECT_TRUE(told(trouble_begins("releases", {}, kTroubleAt))) << "whatever its events are";
  spec.notify = {"oncall"};
  EXPECT_FALSE(told(step)) << "it is told of this rollout itself";
}

}  // namespace
}  // namespace rollwatch
