#include "daemon/engine/due_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace rollwatch {
namespace {

struct Waiter {
  int number = 0;
  DuePlace due_place;
};
using WaiterPtr = std::shared_ptr<Waiter>;

TEST(DueQueueTest, GivesTheEarliestFirstAndEachOnce) {
  DueQueue<WaiterPtr> queue;
  const auto a = std::make_shared<Waiter>(), b = std::make_shared<Waiter>();
  queue.set(a, SysTime{Millis{5}});
  queue.set(b, SysTime{Millis{4}});
  queue.set(b, SysTime{Millis{6}});
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue.earliest(), SysTime{Millis{5}});
  EXPECT_EQ(queue.pop(), a);
  EXPECT_EQ(queue.pop(), b);
  EXPECT_TRUE(queue.empty());
  queue.remove(a);
  EXPECT_TRUE(queue.empty()) << "it is not there any more, and that is no mistake";
}

// Beside a map that looks at everything each time.
TEST(DueQueueTest, DoesWhatAMapWould) {
  std::mt19937_64 random(20261126);
  DueQueue<WaiterPtr> queue;
  std::vector<WaiterPtr> all;
  for (int i = 0; i < 200; ++i) all.push_back(std::make_shared<Waiter>(Waiter{i, {}}));
  std::map<int, SysTime> known;
  std::size_t popped = 0;
  for (int turn = 0; turn < 20'000; ++turn) {
    const WaiterPtr& one = all[random() % all.size()];
    switch (random() % 4) {
      case 0:
        queue.remove(one);
        known.erase(one->number);
        break;
      case 1: {
        if (known.empty()) break;
        SysTime earliest = SysTime::max();
        for (const auto& [number, at] : known) earliest = std::min(earliest, at);
        ASSERT_EQ(queue.earliest(), earliest) << turn;
        const WaiterPtr first = queue.pop();
        ASSERT_EQ(known.at(first->number), earliest) << turn;
        known.erase(first->number);
        ++popped;
        break;
      }
      default: {
        const SysTime at{Millis{static_cast<std::int64_t>(random() % 1'000)}};
        queue.set(one, at);
        known[one->number] = at;
      }
    }
    ASSERT_EQ(queue.size(), known.size()) << turn;
  }
  EXPECT_GT(popped, 1'000U);
}

}  // namespace
}  // namespace rollwatch
