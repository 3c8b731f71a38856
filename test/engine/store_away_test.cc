// The disk refuses commits, or hangs: nothing is acted on, nothing piles up, nothing is lost
// afterwards.
#include <boost/asio/detached.hpp>

#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

class StoreAway : public EngineTest {
 protected:
  void expect_no_gap(const std::string& id, Millis interval = Millis{10'000}) {
    std::optional<SysTime> next;
    for (const StoredEvaluation& e : world.evaluations(id)) {
      EXPECT_EQ(e.slot, next.value_or(e.slot));
      next = e.last_slot + interval;
    }
    EXPECT_TRUE(next.has_value());
  }
};

TEST_F(StoreAway, DecisionsAreRefusedAndNothingGoesOut) {
  const std::string id = begin("1.1");
  const std::size_t attempts = world.attempts().size();
  world.store_fails(true);
  for (const DecisionKind kind :
       {DecisionKind::kAdvance, DecisionKind::kPromote, DecisionKind::kPause,
        DecisionKind::kRollback, DecisionKind::kCancel}) {
    const Called<DecideResult> decided(world, world.engine().decide(id, person(kind)));
    world.advance(Millis{1'000});
    ASSERT_TRUE(decided.answered()) << name_of(kind);
    EXPECT_THROW(decided.value(), StoreError) << name_of(kind);
  }
  EXPECT_TRUE(world.engine().store_trouble().has_value());
  EXPECT_EQ(world.attempts().size(), attempts);
  // Nobody who looks at the log only may miss it.
  EXPECT_GE(world.not_recorded().size(), 5U);
  EXPECT_EQ(world.not_recorded().front(), "1.1: the disk is full");
  EXPECT_EQ(state(id), State::kAnalyzing);
  world.store_fails(false);
  world.advance(Millis{20'000});
  EXPECT_FALSE(world.engine().store_trouble().has_value());
  EXPECT_EQ(world.rollout(id).state.decisions_made, 1U);
}

TEST_F(StoreAway, WhatWasMissedIsOneRunAndDoesNotPileUp) {
  const std::string id = begin("1.1");
  world.advance(Millis{60'000});
  const std::size_t before = world.evaluations(id).size();
  world.store_fails(true);
  world.advance(Millis{30 * 60'000});
  EXPECT_LE(world.most_evaluations_in_a_commit(), 4U);
  world.store_fails(false);
  world.advance(Millis{60'000});
  const auto evaluations = world.evaluations(id);
  EXPECT_LE(evaluations.size(), before + 8);
  std::uint32_t missed = 0;
  for (const StoredEvaluation& e : evaluations)
    if (e.judgement.cause == Cause::kMissedStore) missed += e.slots;
  EXPECT_GE(missed, 178U);
  EXPECT_LE(missed, 181U);
  expect_no_gap(id);
}

TEST_F(StoreAway, ManyRolloutsWithManyConditionsDoNotPileUpEither) {
  for (int i = 0; i < 50; ++i) world.register_rollout(spec("1.1", "s" + std::to_string(i)));
  world.store_fails(true);
  world.advance(Millis{10 * 60'000});
  EXPECT_LE(world.most_evaluations_in_a_commit(), 4U);
  world.store_fails(false);
  world.advance(Millis{20'000});
  for (const RolloutView& view : world.engine().active()) expect_no_gap(view.spec.id);
}

TEST_F(StoreAway, ADiskThatHangsDelaysEverythingAndLosesNothing) {
  const std::string id = begin("1.1");
  world.advance(Millis{60'000});
  world.store_hangs(true);
  world.advance(Millis{5 * 60'000});
  EXPECT_LE(world.most_evaluations_in_a_commit(), 3U);
  world.store_hangs(false);
  world.advance(Millis{60'000});
  expect_no_gap(id);
  EXPECT_EQ(state(id), State::kAnalyzing);
}

TEST_F(StoreAway, AStartWhileItIsAwayMissesTheDowntimeAndThenTheStore) {
  const std::string id = begin("1.1");
  world.advance(Millis{60'000});
  world.store_fails(true);
  world.restart(Millis{60'000});
  world.advance(Millis{60'000});
  world.store_fails(false);
  world.advance(Millis{60'000});
  std::uint32_t downtime = 0;
  std::uint32_t store = 0;
  for (const StoredEvaluation& e : world.evaluations(id)) {
    downtime += e.judgement.cause == Cause::kMissedDowntime ? e.slots : 0;
    store += e.judgement.cause == Cause::kMissedStore ? e.slots : 0;
  }
  EXPECT_EQ(downtime, 6U);
  EXPECT_GE(store, 5U);
  EXPECT_LE(store, 7U);
  expect_no_gap(id);
  // Patience and the step's passes began again, in spite of the failure in between.
  bool told = false;
  for (const StoredEvent& event : world.events(id))
    told = told || event.event.type == EventType::kWatchResumed;
  EXPECT_TRUE(told);
}

TEST_F(StoreAway, KilledWhileItIsAwayGoesOnFromTheLastCommit) {
  const std::string id = begin("1.1");
  world.advance(Millis{60'000});
  world.store_fails(true);
  world.metrics_are("errors", {Behaviour::Kind::kValue, {0.5}});
  world.advance(Millis{120'000});
  EXPECT_EQ(state(id), State::kAnalyzing);  // decided nothing it could not record
  world.store_fails(false);
  world.restart(Millis{1'000});
  EXPECT_EQ(state(id), State::kAnalyzing);
  world.advance(Millis{40'000});
  EXPECT_EQ(state(id), State::kRolledBack);
  expect_no_gap(id);
}

TEST_F(StoreAway, TimersFireWhenItIsBack) {
  world.deployer_is(Deployer::kAcknowledges);
  const std::string id = begin("1.1");
  world.decide(id, person(DecisionKind::kPause));
  world.store_fails(true);
  world.advance(Millis{60 * 60'000});
  world.store_fails(false);
  world.advance(Millis{5'000});
  std::size_t reminders = 0;
  for (const StoredEvent& event : world.events(id))
    reminders += event.event.type == EventType::kReminder ? 1 : 0;
  EXPECT_EQ(reminders, 1U);
}

TEST_F(StoreAway, ACommitThatIsRefusedHoldsUpNobodyElse) {
  std::vector<std::string> ids;
  for (const char* service : {"a", "b", "c", "d", "e", "f"})
    ids.push_back(world.register_rollout(spec("1.1", service)).rollout->spec.id);
  world.store_refuses(ids[2]);
  // Asked in the same turn of the loop, they would share a transaction.
  int refused = 0;
  for (const std::string& id : ids) {
    net::co_spawn(
        world.io(),
        [this, id, &refused]() -> awaitable<void> {
          try {
            co_await world.engine().decide(id, person(DecisionKind::kPause));
          } catch (const StoreError&) {
            ++refused;
          }
        },
        net::detached);
  }
  world.settle();
  EXPECT_EQ(refused, 1);
  for (std::size_t i = 0; i < ids.size(); ++i)
    EXPECT_EQ(state(ids[i]), i == 2 ? State::kAnalyzing : State::kPaused) << i;
  world.store_refuses("");
  world.advance(Millis{60'000});
  world.decide(ids[2], person(DecisionKind::kPause));
  EXPECT_EQ(state(ids[2]), State::kPaused);
}

// The slots that went by while a question was out are recorded when the next one is asked. That
// commit is refused, and the question's answer, which comes when the disk works again, is not: the
// slots before it had no record then, and were never missed.
TEST_F(StoreAway, SlotsThatWentByAreMissedThoughTheNextQuestionIsOutMeanwhile) {
  RolloutSpec wanted = spec("1.1");
  wanted.policy = {"quick"};
  world.metrics_are("quick", {Behaviour::Kind::kSlow, {}});
  const std::string id = world.register_rollout(wanted).rollout->spec.id;
  world.advance(world.rollout(id).next_slots[0].value() - world.now());
  world.store_hangs(true);
  world.advance(Millis{10'000});
  world.let_commits_go();  // the answer; now the next question is out, and two slots went by
  world.settle();
  world.store_fails(true);
  world.store_hangs(false);
  world.settle();
  world.store_fails(false);
  world.advance(Millis{60'000});
  expect_no_gap(id, Millis{4'000});
}

// The older one ends and the newer one begins in one transaction, or neither does.
TEST_F(StoreAway, SupersedingIsOneTransaction) {
  const std::string older = begin("1.1");
  world.store_refuses(older);
  const std::string newer = begin("1.2");
  EXPECT_EQ(state(older), State::kAnalyzing);
  EXPECT_EQ(state(newer), State::kWaiting);
  world.store_refuses("");
  world.advance(Millis{10'000});
  EXPECT_EQ(state(older), State::kSuperseded);
  EXPECT_EQ(state(newer), State::kAnalyzing);
}

}  // namespace
}  // namespace rollwatch
