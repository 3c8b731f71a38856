#include "notifiers/retry.h"

#include <gtest/gtest.h>

namespace rollwatch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(OrderRetry, HurriesAtFirstAndThenKeepsAskingEvery30Seconds) {
  const Millis expected[] = {seconds{0},  seconds{1},  seconds{2},  seconds{5}, seconds{10},
                             seconds{20}, seconds{30}, seconds{30}, seconds{30}};
  for (unsigned made = 0; made < std::size(expected); ++made) {
    EXPECT_EQ(order_retry_delay(made, 0.5), expected[made]) << made << " attempts made";
  }
  EXPECT_EQ(order_retry_delay(1'000'000, 0.5), seconds{30});
}

TEST(OrderRetry, IsSpreadByAFifth) {
  EXPECT_EQ(order_retry_delay(4, 0), seconds{8});
  EXPECT_EQ(order_retry_delay(4, 0.5), seconds{10});
  EXPECT_LE(order_retry_delay(4, 0.999999), seconds{12});
  EXPECT_GE(order_retry_delay(4, 0.999999), Millis{11'990});
  EXPECT_EQ(order_retry_delay(0, 0.999999), seconds{0});
}

TEST(OrderRetry, WaitsAsLongAsAskedButNot30SecondsMore) {
  EXPECT_EQ(order_retry_delay(1, 0.5, seconds{7}), seconds{7});
  EXPECT_EQ(order_retry_delay(1, 0.5, seconds{30}), seconds{30});
  EXPECT_EQ(order_retry_delay(1, 0.5, hours{1}), seconds{30});
  EXPECT_EQ(order_retry_delay(5, 0.5, seconds{7}), seconds{20})
      << "asked for less than is kept anyway";
}

TEST(NotificationRetry, HasTimeAndGivesUp) {
  const Millis expected[] = {seconds{0},  seconds{5}, seconds{30}, minutes{2},
                             minutes{10}, hours{1},   hours{6}};
  for (unsigned made = 0; made < std::size(expected); ++made) {
    EXPECT_EQ(notification_retry_delay(made), expected[made]) << made << " attempts made";
  }
  EXPECT_EQ(notification_retry_delay(7), std::nullopt);
  EXPECT_EQ(notification_retry_delay(8, seconds{1}), std::nullopt);
  EXPECT_EQ(notification_retry_delay(1, minutes{1}), minutes{1});
  EXPECT_EQ(notification_retry_delay(1, hours{5}), hours{1});
  EXPECT_EQ(notification_retry_delay(6, hours{5}), hours{6});
}

}  // namespace
}  // namespace rollwatch
