#include "daemon/prometheus/query_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <numeric>

namespace rollwatch {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

class QueryQueueTest : public testing::Test {
 protected:
  AskingPtr ask(const std::string& query, bool goes_first = true, Millis answered = Millis{0},
                Millis interval = Millis{1'000}) {
    auto asking = std::make_shared<Asking>();
    asking->question.query = query;
    asking->question.goes_first = goes_first;
    asking->question.last_answered = SysTime{answered};
    asking->question.interval = interval;
    asking->since = now;
    asking->until = now + milliseconds(10'000);
    queue.push(asking, now);
    return asking;
  }

  std::string pop() {
    const AskingPtr next = queue.pop(now);
    return next ? next->question.query.str() : "-";
  }

  // All connections are busy for a moment: what is there has to wait.
  void wait_a_tick() {
    now += SendingPace::kTick;
    EXPECT_THAT(expired(), IsEmpty());
  }

  std::vector<std::string> expired() {
    std::vector<std::string> texts;
    for (const QueryQueue::GivenUp& one : queue.expire(now))
      texts.push_back(one.asking->question.query.str() +
                      (one.overload ? " overload" : " no answer"));
    std::sort(texts.begin(), texts.end());
    return texts;
  }

  SteadyTime now{std::chrono::hours(5)};
  QueryQueue queue;
};

TEST_F(QueryQueueTest, WithoutABacklogItIsFirstComeFirstServed) {
  ask("a", false, Millis{9});
  ask("b", true, Millis{5});
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(pop(), "a");
  EXPECT_EQ(pop(), "b");
  EXPECT_EQ(pop(), "-");
  EXPECT_TRUE(queue.empty());
}

TEST_F(QueryQueueTest, OfThoseThatWaitedTheOneAnsweredLongestAgoGoesFirst) {
  ask("recent", true, Millis{9'000});
  ask("long ago", true, Millis{1'000});
  wait_a_tick();
  ask("longest ago", true, Millis{500});
  ask("as long ago", true, Millis{1'000});
  EXPECT_EQ(pop(), "longest ago");
  EXPECT_EQ(pop(), "long ago");
  EXPECT_EQ(pop(), "as long ago");
  EXPECT_EQ(pop(), "recent");
}

TEST_F(QueryQueueTest, WhoCanRollBackGoesFirstAndTheOthersAreNotBlind) {
  for (int i = 0; i < 16; ++i) ask("r", true, Millis{1'000});
  for (int i = 0; i < 4; ++i) ask("o", false, Millis{0});
  wait_a_tick();
  std::string order;
  for (int i = 0; i < 20; ++i) order += pop();
  EXPECT_EQ(order, "rrrrrrrorrrrrrrorroo");
}

TEST_F(QueryQueueTest, WhileAnswersComeAQuestionIsGivenUpWhenItsNextSlotIsDue) {
  ask("quick");
  ask("slow", true, Millis{0}, Millis{5'000});
  ask("no grid", true, Millis{0}, Millis{0});
  wait_a_tick();
  queue.answered(now);
  now += milliseconds(988);
  EXPECT_THAT(expired(), IsEmpty());
  now += milliseconds(2);
  EXPECT_THAT(expired(), ElementsAre("quick overload"));
  now += milliseconds(4'000);
  EXPECT_THAT(expired(), ElementsAre("slow overload"));
  now += milliseconds(5'000);
  EXPECT_THAT(expired(), ElementsAre("no grid overload")) << "at its timeout";
}

TEST_F(QueryQueueTest, WhileNoneComesItWaitsOutItsTimeout) {
  queue.answered(now);
  now += milliseconds(5);
  ask("a");
  now += milliseconds(9'990);
  EXPECT_THAT(expired(), IsEmpty());
  now += milliseconds(10);
  EXPECT_THAT(expired(), ElementsAre("a no answer"));
}

// At twice the load, for a minute: nobody is left out more than twice as often as the median.
TEST_F(QueryQueueTest, TooMuchLoadIsSharedOut) {
  constexpr int kConditions = 400;  // each asks once a second, and 200 are answered in a second
  struct Condition {
    Millis answered{0};
    bool is_out = false;
    int missed = 0, asked = 0;
  };
  std::vector<Condition> conditions(kConditions);
  double room = 0;
  std::size_t longest = 0;
  for (int ms = 0; ms < 60'000; ms += 5) {
    now += milliseconds(5);
    for (int i = 0; i < kConditions; ++i) {
      if (ms % 1'000 != i * 1'000 / kConditions / 5 * 5) continue;
      Condition& one = conditions[static_cast<std::size_t>(i)];
      ++one.asked;
      if (one.is_out) {
        ++one.missed;
        continue;
      }
      one.is_out = true;
      ask(std::to_string(i), true, one.answered);
    }
    longest = std::max(longest, queue.size());
    if (ms % 10 == 0)
      for (const QueryQueue::GivenUp& given_up : queue.expire(now)) {
        Condition& one = conditions[std::stoul(given_up.asking->question.query.str())];
        EXPECT_TRUE(given_up.overload);
        one.is_out = false;
        ++one.missed;
      }
    for (room += 1; room >= 1; room -= 1) {
      const AskingPtr next = queue.pop(now);
      if (!next) break;
      Condition& one = conditions[std::stoul(next->question.query.str())];
      one.is_out = false;
      one.answered = Millis{ms};
      queue.answered(now);
    }
  }
  std::vector<int> missed;
  for (const Condition& one : conditions) {
    EXPECT_GE(one.asked, 59);
    missed.push_back(one.missed);
  }
  std::sort(missed.begin(), missed.end());
  const int median = missed[kConditions / 2];
  EXPECT_GE(median, 20) << "it is too much";
  EXPECT_LE(missed.back(), 2 * median);
  EXPECT_LE(longest, static_cast<std::size_t>(kConditions));
}

// A server that stood still for a while is not met by all that has piled up.
TEST_F(QueryQueueTest, ABacklogIsWorkedOffAtAMeasuredPace) {
  const auto tenth = [this](int asks) {
    int sent = 0;
    for (int tick = 0; tick < 10; ++tick) {
      now += SendingPace::kTick;
      for (int i = 0; i < asks / 10; ++i) ask("x", true, Millis{0}, Millis{60'000});
      while (pop() != "-") ++sent;
    }
    return sent;
  };
  for (int i = 0; i < 100; ++i) EXPECT_EQ(tenth(100), 100) << "nothing is held back";
  const auto piles_up = [this](int ticks) {
    for (int tick = 0; tick < ticks; ++tick) {
      for (int i = 0; i < 10; ++i) ask("late", true, Millis{0}, Millis{60'000});
      wait_a_tick();
    }
  };
  piles_up(50);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(pop(), "late") << "while it answers";
  piles_up(200);
  queue.answered(now);
  int worst = 0, tenths = 0;
  for (; !queue.empty() && tenths < 1'000; ++tenths) worst = std::max(worst, tenth(100));
  EXPECT_GT(worst, 100);
  EXPECT_LE(worst, 160) << "not twice what is usual";
  EXPECT_LT(tenths, 100) << "and it is worked off";
  for (int i = 0; i < 11; ++i) EXPECT_LE(tenth(100), 125) << "for a second more";
  EXPECT_EQ(tenth(1'000), 1'000) << "and that is the end of it";
}

// What is usual comes in bursts, the last of the backlog goes out between two of them, and what
// timed out while the server stood still was asked again all at once.
TEST_F(QueryQueueTest, NeitherTheEndOfABacklogNorItsTimeoutsAreABurst) {
  constexpr int kBurst = 40, kTicksBetween = 4;
  int ticks = 0;
  const auto come = [&](int burst) {
    now += SendingPace::kTick;
    if (++ticks % kTicksBetween != 0) return;
    for (int i = 0; i < burst; ++i) ask("x", true, Millis{0}, Millis{60'000});
  };
  std::deque<int> sent(10, 0);
  const auto go = [&] {
    sent.pop_front();
    sent.push_back(0);
    while (pop() != "-") ++sent.back();
    return std::accumulate(sent.begin(), sent.end(), 0);
  };
  int usual = 0, worst = 0;
  for (int tick = 0; tick < 1'000; ++tick) {
    come(kBurst);
    usual = std::max(usual, go());
  }
  EXPECT_EQ(usual, 3 * kBurst);
  for (int tick = 0; tick < 400; ++tick) {
    come(tick < 200 ? kBurst : 3 * kBurst);
    EXPECT_THAT(expired(), IsEmpty());
  }
  queue.answered(now);
  sent.assign(10, 0);
  for (int tick = 0; tick < 5'000; ++tick) {
    worst = std::max(worst, go());
    come(kBurst);
  }
  EXPECT_LT(queue.size(), kBurst + 1U) << "it is worked off";
  EXPECT_GT(worst, usual);
  EXPECT_LE(worst, usual * 13 / 10);
}

// All that waited has timed out at the moment when the server comes back: what is asked anew is no
// less of a backlog.
TEST_F(QueryQueueTest, ItStoodStillAlsoIfNothingOfThatTimeIsLeft) {
  for (int i = 0; i < 2'000; ++i) {
    now += milliseconds(10);
    ask("x");
    EXPECT_EQ(pop(), "x");
    queue.answered(now);
  }
  ask("out");
  EXPECT_EQ(pop(), "out");
  for (int i = 0; i < 500; ++i) ask("late");
  wait_a_tick();
  now += milliseconds(10'000);
  EXPECT_EQ(expired().size(), 500U);
  for (int i = 0; i < 500; ++i) ask("again");
  queue.answered(now);
  int sent = 0;
  while (pop() != "-") ++sent;
  EXPECT_LE(sent, 20) << "a few, and not all of them at once";
}

// One slow answer on a quiet day says nothing about what is usual on a busy one.
TEST_F(QueryQueueTest, WhatWasAllowedOnceIsNotKept) {
  ask("slow");
  EXPECT_EQ(pop(), "slow");
  now += std::chrono::seconds(2);
  ask("b");
  ask("c");
  EXPECT_EQ(pop(), "b");
  EXPECT_EQ(pop(), "c");
  for (int i = 0; i < 3; ++i) queue.answered(now);
  for (int i = 0; i < 2'000; ++i) {
    now += milliseconds(10);
    for (int j = 0; j < 10; ++j) ask("x");
    while (pop() != "-") {
    }
    queue.answered(now);
  }
  ask("out");
  EXPECT_EQ(pop(), "out");
  for (int i = 0; i < 500; ++i) ask("late");
  now += std::chrono::seconds(2);
  queue.answered(now);
  int sent = 0;
  for (int tick = 0; tick < 10; ++tick, now += milliseconds(10))
    while (pop() != "-") ++sent;
  EXPECT_GE(sent, 120) << "a quarter more than what is usual now";
}

// The load has grown while the server stood still: after a minute it is met as it is.
TEST_F(QueryQueueTest, ARecoveryEnds) {
  const auto second = [&](int asks) {
    int sent = 0;
    for (int tick = 0; tick < 100; ++tick) {
      now += milliseconds(10);
      for (int i = 0; i < asks / 100; ++i) ask("x", true, Millis{0}, Millis{60'000});
      while (pop() != "-") ++sent;
    }
    queue.answered(now);
    return sent;
  };
  for (int i = 0; i < 10; ++i) second(1'000);
  ask("out");
  EXPECT_EQ(pop(), "out");
  ask("late");
  now += std::chrono::seconds(2);
  queue.answered(now);
  EXPECT_LE(second(3'000), 1'250);
  for (int i = 0; i < 60; ++i) second(3'000);
  EXPECT_GE(second(3'000), 3'000);
}

TEST_F(QueryQueueTest, AFewAreNeverHeldBack) {
  for (int i = 0; i < 15; ++i) ask("x", true, Millis{0}, Millis{60'000});
  wait_a_tick();
  for (int i = 0; i < 15; ++i) EXPECT_EQ(pop(), "x");
}

TEST(SendingPaceTest, AnIdleHourIsForgotten) {
  SendingPace pace;
  SteadyTime now{};
  for (int i = 0; i < 10'000; ++i) {
    now += milliseconds(1);
    pace.asked(now);
  }
  int sent = 0;
  for (int tick = 0; tick < 10; ++tick, now += SendingPace::kTick)
    for (; pace.may_send(now, pace.allowed()); ++sent) pace.sent(now);
  EXPECT_GE(sent, 120);
  EXPECT_LE(sent, 130);
  now += std::chrono::hours(1);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(pace.may_send(now, pace.allowed()));
    pace.sent(now);
  }
  EXPECT_FALSE(pace.may_send(now, pace.allowed())) << "what is always allowed, and no more";
}

}  // namespace
}  // namespace rollwatch
