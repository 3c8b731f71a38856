// wait_for_change: woken by what changes, by the time, and never left behind.
#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

class Waiting : public EngineTest {
 protected:
  awaitable<bool> wait(const std::string& id, unsigned revision, Millis limit) {
    return waited(world.engine(), id, revision, limit);
  }
  static awaitable<bool> waited(Engine& engine, std::string id, unsigned revision, Millis limit) {
    co_await engine.wait_for_change(std::move(id), revision, limit);
    co_return true;
  }
};

TEST_F(Waiting, ReturnsAtOnceIfItHasChangedEndedOrIsUnknown) {
  const std::string id = begin("1.1");
  const unsigned revision = world.rollout(id).state.revision;
  EXPECT_TRUE(Called<bool>(world, wait(id, revision - 1, Millis{60'000})).answered());
  EXPECT_TRUE(Called<bool>(world, wait("ro_none", 0, Millis{60'000})).answered());
  world.decide(id, person(DecisionKind::kCancel));
  EXPECT_TRUE(
      Called<bool>(world, wait(id, world.rollout(id).state.revision, Millis{60'000})).answered());
}

TEST_F(Waiting, IsWokenByAChangeAndAllWaitersAre) {
  const std::string id = begin("1.1");
  const unsigned revision = world.rollout(id).state.revision;
  std::vector<Called<bool>> waiters;
  for (int i = 0; i < 10; ++i) waiters.emplace_back(world, wait(id, revision, Millis{60'000}));
  for (const auto& waiter : waiters) EXPECT_FALSE(waiter.answered());
  world.decide(id, person(DecisionKind::kPause));
  for (const auto& waiter : waiters) EXPECT_TRUE(waiter.answered());
}

TEST_F(Waiting, IsNotWokenByWhatCouldNotBeRecorded) {
  const std::string id = begin("1.1");
  const Called<bool> waiter(world, wait(id, world.rollout(id).state.revision, Millis{60'000}));
  world.store_fails(true);
  const Called<DecideResult> decided(world,
                                     world.engine().decide(id, person(DecisionKind::kPause)));
  EXPECT_FALSE(waiter.answered());
}

TEST_F(Waiting, EndsWhenTheTimeIsUp) {
  const std::string id = begin("1.1");
  world.decide(id, person(DecisionKind::kRollback));
  world.deployer_is(Deployer::kAccepts);
  const std::string quiet = begin("1.2");  // accepted, and nothing more for a while
  const Called<bool> waiter(world, wait(quiet, world.rollout(quiet).state.revision, Millis{5'000}));
  world.advance(Millis{4'999});
  EXPECT_FALSE(waiter.answered());
  world.advance(Millis{1});
  EXPECT_TRUE(waiter.answered());
}

TEST_F(Waiting, LeavesNothingBehind) {
  const std::string id = begin("1.1");
  world.advance(Millis{1'000});
  const std::size_t before = world.sleepers();
  for (int i = 0; i < 100; ++i) {
    const Called<bool> waiter(world, wait(id, world.rollout(id).state.revision, Millis{1'000}));
    world.advance(Millis{1'500});
    EXPECT_TRUE(waiter.answered());
  }
  EXPECT_LE(world.sleepers(), before + 3);
}

// A stop does not wait for those that wait.
TEST_F(Waiting, AStopEndsIt) {
  const std::string id = begin("1.1");
  const Called<bool> waiter(world, wait(id, world.rollout(id).state.revision, Millis{600'000}));
  world.run([](Engine& engine) -> awaitable<bool> {
    co_await engine.stop();
    co_return true;
  }(world.engine()));
  world.settle();
  EXPECT_TRUE(waiter.answered());
}

}  // namespace
}  // namespace rollwatch
