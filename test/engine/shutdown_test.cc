// The process ends in the middle of things: nothing that is still out may touch what is gone, and
// what was recorded is taken up. The address sanitizer looks on.
#include <functional>
#include <set>

#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

class Shutdown : public EngineTest {
 protected:
  static awaitable<bool> stopped(Engine& engine) {
    co_await engine.stop();
    co_return true;
  }
};

TEST_F(Shutdown, WhileARegistrationIsBeingRecorded) {
  world.store_hangs(true);
  const Called<RegisterResult> first(
      world, world.engine().register_rollout(world.registration(spec("1.1"))));
  const Called<RegisterResult> second(
      world, world.engine().register_rollout(world.registration(spec("1.1"))));
  EXPECT_FALSE(first.answered());
  world.restart(Millis{1'000});
  EXPECT_TRUE(world.engine().active().empty());
}

TEST_F(Shutdown, WhileARegistrationIsBeingChecked) {
  world.checks_hang(true);
  const Called<RegisterResult> call(
      world, world.engine().register_rollout(world.registration(spec("1.1"))));
  EXPECT_FALSE(call.answered());
  world.restart(Millis{1'000});
  EXPECT_TRUE(world.engine().active().empty());
}

TEST_F(Shutdown, WhileEverythingIsOut) {
  world.deployer_hangs(true);
  const std::string id = begin("1.1");
  world.metrics_are("errors", {Behaviour::Kind::kSlow, {}});
  world.advance(Millis{15'000});
  world.store_hangs(true);
  const Called<DecideResult> decided(world,
                                     world.engine().decide(id, person(DecisionKind::kRollback)));
  EXPECT_FALSE(decided.answered());
  world.store_hangs(false);
  world.deployer_hangs(false);
  world.restart(Millis{1'000});
  EXPECT_EQ(world.engine().active().size(), 1U);
}

TEST_F(Shutdown, AStopWaitsForWhatIsWithTheStore) {
  const std::string id = begin("1.1");
  world.store_hangs(true);
  const Called<DecideResult> decided(world,
                                     world.engine().decide(id, person(DecisionKind::kRollback)));
  const Called<bool> stop(world, stopped(world.engine()));
  EXPECT_FALSE(stop.answered());
  world.store_hangs(false);
  world.settle();
  EXPECT_TRUE(stop.answered());
  EXPECT_EQ(decided.value().end, DecideEnd::kDone);
}

TEST_F(Shutdown, AfterAStopNothingIsAsked) {
  const std::string id = begin("1.1");
  world.advance(Millis{60'000});
  world.run(stopped(world.engine()));
  const std::size_t before = world.evaluations(id).size();
  world.advance(Millis{60'000});
  EXPECT_EQ(world.evaluations(id).size(), before);
  world.restart(Millis{0});
  world.advance(Millis{60'000});
  EXPECT_GT(world.evaluations(id).size(), before);
}

// Every state survives, and goes on.
TEST_F(Shutdown, EveryStateIsResumed) {
  struct Row {
    const char* name;
    std::function<void(const std::string&)> lead_to;
    State state;
    State after;  // of the restart, with a deployer that acknowledges
  };
  const std::vector<Row> rows{
      {"analyzing", [](const std::string&) {}, State::kAnalyzing, State::kAnalyzing},
      {"paused", [&](const std::string& id) { world.decide(id, person(DecisionKind::kPause)); },
       State::kPaused, State::kPaused},
      {"promoting",
       [&](const std::string& id) {
         world.deployer_is(Deployer::kIsDown);
         world.decide(id, person(DecisionKind::kPromote));
       },
       State::kPromoting, State::kPromoted},
      {"rolling back",
       [&](const std::string& id) {
         world.deployer_is(Deployer::kIsDown);
         world.decide(id, person(DecisionKind::kRollback));
       },
       State::kRollingBack, State::kRolledBack},
  };
  int n = 0;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    world.deployer_is(Deployer::kAcknowledges);
    const std::string id =
        world.register_rollout(spec("1.1", "s" + std::to_string(++n))).rollout->spec.id;
    row.lead_to(id);
    EXPECT_EQ(state(id), row.state);
    const std::uint64_t decisions = world.rollout(id).state.decisions_made;
    world.deployer_is(Deployer::kAcknowledges);
    world.restart(Millis{60'000});
    EXPECT_EQ(state(id), row.after);
    EXPECT_EQ(world.rollout(id).state.decisions_made, decisions);
    std::set<std::string> ids;
    for (const DeliveredOrder& order : world.effects())
      EXPECT_TRUE(ids.insert(order.id).second) << order.id;
  }
}

}  // namespace
}  // namespace rollwatch
