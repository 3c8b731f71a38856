// What users of such systems got hurt by, each as a test of ours that stays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "daemon/api/views.h"
#include "test/scenarios/world.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kBase = R"(
[datasource.default]
url = "http://127.0.0.1:9090"
[orchestrator.deployer]
url = "http://127.0.0.1:8080/rollouts"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[notifier.people]
type = "slack"
webhook_url = "http://127.0.0.1:8081/hook"
[policy.p]
steps = [ { weight = 5, hold = "10m" }, { weight = 25, hold = "10m" } ]
[[policy.p.condition]]
name = "errors"
)";

constexpr Millis kMinute{60'000};

RolloutSpec release() {
  RolloutSpec spec;
  spec.service = "checkout";
  spec.stable = "1.23";
  spec.candidate = "1.24";
  spec.policy = {"p"};
  spec.orchestrator = "deployer";
  spec.by = "ci";
  return spec;
}

nlohmann::json call_of(const RolloutView& view) {
  return nlohmann::json::parse(verdict_json(view).dump());
}

class Acceptance : public testing::Test {
 protected:
  // `condition` are the TOML lines of the one condition.
  void begin(const std::string& condition) {
    world.configure(kBase + condition);
    const RegisterResult result = world.register_rollout(release());
    ASSERT_EQ(result.end, RegisterEnd::kCreated);
    id = result.rollout->spec.id;
  }
  RolloutView view() { return world.rollout(id); }
  State state() { return view().state.state; }
  nlohmann::json call() { return call_of(view()); }

  std::vector<std::string> orders() {
    std::vector<std::string> all;
    for (const DeliveredOrder& o : world.effects()) all.push_back(o.kind);
    return all;
  }
  std::vector<std::string> told() {
    std::vector<std::string> all;
    for (const Message& t : world.told()) all.push_back(t.kind);
    return all;
  }

  World world;
  std::string id;
};

// 1. Empty, NaN, 5xx, timeout, warnings, two series: six classes in the history, and none of them
// ends in a rollback by itself.
TEST(AcceptanceClasses, SixBadAnswersAreSixClassesAndNoneRollsBack) {
  struct Row {
    const char* name;
    Behaviour behaviour;
    Outcome outcome;
    Cause cause;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  using Kind = Behaviour::Kind;
  const Row rows[] = {
      {"empty", {Kind::kNoData, {}}, Outcome::kNoData, Cause::kNoSeries},
      {"NaN", {Kind::kValue, {nan}}, Outcome::kNoData, Cause::kNotANumber},
      {"5xx", {Kind::kHttpError, {}, {}, "503"}, Outcome::kError, Cause::kHttpStatus},
      {"timeout", {Kind::kSlow, {}}, Outcome::kError, Cause::kTimeout},
      {"warnings", {Kind::kPartial, {0.01}}, Outcome::kNoData, Cause::kPartial},
      {"two series", {Kind::kValue, {0.9, 0.9}}, Outcome::kError, Cause::kManySeries},
  };
  std::set<std::string_view> classes;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    World world;
    world.configure(std::string(kBase) + "query = 'errors > 0.05'\nreduce = \"one\"\n");
    world.metrics_are("errors", row.behaviour);
    const std::string id = world.register_rollout(release()).rollout->spec.id;
    world.advance(Millis{24 * 3'600'000});

    const std::vector<StoredEvaluation> slots = world.evaluations(id);
    ASSERT_FALSE(slots.empty());
    for (const StoredEvaluation& slot : slots) {
      EXPECT_EQ(slot.judgement.outcome, row.outcome);
      EXPECT_EQ(slot.judgement.cause, row.cause);
      classes.insert(name_of(slot.judgement.cause));
    }
    EXPECT_EQ(world.rollout(id).state.state, State::kPaused);
    const nlohmann::json call = call_of(world.rollout(id));
    EXPECT_EQ(call.at("fail"), false);
    EXPECT_EQ(call.at("pass"), false);
    EXPECT_EQ(call.at("verdict"), "unknown");
    EXPECT_EQ(call.at("status"), "RUNNING");
    for (const DeliveredOrder& order : world.attempts()) EXPECT_NE(order.kind, "rollback");
  }
  EXPECT_EQ(classes.size(), 6U);
}

// 2. The metrics server is away for ten minutes in mid-rollout: a pause, told once, that ends by
// itself; every slot of the outage is in the history as what it was; and the end is the same as
// without it.
TEST_F(Acceptance, AnOutageOfTenMinutesChangesOnlyWhenItEnds) {
  begin("query = 'errors > 0.05'");
  world.metrics_are("errors", {Behaviour::Kind::kValue, {0.01}});
  world.advance(5 * kMinute);
  ASSERT_EQ(state(), State::kAnalyzing);
  world.whole_source_is(Behaviour::Kind::kDown);
  world.advance(10 * kMinute);
  EXPECT_EQ(state(), State::kPaused);
  EXPECT_EQ(call().at("verdict"), "unknown");
  EXPECT_THAT(told(), ElementsAre("started", "paused"));
  world.whole_source_is(std::nullopt);
  world.advance(kMinute);
  EXPECT_EQ(state(), State::kAnalyzing) << "nobody was asked";
  world.advance(30 * kMinute);

  EXPECT_THAT(told(), ElementsAre("started", "paused", "resumed", "promoted"));
  EXPECT_THAT(orders(), ElementsAre("advance", "pause", "resume", "advance", "promote"));
  std::uint32_t in_vain = 0;
  std::optional<SysTime> next;
  for (const StoredEvaluation& slot : world.evaluations(id)) {
    if (next) {
      EXPECT_EQ(slot.slot, *next) << "every slot is there, once";
    }
    next = slot.last_slot + Millis{30'000};
    if (slot.judgement.outcome == Outcome::kPass) continue;
    EXPECT_EQ(slot.judgement.outcome, Outcome::kError);
    EXPECT_EQ(slot.judgement.cause, Cause::kUnreachable);
    ++in_vain;
  }
  EXPECT_EQ(in_vain, 20U);

  World quiet;
  quiet.configure(std::string(kBase) + "query = 'errors > 0.05'");
  quiet.metrics_are("errors", {Behaviour::Kind::kValue, {0.01}});
  const std::string other = quiet.register_rollout(release()).rollout->spec.id;
  quiet.advance(60 * kMinute);
  EXPECT_EQ(view().state.state, quiet.rollout(other).state.state);
  EXPECT_EQ(view().state.verdict, quiet.rollout(other).state.verdict);
  EXPECT_EQ(view().state.reason, quiet.rollout(other).state.reason);
  EXPECT_EQ(call().at("status"), "SUCCEEDED");
}

// The same with a server that hangs instead: what could not be asked because the question before
// was still out is marked as missed.
TEST_F(Acceptance, AServerThatHangsLeavesMissedSlotsMarked) {
  begin("query = 'errors > 0.05'\ninterval = \"4s\"");
  world.metrics_are("errors", {Behaviour::Kind::kValue, {0.01}});
  world.advance(5 * kMinute);
  world.whole_source_is(Behaviour::Kind::kSlow);
  world.advance(10 * kMinute);
  EXPECT_EQ(state(), State::kPaused);
  world.whole_source_is(std::nullopt);
  world.advance(40 * kMinute);
  EXPECT_EQ(state(), State::kPromoted);
  std::uint32_t missed = 0;
  std::optional<SysTime> next;
  for (const StoredEvaluation& slot : world.evaluations(id)) {
    if (next) {
      EXPECT_EQ(slot.slot, *next);
    }
    next = slot.last_slot + Millis{4'000};
    if (slot.judgement.outcome != Outcome::kMissed) continue;
    EXPECT_EQ(slot.judgement.cause, Cause::kMissedOverlap);
    missed += slot.slots;
  }
  EXPECT_GE(missed, 60U);
  EXPECT_THAT(told(), ElementsAre("started", "paused", "resumed", "promoted"));
}

// 3. No traffic at all: never promoted by itself, and the explanation says out of how many events
// nothing was judged.
TEST_F(Acceptance, WithoutTrafficNothingIsEverPromoted) {
  begin("query = 'errors > 0.05'\nevidence = 'requests'\nmin_evidence = 200");
  world.metrics_are("errors", {Behaviour::Kind::kValue, {0.0}});
  world.metrics_are("requests", {Behaviour::Kind::kValue, {0.0}});
  world.advance(Millis{7 * 24 * 3'600'000});
  EXPECT_EQ(state(), State::kPaused);
  EXPECT_EQ(call().at("pass"), false);
  EXPECT_THAT(orders(), ElementsAre("advance", "pause"));
  EXPECT_EQ(view().state.conditions[0].passes, 0U);
  EXPECT_THAT(call().at("progress_message").get<std::string>(),
              HasSubstr("0 of 200 events in the window"));
  const auto record = world.explain(id);
  ASSERT_TRUE(record.has_value());
  const auto bundle = nlohmann::json::parse(record->bundle);
  EXPECT_EQ(bundle.at("decision").at("kind"), "pause");
  EXPECT_THAT(bundle.at("evaluation").at("arithmetic").get<std::string>(),
              HasSubstr("over 0 events (at least 200 are needed for a pass)"));
}

// 8. Metrics that come 90 s late, which the datasource says: nothing is asked about what has not
// arrived, and what passes is wholly within its step.
TEST_F(Acceptance, NoWindowReachesPastWhatHasArrivedOrBeforeTheStep) {
  begin(R"(datasource = "late"
query = 'rate(errors[{{window}}]) > 0.05'
window = "2m"
[datasource.late]
url = "http://127.0.0.1:9091"
ingestion_delay = "90s"
)");
  world.source_lags(Millis{90'000});
  world.metrics_are("rate(errors[2m])", {Behaviour::Kind::kValue, {0.01}});
  world.advance(60 * kMinute);
  ASSERT_EQ(state(), State::kPromoted);
  for (const AskedQuestion& asked : world.asked())
    EXPECT_LE(asked.question.time, asked.at - Millis{90'000});

  std::vector<SysTime> steps;
  for (const StoredEvent& event : world.events(id))
    if (event.event.type == EventType::kStepBegan) steps.push_back(event.event.at);
  ASSERT_EQ(steps.size(), 2U);
  const Millis window{120'000};
  std::array<std::uint32_t, kOutcomeCount> seen{};
  for (const StoredEvaluation& slot : world.evaluations(id)) {
    ASSERT_GE(slot.step, 0);
    ++seen[static_cast<std::size_t>(slot.judgement.outcome)];
    EXPECT_GE(slot.evaluated_at - window, steps[0]) << "asked about a time before the rollout";
    const bool whole = slot.evaluated_at - window >= steps[static_cast<std::size_t>(slot.step)];
    EXPECT_EQ(slot.judgement.outcome, whole ? Outcome::kPass : Outcome::kInconclusive);
    if (!whole) {
      EXPECT_EQ(slot.judgement.cause, Cause::kReachesBack);
    }
  }
  EXPECT_GT(seen[static_cast<std::size_t>(Outcome::kPass)], 0U);
  EXPECT_GT(seen[static_cast<std::size_t>(Outcome::kInconclusive)], 0U)
      << "the second step saw no window that reaches back: nothing was tried";
}

// 10. A matcher that would be empty, and arms that are equal, are refused with the reason.
TEST(AcceptanceRegistration, WhatCouldNotTellAnythingIsRefused) {
  struct Row {
    const char* name;
    const char* query;
    const char* stable;
    std::map<std::string, std::string> labels, args;
    std::string detail;  // "": it is registered
  };
  const Row rows[] = {
      {"all there",
       R"(e{v="{{candidate}}",r="{{args.r}}",t="{{labels.t}}"} > 1)",
       "1.23",
       {{"t", "web"}},
       {{"r", "eu"}},
       ""},
      {"no argument", R"(e{r="{{args.r}}"} > 1)", "1.23", {}, {}, "args.r"},
      {"an empty argument", R"(e{r="{{args.r}}"} > 1)", "1.23", {}, {{"r", ""}}, "args.r"},
      {"an empty part of a regular expression",
       R"(e{pod=~"x-{{args.hash}}-.*"} > 1)",
       "1.23",
       {},
       {{"hash", ""}},
       "args.hash"},
      {"no label", R"(e{t="{{labels.t}}"} > 1)", "1.23", {}, {}, "labels.t"},
      {"an empty label", R"(e{t="{{labels.t}}"} > 1)", "1.23", {{"t", ""}}, {}, "labels.t"},
      {"equal versions", R"(e{v="{{candidate}}"} > 1)", "1.24", {}, {}, "same as stable"},
      {"not a number", R"(e / {{args.n}} > 1)", "1.23", {}, {{"n", "1) or vector(0"}}, "args.n"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    World world;
    world.configure(std::string(kBase) + "query = '" + row.query + "'");
    RolloutSpec spec = release();
    spec.stable = row.stable;
    spec.labels = row.labels;
    spec.args = row.args;
    const RegisterResult result = world.register_rollout(std::move(spec));
    if (row.detail.empty()) {
      EXPECT_EQ(result.end, RegisterEnd::kCreated);
      continue;
    }
    ASSERT_EQ(result.end, RegisterEnd::kRefused);
    ASSERT_EQ(result.problems.size(), 1U);
    EXPECT_THAT(result.problems[0].detail, HasSubstr(row.detail));
    EXPECT_THAT(result.problems[0].pointer, Not(testing::IsEmpty()));
    EXPECT_FALSE(result.rollout.has_value());
  }
}

}  // namespace
}  // namespace rollwatch
