#include "daemon/delivery/alarm.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "test/support/manual_clock.h"

namespace rollwatch {
namespace {

using std::chrono::seconds;

class AlarmTest : public testing::Test {
 protected:
  net::io_context io;
  ManualClock clock{io};
  const SteadyTime begun = clock.steady();
  std::vector<Millis> rung;
  std::unique_ptr<Alarm> alarm = std::make_unique<Alarm>(io.get_executor(), clock, [this] {
    rung.push_back(std::chrono::duration_cast<Millis>(clock.steady() - begun));
  });

  void set(Millis at) { alarm->set(begun + at); }
};

TEST_F(AlarmTest, RingsOnce) {
  set(seconds{5});
  clock.advance(seconds{60});
  EXPECT_EQ(rung, std::vector<Millis>{seconds{5}});
}

TEST_F(AlarmTest, MovesBothWaysAndLeavesNoSleeperBehind) {
  set(seconds{5});
  clock.settle();
  set(seconds{2});
  clock.settle();
  EXPECT_EQ(clock.sleepers(), 1U);
  clock.advance(seconds{3});
  set(seconds{9});
  set(seconds{10});
  clock.advance(seconds{60});
  EXPECT_EQ(rung, (std::vector<Millis>{seconds{2}, seconds{10}}));
  EXPECT_EQ(clock.sleepers(), 0U);
}

TEST_F(AlarmTest, MovedBeforeItFellAsleep) {
  set(seconds{5});
  set(seconds{2});
  clock.advance(seconds{60});
  EXPECT_EQ(rung, std::vector<Millis>{seconds{2}});
}

TEST_F(AlarmTest, InThePastItRingsSoonButNotFromWithin) {
  clock.advance(seconds{1});
  set(seconds{0});
  EXPECT_TRUE(rung.empty());
  clock.settle();
  EXPECT_EQ(rung, std::vector<Millis>{seconds{1}});
}

TEST_F(AlarmTest, ClearedOrDestroyedItStaysSilent) {
  set(seconds{5});
  clock.settle();
  alarm->clear();
  clock.advance(seconds{60});
  set(seconds{70});
  clock.settle();
  alarm.reset();
  clock.advance(seconds{60});
  EXPECT_TRUE(rung.empty());
  EXPECT_EQ(clock.sleepers(), 0U);
}

TEST_F(AlarmTest, ClearedInTheInstantItIsDue) {
  set(seconds{5});
  spawn(io.get_executor(), "earlier sleeper", [this]() -> awaitable<void> {
    co_await clock.sleep(seconds{5});
    alarm->clear();
  });
  clock.settle();
  alarm->clear();
  set(seconds{5});  // now behind the sleeper
  clock.advance(seconds{60});
  EXPECT_TRUE(rung.empty());
}

}  // namespace
}  // namespace rollwatch
