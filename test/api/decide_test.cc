// What people, tools and orchestrators say.
#include <nlohmann/json.hpp>

#include "test/api/api_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DecideTest : public ApiTest {
 protected:
  DecideTest() {
    service.rollouts["ro_1"] = sample_rollout();
    service.decide_answer.end = DecideEnd::kDone;
    service.decide_answer.rollout = sample_rollout();
  }
  ServerResponse post(const std::string& verb, const std::string& body, Headers headers = {}) {
    return ask("POST", "/api/v1/rollouts/ro_1/" + verb, body, std::move(headers));
  }
};

TEST_F(DecideTest, EachVerbIsItsDecision) {
  struct Row {
    const char* verb;
    DecisionKind kind;
  };
  const Row rows[] = {{"advance", DecisionKind::kAdvance},   {"promote", DecisionKind::kPromote},
                      {"pause", DecisionKind::kPause},       {"resume", DecisionKind::kResume},
                      {"rollback", DecisionKind::kRollback}, {"cancel", DecisionKind::kCancel}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.verb);
    const ServerResponse response =
        post(row.verb, R"({"reason":"seen\nit","by":"ann","question":"q2"})");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(header(response, "ETag"), "\"r7\"");
    EXPECT_EQ(nlohmann::json::parse(response.body).at("id"), "ro_1");
    const PersonDecided& decided = service.decisions.back();
    EXPECT_EQ(decided.kind, row.kind);
    EXPECT_EQ(decided.reason, "seen\nit");
    EXPECT_EQ(decided.by, "ann");
    EXPECT_EQ(decided.question, "q2");
  }
}

// Said as it is: "nothing was changed, try again" would have an `advance` done twice.
TEST_F(DecideTest, WhatMayHaveBeenRecordedIs504) {
  service.is_uncertain = true;
  const ServerResponse response = post("advance", R"({"reason":"x","by":"ann"})");
  EXPECT_EQ(problem_of(response),
            "504 the store went away while this was being recorded; it may have been done all the "
            "same, or a part of it: look before you try again");
  EXPECT_EQ(header(response, "Retry-After"), "");
}

TEST_F(DecideTest, ExtendSaysByHowMuch) {
  EXPECT_EQ(post("extend", R"({"for":"1h30m","reason":"slow start","by":"ann"})").status, 200);
  EXPECT_EQ(service.decisions.back().kind, DecisionKind::kExtend);
  EXPECT_EQ(service.decisions.back().span, Millis{5'400'000});
  EXPECT_EQ(service.decisions.back().by, "ann");
  EXPECT_EQ(post("extend", R"({"for":"1s"})").status, 200);
  EXPECT_EQ(post("extend", R"({"for":"30d"})").status, 200);
  service.decisions.clear();
  struct Row {
    const char* body;
    const char* problem;
  };
  const Row rows[] = {
      {"", "422 /for: is required"},
      {R"({"reason":"x"})", "422 /for: is required"},
      {R"({"for":600})", "422 /for: must be a duration in quotes"},
      {R"({"for":"ten"})", "422 /for: must be a duration in quotes"},
      {R"({"for":"999ms"})", "422 /for: must be at least \"1s\""},
      {R"({"for":"31d"})", "422 /for: must be at most \"30d\""},
      {R"({"for":"-5m"})", "422 /for: must be a duration in quotes"},
  };
  for (const Row& row : rows)
    EXPECT_THAT(problem_of(post("extend", row.body)), testing::StartsWith(row.problem)) << row.body;
  EXPECT_THAT(service.decisions, IsEmpty());
}

TEST_F(DecideTest, ABodyMayBeLeftOut) {
  EXPECT_EQ(post("pause", "").status, 200);
  EXPECT_EQ(service.decisions.back().by, "local");
  EXPECT_EQ(service.decisions.back().reason, "");
  EXPECT_FALSE(service.decisions.back().question.has_value());
}

TEST_F(DecideTest, BadBodiesDecideNothing) {
  struct Row {
    const char* body;
    const char* problem;
  };
  const Row rows[] = {
      {"{", "400 "},
      {"[]", "422 : must be a JSON object, not a list"},
      {R"({"raeson":"x"})", "422 /raeson: unknown key \"raeson\": did you mean \"reason\"?"},
      {R"({"reason":1})", "422 /reason: must be a string"},
      {R"({"by":""})", "422 /by: must not be empty"},
      {R"({"for":"10m"})", "422 /for: unknown key"},
      {R"({"question":["q1"]})", "422 /question: must be a string"},
  };
  for (const Row& row : rows)
    EXPECT_THAT(problem_of(post("rollback", row.body)), testing::StartsWith(row.problem))
        << row.body;
  EXPECT_THAT(service.decisions, IsEmpty());
}

TEST_F(DecideTest, WhatIsNotPossibleNowIs409) {
  service.decide_answer.end = DecideEnd::kConflict;
  service.decide_answer.why = "it is rolling back, which is final";
  EXPECT_EQ(problem_of(post("promote", "")), "409 it is rolling back, which is final");
}

TEST_F(DecideTest, AnUnknownRolloutIs404) {
  EXPECT_EQ(problem_of(ask("POST", "/api/v1/rollouts/ro_9/pause")),
            "404 there is no rollout \"ro_9\"");
  EXPECT_THAT(service.decisions, IsEmpty());
}

TEST_F(DecideTest, ADecisionOnWhatHasChangedIs412) {
  EXPECT_THAT(problem_of(post("promote", "", {{"if-match", "\"r6\""}})),
              HasSubstr("412 the rollout has changed: it is analyzing now, with the ETag \"r7\""));
  EXPECT_THAT(service.decisions, IsEmpty());
  EXPECT_EQ(post("promote", "", {{"if-match", "\"r7\""}}).status, 200);
  EXPECT_EQ(post("promote", "", {{"if-match", "*"}}).status, 200);
}

// It was held against what is on disk, and decided about what was being recorded.
TEST_F(DecideTest, WhatADecisionIsForIsSaidToTheEngine) {
  for (const char* tag : {"\"r7\"", "W/\"r7\"", "\"r1\", \"r7\"", "*", ""})
    EXPECT_EQ(post("promote", "", *tag == '\0' ? Headers{} : Headers{{"if-match", tag}}).status,
              200)
        << tag;
  EXPECT_THAT(service.revisions, ElementsAre(7U, 7U, 7U, std::nullopt, std::nullopt));

  service.decide_answer.end = DecideEnd::kChanged;
  service.decide_answer.rollout->state.revision = 8;
  EXPECT_THAT(problem_of(post("promote", "", {{"if-match", "\"r7\""}})),
              HasSubstr("412 the rollout has changed: it is analyzing now, with the ETag \"r8\""));
}

TEST_F(DecideTest, ProgressIsReported) {
  EXPECT_EQ(
      post("progress", R"({"weight":25,"since":"2026-01-02T04:04:05.5+01:00","by":"argo"})").status,
      200);
  EXPECT_EQ(service.reports.back().weight, 25);
  EXPECT_EQ(service.reports.back().since, kSampleTime - Millis(178));
  EXPECT_EQ(service.reports.back().by, "argo");
  EXPECT_EQ(post("progress", R"({"weight":0.5})").status, 200);
  EXPECT_EQ(service.reports.back().since, kSampleTime);
}

TEST_F(DecideTest, BadProgressIsRefused) {
  struct Row {
    const char* body;
    const char* problem;
  };
  const Row rows[] = {
      {"", "400 "},
      {"{}", "422 /weight: is required"},
      {R"({"weight":"25"})", "422 /weight: must be a number"},
      {R"({"weight":101})", "422 /weight: must be a number from 0 to 100"},
      {R"({"weight":-1})", "422 /weight: must be a number from 0 to 100"},
      {R"({"weight":25,"since":"yesterday"})", "422 /since: must be a time"},
      {R"({"weight":25,"since":5})", "422 /since: must be a string"},
      {R"({"weight":25,"since":"2026-01-02T04:04:05Z"})", "422 /since: lies in the future"},
      {R"({"weigth":25})", "422 /weight: is required | /weigth: unknown key"},
  };
  for (const Row& row : rows)
    EXPECT_THAT(problem_of(post("progress", row.body)), testing::StartsWith(row.problem))
        << row.body;
  EXPECT_THAT(service.reports, IsEmpty());
}

TEST_F(DecideTest, LateAcknowledgementsArePassedOn) {
  const std::string ack = "/api/v1/deliveries/ord_1-1/ack";
  EXPECT_EQ(ask("POST", ack, R"({"status":"done"})").status, 200);
  EXPECT_EQ(ask("POST", ack, R"({"status":"refused","detail":"no capacity"})").status, 200);
  EXPECT_THAT(service.acknowledged, ElementsAre("ord_1-1 done ", "ord_1-1 refused no capacity"));
  EXPECT_THAT(problem_of(ask("POST", ack, R"({"status":"ok"})")),
              HasSubstr("422 /status: must be \"done\" or \"refused\""));
  EXPECT_THAT(problem_of(ask("POST", ack, "{}")), HasSubstr("422 /status: is required"));
  service.decide_answer = {};
  EXPECT_EQ(problem_of(ask("POST", ack, R"({"status":"done"})")),
            "404 there is no delivery \"ord_1-1\"");
  service.decide_answer = {DecideEnd::kConflict, "a later order was given", std::nullopt};
  EXPECT_EQ(problem_of(ask("POST", ack, R"({"status":"done"})")), "409 a later order was given");
}

TEST_F(DecideTest, HowItEndedIsLabelled) {
  const std::string label = "/api/v1/rollouts/ro_1/label";
  RolloutView view = sample_rollout();
  const std::string tag = etag_of(view);
  view.label = DecisionLabel{false, "ana", "the load test", kSampleTime};
  service.label_answer = {DecideEnd::kDone, "", view};
  const auto response =
      ask("POST", label, R"({"label": "wrong", "reason": "the load test", "by": "ana"})");
  ASSERT_EQ(response.status, 200) << response.body;
  const auto body = nlohmann::json::parse(response.body);
  EXPECT_EQ(body.at("label").at("label"), "wrong");
  EXPECT_EQ(body.at("label").at("reason"), "the load test");
  EXPECT_EQ(body.at("label").at("by"), "ana");
  EXPECT_NE(etag_of(view), tag) << "who has it from before asks again";
  EXPECT_THAT(service.labelled, ElementsAre("wrong by ana: the load test"));

  EXPECT_THAT(problem_of(ask("POST", label, R"({"label": "bad", "reason": "x"})")),
              HasSubstr("422 /label: must be \"right\" or \"wrong\""));
  EXPECT_THAT(problem_of(ask("POST", label, R"({"label": "right"})")),
              HasSubstr("422 /reason: is required"));
  EXPECT_THAT(problem_of(ask("POST", label, R"({"reason": "x"})")),
              HasSubstr("422 /label: is required"));
  EXPECT_EQ(service.labelled.size(), 1U);
  service.label_answer = {DecideEnd::kConflict, "it is analyzing: only", {}};
  EXPECT_EQ(problem_of(ask("POST", label, R"({"label": "right", "reason": "x"})")),
            "409 it is analyzing: only");
  service.label_answer = {};
  EXPECT_EQ(problem_of(ask("POST", label, R"({"label": "right", "reason": "x"})")),
            "404 there is no such rollout any more");
}

TEST_F(DecideTest, WhatIsSentAgainIsShownAsItIsNow) {
  Delivery rollback;
  rollback.id = "ord_1-3";
  rollback.kind = "rollback";
  service.redeliver_answer = {DecideEnd::kDone, "", rollback};
  const auto response = ask("POST", "/api/v1/deliveries/ord_1-3/redeliver",
                            R"({"by": "ana", "reason": "the balancer is back"})");
  EXPECT_EQ(response.status, 200) << response.body;
  const auto body = nlohmann::json::parse(response.body);
  EXPECT_EQ(body.at("id"), "ord_1-3");
  EXPECT_EQ(body.at("state"), "pending");
  EXPECT_THAT(service.redelivered, ElementsAre("ord_1-3 by ana: the balancer is back"));
  EXPECT_EQ(ask("POST", "/api/v1/deliveries/ord_1-3/redeliver").status, 200)
      << "a body is not needed";

  service.redeliver_answer = {DecideEnd::kConflict, "it is done: only what could", {}};
  EXPECT_EQ(problem_of(ask("POST", "/api/v1/deliveries/ord_1-3/redeliver")),
            "409 it is done: only what could");
  service.redeliver_answer = {};
  EXPECT_EQ(problem_of(ask("POST", "/api/v1/deliveries/no_9/redeliver")),
            "404 there is no delivery \"no_9\"");
  EXPECT_EQ(ask("POST", "/api/v1/deliveries/no_9/redeliver", R"({"who": "ana"})").status, 422);
}

}  // namespace
}  // namespace rollwatch
