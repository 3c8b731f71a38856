// Registering: checked, one rollout for equal requests however they race, and never half of one.
#include <algorithm>

#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

class Register : public EngineTest {
 protected:
  Registration with_key(const RolloutSpec& spec, const std::string& key, const std::string& hash) {
    Registration registration = world.registration(spec);
    registration.idempotency = IdempotencyRecord{key, hash, world.now()};
    return registration;
  }
  RegisterResult send(Registration registration) {
    RegisterResult result = world.run(world.engine().register_rollout(std::move(registration)));
    world.settle();
    return result;
  }
  std::size_t rollouts() {
    return world.run(world.engine().list({}, 1'000, std::nullopt)).items.size();
  }
};

TEST_F(Register, EqualRequestsAtOnceAreOneRollout) {
  world.store_hangs(true);
  std::vector<Called<RegisterResult>> calls;
  for (int i = 0; i < 20; ++i)
    calls.emplace_back(world, world.engine().register_rollout(world.registration(spec("1.1"))));
  world.store_hangs(false);
  world.settle();
  std::size_t created = 0;
  for (const auto& call : calls) {
    ASSERT_TRUE(call.answered());
    created += call.value().end == RegisterEnd::kCreated ? 1 : 0;
    EXPECT_EQ(call.value().rollout->spec.id, calls[0].value().rollout->spec.id);
  }
  EXPECT_EQ(created, 1U);
  EXPECT_EQ(rollouts(), 1U);
}

TEST_F(Register, DifferentCandidatesAtOnceLeaveOneActive) {
  world.store_hangs(true);
  std::vector<Called<RegisterResult>> calls;
  for (int i = 1; i <= 5; ++i)
    calls.emplace_back(
        world, world.engine().register_rollout(world.registration(spec("1." + std::to_string(i)))));
  world.store_hangs(false);
  world.settle();
  EXPECT_EQ(rollouts(), 5U);
  EXPECT_EQ(world.engine().active().size(), 1U);
  for (std::size_t i = 0; i + 1 < calls.size(); ++i)
    EXPECT_EQ(state(calls[i].value().rollout->spec.id), State::kSuperseded) << i;
}

TEST_F(Register, TheSameKeyIsTheSameRollout) {
  const RegisterResult first = send(with_key(spec("1.1"), "k", "h"));
  EXPECT_EQ(first.end, RegisterEnd::kCreated);
  const RegisterResult again = send(with_key(spec("1.1"), "k", "h"));
  EXPECT_EQ(again.end, RegisterEnd::kExisting);
  EXPECT_EQ(again.rollout->spec.id, first.rollout->spec.id);
  EXPECT_EQ(send(with_key(spec("1.2"), "k", "other")).end, RegisterEnd::kKeyReused);
  EXPECT_EQ(rollouts(), 1U);
}

TEST_F(Register, TheSameKeyOutlivesTheRolloutAndARestart) {
  const RegisterResult first = send(with_key(spec("1.1"), "k", "h"));
  world.decide(first.rollout->spec.id, person(DecisionKind::kRollback));
  world.restart(Millis{1'000});
  const RegisterResult again = send(with_key(spec("1.1"), "k", "h"));
  EXPECT_EQ(again.end, RegisterEnd::kExisting);
  EXPECT_EQ(again.rollout->spec.id, first.rollout->spec.id);
  EXPECT_EQ(again.rollout->state.state, State::kRolledBack);
  world.advance(Millis{24 * 3'600'000});
  EXPECT_EQ(send(with_key(spec("1.1"), "k", "h")).end, RegisterEnd::kAttemptNeeded);
}

TEST_F(Register, TheSameKeyInTwoPlacesAtOnceIsOneRollout) {
  for (const bool same_body : {true, false}) {
    const std::string key = same_body ? "same" : "other";
    world.store_hangs(true);
    const std::string a = "a-" + key;
    const std::string b = "b-" + key;
    const Called<RegisterResult> first(
        world, world.engine().register_rollout(with_key(spec("1.1", a), key, "h")));
    const Called<RegisterResult> second(world, world.engine().register_rollout(with_key(
                                                   spec("1.1", b), key, same_body ? "h" : "i")));
    world.store_hangs(false);
    world.settle();
    EXPECT_EQ(first.value().end, RegisterEnd::kCreated);
    EXPECT_EQ(second.value().end, same_body ? RegisterEnd::kExisting : RegisterEnd::kKeyReused);
  }
  EXPECT_EQ(rollouts(), 2U);
}

// A pipeline that repeats its request gets the rollout it was given before, whatever became of it
// since.
TEST_F(Register, AKeyThatFoundAnActiveRolloutIsRememberedToo) {
  const std::string id = begin("1.1");
  EXPECT_EQ(send(with_key(spec("1.1"), "k", "h")).end, RegisterEnd::kExisting);
  world.decide(id, person(DecisionKind::kRollback));
  const RegisterResult again = send(with_key(spec("1.1"), "k", "h"));
  EXPECT_EQ(again.end, RegisterEnd::kExisting);
  EXPECT_EQ(again.rollout->spec.id, id);
  EXPECT_EQ(send(with_key(spec("1.1"), "k", "other")).end, RegisterEnd::kKeyReused);
}

TEST_F(Register, Attempts) {
  struct Row {
    const char* name;
    std::optional<DecisionKind> before;  // what ended attempt 1, if something did
    std::optional<int> attempt;
    RegisterEnd end;
    int number;  // of the rollout in the answer, or the attempt to send
  };
  const std::vector<Row> rows{
      {"active", std::nullopt, std::nullopt, RegisterEnd::kExisting, 1},
      {"active, named", std::nullopt, 1, RegisterEnd::kExisting, 1},
      {"active, the next", std::nullopt, 2, RegisterEnd::kCreated, 2},
      {"rolled back", DecisionKind::kRollback, std::nullopt, RegisterEnd::kAttemptNeeded, 2},
      {"rolled back, the same", DecisionKind::kRollback, 1, RegisterEnd::kExisting, 1},
      {"rolled back, the next", DecisionKind::kRollback, 2, RegisterEnd::kCreated, 2},
      {"rolled back, a later", DecisionKind::kRollback, 7, RegisterEnd::kCreated, 7},
      {"cancelled", DecisionKind::kCancel, std::nullopt, RegisterEnd::kCreated, 2},
      {"promoted", DecisionKind::kPromote, std::nullopt, RegisterEnd::kCreated, 2},
  };
  int n = 0;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const RolloutSpec wanted = spec("1.1", "service-" + std::to_string(++n));
    const std::string id = world.register_rollout(wanted).rollout->spec.id;
    if (row.before) {
      ASSERT_EQ(world.decide(id, person(*row.before)).end, DecideEnd::kDone);
      ASSERT_TRUE(is_final(state(id)));
    }
    const RegisterResult result = world.register_rollout(wanted, row.attempt);
    EXPECT_EQ(result.end, row.end);
    EXPECT_EQ(
        result.end == RegisterEnd::kAttemptNeeded ? result.attempt : result.rollout->spec.attempt,
        row.number);
  }
}

TEST_F(Register, AnAttemptThatWasPassedIsRefusedByItsField) {
  world.decide(begin("1.1"), person(DecisionKind::kRollback));
  world.decide(world.register_rollout(spec("1.1"), 3).rollout->spec.id,
               person(DecisionKind::kRollback));
  const RegisterResult result = world.register_rollout(spec("1.1"), 2);
  EXPECT_EQ(result.end, RegisterEnd::kRefused);
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_EQ(result.problems[0].pointer, "/attempt");
  EXPECT_NE(result.problems[0].detail.find("the next one is 4"), std::string::npos)
      << result.problems[0].detail;
}

TEST_F(Register, ProblemsNameTheirPlace) {
  struct Row {
    const char* name;
    Behaviour::Kind answer;
    std::size_t problems;
    std::size_t warnings;
    const char* says;
  };
  const std::vector<Row> rows{
      {"refused by the datasource", Behaviour::Kind::kBadQuery, 1, 0,
       "refuses the query: parse error"},
      {"the datasource is down", Behaviour::Kind::kDown, 0, 1, "could not be checked"},
      {"the datasource hangs", Behaviour::Kind::kSlow, 0, 1, "could not be checked"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    world.metrics_are("errors", {row.answer, {}});
    const RegisterResult result = world.register_rollout(spec("1.1", row.name));
    ASSERT_EQ(result.problems.size(), row.problems);
    ASSERT_EQ(result.warnings.size(), row.warnings);
    if (row.problems > 0) {
      EXPECT_EQ(result.problems[0].pointer, "/analysis/condition/0/query");
    }
    const std::string said = row.problems > 0 ? result.problems[0].detail : result.warnings[0];
    EXPECT_NE(said.find(row.says), std::string::npos) << said;
    EXPECT_EQ(result.end, row.problems > 0 ? RegisterEnd::kRefused : RegisterEnd::kCreated);
  }
}

TEST_F(Register, ACandidateLikeStableIsRefusedByItsField) {
  const RegisterResult result = world.register_rollout(spec("1.0"));
  EXPECT_EQ(result.end, RegisterEnd::kRefused);
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_EQ(result.problems[0].pointer, "/candidate");
}

// Not on disk is not there: no entry, no event, and the next request is free to try.
TEST_F(Register, WhatCannotBeRecordedIsNotThere) {
  world.store_fails(true);
  const Called<RegisterResult> failed(
      world, world.engine().register_rollout(world.registration(spec("1.1"))));
  EXPECT_THROW(failed.value(), StoreError);
  EXPECT_TRUE(world.engine().active().empty());
  world.store_fails(false);
  EXPECT_EQ(rollouts(), 0U);
  EXPECT_EQ(world.register_rollout(spec("1.1")).end, RegisterEnd::kCreated);
  EXPECT_EQ(rollouts(), 1U);
}

TEST_F(Register, AFailureLetsTheNextInTurnTry) {
  world.store_hangs(true);
  const Called<RegisterResult> first(
      world, world.engine().register_rollout(world.registration(spec("1.1"))));
  const Called<RegisterResult> second(
      world, world.engine().register_rollout(world.registration(spec("1.1"))));
  world.store_fails(true);
  world.let_commits_go();
  world.settle();
  EXPECT_THROW(first.value(), StoreError);
  ASSERT_FALSE(second.answered());
  world.store_fails(false);
  world.store_hangs(false);
  world.settle();
  EXPECT_EQ(second.value().end, RegisterEnd::kCreated);
}

// Requests come in as soon as it listens, before it knows what it was watching.
TEST_F(Register, BeforeTheStoreWasReadNothingIsTakenOn) {
  const std::string a = begin("1.1");
  std::optional<Called<RegisterResult>> early;
  std::optional<Called<DecideResult>> decided;
  world.restart(Millis{1'000}, [&] {
    early.emplace(world, world.engine().register_rollout(world.registration(spec("1.2"))));
    decided.emplace(world, world.engine().decide(a, person(DecisionKind::kPause)));
  });
  ASSERT_TRUE(early->answered());
  EXPECT_THROW(early->value(), StoreError);
  EXPECT_THROW(decided->value(), StoreError);
  EXPECT_EQ(world.engine().active().size(), 1U);
  const std::string b = begin("1.2");
  ASSERT_EQ(world.engine().active().size(), 1U);
  EXPECT_EQ(world.engine().active().front().spec.id, b);
  EXPECT_EQ(state(a), State::kSuperseded);
}

}  // namespace
}  // namespace rollwatch
