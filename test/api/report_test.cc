// Everything about one rollout, and the page that is made of it.
#include <nlohmann/json.hpp>

#include "test/api/api_fixture.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class ReportTest : public ApiTest {
 protected:
  ReportTest() {
    service.rollouts["ro_1"] = sample_rollout();
    DatasourceView source;
    source.name = "default";
    source.url = "http://127.0.0.1:9090";
    source.headers = {"X-Scope-OrgID"};
    datasources = {source};
  }
  RolloutState& state() { return service.rollouts["ro_1"].state; }
  void answered(std::size_t i, Outcome outcome, double value) {
    ConditionState& condition = state().conditions[i];
    condition.last.emplace();
    condition.last->outcome = outcome;
    condition.last->cause = outcome == Outcome::kPass ? Cause::kWithinLimit : Cause::kBeyondLimit;
    condition.last->value = value;
    condition.last_evaluated_at = kSampleTime;
    condition.last_slot = kSampleTime.time_since_epoch() / std::chrono::seconds(30);
  }
  void evaluated(std::uint32_t number, Outcome outcome, std::optional<double> value,
                 const std::string& condition = "error-rate") {
    StoredEvaluation one;
    one.number = number;
    one.condition = condition;
    one.slot = one.last_slot = one.evaluated_at = kSampleTime + Millis(1000 * number);
    one.judgement.outcome = outcome;
    one.judgement.value = value;
    one.step = 0;
    service.all_evaluations.push_back(one);
  }
  void happened(std::int64_t seq, EventType type, int step, const std::string& summary,
                const std::string& by = "engine", const std::string& reason = "") {
    StoredEvent stored;
    stored.seq = seq;
    stored.rollout = "ro_1";
    stored.event.type = type;
    stored.event.at = kSampleTime + Millis(1000 * seq);
    stored.event.step = step;
    stored.event.summary = summary;
    stored.event.by = by;
    stored.event.reason = reason;
    service.all_events.push_back(stored);
  }
  json report(const std::string& query = "") { return get("/api/v1/rollouts/ro_1/report" + query); }
};

TEST_F(ReportTest, HasTheWholeRolloutAndASentenceOfIt) {
  const json found = report();
  EXPECT_EQ(found.at("headline"), "checkout 1.24 in eu-1 is rolling out (5 %, step 1 of 2)");
  EXPECT_EQ(found.at("rollout"), get("/api/v1/rollouts/ro_1"));
  EXPECT_EQ(found.at("decision"), nullptr);
  state().decisions_made = 3;
  EXPECT_EQ(report().at("decision"), "de_1-3");
  EXPECT_EQ(problem_of(ask("GET", "/api/v1/rollouts/ro_9/report")),
            "404 there is no rollout \"ro_9\"");
}

TEST_F(ReportTest, ItsStepsEndWithThePromotion) {
  happened(1, EventType::kRegistered, -1, "registered");
  happened(2, EventType::kStepBegan, 0, "step 1 of 2 began at 5 %");
  happened(3, EventType::kStepBegan, 0, "it begins afresh");
  happened(4, EventType::kStepBegan, 1, "step 2 of 2 began at 25 %");
  state().step = 1;
  const json found = report();
  const json& steps = found.at("steps");
  ASSERT_THAT(steps, SizeIs(3));
  EXPECT_EQ(steps[0].at("state"), "done");
  EXPECT_EQ(steps[0].at("began_at"), format_time(kSampleTime + Millis(2000)));
  EXPECT_EQ(steps[0].at("ended_at"), format_time(kSampleTime + Millis(4000)));
  EXPECT_EQ(steps[1].at("state"), "current");
  EXPECT_EQ(steps[1].at("hold"), "5m");
  EXPECT_EQ(steps[1].at("ended_at"), nullptr);
  EXPECT_EQ(steps[2].at("weight"), 100);
  EXPECT_EQ(steps[2].at("state"), "ahead");
  EXPECT_EQ(found.at("clock").at("hold_until"), format_time(kSampleTime + Millis(300'000)));
  EXPECT_EQ(found.at("clock").at("soak"), "15m");
  EXPECT_EQ(found.at("clock").at("soak_until"), nullptr);
  state().state = State::kPromoted;
  state().soak_since = kSampleTime;
  const json promoted = report();
  for (const json& step : promoted.at("steps")) EXPECT_EQ(step.at("state"), "done");
  EXPECT_EQ(report().at("clock").at("hold_until"), nullptr);
  EXPECT_EQ(report().at("clock").at("deadline_at"), nullptr);
}

TEST_F(ReportTest, AConditionSaysWhatItAsksAndWhatCountsAgainstIt) {
  answered(0, Outcome::kFail, 0.083);
  CountedSlot slot;
  slot.failing = true;
  state().conditions[0].recent = {slot, slot};
  const json found = report();
  const json& condition = found.at("conditions")[0];
  EXPECT_EQ(condition.at("name"), "error-rate");
  EXPECT_EQ(condition.at("query"), "sum(errors)");
  EXPECT_EQ(condition.at("fail_if"), json::parse(R"({"op": ">", "value": 0.05})"));
  EXPECT_EQ(condition.at("pass_if"), nullptr);
  EXPECT_EQ(condition.at("failing"), 2);
  EXPECT_EQ(condition.at("answers"), 2);
  EXPECT_EQ(condition.at("within"), 3);
  EXPECT_EQ(condition.at("gating"), true);
  EXPECT_THAT(
      condition.at("curl").get<std::string>(),
      AllOf(HasSubstr("http://127.0.0.1:9090/api/v1/query"), HasSubstr("X-Scope-OrgID: …")));
  EXPECT_THAT(condition.at("graph_url").get<std::string>(), HasSubstr("http://127.0.0.1:9090/"));
  const json& alerts = found.at("conditions")[1];
  EXPECT_EQ(alerts.at("series"), "any");
  EXPECT_EQ(alerts.at("fail_if"), nullptr);
  EXPECT_EQ(alerts.at("evidence_query"), "sum(requests)");
  EXPECT_EQ(alerts.at("min_evidence"), 100);
  EXPECT_EQ(alerts.at("curl"), nullptr) << "it was not asked yet";
}

// Both came from the latest slot: before the first one, and after one without an answer, there was
// nothing to reach.
TEST_F(ReportTest, WhatDecidesAComparisonIsWhatThePlanSaysWhateverTheLatestSlotWas) {
  const std::string both = R"("query": "m{v=\"{{version}}\"}")";
  service.rollouts["ro_1"] = sample_rollout("ro_1", R"({"duration": "10m", "condition": [
    {"name": "errors", "compare": "rate", "min_evidence": 250, "events": "r{v=\"{{version}}\"}",
     "bad_events": "e{v=\"{{version}}\"}"},
    {"name": "memory", "compare": "gauge", )" + both + R"(},
    {"name": "queue", "compare": "mann-whitney", )" + both +
                                                        "}]}");
  const struct { double least, decides; } expected[] = {{250, 200}, {10, 200}, {12, 100}};
  for (const bool has_slots : {false, true}) {
    if (has_slots)
      for (std::size_t i = 0; i < 3; ++i) answered(i, Outcome::kNoData, 0);
    const json found = report();
    for (std::size_t i = 0; i < 3; ++i) {
      const json& condition = found.at("conditions")[i];
      EXPECT_EQ(condition.at("min_evidence"), expected[i].least) << i;
      EXPECT_EQ(condition.at("fail_if").at("op"), ">=") << i;
      EXPECT_NEAR(condition.at("fail_if").at("value").get<double>(), expected[i].decides, 1e-9)
          << i;
    }
  }
}

TEST_F(ReportTest, ItsHistoryIsPointsAndTheLatestSlots) {
  for (std::uint32_t i = 1; i <= 5; ++i) evaluated(i, Outcome::kPass, 0.01 * i);
  evaluated(6, Outcome::kFail, 0.9);
  evaluated(7, Outcome::kMissed, std::nullopt);
  service.all_evaluations.back().slots = 4;
  service.all_evaluations.back().last_slot += Millis(3000);
  evaluated(8, Outcome::kPass, 0.01, "alerts");
  const json found = report();
  const json& points = found.at("conditions")[0].at("points");
  EXPECT_EQ(points.at("outcome"), "pppppfm");
  EXPECT_EQ(points.at("value")[5], 0.9);
  EXPECT_EQ(points.at("value")[6], nullptr);
  EXPECT_EQ(points.at("slots"), json::parse("[1, 1, 1, 1, 1, 1, 4]"));
  EXPECT_EQ(points.at("fails")[5], 1);
  EXPECT_EQ(points.at("at")[0], format_time(kSampleTime + Millis(1000)));
  EXPECT_EQ(found.at("evaluations_after"), 8);
  const json& slots = found.at("conditions")[0].at("slots");
  ASSERT_THAT(slots, SizeIs(7));
  EXPECT_EQ(slots[6].at("slots"), 4);
  EXPECT_EQ(slots[6].at("last_slot"), format_time(kSampleTime + Millis(10'000)));
  EXPECT_FALSE(slots[5].contains("slots"));
  EXPECT_EQ(report("?points=4").at("conditions")[0].at("points").at("outcome"), "ppfm");
  EXPECT_THAT(problem_of(ask("GET", "/api/v1/rollouts/ro_1/report?points=2")),
              HasSubstr("422 ?points: must be a whole number from 3 to 600"));
}

TEST_F(ReportTest, ItGoesOnAfterANumberAndReadsNoMoreThanAChartCanShow) {
  report("?after=77");
  EXPECT_THAT(service.asked, testing::Contains("evaluations 500 77"));
  service.asked.clear();
  state().evaluations = 1'000'000;
  report();
  EXPECT_THAT(service.asked, testing::Contains("evaluations 500 800000"));
}

TEST_F(ReportTest, EachDecisionIsPossibleOrSaysWhyNot) {
  json actions = report().at("actions");
  EXPECT_EQ(actions.at("rollback"), nullptr);
  EXPECT_EQ(actions.at("pause"), nullptr);
  EXPECT_THAT(actions.at("resume").get<std::string>(), HasSubstr("nothing to resume"));
  EXPECT_THAT(actions.at("advance"), Not(nullptr)) << "there is no orchestrator";
  state().state = State::kRolledBack;
  const json asked = report();
  for (const auto& [name, why] : asked.at("actions").items()) EXPECT_TRUE(why.is_string()) << name;
}

TEST_F(ReportTest, WhatAYesLeadsToIsSaid) {
  EXPECT_EQ(report().at("resume"), nullptr) << "nothing is asked";
  service.rollouts["ro_1"].spec.orchestrator = "deployer";
  state().state = State::kPaused;
  state().begun = true;
  const std::vector<std::pair<QuestionKind, std::string>> expected{
      {QuestionKind::kPersonPaused, "begins_afresh"},
      {QuestionKind::kConditionFailed, "begins_afresh"},
      {QuestionKind::kApproveStep, "goes_on"}};
  for (const auto& [kind, leads_to] : expected) {
    state().question.emplace().kind = kind;
    EXPECT_EQ(report().at("resume"), leads_to) << name_of(kind);
  }
  state().step = 1;
  state().question->kind = QuestionKind::kApprovePromote;
  EXPECT_EQ(report().at("resume"), "promotes");
  state().state = State::kWaiting;
  state().begun = false;
  state().step = -1;
  state().question->kind = QuestionKind::kApproveStart;
  EXPECT_EQ(report().at("resume"), "waits_on");
}

TEST_F(ReportTest, OfEventsAndDeliveriesTheLatestAreTold) {
  for (int i = 1; i <= 205; ++i) happened(i, EventType::kNote, 0, "note " + std::to_string(i));
  for (int i = 1000; i < 1203; ++i) {
    Delivery delivery;
    delivery.id = "no_" + std::to_string(i);
    delivery.cls = DeliveryClass::kNotification;
    delivery.state = DeliveryState::kDead;
    delivery.rollout = "ro_1";
    service.known_deliveries[delivery.id] = delivery;
  }
  held["no_1202"] = "its target is only probed";
  const json found = report();
  EXPECT_THAT(found.at("events").at("items"), SizeIs(200));
  EXPECT_EQ(found.at("events").at("earlier"), 5);
  EXPECT_EQ(found.at("events").at("items")[199].at("data").at("summary"), "note 205");
  EXPECT_EQ(found.at("seq"), 205);
  EXPECT_THAT(found.at("deliveries").at("items"), SizeIs(200));
  EXPECT_EQ(found.at("deliveries").at("earlier"), 3);
  EXPECT_EQ(found.at("deliveries").at("items")[199].at("held_because"),
            "its target is only probed");
  EXPECT_EQ(found.at("deliveries").at("items")[0].at("redeliverable"), true);
}

// ---- The page

class PageTest : public ReportTest {
 protected:
  void with_tokens() {
    Settings changed = sample_settings();
    TokenSettings token;
    token.name = "ana";
    // sha256 of "secret"
    const std::string hex = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    for (std::size_t i = 0; i < token.sha256.size(); ++i)
      token.sha256[i] = static_cast<unsigned char>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
    token.scopes = {"read", "decide"};
    token.namespaces = {"payments"};
    changed.server.tokens = {token};
    settings = std::make_shared<const Settings>(std::move(changed));
  }
  static json boot_of(const ServerResponse& response) {
    const std::string& html = response.body;
    const std::string begin = "id=\"boot\">";
    const std::size_t at = html.find(begin);
    if (at == std::string::npos) return nullptr;
    const std::size_t from = at + begin.size();
    return json::parse(html.substr(from, html.find("</script>", from) - from));
  }
};

TEST_F(PageTest, ARolloutIsReadableWithoutAScript) {
  answered(0, Outcome::kFail, 0.083);
  state().state = State::kRolledBack;
  state().reason = "error-rate 0.083 > 0.05, 3 of the last 3";
  happened(1, EventType::kDecided, 0, "rollback: error-rate 0.083 > 0.05", "ana",
           "it is <b>bad</b>");
  const ServerResponse response = ask("GET", "/rollouts/ro_1");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header(response, "Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(header(response, "Cache-Control"), "no-cache");
  EXPECT_THAT(header(response, "Content-Security-Policy"),
              AllOf(HasSubstr("default-src 'none'; script-src 'self'"), Not(HasSubstr("unsafe"))));
  EXPECT_THAT(response.body,
              AllOf(HasSubstr("<h1 class=\"headline\">checkout 1.24 in eu-1 was rolled back: "
                              "error-rate 0.083 &gt; 0.05, 3 of the last 3</h1>"),
                    HasSubstr("<code>sum(errors)</code>"), HasSubstr("rolled back</span>"),
                    HasSubstr("<title>checkout 1.24 rolled back · Rollwatch</title>"),
                    HasSubstr("it is &lt;b&gt;bad&lt;/b&gt;"),
                    HasSubstr("href=\"/api/v1/rollouts/ro_1/events\"")));
  EXPECT_THAT(response.body, Not(HasSubstr("<b>")));
  EXPECT_THAT(response.body, Not(testing::ContainsRegex(" style=| onclick=|<script>")));
}

TEST_F(PageTest, NothingOfARolloutEndsItsPlace) {
  RolloutView view = sample_rollout();
  const std::string evil = "</script><script>alert(1)</script><!--main--><img src=x onerror=y>\"'";
  view.spec.service = view.spec.by = view.spec.candidate = evil;
  view.spec.links = std::map<std::string, std::string>{{evil, "javascript:alert(1)"},
                                                       {"change", "https://git/\"><b>"}};
  view.state.reason = evil;
  service.rollouts["ro_1"] = view;
  happened(1, EventType::kNote, 0, evil, evil, evil);
  evaluated(1, Outcome::kError, std::nullopt);
  service.all_evaluations.back().judgement.detail = evil;
  const ServerResponse response = ask("GET", "/rollouts/ro_1");
  EXPECT_EQ(response.status, 200);
  for (const char* bad : {"<script>alert", "<img", "href=\"javascript", "<b>"})
    EXPECT_THAT(response.body, Not(HasSubstr(bad))) << bad;
  if (const json boot = boot_of(response); !boot.is_null()) {
    EXPECT_EQ(boot.at("report").at("rollout").at("service"), evil);
  }
}

TEST_F(PageTest, EveryViewIsAShellAndAnythingElseIsNotFound) {
  for (const char* path : {"/", "/policies", "/policies/http", "/deliveries", "/system"}) {
    const ServerResponse response = ask("GET", path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_THAT(response.body, HasSubstr("<noscript>")) << path;
    const std::string tag = header(response, "ETag");
    EXPECT_EQ(ask("GET", path, "", {{"if-none-match", tag}}).status, 304);
    EXPECT_EQ(ask("POST", path).status, 405);
  }
  const Headers browser{{"accept", "text/html,application/xhtml+xml,*/*;q=0.8"}};
  for (const char* path : {"/nowhere", "/rollouts", "/rollouts/ro_9", "/policies/a/b"}) {
    const ServerResponse response = ask("GET", path, "", browser);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(header(response, "Content-Type"), "text/html; charset=utf-8") << path;
    EXPECT_THAT(response.body, HasSubstr("There is no page at " + std::string(path)));
  }
  for (const char* path : {"/api/v1/nothing", "/assets/app-x.js", "/-/nothing"})
    EXPECT_THAT(problem_of(ask("GET", path, "", browser)), HasSubstr("404 ")) << path;
  EXPECT_THAT(problem_of(ask("GET", "/nowhere")), HasSubstr("404 ")) << "a tool, no browser";
}

TEST_F(PageTest, WhoHasNoTokenIsShownNothingOfARollout) {
  with_tokens();
  const std::string secret = "Bearer secret";
  const ServerResponse anybody = ask("GET", "/rollouts/ro_1");
  EXPECT_EQ(anybody.status, 200);
  EXPECT_THAT(anybody.body, AllOf(Not(HasSubstr("checkout")), HasSubstr("/rollouts/ro_1?signin")));
  const ServerResponse known = ask("GET", "/rollouts/ro_1", "", {{"authorization", secret}});
  EXPECT_THAT(known.body, HasSubstr("checkout"));
  // As a browser sends it: "x:secret".
  EXPECT_THAT(ask("GET", "/rollouts/ro_1", "", {{"authorization", "Basic eDpzZWNyZXQ="}}).body,
              HasSubstr("checkout"));
  const ServerResponse wrong = ask("GET", "/", "", {{"authorization", "Basic eDp3cm9uZw=="}});
  EXPECT_EQ(wrong.status, 401);
  EXPECT_THAT(header(wrong, "WWW-Authenticate"), HasSubstr("Basic realm="));
  service.rollouts["ro_1"].spec.ns = "shop";
  EXPECT_EQ(ask("GET", "/rollouts/ro_1", "", {{"authorization", secret}}).status, 404);
  EXPECT_EQ(ask("GET", "/rollouts/ro_1").status, 200) << "nobody learns what there is";
}

TEST_F(PageTest, SigningInIsAskedForOnlyWhereItHelps) {
  EXPECT_EQ(ask("GET", "/?signin").status, 200) << "there are no tokens";
  with_tokens();
  for (const char* path : {"/?signin", "/rollouts/ro_1?signin", "/system?signin="}) {
    const ServerResponse response = ask("GET", path);
    EXPECT_EQ(response.status, 401) << path;
    EXPECT_EQ(header(response, "WWW-Authenticate"), R"(Basic realm="Rollwatch", charset="UTF-8")");
    EXPECT_EQ(ask("GET", path, "", {{"authorization", "Bearer secret"}}).status, 200);
  }
}

TEST_F(PageTest, TheScriptIsToldWhoAsks) {
  const json open = boot_of(ask("GET", "/"));
  if (open.is_null()) GTEST_SKIP() << "built without the page's script";
  EXPECT_EQ(open.at("version"), "0.1.0");
  EXPECT_EQ(open.at("me").at("scopes").size(), 4);
  EXPECT_EQ(boot_of(ask("GET", "/rollouts/ro_1")).at("report").at("rollout").at("id"), "ro_1");
  EXPECT_EQ(boot_of(ask("GET", "/x", "", {{"accept", "text/html"}})).at("status"), 404);
  with_tokens();
  EXPECT_EQ(boot_of(ask("GET", "/")).at("me"), nullptr);
  const json known = boot_of(ask("GET", "/", "", {{"authorization", "Bearer secret"}}));
  EXPECT_EQ(known.at("me").at("name"), "ana");
  EXPECT_EQ(known.at("me").at("namespaces"), json::array({"payments"}));
  EXPECT_FALSE(boot_of(ask("GET", "/rollouts/ro_1")).contains("report"));
}

TEST_F(PageTest, AnyTokenMayAskWhoItIs) {
  with_tokens();
  EXPECT_EQ(ask("GET", "/api/v1/me").status, 401);
  const ServerResponse response =
      ask("GET", "/api/v1/me", "", {{"authorization", "Bearer secret"}});
  EXPECT_EQ(json::parse(response.body).at("scopes"), json::array({"read", "decide"}));
}

}  // namespace
}  // namespace rollwatch
