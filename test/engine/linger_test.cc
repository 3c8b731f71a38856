// Answers that decide nothing wait a moment for others, so that they are written together. Nothing
// that somebody waits for does.
#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

constexpr Millis kLinger{25};

// Ten services whose conditions are due at different times of a second.
class LingerTest : public testing::Test {
 protected:
  static constexpr const char* kEverySecond = R"(
[datasource.default]
url = "http://127.0.0.1:9090"
[orchestrator.deployer]
url = "http://127.0.0.1:8080/rollouts"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[policy.p]
steps = [ { weight = 5, hold = "10m" }, { weight = 50, hold = "10m" } ]
interval = "1s"
window = "1s"
[[policy.p.condition]]
name = "errors"
query = 'errors{s="{{service}}"} > 0.05'
[[policy.p.condition]]
name = "slow"
query = 'slow{s="{{service}}"} > 1'
)";

  void configure(Millis linger) {
    world.linger_is(linger);
    world.configure(kEverySecond);
    for (int i = 0; i < 20; ++i) {
      RolloutSpec spec;
      spec.service = "s" + std::to_string(i);
      spec.stable = "1";
      spec.candidate = "2";
      spec.policy = {"p"};
      spec.orchestrator = "deployer";
      metrics_are(i, 0.01);
      ids.push_back(world.register_rollout(spec).rollout->spec.id);
    }
  }

  void metrics_are(int service, double errors) {
    const std::string label = "{s=\"s" + std::to_string(service) + "\"}";
    world.metrics_are("errors" + label, {Behaviour::Kind::kValue, {errors}});
    world.metrics_are("slow" + label, {Behaviour::Kind::kValue, {0.1}});
  }

  // In steps that are shorter than the linger, as time goes by.
  void advance(Millis span) {
    for (Millis gone{0}; gone < span; gone += Millis{5}) world.advance(Millis{5});
  }

  World world;
  std::vector<std::string> ids;
};

TEST_F(LingerTest, AnswersThatDecideNothingAreWrittenTogether) {
  configure(kLinger);
  advance(Millis{5'000});
  const std::size_t before = world.batches();
  advance(Millis{10'000});
  EXPECT_LE(world.batches() - before, 10'000U / 25U) << "of 400 answers";
  for (const std::string& id : ids) {
    const auto rows = world.evaluations(id);
    EXPECT_GE(rows.size(), 20U) << "both conditions, every second";
    for (const StoredEvaluation& row : rows)
      EXPECT_NE(row.judgement.outcome, Outcome::kMissed) << row.judgement.detail.text();
  }
}

// One condition's answer is being written while the other one's slot comes.
TEST_F(LingerTest, DoesNotHoldUpOtherConditionsQuestions) {
  configure(Millis{900});
  advance(Millis{10'000});
  std::map<std::string, std::size_t> answers;
  for (const StoredEvaluation& row : world.evaluations(ids[0])) {
    EXPECT_NE(row.judgement.outcome, Outcome::kMissed);
    ++answers[row.condition];
  }
  EXPECT_GE(answers["errors"], 4U);
  EXPECT_GE(answers["slow"], 4U);
}

TEST_F(LingerTest, ARollbackDoesNotWait) {
  configure(Millis{900});
  advance(Millis{3'000});
  metrics_are(7, 0.9);
  advance(Millis{10'000});
  EXPECT_EQ(world.rollout(ids[7]).state.state, State::kRolledBack);
  EXPECT_EQ(world.rollout(ids[6]).state.state, State::kAnalyzing);
}

TEST_F(LingerTest, NobodyWaitsForItWhoDecides) {
  configure(Millis{60'000});
  world.advance(Millis{3'000});
  for (const DecisionKind kind : {DecisionKind::kPause, DecisionKind::kResume}) {
    Called<DecideResult> call(world, world.engine().decide(ids[3], {kind, "ana", "I say so", {}}));
    EXPECT_TRUE(call.answered());
  }
}

TEST_F(LingerTest, WhatWaitsIsWrittenBeforeTheEngineStops) {
  configure(Millis{60'000});
  world.advance(Millis{1'500});
  Called<bool> stopped(world, [](Engine& engine) -> awaitable<bool> {
    co_await engine.stop();
    co_return true;
  }(world.engine()));
  EXPECT_TRUE(stopped.answered());
  std::size_t rows = 0;
  for (const std::string& id : ids) rows += world.evaluations(id).size();
  EXPECT_GE(rows, 20U);
}

}  // namespace
}  // namespace rollwatch
