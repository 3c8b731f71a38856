#include "daemon/delivery/notices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "notifiers/notification.h"
#include "notifiers/slack.h"

namespace rollwatch {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST(Notices, OneDeliveryPerNotifierThatIsTold) {
  RolloutSpec spec;
  spec.id = "ro_01jg";
  spec.ns = "payments";
  Event event;
  event.type = EventType::kPaused;
  event.at = SysTime{Millis{1'767'323'045'678}};
  event.summary = "paused: for a reason";
  const std::vector<NotifierRoute> routes = {
      {"pay", {{"namespace", "payments"}}, {}, slack_webhook_tells},
      {"sre", {{"namespace", "payments"}}, {"paused"}, slack_webhook_tells},
      {"ends", {{"namespace", "payments"}}, {"promoted"}, slack_webhook_tells}};
  std::uint64_t random = 0xabc;
  const auto told = notifications_of(spec, event, routes, [&] { return random++; });
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_EQ(told[0].id, "no_01jg-0000000000000abc");
  EXPECT_EQ(told[1].id, "no_01jg-0000000000000abd");
  EXPECT_EQ(told[0].target, "pay");
  EXPECT_EQ(told[1].target, "sre");
  EXPECT_EQ(told[0].cls, DeliveryClass::kNotification);
  EXPECT_EQ(told[0].kind, "paused");
  EXPECT_EQ(told[0].rollout, "ro_01jg");
  EXPECT_EQ(told[0].state, DeliveryState::kPending);
  EXPECT_EQ(told[0].created_at, event.at);
  EXPECT_EQ(told[0].expires_at, event.at + std::chrono::hours{24});
  const auto notice = from_payload(told[0].payload);
  ASSERT_TRUE(notice.has_value());
  EXPECT_EQ(notice->summary, "paused: for a reason");
}

TEST(Notices, NobodyToTell) {
  EXPECT_THAT(notifications_of(RolloutSpec{}, Event{}, {}, [] { return std::uint64_t{1}; }),
              IsEmpty());
}

}  // namespace
}  // namespace rollwatch
