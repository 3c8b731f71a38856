#include "daemon/delivery/breaker.h"

#include <gtest/gtest.h>

namespace rollwatch {
namespace {

using std::chrono::seconds;

// The state after each of some ends, as one line: "open 5, +10s" is open after five failures in a
// row, the next probe ten seconds after the beginning.
class BreakerTest : public testing::Test {
 protected:
  std::string seen() const {
    std::string text =
        std::string(name_of(breaker.state())) + " " + std::to_string(breaker.failures());
    if (breaker.state() == BreakerState::kOpen)
      text += ", +" + format_duration(std::chrono::floor<Millis>(breaker.next_probe() - begin));
    return text;
  }
  // An attempt that began before, or goes out whatever the breaker says.
  BreakerChange fail() { return breaker.failed(99, now, "HTTP 500"); }
  void open() {
    for (int i = 0; i < 3; ++i) fail();
  }
  // Waits for the next probe and lets it fail.
  void fail_probe() {
    now = breaker.next_probe();
    ASSERT_TRUE(breaker.admits(now));
    breaker.begins(7);
    breaker.failed(7, now, "HTTP 503");
  }

  const SteadyTime begin{seconds{1000}};
  SteadyTime now = begin;
  Breaker breaker{{3, seconds{5}, seconds{30}}};
};

TEST_F(BreakerTest, OpensAfterSoManyFailuresInARow) {
  EXPECT_EQ(fail(), BreakerChange::kNone);
  EXPECT_EQ(fail(), BreakerChange::kNone);
  EXPECT_EQ(seen(), "closed 2");
  EXPECT_TRUE(breaker.admits(now));
  EXPECT_EQ(breaker.answered(), BreakerChange::kNone) << "it was not open";
  EXPECT_EQ(seen(), "closed 0");
  fail();
  fail();
  EXPECT_EQ(fail(), BreakerChange::kOpened);
  EXPECT_EQ(seen(), "open 3, +5s");
  EXPECT_EQ(breaker.last_error(), "HTTP 500");
  EXPECT_FALSE(breaker.admits(now + seconds{5} - Millis{1}));
  EXPECT_TRUE(breaker.admits(now + seconds{5}));
}

TEST_F(BreakerTest, OneProbeAtATimeAtGrowingBoundedIntervals) {
  open();
  now += seconds{5};
  breaker.begins(1);
  EXPECT_EQ(seen(), "half_open 3");
  EXPECT_FALSE(breaker.admits(now + seconds{3600})) << "one is out";
  now += seconds{2};
  EXPECT_EQ(breaker.failed(1, now, "timeout"), BreakerChange::kNone);
  EXPECT_EQ(seen(), "open 4, +17s") << "counted from the probe's end";
  for (const char* next : {"open 5, +37s", "open 6, +1m7s", "open 7, +1m37s", "open 8, +2m7s"}) {
    fail_probe();
    EXPECT_EQ(seen(), next);
  }
  EXPECT_EQ(breaker.last_error(), "HTTP 503");
}

TEST_F(BreakerTest, OnlyProbesArePaced) {
  open();
  now += seconds{4};
  EXPECT_EQ(fail(), BreakerChange::kNone) << "a rollback, or one that was out already";
  EXPECT_EQ(seen(), "open 4, +5s");
  now += seconds{1};
  breaker.begins(1);
  fail();
  EXPECT_EQ(seen(), "half_open 5") << "the probe is still out";
}

TEST_F(BreakerTest, AnyAnswerClosesIt) {
  open();
  EXPECT_EQ(breaker.answered(), BreakerChange::kClosed) << "to a rollback";
  EXPECT_EQ(seen(), "closed 0");
  open();
  EXPECT_EQ(seen(), "open 3, +5s") << "from the shortest interval again";
  now += seconds{5};
  breaker.begins(1);
  EXPECT_EQ(breaker.answered(), BreakerChange::kClosed);
}

TEST_F(BreakerTest, AProbeOfAnEarlierTimeIsNoneAnyMore) {
  open();
  now += seconds{5};
  breaker.begins(1);
  breaker.answered();
  open();
  const std::string before = seen();
  breaker.failed(1, now, "HTTP 500");
  EXPECT_EQ(seen(), "open 4" + before.substr(before.find(',')));
}

TEST_F(BreakerTest, AProbeThatWasNotSentMakesRoom) {
  open();
  now += seconds{5};
  breaker.begins(1);
  breaker.given_up(2, now);
  EXPECT_FALSE(breaker.admits(now)) << "that was another";
  breaker.given_up(1, now);
  EXPECT_TRUE(breaker.admits(now));
}

TEST_F(BreakerTest, IsHurriedButNeverDelayed) {
  open();
  breaker.hurry(now + seconds{60});
  EXPECT_EQ(seen(), "open 3, +5s");
  breaker.hurry(now);
  EXPECT_TRUE(breaker.admits(now));
}

}  // namespace
}  // namespace rollwatch
