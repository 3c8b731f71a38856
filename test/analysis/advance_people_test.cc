// What people decide: every state × every decision, and questions.
#include <gtest/gtest.h>

#include "test/analysis/rollout_fixture.h"

namespace rollwatch {
namespace {

// How to get into each state; the plan soaks, and rolls back on failure.
struct Situation {
  const char* name;
  const char* story;
};

struct Cell {
  DecisionKind kind;
  const char* ends;  // the state as one string, or "409 " and the refusal
};

struct SituationRow {
  Situation in;
  Cell cells[6];
};

using enum DecisionKind;

const SituationRow kTable[] = {
    {{"waiting for an approval", ""},
     {{kAdvance, "409 waits for an approval to start: resume it, which gives the approval"},
      {kPromote, "409 it has not begun: waits for an approval to start"},
      {kPause, "409 it is waiting: nothing to pause"},
      {kResume, "waiting pending"},
      {kRollback, "rolling_back pending, out: rollback 0 %"},
      {kCancel, "cancelled pending"}}},
    {{"waiting for something else", "resume"},
     {{kAdvance, "409 it has not begun: it begins at once"},
      {kPromote, "409 it has not begun: it begins at once"},
      {kPause, "409 it is waiting: nothing to pause"},
      {kResume, "409 it is waiting: nothing to resume"},
      {kRollback, "rolling_back pending, out: rollback 0 %"},
      {kCancel, "cancelled pending"}}},
    {{"analyzing, the first order out", "resume begin"},
     {{kAdvance, "409 an order to advance to 5 % is out already"},
      {kPromote, "promoting pending, out: promote 100 %"},
      {kPause, "paused pending, asks: person_paused, out: pause 0 %"},
      {kResume, "409 it is analyzing: nothing to resume"},
      {kRollback, "rolling_back pending, out: rollback 0 %"},
      {kCancel, "cancelled pending"}}},
    {{"analyzing", "resume begin ack pass"},
     {{kAdvance, "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {kPromote, "promoting step 0 (5 %) pending, out: promote 100 %"},
      {kPause, "paused step 0 (5 %) passing, asks: person_paused, out: pause 5 %"},
      {kResume, "409 it is analyzing: nothing to resume"},
      {kRollback, "rolling_back step 0 (5 %) passing, out: rollback 0 %"},
      {kCancel, "cancelled step 0 (5 %) passing"}}},
    {{"analyzing, the next order out", "resume begin ack pass*3"},
     {{kAdvance, "409 an order to advance to 25 % is out already"},
      {kPromote, "promoting step 0 (5 %) pending, out: promote 100 %"},
      {kPause, "paused step 0 (5 %) passing, asks: person_paused, out: pause 5 %"},
      {kResume, "409 it is analyzing: nothing to resume"},
      {kRollback, "rolling_back step 0 (5 %) passing, out: rollback 0 %"},
      {kCancel, "cancelled step 0 (5 %) passing"}}},
    {{"analyzing the last step", "resume begin ack pass*3 ack pass"},
     {{kAdvance, "promoting step 1 (25 %) passing, out: promote 100 %"},
      {kPromote, "promoting step 1 (25 %) pending, out: promote 100 %"},
      {kPause, "paused step 1 (25 %) passing, asks: person_paused, out: pause 25 %"},
      {kResume, "409 it is analyzing: nothing to resume"},
      {kRollback, "rolling_back step 1 (25 %) passing, out: rollback 0 %"},
      {kCancel, "cancelled step 1 (25 %) passing"}}},
    {{"paused by a person", "resume begin ack pass pause"},
     {{kAdvance, "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {kPromote, "promoting step 0 (5 %) pending, out: promote 100 %"},
      {kPause, "409 it is paused already: pause by alice"},
      {kResume, "analyzing step 0 (5 %) pending, out: resume 5 %"},
      {kRollback, "rolling_back step 0 (5 %) passing, out: rollback 0 %"},
      {kCancel, "cancelled step 0 (5 %) passing"}}},
    {{"paused before the first step", "resume begin pause"},
     {{kAdvance, "analyzing pending, out: advance 5 %"},
      {kPromote, "promoting pending, out: promote 100 %"},
      {kPause, "409 it is paused already: pause by alice"},
      {kResume, "analyzing pending, out: advance 5 %"},
      {kRollback, "rolling_back pending, out: rollback 0 %"},
      {kCancel, "cancelled pending"}}},
    {{"paused for want of answers", "resume begin ack empty*31"},
     {{kAdvance, "analyzing step 0 (5 %) unknown, out: advance 25 %"},
      {kPromote, "promoting step 0 (5 %) pending, out: promote 100 %"},
      {kPause, "paused step 0 (5 %) unknown, asks: person_paused, out: pause 5 %"},
      {kResume, "analyzing step 0 (5 %) unknown, out: resume 5 %"},
      {kRollback, "rolling_back step 0 (5 %) unknown, out: rollback 0 %"},
      {kCancel, "cancelled step 0 (5 %) unknown"}}},
    {{"paused, an order expired", "resume begin ack pass*3 expire"},
     {{kAdvance, "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {kPromote, "promoting step 0 (5 %) pending, out: promote 100 %"},
      {kPause, "409 it is paused already: advance to 25 % was not acknowledged in time"},
      {kResume, "analyzing step 0 (5 %) pending, out: resume 5 %"},
      {kRollback, "rolling_back step 0 (5 %) passing, out: rollback 0 %"},
      {kCancel, "cancelled step 0 (5 %) passing"}}},
    {{"paused, the promotion was refused", "resume begin ack pass*3 ack pass*3 refuse"},
     {{kAdvance, "promoting step 1 (25 %) passing, out: promote 100 %"},
      {kPromote, "promoting step 1 (25 %) pending, out: promote 100 %"},
      {kPause, "409 it is paused already: promote was refused: not now"},
      {kResume, "analyzing step 1 (25 %) pending, out: resume 25 %"},
      {kRollback, "rolling_back step 1 (25 %) passing, out: rollback 0 %"},
      {kCancel, "cancelled step 1 (25 %) passing"}}},
    {{"promoting", "resume begin ack pass*3 ack pass*3"},
     {{kAdvance,
       "409 only a rollout that is analyzing or paused can advance; this one is promoting"},
      {kPromote, "promoting step 1 (25 %) pending, out: promote 100 %"},
      {kPause, "paused step 1 (25 %) passing, asks: person_paused, out: pause 25 %"},
      {kResume, "409 it is promoting: nothing to resume"},
      {kRollback, "rolling_back step 1 (25 %) passing, out: rollback 0 %"},
      {kCancel, "cancelled step 1 (25 %) passing"}}},
    {{"soaking", "resume begin ack pass*3 ack pass*3 ack pass"},
     {{kAdvance, "409 only a rollout that is analyzing or paused can advance; this one is soaking"},
      {kPromote, "409 it is soaking: nothing to promote"},
      {kPause, "409 it is soaking: nothing to pause"},
      {kResume, "409 it is soaking: nothing to resume"},
      {kRollback, "rolling_back step 1 (100 %) passing, out: rollback 0 %"},
      {kCancel, "cancelled step 1 (100 %) passing"}}},
    {{"rolling back", "resume begin ack fail*3"},
     {{kAdvance, "409 it is rolling back, which is final: error-rate 0.09 > 0.05, 3 of the last 3"},
      {kPromote, "409 it is rolling back, which is final: error-rate 0.09 > 0.05, 3 of the last 3"},
      {kPause, "409 it is rolling back, which is final: error-rate 0.09 > 0.05, 3 of the last 3"},
      {kResume, "409 it is rolling back, which is final: error-rate 0.09 > 0.05, 3 of the last 3"},
      {kRollback,
       "409 it is rolling back, which is final: error-rate 0.09 > 0.05, 3 of the last 3"},
      {kCancel,
       "409 it is rolling back, which is final: error-rate 0.09 > 0.05, 3 of the last 3"}}},
    {{"promoted", "resume begin ack pass*3 ack pass*3 ack pass*360 wait=0s"},
     {{kAdvance,
       "409 only a rollout that is analyzing or paused can advance; this one is promoted"},
      {kPromote, "409 it is promoted: nothing to promote"},
      {kPause, "409 it is promoted: nothing to pause"},
      {kResume, "409 it is promoted: nothing to resume"},
      {kRollback, "409 it is promoted: register the way back as a rollout"},
      {kCancel, "409 it is promoted already"}}},
    {{"rolled back", "resume begin ack rollback ack"},
     {{kAdvance,
       "409 only a rollout that is analyzing or paused can advance; this one is rolled_back"},
      {kPromote, "409 it is rolled_back: nothing to promote"},
      {kPause, "409 it is rolled_back: nothing to pause"},
      {kResume, "409 it is rolled_back: nothing to resume"},
      {kRollback, "409 it is rolled_back: register the way back as a rollout"},
      {kCancel, "409 it is rolled_back already"}}},
    {{"rollback failed", "resume begin ack rollback refuse"},
     {{kAdvance,
       "409 only a rollout that is analyzing or paused can advance; this one is rollback_failed"},
      {kPromote, "409 it is rollback_failed: nothing to promote"},
      {kPause, "409 it is rollback_failed: nothing to pause"},
      {kResume, "409 it is rollback_failed: nothing to resume"},
      {kRollback,
       "409 it is rollback_failed: have that order sent again (redeliver), or register the way "
       "back as a rollout"},
      {kCancel, "409 it is rollback_failed already"}}},
    {{"cancelled", "cancel"},
     {{kAdvance,
       "409 only a rollout that is analyzing or paused can advance; this one is cancelled"},
      {kPromote, "409 it is cancelled: nothing to promote"},
      {kPause, "409 it is cancelled: nothing to pause"},
      {kResume, "409 it is cancelled: nothing to resume"},
      {kRollback, "409 it is cancelled: register the way back as a rollout"},
      {kCancel, "409 it is cancelled already"}}},
    {{"superseded", "superseded"},
     {{kAdvance,
       "409 only a rollout that is analyzing or paused can advance; this one is superseded"},
      {kPromote, "409 it is superseded: nothing to promote"},
      {kPause, "409 it is superseded: nothing to pause"},
      {kResume, "409 it is superseded: nothing to resume"},
      {kRollback, "409 it is superseded: register the way back as a rollout"},
      {kCancel, "409 it is superseded already"}}},
};

Plan soaking_plan() {
  Plan plan = error_rate();
  plan.approve_start = true;
  plan.soak = duration("1h");
  return plan;
}

TEST(PeopleTest, EveryDecisionInEveryState) {
  std::vector<bool> seen(11, false);
  for (const SituationRow& row : kTable) {
    for (const Cell& cell : row.cells) {
      SCOPED_TRACE(std::string(row.in.name) + ", " + std::string(name_of(cell.kind)));
      Rollout r(soaking_plan());
      r.play(row.in.story);
      seen[static_cast<std::size_t>(r.state.state)] = true;
      const std::string before = r.show();
      const unsigned made = r.state.decisions_made;
      const std::string refusal = r.person(cell.kind);
      EXPECT_EQ(refusal.empty() ? r.show() : "409 " + refusal, cell.ends);
      if (!refusal.empty()) {
        EXPECT_EQ(r.show(), before);
        EXPECT_TRUE(r.last.events.empty() && r.last.decisions.empty() && r.last.orders.empty());
      } else {
        ASSERT_GT(r.state.decisions_made, made) << "what a person decides is recorded";
        EXPECT_EQ(r.last.decisions.front().by, "alice");
        EXPECT_EQ(r.last.decisions.front().number, made + 1);
      }
    }
  }
  for (std::size_t i = 0; i < seen.size(); ++i)
    EXPECT_TRUE(seen[i]) << "no row for " << name_of(static_cast<State>(i));
}

TEST(PeopleTest, ADecisionIsRecordedWithNameAndReason) {
  Rollout r(error_rate());
  r.play("begin ack");
  r.person(DecisionKind::kPause, "lunch");
  EXPECT_EQ(r.state.reason, "pause by alice: lunch");
  ASSERT_EQ(r.last.events.size(), 2U);
  EXPECT_EQ(r.last.events[0].type, EventType::kDecided);
  EXPECT_EQ(r.last.events[1].type, EventType::kPaused);
  for (const Event& event : r.last.events) {
    EXPECT_EQ(event.by, "alice");
    EXPECT_EQ(event.reason, "lunch");
  }
  EXPECT_EQ(r.last.events[1].question, "q1");
}

// Whatever follows at once from a call says by what token and from where it came.
TEST(PeopleTest, WhatACallBringsAboutIsKeptWithItsToken) {
  Rollout r(error_rate());
  r.play("begin ack");
  const Via via("oncall", "192.0.2.7");
  PersonDecided decided;
  decided.kind = kPause;
  decided.by = "ana";
  decided.via = via;
  ASSERT_EQ(r.happens(decided), "");
  ASSERT_FALSE(r.last.decisions.empty());
  ASSERT_FALSE(r.last.events.empty());
  for (const Event& event : r.last.events) EXPECT_EQ(event.via, via) << event.summary;
  for (const Decision& decision : r.last.decisions) EXPECT_EQ(decision.via, via);
  r.now += std::chrono::hours(1);
  r.happens(TimePassed{});
  ASSERT_FALSE(r.last.events.empty()) << "a reminder";
  for (const Event& event : r.last.events) EXPECT_EQ(event.via, Via()) << "the engine's own";
}

TEST(PeopleTest, ADecisionMayNameTheQuestionItAnswers) {
  struct Row {
    const char* name;
    const char* story;
    const char* question;
    const char* refusal;
  };
  const Row rows[] = {
      {"the open one", "begin ack pause", "q1", ""},
      {"one that was answered", "begin ack pause resume pause", "q1",
       "question q1 is no longer open; the open one is q2"},
      {"none is open", "begin ack pause resume", "q1", "question q1 is no longer open"},
      {"it never was", "begin ack", "q7", "question q7 is no longer open"},
      {"the rollout has ended", "begin ack pause cancel", "q1", "question q1 is no longer open"},
      {"nonsense", "begin ack pause", "", "question  is no longer open; the open one is q1"},
  };
  for (const Row& row : rows) {
    for (const DecisionKind kind : {kAdvance, kPromote, kRollback, kCancel}) {
      Rollout r(error_rate());
      r.play(row.story);
      EXPECT_EQ(r.person(kind, "", row.question), row.refusal) << row.name;
    }
  }
}

TEST(PeopleTest, APromotionIsNeverUndoneByTheEngine) {
  const auto soak = [](Plan& p) { p.soak = duration("1h"); };
  expect_stories({
      {"conditions only observe from then on",
       {},
       "begin ack promote fail*9",
       "promoting step 0 (5 %) pending, out: promote 100 %"},
      {"also in the soak", soak, "begin ack promote ack fail*360 wait=0s",
       "promoted step 1 (100 %) passed"},
      {"also when the engine had ordered it", soak,
       "begin ack pass*3 ack pass*3 promote ack fail*9", "soaking step 1 (100 %) pending"},
      {"no patience runs out", soak, "begin ack promote empty*99",
       "promoting step 0 (5 %) pending, out: promote 100 %"},
      {"no deadline either",
       {},
       "begin ack promote wait=48h",
       "promoting step 0 (5 %) pending, out: promote 100 %"},
      {"what stopped it is asked",
       {},
       "begin ack promote refuse",
       "paused step 0 (5 %) pending, asks: order_refused"},
      {"a yes goes there all the same",
       {},
       "begin ack promote refuse resume",
       "promoting step 0 (5 %) pending, out: promote 100 %"},
      {"also after a pause",
       {},
       "begin ack promote pause resume",
       "promoting step 0 (5 %) pending, out: promote 100 %"},
      {"a person may roll back", soak, "begin ack promote ack rollback",
       "rolling_back step 1 (100 %) pending, out: rollback 0 %"},
  });
  Rollout observed(error_rate(), "deployer", true);
  observed.play("begin refuse resume");
  EXPECT_EQ(observed.show(), "promoting pending, out: promote 100 %");
}

TEST(PeopleTest, AYesBeginsTheStepAfresh) {
  Plan plan = error_rate();
  windowed(plan.conditions[0], "1m");
  plan.conditions[0].fail_after = plan.conditions[0].within = 2;
  Rollout r(plan);
  r.play("begin ack fail pause resume");
  const SysTime resumed = r.now;
  EXPECT_EQ(r.state.step_since, resumed);
  EXPECT_EQ(r.state.hold_since, resumed);
  r.play("fail");
  EXPECT_EQ(r.now - resumed, duration("1m")) << "the first slot has a whole window again";
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) failing, out: resume 5 %") << "counts begin afresh";
}

// The question was asked before the yes, so its answer says nothing about the step that began with
// it.
TEST(PeopleTest, AnAnswerThatWasOutDuringTheYesHasNoEffect) {
  Plan plan = error_rate();
  plan.conditions[0].fail_after = plan.conditions[0].within = 1;
  plan.conditions[0].on_fail = OnFail::kPause;
  Rollout r(plan);
  r.play("begin ack fail");
  ASSERT_EQ(r.show(), "paused step 0 (5 %) failed, asks: condition_failed, out: pause 5 %");
  const std::int64_t slot = r.state.conditions[0].last_slot + 1;
  const SysTime at = Grid{Millis(0), duration("10s")}.at(slot);
  r.now = at;
  r.play("resume");
  r.now += Millis(100);
  r.happens(SlotAnswered{0, slot, at, Answer{Scalar{0.5}, {}, false, nullptr, {}}, std::nullopt});
  EXPECT_EQ(r.state.state, State::kAnalyzing);
  EXPECT_EQ(r.last.evaluations.size(), 1U) << "recorded all the same";
  EXPECT_EQ(r.of("error-rate").last_slot, slot);
  r.play("fail");
  EXPECT_EQ(r.state.state, State::kPaused);
}

TEST(PeopleTest, CancellingSaysWhereTheTrafficIs) {
  struct Row {
    const char* name;
    std::function<Plan()> plan;
    const char* story;
    const char* reason;
  };
  const Row rows[] = {
      {"nothing was ordered", error_rate, "cancel",
       "cancel by alice; traffic stays as it is, with 0 % on 1.24"},
      {"at a step", error_rate, "begin ack pass*3 ack cancel",
       "cancel by alice; traffic stays as it is, with 25 % on 1.24"},
      {"an order is out", error_rate, "begin ack pass*3 cancel",
       "cancel by alice; traffic stays as it is, with 5 % on 1.24"},
      {"soaking", soaking_plan, "resume begin ack promote ack cancel",
       "cancel by alice; traffic stays as it is, with 100 % on 1.24"},
      {"a weight nobody knows", [] { return for_duration("5m"); }, "begin cancel",
       "cancel by alice; traffic stays as it is"},
  };
  for (const Row& row : rows) {
    Rollout r(row.plan());
    r.play(row.story);
    EXPECT_EQ(r.state.reason, row.reason) << row.name;
    EXPECT_TRUE(r.state.ended_at) << row.name;
    EXPECT_FALSE(r.state.order) << row.name;
  }
}

TEST(PeopleTest, WhatADurationPlanRefuses) {
  Rollout r(for_duration("5m"));
  r.play("begin");
  EXPECT_EQ(r.person(DecisionKind::kAdvance),
            "this rollout has one step without a weight: promote it instead");
  EXPECT_EQ(r.report(25),
            "this rollout has one step without a weight: there is no progress to report");
  Rollout asked(error_rate(), "");
  asked.play("begin report=5");
  EXPECT_EQ(asked.person(DecisionKind::kAdvance),
            "this rollout has no orchestrator: its steps move by what is reported to /progress");
}

}  // namespace
}  // namespace rollwatch
