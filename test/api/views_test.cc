#include "daemon/api/views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "analysis/judge.h"
#include "test/api/sample_rollout.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

TEST(RolloutJson, HasEveryFieldInOrder) {
  RolloutView view = sample_rollout();
  view.spec.labels["tier"] = "web";
  view.spec.orchestrator = "deployer";
  view.fence = 1767323045678;
  view.state.verdict = Verdict::kFailing;
  ConditionState& errors = view.state.conditions[0];
  errors.last_slot = 58910768;
  errors.phase_ms = 5678;
  errors.counts = {3, 1, 0, 0, 0, 2};
  errors.recent.resize(1);
  errors.recent[0].failing = true;
  errors.last = Judgement{};
  errors.last->outcome = Outcome::kFail;
  errors.last->cause = Cause::kBeyondLimit;
  errors.last->value = 0.083;
  errors.last->rule = Comparison{CompareOp::kGreater, 0.05};
  view.next_slots[0] = kSampleTime + Millis(30'000);
  OpenOrder order;
  order.kind = DecisionKind::kAdvance;
  order.number = 2;
  order.weight = 25;
  order.at = kSampleTime;
  view.state.order = order;

  Json json = rollout_json(view);
  EXPECT_EQ(json["analysis"]["soak"], "15m");
  EXPECT_TRUE(json["analysis_sources"].is_object());
  json.erase("analysis");
  json.erase("analysis_sources");
  EXPECT_EQ(json.dump(1), R"({
 "id": "ro_1",
 "namespace": "payments",
 "service": "checkout",
 "target": "eu-1",
 "stable": "1.23",
 "candidate": "1.24",
 "attempt": 1,
 "policy": [
  "http",
  "slow"
 ],
 "state": "analyzing",
 "verdict": "failing",
 "reason": "watching at 5 %",
 "step": {
  "index": 0,
  "weight": 5,
  "since": "2026-01-02T03:04:05.678Z",
  "count": 2
 },
 "weight": 5,
 "conditions": [
  {
   "name": "error-rate",
   "verdict": "failing",
   "on_fail": "rollback",
   "value": 0.083,
   "rule": "> 0.05",
   "last": {
    "slot": "2026-01-02T03:04:05.678Z",
    "outcome": "fail",
    "detail": "0.083 > 0.05"
   },
   "counts": {
    "pass": 3,
    "fail": 1,
    "inconclusive": 0,
    "no_data": 0,
    "error": 0,
    "missed": 2
   },
   "next_slot": "2026-01-02T03:04:35.678Z"
  },
  {
   "name": "alerts",
   "verdict": "pending",
   "on_fail": "pause",
   "value": null,
   "rule": "any",
   "last": null,
   "counts": {
    "pass": 0,
    "fail": 0,
    "inconclusive": 0,
    "no_data": 0,
    "error": 0,
    "missed": 0
   },
   "next_slot": null
  }
 ],
 "question": null,
 "freeze": null,
 "order": {
  "id": "ord_1-2",
  "kind": "advance",
  "weight": 25,
  "accepted": false,
  "since": "2026-01-02T03:04:05.678Z"
 },
 "fence": 1767323045678,
 "next_slot": "2026-01-02T03:04:35.678Z",
 "orchestrator": "deployer",
 "notify": [],
 "labels": {
  "tier": "web"
 },
 "args": {},
 "by": "ci",
 "links": {},
 "observe": false,
 "revision": 7,
 "created_at": "2026-01-02T03:04:05.678Z",
 "updated_at": "2026-01-02T03:04:05.678Z",
 "ended_at": null,
 "label": null
})");
}

TEST(RolloutJson, AFreshOneHasNoStepAndSaysWhatItWaitsFor) {
  RolloutView view = sample_rollout();
  view.spec.stable = "";
  view.state = RolloutState();
  view.state.conditions.resize(2);
  view.state.waits_for = "waits for approval";
  view.state.reason = "registered";
  const Json json = rollout_json(view);
  EXPECT_EQ(json["stable"], nullptr);
  EXPECT_EQ(json["step"], nullptr);
  EXPECT_EQ(json["order"], nullptr);
  EXPECT_EQ(json["fence"], nullptr);
  EXPECT_EQ(json["orchestrator"], nullptr);
  EXPECT_EQ(json["reason"], "waits for approval");
}

TEST(RolloutJson, ShowsTheOpenQuestion) {
  RolloutView view = sample_rollout();
  view.state.state = State::kPaused;
  OpenQuestion question;
  question.kind = QuestionKind::kNoAnswers;
  question.number = 3;
  question.since = kSampleTime;
  question.text = "error-rate has had no answer for 5m";
  view.state.question = question;
  EXPECT_EQ(rollout_json(view)["question"].dump(),
            R"({"id":"q3","kind":"no_answers","text":"error-rate has had no answer for 5m",)"
            R"("since":"2026-01-02T03:04:05.678Z","lifts_itself":true})");
  view.state.question->kind = QuestionKind::kApproveStep;
  EXPECT_EQ(rollout_json(view)["question"]["lifts_itself"], false);
}

TEST(RolloutJson, AStepOfADurationHasNoWeight) {
  const RolloutView view =
      sample_rollout("ro_1", R"({"duration":"10m","condition":[{"name":"e","query":"up > 0"}]})");
  EXPECT_EQ(rollout_json(view)["step"]["weight"], nullptr);
  EXPECT_EQ(rollout_json(view)["step"]["count"], 1);
}

TEST(RuleText, SaysWhatDecides) {
  struct Row {
    const char* condition;
    const char* text;
  };
  const Row rows[] = {
      {R"("query":"up > 0.05")", "> 0.05"},
      {R"("query":"up","fail_if":">= 3","pass_if":"< 2")", ">= 3"},
      {R"("query":"up","pass_if":"< 2")", "pass < 2"},
      {R"("query":"up","fail_if":"none")", "none"},
      {R"("query":"up","fail_if":"any","evidence":"up")", "any"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.condition);
    const RolloutView view =
        sample_rollout("ro_1", std::string(R"({"duration":"10m","condition":[{"name":"e",)") +
                                   row.condition + "}]}");
    EXPECT_EQ(rule_text(view.plan->conditions[0]), row.text);
  }
}

TEST(VerdictJson, EveryStateIsTold) {
  struct Row {
    State state;
    int step;
    bool final, pass, fail;
    int percent;
    const char* status;
  };
  const Row rows[] = {
      {State::kWaiting, -1, false, false, false, 0, "RUNNING"},
      {State::kAnalyzing, -1, false, false, false, 0, "RUNNING"},
      {State::kAnalyzing, 0, false, false, false, 16, "RUNNING"},
      {State::kAnalyzing, 1, false, false, false, 46, "RUNNING"},
      {State::kPaused, 0, false, false, false, 16, "RUNNING"},
      {State::kPromoting, 1, false, true, false, 66, "RUNNING"},
      {State::kSoaking, 1, false, true, false, 99, "RUNNING"},
      {State::kRollingBack, 1, false, false, true, 46, "RUNNING"},
      {State::kPromoted, 1, true, true, false, 100, "SUCCEEDED"},
      {State::kRolledBack, 1, true, false, true, 46, "TERMINAL"},
      {State::kRollbackFailed, 1, true, false, true, 46, "TERMINAL"},
      {State::kCancelled, 1, true, false, false, 46, "CANCELED"},
      {State::kSuperseded, 0, true, false, false, 16, "CANCELED"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(name_of(row.state)) + " in step " + std::to_string(row.step));
    RolloutView view = sample_rollout();
    view.state.state = row.state;
    view.state.step = row.step;
    if (row.step < 0) view.state.hold_since.reset();
    // A minute of two, or of five, has passed.
    view.state.updated_at = kSampleTime + Millis(row.step == 1 ? 120'000 : 60'000);
    const Json json = verdict_json(view);
    EXPECT_EQ(json["state"], name_of(row.state));
    EXPECT_EQ(json["final"], row.final);
    EXPECT_EQ(json["pass"], row.pass);
    EXPECT_EQ(json["fail"], row.fail);
    EXPECT_EQ(json["percent"], row.percent);
    EXPECT_EQ(json["status"], row.status);
    EXPECT_TRUE(json["progress_message"].is_string());
  }
}

TEST(VerdictJson, HasEveryFieldInOrder) {
  RolloutView view = sample_rollout();
  view.next_slots[1] = kSampleTime;
  view.next_slots[0] = kSampleTime + Millis(1);
  EXPECT_EQ(
      verdict_json(view).dump(),
      R"({"id":"ro_1","state":"analyzing","verdict":"pending","final":false,"pass":false,"fail":false,)"
      R"("percent":0,"status":"RUNNING","progress_message":"analyzing, step 1 of 2: watching at 5 %",)"
      R"("reason":"watching at 5 %","next_slot":"2026-01-02T03:04:05.678Z"})");
}

TEST(VerdictJson, AMessageNeedsNoReason) {
  RolloutView view = sample_rollout();
  view.state = RolloutState();
  view.state.conditions.resize(2);
  EXPECT_EQ(verdict_json(view)["progress_message"], "waiting");
}

TEST(EvaluationJson, HasEveryFieldInOrder) {
  StoredEvaluation evaluation;
  evaluation.number = 4;
  evaluation.condition = "error-rate";
  evaluation.slot = evaluation.last_slot = kSampleTime;
  evaluation.evaluated_at = kSampleTime - Millis(15'000);
  evaluation.judgement.outcome = Outcome::kFail;
  evaluation.judgement.cause = Cause::kBeyondLimit;
  evaluation.judgement.value = 0.083;
  evaluation.judgement.rule = Comparison{CompareOp::kGreater, 0.05};
  evaluation.judgement.series = "{pod=\"a\"}";
  evaluation.step = 1;
  evaluation.duration = Millis(12);
  EXPECT_EQ(
      evaluation_json(evaluation, *sample_rollout().plan).dump(),
      R"({"number":4,"condition":"error-rate","slot":"2026-01-02T03:04:05.678Z",)"
      R"("evaluated_at":"2026-01-02T03:03:50.678Z","outcome":"fail","cause":"beyond_limit","value":0.083,)"
      R"("rule":"> 0.05","series":"{pod=\"a\"}","evidence":null,"detail":"0.083 > 0.05 at {pod=\"a\"}",)"
      R"("duration_ms":12,"step":1})");
}

TEST(EvaluationJson, WhatIsNoNumberIsNullBesideItsOutcome) {
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    StoredEvaluation evaluation;
    evaluation.judgement.outcome = Outcome::kNoData;
    evaluation.judgement.cause = Cause::kNotANumber;
    evaluation.judgement.value = value;
    const Json json = evaluation_json(evaluation, *sample_rollout().plan);
    EXPECT_EQ(json["value"], nullptr);
    EXPECT_EQ(json["outcome"], "no_data");
    EXPECT_EQ(json["step"], nullptr);
  }
}

// The rule is the condition's whether or not there was a number to hold it against.
TEST(EvaluationJson, TheRuleIsThereWithoutANumber) {
  struct Row {
    const char* condition;
    const char* rule;
  };
  for (const Row& row : {Row{"error-rate", "> 0.05"}, Row{"alerts", "any"}}) {
    StoredEvaluation evaluation;
    evaluation.condition = row.condition;
    evaluation.judgement.outcome = Outcome::kNoData;
    evaluation.judgement.cause = Cause::kNoSeries;
    EXPECT_EQ(evaluation_json(evaluation, *sample_rollout().plan)["rule"], row.rule);
  }
}

TEST(EvaluationJson, ARunOfMissedSlotsIsOneRow) {
  StoredEvaluation evaluation;
  evaluation.slot = kSampleTime;
  evaluation.last_slot = kSampleTime + Millis(90'000);
  evaluation.slots = 4;
  const Json json = evaluation_json(evaluation, *sample_rollout().plan);
  EXPECT_EQ(json["outcome"], "missed");
  EXPECT_EQ(json["slots"], 4);
  EXPECT_EQ(json["last_slot"], "2026-01-02T03:05:35.678Z");
}

TEST(EventJson, ShowsWhatIsSet) {
  StoredEvent stored;
  stored.seq = 42;
  stored.rollout = "ro_1";
  stored.event.type = EventType::kDecided;
  stored.event.at = kSampleTime;
  stored.event.state = State::kRollingBack;
  stored.event.summary = "rollback: error-rate 0.083 > 0.05";
  stored.event.by = "engine";
  RolloutSpec spec;
  spec.id = "ro_1";
  EXPECT_EQ(
      event_json(stored, spec).dump(),
      R"({"seq":42,"at":"2026-01-02T03:04:05.678Z","type":"decided","rollout":"ro_1","data":)"
      R"({"state":"rolling_back","summary":"rollback: error-rate 0.083 > 0.05","verdict":"pending","by":"engine"}})");
  stored.event.step = 1;
  stored.event.weight = 25;
  stored.event.reason = "because";
  stored.event.condition = "error-rate";
  stored.event.value = 0.083;
  stored.event.rule = "> 0.05";
  stored.event.verdict = Verdict::kFailed;
  stored.event.kind = DecisionKind::kRollback;
  stored.event.decision = 2;
  stored.event.order = 3;
  stored.event.question = "q1";
  EXPECT_EQ(
      event_json(stored, spec)["data"].dump(),
      R"({"state":"rolling_back","summary":"rollback: error-rate 0.083 > 0.05","verdict":"failed","by":"engine",)"
      R"("step":1,"weight":25,"reason":"because","condition":"error-rate","value":0.083,"rule":"> 0.05",)"
      R"("kind":"rollback","decision":"de_1-2","order":"ord_1-3","question":"q1"})");
}

TEST(DeliveryJson, ShowsEveryAttemptAndNeverThePayload) {
  Delivery delivery;
  delivery.id = "ord_1-3";
  delivery.kind = "rollback";
  delivery.rollout = "ro_1";
  delivery.target = "deployer";
  delivery.fence = 7;
  delivery.state = DeliveryState::kRefused;
  delivery.created_at = delivery.expires_at = kSampleTime;
  delivery.payload = "{\"hidden\":true}";
  Attempt failed;
  failed.at = kSampleTime;
  failed.error = "connection refused";
  Attempt refused;
  refused.at = kSampleTime;
  refused.status = 409;
  refused.duration = Millis(8);
  refused.answer = "no\xff";
  delivery.attempts = {failed, refused};
  EXPECT_EQ(
      dump(delivery_json(delivery)),
      R"({"id":"ord_1-3","class":"order","kind":"rollback","rollout":"ro_1","target":"deployer","state":"refused",)"
      R"("created_at":"2026-01-02T03:04:05.678Z","expires_at":"2026-01-02T03:04:05.678Z","attempts":[)"
      R"({"at":"2026-01-02T03:04:05.678Z","status":null,"error":"connection refused","duration_ms":0,"answer":""},)"
      R"({"at":"2026-01-02T03:04:05.678Z","status":409,"error":null,"duration_ms":8,"answer":"no)"
      "\xEF\xBF\xBD"
      R"("}],"weight":0,"fence":7})");
}

TEST(DeliveryJson, ANotificationHasNeitherWeightNorFence) {
  Delivery delivery;
  delivery.cls = DeliveryClass::kNotification;
  const Json json = delivery_json(delivery);
  EXPECT_EQ(json["class"], "notification");
  EXPECT_FALSE(json.contains("fence"));
}

}  // namespace
}  // namespace rollwatch
