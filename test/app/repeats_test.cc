#include "daemon/app/repeats.h"

#include <gtest/gtest.h>

namespace rollwatch {
namespace {

using Lines = std::vector<std::string>;

class RepeatsTest : public testing::Test {
 protected:
  std::string tell(const std::string& line) { return repeats.admit(line, now).value_or(""); }
  SysTime now = SysTime{Millis{1'767'323'045'678}};
  Repeats repeats;
};

TEST_F(RepeatsTest, TheFirstIsShownAndTheNextMinuteCounted) {
  const auto failed = [](int number) {
    return "order ord_01m8ce8q5f806ev92ffmrn3c" + std::to_string(number) + "-1 to eu-1: attempt " +
           std::to_string(number) + " failed: refused";
  };
  EXPECT_EQ(tell(failed(10)), failed(10));
  for (int number = 11; number < 49; ++number) {
    now += Millis(1'000);
    EXPECT_EQ(tell(failed(number)), "");
  }
  now += Millis(60'000);
  EXPECT_EQ(tell(failed(49)), failed(49) + " (38 more like it since it was last told)");
}

TEST_F(RepeatsTest, WhatDiffersInWordsIsNoRepetition) {
  for (const char* line :
       {"order ord_01m8ce8q5f806ev92ffmrn3czx_1 to eu-1: attempt 1 failed: refused",
        "order ord_01m8ce8q5f806ev92ffmrn3czx_1 to eu-2: attempt 1 failed: refused",
        "order ord_01m8ce8q5f806ev92ffmrn3czx_1 to eu-1: attempt 1 failed: timeout",
        "datasource of_a_very_long_name_in_eu_1 fails",
        "datasource of_a_very_long_name_in_eu_2 fails", "datasource prom1 does not answer",
        "datasource prom2 does not answer",
        "datasource of_a_very_long_name_in_eu_1 fails: 10.0.0.1:9090",
        "datasource of_a_very_long_name_in_eu_1 fails: 10.0.0.2:9090", ""})
    EXPECT_EQ(repeats.admit(line, now), line);
}

TEST_F(RepeatsTest, RequestsDifferInTheirIdsAndThoseOfTheirRollouts) {
  EXPECT_NE(tell("POST /api/v1/rollouts [03a7dbfb57d13385-1]: the store is away: timeout"), "");
  EXPECT_EQ(tell("POST /api/v1/rollouts [mine]: the store is away: timeout"), "");
  EXPECT_NE(
      tell("POST /api/v1/rollouts/ro_01m8ce8q5f806ev92ffmrn3czx/pause [a]: the store is away"), "");
  EXPECT_EQ(
      tell("POST /api/v1/rollouts/ro_01m8ce8q5f806ev92ffmrn3czz/pause [b]: the store is away"), "");
  EXPECT_NE(tell("cannot reach [::1]:9090"), "");
  EXPECT_NE(tell("cannot reach [::2]:9090"), "") << "an address";
}

TEST_F(RepeatsTest, AFloodIsShownAndNotRemembered) {
  for (int i = 0; i < 5'000; ++i) EXPECT_NE(tell("name" + std::to_string(i) + "x is odd"), "");
  EXPECT_NE(tell("name4999x is odd"), "");
  EXPECT_EQ(tell("name1x is odd"), "");
}

TEST_F(RepeatsTest, WhatStopsIsToldOnceTheMinuteIsOver) {
  tell("attempt 1 failed");
  tell("attempt 2 failed");
  tell("attempt 3 failed");
  EXPECT_EQ(repeats.overdue(now + Millis(59'999)), Lines{});
  EXPECT_EQ(repeats.overdue(now + Millis(60'000)),
            Lines{"attempt 3 failed (1 more like it since it was last told)"});
  EXPECT_EQ(repeats.overdue(now + Millis(180'000)), Lines{});
  now += Millis(180'000);
  EXPECT_EQ(tell("attempt 4 failed"), "attempt 4 failed");
}

TEST_F(RepeatsTest, NothingIsLeftUntoldAtTheEnd) {
  tell("attempt 1 failed");
  tell("attempt 2 failed");
  tell("cannot accept a connection");
  EXPECT_EQ(repeats.rest(), Lines{"attempt 2 failed"});
  EXPECT_EQ(repeats.rest(), Lines{});
}

TEST_F(RepeatsTest, AClockThatIsSetBackHidesNothing) {
  tell("attempt 1 failed");
  now -= Millis(3'600'000);
  EXPECT_EQ(tell("attempt 2 failed"), "attempt 2 failed");
}

}  // namespace
}  // namespace rollwatch
