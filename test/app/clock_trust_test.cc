// When the wall clock may be believed again after it has jumped.
#include "daemon/app/clock_trust.h"

#include <gtest/gtest.h>

#include <vector>

namespace rollwatch {
namespace {

constexpr Millis kMinute{60'000};
constexpr Millis kDay{86'400'000};

TEST(ClockTrustTest, AJumpIsWaitedOutAndWhatEveryClockDoesIsNot) {
  struct Look {
    Millis after;  // by the steady clock, since the last look
    Millis ahead;  // of the wall clock, since the beginning
    bool jumped, trusted;
  };
  struct Row {
    const char* name;
    std::vector<Look> looks;
  };
  const Row rows[] = {
      {"an even clock", {{kMinute, {}, false, true}, {kMinute, {}, false, true}}},
      {"a step of a second, and drift",
       {{kMinute, Millis{1'000}, false, true}, {10 * kMinute, Millis{-3'000}, false, true}}},
      {"a hundred days ahead for a minute",
       {{kMinute, 100 * kDay, true, false},
        {kMinute, 100 * kDay, false, false},
        {kMinute, {}, true, false},
        {58 * kMinute, {}, false, false},
        {kMinute, {}, false, false},
        {kMinute, {}, false, true}}},
      {"ahead, and that is the time",
       {{kMinute, 100 * kDay, true, false},
        {59 * kMinute, 100 * kDay, false, false},
        {kMinute, 100 * kDay, false, true}}},
      {"put back", {{kMinute, -kDay, true, false}, {60 * kMinute, -kDay, false, true}}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const SysTime wall{Millis{1'700'000'000'000}};
    const SteadyTime steady{std::chrono::hours(5)};
    ClockTrust trust(wall, steady);
    EXPECT_TRUE(trust.is_trusted()) << "there was no jump yet";
    Millis passed{};
    for (const Look& look : row.looks) {
      passed += look.after;
      const auto jump = trust.look(wall + passed + look.ahead, steady + passed);
      EXPECT_EQ(jump.has_value(), look.jumped) << passed.count();
      EXPECT_EQ(trust.is_trusted(), look.trusted) << passed.count();
    }
  }
}

}  // namespace
}  // namespace rollwatch
