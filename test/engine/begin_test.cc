// Several rollouts in one place: who begins, who is superseded, who waits.
#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

class Begins : public EngineTest {
 protected:
  std::string begin_approved(const std::string& candidate) {
    return world.register_rollout(approved(candidate)).rollout->spec.id;
  }
  std::size_t active_here() const {
    std::size_t n = 0;
    for (const RolloutView& view : const_cast<World&>(world).engine().active())
      if (view.state.state != State::kWaiting) ++n;
    return n;
  }
};

TEST_F(Begins, ANewerOneSupersedesTheActiveOne) {
  const std::string a = begin("1.1");
  const std::string b = begin("1.2");
  EXPECT_EQ(state(a), State::kSuperseded);
  EXPECT_EQ(state(b), State::kAnalyzing);
}

TEST_F(Begins, ThreeBehindARollbackTheNewestBegins) {
  world.deployer_is(Deployer::kAccepts);
  const std::string a = begin("1.1");
  world.decide(a, person(DecisionKind::kRollback));
  const std::string b = begin("1.2");
  const std::string c = begin("1.3");
  EXPECT_EQ(state(a), State::kRollingBack);
  EXPECT_EQ(state(b), State::kWaiting);
  EXPECT_EQ(state(c), State::kWaiting);
  EXPECT_NE(world.rollout(c).state.reason.find("rolled back"), std::string::npos);
  world.acknowledge(order(a, 2), true);
  EXPECT_EQ(state(a), State::kRolledBack);
  EXPECT_EQ(state(b), State::kSuperseded);
  EXPECT_EQ(state(c), State::kAnalyzing);
  EXPECT_EQ(world.rollout(b).state.orders_given, 0U);
}

TEST_F(Begins, ThreeBehindARollbackAfterARestartTheNewestBegins) {
  world.deployer_is(Deployer::kAccepts);
  const std::string a = begin("1.1");
  world.decide(a, person(DecisionKind::kRollback));
  const std::string b = begin("1.2");
  const std::string c = begin("1.3");
  world.restart(Millis{1'000});
  EXPECT_EQ(state(b), State::kWaiting);
  EXPECT_EQ(state(c), State::kWaiting);
  world.acknowledge(order(a, 2), true);
  EXPECT_EQ(state(b), State::kSuperseded);
  EXPECT_EQ(state(c), State::kAnalyzing);
}

// An approval lets the older one leave `waiting`; it does not take the place of a newer one.
TEST_F(Begins, AnApprovedOlderOneDoesNotSupersedeANewerThatWaits) {
  const std::string a = begin("1.1");
  const std::string b = begin_approved("1.2");
  const std::string c = begin_approved("1.3");
  world.decide(b, person(DecisionKind::kResume));
  EXPECT_EQ(state(a), State::kSuperseded);
  EXPECT_EQ(state(b), State::kAnalyzing);
  EXPECT_EQ(state(c), State::kWaiting);
  world.decide(c, person(DecisionKind::kResume));
  EXPECT_EQ(state(b), State::kSuperseded);
  EXPECT_EQ(state(c), State::kAnalyzing);
  EXPECT_EQ(active_here(), 1U);
}

// Nor does one that waits for an approval keep an older one from beginning.
TEST_F(Begins, BehindARollbackANewerThatWaitsForAnApprovalHoldsUpNobody) {
  world.deployer_is(Deployer::kAccepts);
  const std::string a = begin("1.1");
  world.decide(a, person(DecisionKind::kRollback));
  const std::string b = begin("1.2");
  const std::string c = begin_approved("1.3");
  ASSERT_EQ(state(b), State::kWaiting);
  world.acknowledge(order(a, 2), true);
  EXPECT_EQ(state(b), State::kAnalyzing);
  EXPECT_EQ(state(c), State::kWaiting);
  EXPECT_TRUE(world.rollout(b).state.newer_waits);
  world.decide(c, person(DecisionKind::kResume));
  EXPECT_EQ(state(b), State::kSuperseded);
  EXPECT_EQ(state(c), State::kAnalyzing);
}

TEST_F(Begins, TheOlderActiveOneDoesNotAdvanceWhileANewerWaits) {
  const std::string a = begin("1.1");
  const std::string b = begin_approved("1.2");
  world.advance(Millis{60 * 60'000});
  EXPECT_EQ(state(a), State::kAnalyzing);
  EXPECT_EQ(world.rollout(a).state.step, 0);
  EXPECT_GT(world.evaluations(a).size(), 300U);
  world.decide(b, person(DecisionKind::kCancel));
  world.advance(Millis{20'000});
  EXPECT_EQ(world.rollout(a).state.step, 1);
}

TEST_F(Begins, TheOlderActiveOneMayStillBeRolledBackWhileANewerWaits) {
  const std::string a = begin("1.1");
  const std::string b = begin_approved("1.2");
  world.metrics_are("errors", {Behaviour::Kind::kValue, {0.5}});
  world.advance(Millis{60'000});
  EXPECT_EQ(state(a), State::kRolledBack);
  world.decide(b, person(DecisionKind::kResume));
  EXPECT_EQ(state(b), State::kAnalyzing);
}

TEST_F(Begins, TheOlderOneStillHoldsAfterARestart) {
  const std::string a = begin("1.1");
  const std::string b = begin_approved("1.2");
  world.restart(Millis{60'000});
  world.advance(Millis{60 * 60'000});
  EXPECT_EQ(world.rollout(a).state.step, 0);
  world.decide(b, person(DecisionKind::kResume));
  EXPECT_EQ(state(a), State::kSuperseded);
}

// Of two registrations at once the one that is recorded later is the newer one, however long each
// was checked.
TEST_F(Begins, AConfirmationThatTookLongerMakesTheNewerOne) {
  world.checks_hang(true);
  const Called<RegisterResult> slow(
      world, world.engine().register_rollout(world.registration(spec("1.1"))));
  world.checks_hang(false);
  // The check of the first is let go, but its turn of the loop has not come when the second is
  // through.
  world.settle();
  const std::string second = begin("1.2");
  ASSERT_TRUE(slow.answered());
  EXPECT_EQ(state(second), State::kAnalyzing);
  EXPECT_EQ(state(slow.value().rollout->spec.id), State::kSuperseded);
  EXPECT_EQ(active_here(), 1U);
}

TEST_F(Begins, ASlowerCheckedOneSupersedesWhatBeganMeanwhile) {
  world.checks_hang(true);
  const Called<RegisterResult> slow(
      world, world.engine().register_rollout(world.registration(spec("1.1"))));
  ASSERT_FALSE(slow.answered());
  world.advance(Millis{1'000});
  RolloutSpec unchecked = spec("1.2");
  unchecked.policy = {"unchecked"};
  const std::string quick = world.register_rollout(unchecked).rollout->spec.id;
  EXPECT_EQ(state(quick), State::kAnalyzing);
  world.checks_hang(false);
  world.settle();
  const std::string id = slow.value().rollout->spec.id;
  EXPECT_GT(id, quick);
  EXPECT_EQ(state(quick), State::kSuperseded);
  EXPECT_EQ(state(id), State::kAnalyzing);
  EXPECT_EQ(active_here(), 1U);
}

TEST_F(Begins, AClockPutBackDoesNotMakeTheNewerOneOlder) {
  const std::string a = begin("1.1");
  world.jump_wall(Millis{-3'600'000});
  const std::string b = begin("1.2");
  EXPECT_GT(b, a);
  EXPECT_EQ(state(a), State::kSuperseded);
  EXPECT_EQ(state(b), State::kAnalyzing);
}

TEST_F(Begins, AClockPutBackAcrossARestartDoesNotMakeTheNewerOneOlder) {
  const std::string a = begin("1.1");
  world.restart(Millis{-3'600'000});
  const std::string b = begin("1.2");
  EXPECT_GT(b, a);
  EXPECT_EQ(state(a), State::kSuperseded);
  EXPECT_EQ(state(b), State::kAnalyzing);
}

// The commit with which it begins holds both: neither alone can be on disk.
TEST_F(Begins, IfItCannotBeRecordedNothingHappensAndItIsTriedAgain) {
  const std::string a = begin("1.1");
  world.store_hangs(true);
  const Called<RegisterResult> newer(
      world, world.engine().register_rollout(world.registration(spec("1.2"))));
  world.let_commits_go();
  world.settle();
  world.store_fails(true);
  world.store_hangs(false);
  world.settle();
  ASSERT_TRUE(newer.answered());
  const std::string b = newer.value().rollout->spec.id;
  EXPECT_EQ(newer.value().rollout->state.state, State::kWaiting);
  EXPECT_EQ(state(a), State::kAnalyzing);
  world.advance(Millis{30'000});
  EXPECT_EQ(state(b), State::kWaiting);
  world.store_fails(false);
  world.advance(Millis{2'000});
  EXPECT_EQ(state(a), State::kSuperseded);
  EXPECT_EQ(state(b), State::kAnalyzing);
}

// It waits for the older one's step to be on disk. More work of the older one, there at every such
// moment, went first each time, and the newer one could wait for ever.
TEST_F(Begins, ItsTurnComesBeforeMoreWorkOfTheOlderOne) {
  const std::string older = begin("1.1");
  world.store_hangs(true);
  const auto decides = [&](DecisionKind kind) {
    return Called<DecideResult>(world, world.engine().decide(older, person(kind)));
  };
  const auto first = decides(DecisionKind::kPause);
  const Called<RegisterResult> newer(
      world, world.engine().register_rollout(world.registration(spec("1.2"))));
  const auto second = decides(DecisionKind::kResume);
  world.let_commits_go();  // the first and the registration; the second is with the store
  world.settle();
  const auto third = decides(DecisionKind::kPause);
  world.let_commits_go();  // the second
  world.settle();
  world.store_hangs(false);
  world.settle();
  EXPECT_EQ(second.value().end, DecideEnd::kDone);
  EXPECT_EQ(third.value().end, DecideEnd::kConflict);
  EXPECT_EQ(state(older), State::kSuperseded);
  EXPECT_EQ(newer.value().rollout->state.state, State::kAnalyzing);
}

}  // namespace
}  // namespace rollwatch
