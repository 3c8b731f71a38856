#include "daemon/cli/render.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/cli/exit_code.h"
#include "daemon/cli/explain.h"
#include "daemon/cli/problem.h"
#include "daemon/cli/trend.h"

namespace rollwatch {
namespace {

using nlohmann::json;

json running() {
  return json::parse(R"({
    "id": "ro_1", "namespace": "payments", "service": "checkout", "target": "eu-1", "stable": "1.23",
    "candidate": "1.24", "attempt": 1, "policy": ["http"], "state": "analyzing", "verdict": "passing",
    "reason": "2 of 3 passes", "step": {"index": 1, "weight": 25, "since": "2026-01-02T03:04:00.000Z", "count": 3},
    "weight": 25, "conditions": [{"name": "error-rate", "verdict": "passing", "on_fail": "rollback", "value": 0.0123,
      "rule": "> 0.05", "last": {"slot": "2026-01-02T03:04:30.000Z", "outcome": "pass", "detail": ""},
      "counts": {"pass": 2, "fail": 0, "inconclusive": 1, "no_data": 0, "error": 0, "missed": 0},
      "next_slot": "2026-01-02T03:05:00.000Z"}],
    "question": null, "order": null, "fence": 5, "orchestrator": "deployer", "notify": ["releases"],
    "labels": {"tier": "web"}, "args": {}, "by": "ci@1", "links": {}, "created_at": "2026-01-02T03:00:00.000Z",
    "updated_at": "2026-01-02T03:04:30.000Z", "ended_at": null})");
}

json paused(bool lifts_itself) {
  json rollout = running();
  rollout["state"] = "paused";
  rollout["verdict"] = "unknown";
  rollout["reason"] = "no answers for 5m";
  rollout["question"] = {
      {"id", "q_1"}, {"text", "no answers for 5m, go on?"}, {"lifts_itself", lifts_itself}};
  return rollout;
}

TEST(ExitCodes, SayHowARolloutEnded) {
  struct Row {
    const char* state;
    std::optional<ExitCode> end;
  };
  const Row rows[] = {
      {"waiting", std::nullopt},
      {"analyzing", std::nullopt},
      {"promoting", std::nullopt},
      {"soaking", std::nullopt},
      {"rolling_back", std::nullopt},
      {"promoted", ExitCode::kPromoted},
      {"rolled_back", ExitCode::kRolledBack},
      {"rollback_failed", ExitCode::kRollbackFailed},
      {"cancelled", ExitCode::kCancelled},
      {"superseded", ExitCode::kCancelled},
      {"paused", ExitCode::kWaitsForPerson},  // by a person, without a question
      {"a later version's", std::nullopt},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(end_of({{"state", row.state}, {"question", nullptr}}), row.end) << row.state;
  }
  EXPECT_EQ(end_of(paused(false)), ExitCode::kWaitsForPerson);
  EXPECT_EQ(end_of(paused(true)), std::nullopt);
  json approval{{"state", "waiting"}, {"question", {{"id", "q1"}, {"lifts_itself", false}}}};
  EXPECT_EQ(end_of(approval), ExitCode::kWaitsForPerson);
}

TEST(Render, AFreezeIsToldOnce) {
  json frozen = running();
  frozen["freeze"] = "frozen by ana: stocktaking";
  EXPECT_EQ(progress_text(frozen),
            "analyzing, step 2 of 3, weight 25, passing: 2 of 3 passes (frozen by ana: "
            "stocktaking)");
  EXPECT_NE(status_text(frozen).find("freeze        frozen by ana: stocktaking\n"),
            std::string::npos);
  frozen["reason"] = "frozen by ana: stocktaking";
  EXPECT_EQ(progress_text(frozen),
            "analyzing, step 2 of 3, weight 25, passing: frozen by ana: stocktaking");
}

TEST(Render, Freezes) {
  json freeze{{"namespace", "payments"},   {"service", "checkout"},
              {"in_force", true},          {"by", "ana"},
              {"reason", "stock\ntaking"}, {"since", "2026-01-02T03:04:05.678Z"},
              {"until", nullptr},          {"lifted_at", nullptr},
              {"lifted_by", nullptr},      {"lift_reason", nullptr},
              {"active_rollouts", 2}};
  EXPECT_EQ(freeze_text(freeze),
            "what      payments/checkout\n"
            "state     frozen\n"
            "by        ana\n"
            "reason    stock taking\n"
            "since     2026-01-02T03:04:05.678Z\n"
            "until     somebody lifts it\n"
            "rollouts  2 active\n");
  freeze["namespace"] = freeze["service"] = nullptr;
  freeze["in_force"] = false;
  freeze["lifted_at"] = "2026-01-02T04:00:00.000Z";
  freeze["lifted_by"] = "ben";
  freeze["lift_reason"] = "done";
  EXPECT_EQ(freeze_text(freeze),
            "what      everything\n"
            "state     not frozen any more\n"
            "by        ana\n"
            "reason    stock taking\n"
            "since     2026-01-02T03:04:05.678Z\n"
            "lifted    2026-01-02T04:00:00.000Z by ben: done\n"
            "rollouts  2 active\n");
}

TEST(Render, PlainLines) {
  json duration = running();
  duration["step"] = {{"index", 0}, {"weight", nullptr}, {"count", 1}};
  json waiting = running();
  waiting["state"] = "waiting";
  waiting["verdict"] = "pending";
  waiting["reason"] = "2 of 3 ready";
  EXPECT_EQ(progress_line(running()),
            "2026-01-02T03:04:30.000Z analyzing, step 2 of 3, weight 25, passing: 2 of 3 passes");
  EXPECT_EQ(progress_text(duration), "analyzing, step 1 of 1, passing: 2 of 3 passes");
  EXPECT_EQ(progress_text(waiting), "waiting, pending: 2 of 3 ready");
  EXPECT_EQ(progress_text(json::object()), "");
  json back = running();
  back["state"] = "rolled_back";
  back["verdict"] = "failed";
  back["weight"] = 0;
  EXPECT_EQ(progress_text(back), "rolled_back, step 2 of 3, weight 0, failed: 2 of 3 passes");
  json unacknowledged = running();
  unacknowledged["step"] = {{"index", -1}, {"weight", nullptr}, {"since", nullptr}, {"count", 3}};
  EXPECT_EQ(progress_text(unacknowledged), "analyzing, passing: 2 of 3 passes");
}

TEST(Render, ResultAndName) {
  EXPECT_EQ(result_line(running()),
            "ro_1 analyzing: checkout 1.23 → 1.24 in eu-1 (payments): 2 of 3 passes");
  EXPECT_EQ(rollout_name({{"service", "a"},
                          {"candidate", "2"},
                          {"stable", nullptr},
                          {"target", "default"},
                          {"namespace", "default"}}),
            "a 2");
}

TEST(Render, QuestionsSayHowTheyAreAnswered) {
  EXPECT_EQ(question_text(running()), "");
  EXPECT_EQ(question_text(paused(false)),
            "no answers for 5m, go on?\n(yes: rollwatch resume ro_1 --question q_1 --reason …)\n");
  EXPECT_EQ(question_text(paused(true)),
            "no answers for 5m, go on?\n(goes on by itself when the answers come back)\n");
}

TEST(Render, ConsequencesNameTheTraffic) {
  json first = running();
  first["stable"] = nullptr;
  const std::string name = "checkout 1.23 → 1.24 in eu-1 (payments): ";
  EXPECT_EQ(
      consequence("promote", running()),
      name + "all traffic goes to 1.24 at once, and its conditions only observe from then on");
  EXPECT_EQ(consequence("rollback", running()), name + "traffic goes back to 1.23");
  EXPECT_EQ(consequence("rollback", first),
            "checkout 1.24 in eu-1 (payments): 1.24 gets no traffic any more");
  EXPECT_EQ(consequence("cancel", running()),
            name + "watching stops and the traffic stays as it is, 1.24 at weight 25");
}

TEST(Render, StatusIsATable) {
  EXPECT_EQ(
      status_text(running()),
      "rollout       ro_1\n"
      "what          checkout 1.23 → 1.24 in eu-1 (payments)\n"
      "attempt       1\n"
      "state         analyzing, passing\n"
      "reason        2 of 3 passes\n"
      "step          2 of 3, weight 25, since 2026-01-02T03:04:00.000Z\n"
      "policy        http\n"
      "orchestrator  deployer\n"
      "notify        releases\n"
      "labels        tier=web\n"
      "started       2026-01-02T03:00:00.000Z by ci@1\n"
      "\n"
      "CONDITION   VERDICT  VALUE   RULE    PASS  FAIL  INCONCLUSIVE  NO DATA  ERROR  MISSED  "
      "NEXT SLOT                 LATEST\n"
      "error-rate  passing  0.0123  > 0.05  2     0     1             0        0      0       "
      "2026-01-02T03:05:00.000Z  pass\n");
}

TEST(Render, ListIsATable) {
  EXPECT_EQ(
      list_text(json::array({running()})),
      "ID    NAMESPACE  SERVICE   TARGET  STABLE  CANDIDATE  STATE      VERDICT  WEIGHT  CREATED\n"
      "ro_1  payments   checkout  eu-1    1.23    1.24       analyzing  passing  25      "
      "2026-01-02T03:00:00.000Z\n");
}

TEST(Render, HistoryMixesEvaluationsAndEvents) {
  const json entries = json::parse(R"([
    {"kind": "evaluation", "condition": "error-rate", "slot": "2026-01-02T03:04:30.000Z", "outcome": "fail",
     "value": 0.083, "rule": "> 0.05", "detail": "code 500"},
    {"kind": "evaluation", "condition": "latency", "slot": "2026-01-02T03:04:31.000Z", "outcome": "missed",
     "value": null},
    {"kind": "event", "at": "2026-01-02T03:04:32.000Z", "seq": 4, "type": "rollback",
     "data": {"summary": "error-rate 0.083 > 0.05"}}])");
  EXPECT_EQ(history_text(entries),
            "2026-01-02T03:04:30.000Z  error-rate  fail: code 500\n"
            "2026-01-02T03:04:31.000Z  latency     missed\n"
            "2026-01-02T03:04:32.000Z  rollback    error-rate 0.083 > 0.05\n");
}

TEST(Render, LiveViewCountsDownAndFitsTheTerminal) {
  const SysTime now = *parse_time("2026-01-02T03:04:48.500Z");
  const json verdict = {{"percent", 50},
                        {"progress_message", "1m12s to go"},
                        {"next_slot", "2026-01-02T03:05:00.000Z"}};
  const auto lines = live_view(running(), verdict, Trends(), now, Canvas{.columns = 100});
  const std::vector<std::string> expected{
      "checkout 1.23 → 1.24 in eu-1 (payments) · ro_1",
      "analyzing, step 2 of 3, weight 25, passing: 2 of 3 passes",
      "next slot in 12s · this step for 48s · 50 % done · 1m12s to go",
      "condition   verdict  value   rule    pass  fail  unclear  no data  error  missed  next",
      "error-rate  passing  0.0123  > 0.05  2     0     1        0        0      0       in 12s"};
  EXPECT_EQ(lines, expected);

  const auto narrow = live_view(running(), verdict, Trends(), now, Canvas{.columns = 12});
  EXPECT_EQ(narrow[0], "checkout 1.…");
  EXPECT_EQ(narrow[4], "error-rate …");
  const auto forty = live_view(running(), verdict, Trends(), now, Canvas{.columns = 40});
  EXPECT_EQ(forty[3], "condition   verdict  value   rule");
  EXPECT_EQ(forty[4], "error-rate  passing  0.0123  > 0.05");

  const auto coloured =
      live_view(running(), nullptr, Trends(), now, Canvas{.columns = 100, .colours = true});
  EXPECT_EQ(coloured[1].substr(0, 5), "\x1b[32m");
}

TEST(Render, LiveViewLeavesOutConditionsThatDoNotFit) {
  json rollout = running();
  for (int i = 0; i < 40; ++i) rollout["conditions"].push_back(rollout["conditions"][0]);
  const auto lines =
      live_view(rollout, nullptr, Trends(), SysTime{}, Canvas{.columns = 100, .rows = 12});
  EXPECT_LT(lines.size(), 12U);
  EXPECT_EQ(lines.back(), "… and 35 more");
}

TEST(Render, ExplainTellsTheWholeStory) {
  const json bundle = json::parse(R"json({
    "decision": {"id": "d_1", "kind": "rollback", "by": "engine", "at": "2026-01-02T03:04:32.000Z",
                 "reason": "error-rate 0.083 > 0.05, 3 of the last 3"},
    "condition": "error-rate",
    "evaluation": {"query": "sum(a)\n/ sum(b)", "time": "2026-01-02T03:04:15.000Z", "datasource": "default",
      "value": 0.083, "rule": "> 0.05", "arithmetic": "0.083 > 0.05", "warnings": ["partial"],
      "curl": "curl -G http://p/api", "graph_url": "http://p/graph"},
    "window": [{"slot": "2026-01-02T03:04:30.000Z", "outcome": "fail", "value": 0.083}],
    "siblings": [{"name": "latency", "verdict": "passing", "value": 0.2}],
    "deliveries": [{"id": "ord_1", "kind": "rollback", "target": "deployer", "state": "done",
      "attempts": [{"at": "2026-01-02T03:04:32.100Z", "status": 503, "error": null},
                   {"at": "2026-01-02T03:04:33.100Z", "status": null, "error": "timed out"}]}]
})json");
  EXPECT_EQ(explain_text(bundle),
            "rollback by engine at 2026-01-02T03:04:32.000Z\n"
            "error-rate 0.083 > 0.05, 3 of the last 3\n"
            "decision d_1\n"
            "\ncondition error-rate\n"
            "  evaluated for  2026-01-02T03:04:15.000Z\n"
            "  datasource     default\n"
            "  value          0.083\n"
            "  rule           > 0.05\n"
            "  arithmetic     0.083 > 0.05\n"
            "  warning        partial\n"
            "  graph          http://p/graph\n"
            "\nquery\n  sum(a)\n  / sum(b)\n"
            "\nask again\n  curl -G http://p/api\n"
            "\nthe slots that counted\n  2026-01-02T03:04:30.000Z  fail  0.083\n"
            "\nthe other conditions at that moment\n  latency  passing  0.2\n"
            "\ndeliveries\n"
            "  rollback  deployer                  done       ord_1\n"
            "            2026-01-02T03:04:32.100Z  503\n"
            "            2026-01-02T03:04:33.100Z  timed out\n");
}

TEST(Render, ExplainShowsTheSlotThatDecidedOfAnotherCondition) {
  const json bundle = {
      {"decision", {{"id", "d_1"}, {"kind", "rollback"}, {"by", "engine"}, {"at", "T"}}},
      {"condition", "errors"},
      {"evaluation", {{"query", "x"}}},
      {"siblings",
       {{{"name", "slow"},
         {"verdict", "passing"},
         {"evaluation", {{"value", 9}, {"query", "y"}}}}}}};
  EXPECT_EQ(explain_text(bundle),
            "rollback by engine at T\ndecision d_1\n\nquery\n  x\n"
            "\nthe other conditions at that moment\n  slow  passing\n"
            "\nthe slot that decided, of slow\n  value  9\n"
            "\nquery\n  y\n");
}

// Whose series is one of many: with how many others it was asked, and how it was picked.
TEST(Render, ExplainSaysWithWhomItWasAsked) {
  json bundle = {{"decision", {{"id", "d_1"}, {"kind", "rollback"}, {"by", "engine"}, {"at", "T"}}},
                 {"condition", "errors"},
                 {"evaluation",
                  {{"query", "sum by (app, v) (x)"},
                   {"shared_with", 412},
                   {"picked_by", {{"app", "checkout"}, {"v", "1.24"}}}}}};
  EXPECT_EQ(explain_text(bundle),
            "rollback by engine at T\ndecision d_1\n\ncondition errors\n"
            "  shared with  412 others\n"
            "  its series   app=\"checkout\", v=\"1.24\"\n"
            "\nquery\n  sum by (app, v) (x)\n");
  bundle["evaluation"] = {{"query", "x"}, {"shared_with", 1}};
  EXPECT_EQ(explain_text(bundle),
            "rollback by engine at T\ndecision d_1\n\ncondition errors\n"
            "  shared with  1 other\n"
            "\nquery\n  x\n");
}

TEST(Render, ExplainOfWhatWouldHaveBeenSaysSo) {
  json bundle = {{"decision",
                  {{"id", "d_3"},
                   {"kind", "rollback"},
                   {"by", "engine"},
                   {"at", "T"},
                   {"reason", "errors 0.2 > 0.05"},
                   {"would_have", true}}}};
  EXPECT_EQ(explain_text(bundle),
            "rollback by engine at T: what would have been, not ordered\n"
            "errors 0.2 > 0.05\ndecision d_3\n");
  bundle["decision"]["would_have"] = false;
  EXPECT_EQ(explain_text(bundle), "rollback by engine at T\nerrors 0.2 > 0.05\ndecision d_3\n");
}

TEST(Render, ExplainOfAPersonsDecisionIsShort) {
  const json bundle = {
      {"decision",
       {{"id", "d_2"}, {"kind", "promote"}, {"by", "anna"}, {"at", "T"}, {"reason", "hotfix"}}},
      {"condition", nullptr},
      {"evaluation", nullptr},
      {"window", json::array()}};
  EXPECT_EQ(explain_text(bundle), "promote by anna at T\nhotfix\ndecision d_2\n");
}

TEST(Problems, AreReadable) {
  struct Row {
    const char* name;
    Response response;
    const char* text;
  };
  const Row rows[] = {
      {"title and detail",
       {409, R"({"title":"Not in this state","detail":"it is rolling back"})"},
       "rollwatch: Not in this state: it is rolling back\n"},
      {"every pointer",
       {422,
        R"({"title":"Not acceptable","errors":[{"pointer":"/policy","detail":"unknown"},{"pointer":"/stable","detail":"same"}]})"},
       "rollwatch: Not acceptable\n  /policy: unknown\n  /stable: same\n"},
      {"one error that is the detail",
       {422,
        R"({"title":"No","detail":"/policy: unknown","errors":[{"pointer":"/policy","detail":"unknown"}]})"},
       "rollwatch: No: /policy: unknown\n"},
      {"one error of the whole",
       {422,
        R"({"title":"No","detail":"missing key \"steps\"","errors":[{"pointer":"","detail":"missing key \"steps\""}]})"},
       "rollwatch: No: missing key \"steps\"\n"},
      {"one error that the detail words otherwise",
       {422,
        R"({"title":"No","detail":"query parameter limit: too large","errors":[{"pointer":"?limit","detail":"too large"}]})"},
       "rollwatch: No: query parameter limit: too large\n"},
      {"two, one of them of the whole",
       {422,
        R"({"title":"No","errors":[{"pointer":"","detail":"nothing"},{"pointer":"/a","detail":"bad"}]})"},
       "rollwatch: No\n  nothing\n  /a: bad\n"},
      {"an attempt that is asked for",
       {409, R"({"title":"Conflict","detail":"send \"attempt\": 2","attempt":2})"},
       "rollwatch: Conflict: send \"attempt\": 2\n  as a flag: --attempt 2\n"},
      {"a proxy's page",
       {502, "<html>\x1b[2J"},
       "rollwatch: the server answered 502: <html> [2J\n"},
      {"no token",
       {401, R"({"title":"Unauthorized","detail":"a token is needed"})"},
       "rollwatch: Unauthorized: a token is needed\n"
       "  a token is given by --token-file, ROLLWATCH_TOKEN or a context\n"},
      {"nothing", {500, ""}, "rollwatch: the server answered 500\n"},
      {"fields of other types",
       {400, R"({"title":7,"detail":null,"errors":"x"})"},
       "rollwatch: 7\n"},
  };
  for (const Row& row : rows) EXPECT_EQ(describe_problem(row.response), row.text) << row.name;
}

TEST(Render, ATestMessagesAnswer) {
  const auto text = [](const char* answer) {
    return notify_test_text(nlohmann::json::parse(answer));
  };
  EXPECT_EQ(text(R"({"name": "releases", "outcome": "done", "status": 200, "error": null,
                     "duration_ms": 83, "answer": "ok"})"),
            "notifier  releases\n"
            "outcome   taken\n"
            "status    HTTP 200\n"
            "time      83 ms\n"
            "answer\n"
            "  ok\n");
  const std::string lost = text(R"({"name": "away", "outcome": "failed", "status": null,
                                    "error": "connection refused", "duration_ms": 1,
                                    "answer": null})");
  EXPECT_EQ(lost,
            "notifier  away\n"
            "outcome   failed\n"
            "status    none: no HTTP answer\n"
            "time      1 ms\n"
            "error     connection refused\n");
  EXPECT_EQ(text(R"({"name": "x", "outcome": "failed", "status": 500, "error": null,
                     "duration_ms": 1, "answer": "\u001b[2J"})")
                .find('\x1b'),
            std::string::npos)
      << "what others answer does nothing to a terminal";
}

}  // namespace
}  // namespace rollwatch
