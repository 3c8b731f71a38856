// The records that answer "why?", as golden JSON, also for values that try to break out of them.
#include "daemon/engine/explain.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "config/merge.h"
#include "config/plan_decoder.h"
#include "daemon/engine/entry.h"
#include "test/analysis/plan_fixture.h"
#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

// Is only asked for the names of headers.
class TenantsSource : public MetricsSource {
 public:
  void ask(std::vector<Question> /*questions*/, Answered /*answered*/) override {}
  awaitable<QueryCheck> check(std::string /*datasource*/, std::string /*query*/) override {
    co_return QueryCheck{};
  }
  std::vector<std::string> header_names(const std::string& /*datasource*/) const override {
    return {"X-Scope-OrgID"};
  }
  Millis ingestion_delay(const std::string& /*datasource*/) const override { return Millis{0}; }
};

class ExplainTest : public EngineTest {
 protected:
  ExplainTest() : plan(world.registration(spec("1.1")).plan), after() {
    subject = spec("1.1");
    subject.id = "ro_1";
    subject.created_at = SysTime{Millis{1'767'323'000'000}};
    after.state = State::kRollingBack;
    after.step = 1;
    after.conditions.resize(1);
    ConditionState& c = after.conditions[0];
    c.phase_ms = 1'000;
    c.recent = {{176'732'304, Outcome::kFail, true, 0.5},
                {176'732'305, Outcome::kFail, true, 0.083}};
    Judgement last;
    last.outcome = Outcome::kFail;
    last.cause = Cause::kBeyondLimit;
    last.value = 0.083;
    last.rule = Comparison{CompareOp::kGreater, 0.05};
    c.last = last;
    decision.number = 2;
    decision.kind = DecisionKind::kRollback;
    decision.by = "engine";
    decision.reason = "errors 0.083 > 0.05, 3 of the last 3";
    decision.condition = 0;
    decision.at = SysTime{Millis{1'767'323'045'678}};
    c.last_evaluated_at = SysTime{Millis{1'767'323'045'000}};
    asked.condition = 0;
    asked.query = "errors";
    asked.evaluated_at = SysTime{Millis{1'767'323'045'000}};
    asked.datasource = "default";
    asked.datasource_url = "http://metrics.example";
    asked.value.raw = std::make_shared<const std::string>("{}");
  }
  Json bundle(const std::optional<Asked>& question) const {
    return Json::parse(explain_bundle({subject, *plan}, after, decision, question, {"ord_1-3"}));
  }

  // The step that made the decision, and one before it in the same step.
  Commit committed(const std::optional<Asked>& answer, std::vector<Decision> before = {}) const {
    EngineRules rules;
    rules.order_deadline = [](const std::string&, DecisionKind) { return Millis{1}; };
    rules.datasource_url = [](const std::string&) { return "http://metrics.example"; };
    Entry entry;
    entry.spec = subject;
    entry.plan = plan;
    Transition step;
    step.state = after;
    step.decisions = std::move(before);
    step.decisions.push_back(decision);
    step.orders = {{7, 2, DecisionKind::kRollback, 0}};
    return commit_of(entry, after.evaluations, step, answer, {rules, TenantsSource(), SysTime{}});
  }

  std::shared_ptr<const Plan> plan;
  RolloutSpec subject;
  RolloutState after;
  Decision decision;
  Asked asked;
};

TEST_F(ExplainTest, BundleOfARollback) {
  const Json expected = Json::parse(R"json({
    "decision": {"id": "de_1-2", "kind": "rollback", "by": "engine", "token": null, "from": null,
                 "at": "2026-01-02T03:04:05.678Z",
                 "reason": "errors 0.083 > 0.05, 3 of the last 3", "would_have": false},
    "condition": "errors",
    "evaluation": {
      "query": "errors", "time": "2026-01-02T03:04:05.000Z", "datasource": "default",
      "response": "{}",
      "response_sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
      "curl": "curl -sG 'http://metrics.example/api/v1/query' --data-urlencode 'query=errors' --data-urlencode 'time=1767323045.000' --data-urlencode 'nocache=1'",
      "warnings": [], "value": 0.083, "rule": "> 0.05", "outcome": "fail", "series": null,
      "arithmetic": "0.083 > 0.05 is true; 2 failing of the last 2 with an answer, 3 would fail it",
      "graph_url": "http://metrics.example/graph?g0.expr=errors&g0.tab=0&g0.range_input=645s&g0.end_input=2026-01-02T03%3A09%3A05"},
    "window": [{"slot": "2026-01-02T03:04:01.000Z", "outcome": "fail", "failing": true, "value": 0.5},
               {"slot": "2026-01-02T03:04:11.000Z", "outcome": "fail", "failing": true, "value": 0.083}],
    "siblings": [],
    "comparison": null,
    "promise": null,
    "deliveries": ["ord_1-3"]})json");
  EXPECT_EQ(bundle(asked).dump(1), expected.dump(1));
}

TEST_F(ExplainTest, BundleOfAPersonHasNoEvaluation) {
  decision.by = "ana";
  decision.condition.reset();
  const Json is = bundle(std::nullopt);
  EXPECT_TRUE(is["condition"].is_null());
  EXPECT_TRUE(is["evaluation"].is_null());
  EXPECT_TRUE(is["window"].empty());
  ASSERT_EQ(is["siblings"].size(), 1U);  // what every condition said at that moment
  EXPECT_EQ(is["siblings"][0]["name"], "errors");
  EXPECT_EQ(is["siblings"][0]["detail"], "0.083 > 0.05");
  EXPECT_EQ(is["siblings"][0]["query"], "errors");
  EXPECT_EQ(is["siblings"][0]["time"], "2026-01-02T03:04:05.000Z");
  after.conditions[0].last.reset();
  EXPECT_TRUE(bundle(std::nullopt)["siblings"][0]["time"].is_null()) << "not evaluated yet";
}

// A server that hangs ends slots as missed: the pause for it named the condition, and no query.
TEST_F(ExplainTest, ADecisionWithoutAnAnswerStatesWhatWasAskedLast) {
  Judgement missed;
  missed.outcome = Outcome::kMissed;
  missed.cause = Cause::kMissedOverlap;
  after.conditions[0].last = missed;
  const Json is = Json::parse(committed(std::nullopt).explains[0].bundle)["evaluation"];
  EXPECT_EQ(is["query"], "errors");
  EXPECT_EQ(is["time"], "2026-01-02T03:04:05.000Z");
  EXPECT_EQ(is["datasource"], "default");
  EXPECT_TRUE(is["response"].is_null());
  EXPECT_TRUE(is["response_sha256"].is_null());
  EXPECT_EQ(is["outcome"], "missed");
  EXPECT_TRUE(is["arithmetic"].get<std::string>().starts_with(
      "missed: the previous question was still out"));
  EXPECT_TRUE(is["curl"].get<std::string>().starts_with(
      "curl -sG 'http://metrics.example/api/v1/query' -H 'X-Scope-OrgID: …' --data-urlencode"));
  after.conditions[0].last.reset();
  EXPECT_TRUE(Json::parse(committed(std::nullopt).explains[0].bundle)["evaluation"].is_null());
}

// What all comparisons have together was enough after a slot of another than the cause, and the
// answer that decided was nowhere.
TEST_F(ExplainTest, TheSlotThatDecidedIsThereAlsoWhereItWasNotTheCauses) {
  auto both = std::make_shared<Plan>(*plan);
  both->conditions = {condition("errors", "> 0.05"), condition("timeouts", "> 0.05")};
  for (ConditionPlan& compares : both->conditions)
    compares.kind = CompareCondition{query("all"), query("bad"), statistics::RateRules{}};
  plan = both;
  after.conditions.resize(2);
  after.conditions[1] = after.conditions[0];
  asked = question_at({subject, *plan}, 1, 1, 25);
  asked.evaluated_at = SysTime{Millis{1'767'323'045'000}};
  asked.arms[0].answer.raw = std::make_shared<const std::string>("{}");
  const Json is = Json::parse(committed(asked).explains[0].bundle);
  EXPECT_EQ(is["condition"], "errors");
  EXPECT_TRUE(is["evaluation"]["response"].is_null());
  ASSERT_EQ(is["siblings"][0]["name"], "timeouts");
  const Json& decided = is["siblings"][0]["evaluation"];
  EXPECT_EQ(decided["datasource"], "default");
  EXPECT_EQ(decided["arms"][0]["response"], "{}");
  both->conditions[1].on_fail = OnFail::kObserve;
  EXPECT_FALSE(
      Json::parse(committed(asked).explains[0].bundle)["siblings"][0].contains("evaluation"))
      << "that shares nothing with it";
}

// Evidence can decide, so it can be checked like the value.
TEST_F(ExplainTest, EvidenceCanBeAskedAgain) {
  asked.evidence_query = "requests";
  asked.evidence = Answer{Vector{}, {}, false, std::make_shared<const std::string>("{}"), {}};
  const Json is = bundle(asked)["evaluation"]["evidence"];
  EXPECT_EQ(is["response"], "{}");
  EXPECT_EQ(is["response_sha256"],
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  EXPECT_EQ(is["curl"],
            "curl -sG 'http://metrics.example/api/v1/query' --data-urlencode 'query=requests' "
            "--data-urlencode 'time=1767323045.000' --data-urlencode 'nocache=1'");
}

// No number, no comparison; but what the condition asks for is known.
TEST_F(ExplainTest, TheRuleIsThereWithoutANumber) {
  Judgement& last = *after.conditions[0].last;
  last.outcome = Outcome::kError;
  last.cause = Cause::kUnreachable;
  last.value.reset();
  last.rule.reset();
  EXPECT_EQ(bundle(asked)["evaluation"]["rule"], "> 0.05");
  EXPECT_EQ(Json::parse(order_payload({subject, *plan}, after, decision))["reason"]["rule"],
            "> 0.05");
  decision.condition.reset();
  EXPECT_EQ(bundle(std::nullopt)["siblings"][0]["rule"], "> 0.05");
  after.conditions[0].last.reset();
  EXPECT_EQ(bundle(std::nullopt)["siblings"][0]["rule"], "> 0.05");
}

TEST_F(ExplainTest, OrderPayload) {
  EXPECT_EQ(
      order_payload({subject, *plan}, after, decision),
      R"json({"state":"rolling_back","step":1,"reason":{"summary":"errors 0.083 > 0.05, 3 of the last 3",)json"
      R"json("condition":"errors","value":0.083,"rule":"> 0.05","by":"engine","decision":"de_1-2"}})json");
  decision.condition.reset();
  after.step = -1;
  EXPECT_EQ(
      order_payload({subject, *plan}, after, decision),
      R"json({"state":"rolling_back","step":0,"reason":{"summary":"errors 0.083 > 0.05, 3 of the last 3",)json"
      R"json("condition":null,"value":null,"rule":null,"by":"engine","decision":"de_1-2"}})json");
}

TEST_F(ExplainTest, NoNumberIsNull) {
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    after.conditions[0].last->value = value;
    EXPECT_TRUE(bundle(asked)["evaluation"]["value"].is_null());
    EXPECT_TRUE(
        Json::parse(order_payload({subject, *plan}, after, decision))["reason"]["value"].is_null());
  }
}

TEST_F(ExplainTest, HostileTextStaysText) {
  const std::vector<std::string> rows{
      "\"},{\"a\":\"", "\\",           "\n\r\t", std::string("a\0b", 3),   "\xff\xfe", "\xe2\x82",
      "</script>",     "\xed\xa0\x80", "🚀",      std::string(100'000, 'x')};
  for (const std::string& hostile : rows) {
    decision.reason = decision.by = hostile;
    after.conditions[0].last->series = hostile;
    asked.query = hostile;
    asked.value.raw = std::make_shared<const std::string>(hostile);
    asked.value.warnings = {hostile};
    const Json is = bundle(asked);  // parses, or throws
    EXPECT_EQ(is.size(), 8U);
    EXPECT_EQ(is["decision"].size(), 8U);
    EXPECT_EQ(is["evaluation"]["warnings"].size(), 1U);
    const Json order = Json::parse(order_payload({subject, *plan}, after, decision));
    EXPECT_EQ(order.size(), 3U);
    EXPECT_EQ(order["reason"].size(), 6U);
  }
}

TEST_F(ExplainTest, AnOrderBelongsToTheTraceOfItsDecisionOrElseOfTheRegistration) {
  const auto trace = [&] {
    const Json order = Json::parse(order_payload({subject, *plan}, after, decision));
    return order.value("traceparent", "none");
  };
  EXPECT_EQ(trace(), "none");
  subject.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_EQ(trace(), subject.traceparent.text());
  decision.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_EQ(trace(), decision.traceparent);
}

TEST_F(ExplainTest, ALongResponseIsCutAndItsHashIsOfTheWhole) {
  asked.value.raw = std::make_shared<const std::string>(1'000'000, 'x');
  const Json is = bundle(asked)["evaluation"];
  EXPECT_EQ(is["response"].get<std::string>().size(), 64U * 1024);
  EXPECT_EQ(is["response_sha256"],
            "1b977e9f84f1b26b6ed7f68b0498faee2385ea4125bd29adce4a7d9106ba3134");
}

// The line goes through a real shell: whatever is in the query stays one argument.
TEST_F(ExplainTest, CurlLineIsSafeInAShell) {
  const std::vector<std::string> rows{"errors{path=\"/a b\"} > 0.5",
                                      "'; touch /tmp/x; '",
                                      "$(id)",
                                      "`id`",
                                      "\\",
                                      "a\nb",
                                      "!x",
                                      "\"",
                                      "''''",
                                      "🚀",
                                      "-K",
                                      "sum by (x) (rate(a{b=~\"c'd\\\\.e\"}[5m]))"};
  for (const std::string& query : rows) {
    asked.datasource_url = "http://m.example/it's";
    asked.evaluated_at = SysTime{Millis{1'767'323'045'678}};
    asked.headers = {"X-It's"};
    const std::string line = curl_line(asked, query);
    ASSERT_TRUE(line.starts_with("curl "));
    // NUL between the arguments, one more at the end.
    const std::string command = "printf '%s\\0' " + line.substr(5);
    std::FILE* pipe = popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::string out;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) out += static_cast<char>(c);
    EXPECT_EQ(pclose(pipe), 0);
    const std::string zero(1, '\0');
    EXPECT_EQ(out, "-sG" + zero + "http://m.example/it's/api/v1/query" + zero + "-H" + zero +
                       "X-It's: …" + zero + "--data-urlencode" + zero + "query=" + query + zero +
                       "--data-urlencode" + zero + "time=1767323045.678" + zero +
                       "--data-urlencode" + zero + "nocache=1" + zero);
  }
}

TEST_F(ExplainTest, GraphIsAskedForAPositiveRange) {
  subject.created_at = asked.evaluated_at + Millis{3'600'000};  // the clock was put back since
  EXPECT_NE(bundle(asked)["evaluation"]["graph_url"].get<std::string>().find("range_input=600s"),
            std::string::npos);
}

// A decision names the orders it gave, not those of another decision in the same step.
TEST_F(ExplainTest, DeliveriesAreThoseOfTheDecision) {
  Decision first = decision;
  first.number = 1;
  first.kind = DecisionKind::kResume;
  const Commit commit = committed(asked, {first});
  ASSERT_EQ(commit.explains.size(), 2U);
  EXPECT_EQ(Json::parse(commit.explains[0].bundle)["deliveries"].size(), 0U);
  EXPECT_EQ(Json::parse(commit.explains[1].bundle)["deliveries"], Json::parse(R"(["ord_1-7"])"));
}

}  // namespace
}  // namespace rollwatch
