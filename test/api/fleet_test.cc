// Views over everything: the fleet, deliveries of all rollouts, the daemon's status, who asks.
#include <nlohmann/json.hpp>

#include "daemon/api/cursors.h"
#include "test/api/api_fixture.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class FleetTest : public ApiTest {
 protected:
  FleetTest() {
    service.rollouts["ro_1"] = sample_rollout();
    RolloutView ended = sample_rollout("ro_0");
    ended.state.state = State::kRolledBack;
    ended.state.reason = "error-rate 0.083 > 0.05, 3 of the last 3";
    ended.state.ended_at = kSampleTime;
    service.rollouts["ro_0"] = ended;
  }
  ConditionState& condition(std::size_t i) { return service.rollouts["ro_1"].state.conditions[i]; }
  void answered(std::size_t i, Outcome outcome, double value) {
    Judgement judgement;
    judgement.outcome = outcome;
    judgement.cause = outcome == Outcome::kPass ? Cause::kWithinLimit : Cause::kBeyondLimit;
    judgement.value = value;
    condition(i).last = judgement;
    condition(i).passes_in_step = outcome == Outcome::kPass ? 1 : 0;
  }
  static StoredEvaluation evaluation(std::uint32_t number, const std::string& of, double value) {
    StoredEvaluation one;
    one.number = number;
    one.condition = of;
    one.slot = one.last_slot = kSampleTime + Millis(1000 * number);
    one.judgement.outcome = Outcome::kPass;
    one.judgement.value = value;
    return one;
  }
};

TEST_F(FleetTest, OneThatEndsWhileTheAnswerIsMadeIsThereOnce) {
  service.after_search = [this] { service.rollouts["ro_1"].state.state = State::kPromoted; };
  const json fleet = get("/api/v1/fleet");
  EXPECT_THAT(fleet.at("active").at("items"), IsEmpty());
  EXPECT_THAT(fleet.at("ended").at("items"), SizeIs(2));
}

TEST_F(FleetTest, WhatGoesOnAndWhatEndedAreTwoListsOfRows) {
  answered(0, Outcome::kFail, 0.083);
  const json fleet = get("/api/v1/fleet");
  ASSERT_THAT(fleet.at("active").at("items"), SizeIs(1));
  const json& row = fleet.at("active").at("items")[0];
  EXPECT_EQ(row.at("id"), "ro_1");
  EXPECT_THAT(row.at("headline").get<std::string>(),
              HasSubstr("checkout 1.24 in eu-1 is rolling out (5 %, step 1 of 2): error-rate "));
  EXPECT_EQ(row.at("step").at("count"), 2);
  EXPECT_EQ(row.at("worst").at("name"), "error-rate");
  EXPECT_EQ(row.at("worst").at("value"), 0.083);
  EXPECT_EQ(row.at("worst").at("limit"), 0.05);
  EXPECT_FALSE(row.contains("analysis")) << "in short";
  ASSERT_THAT(fleet.at("ended").at("items"), SizeIs(1));
  EXPECT_EQ(fleet.at("ended").at("items")[0].at("headline"),
            "checkout 1.24 in eu-1 was rolled back: error-rate 0.083 > 0.05, 3 of the last 3");
  EXPECT_FALSE(fleet.at("ended").at("items")[0].at("worst").contains("recent"));
  EXPECT_EQ(fleet.at("counts").at("analyzing"), 1);
  EXPECT_EQ(fleet.at("counts").at("paused"), 0);
  EXPECT_EQ(fleet.at("freeze"), nullptr);
}

TEST_F(FleetTest, TheLatestValuesAreOfTheConditionThatIsShown) {
  answered(0, Outcome::kPass, 0.01);
  answered(1, Outcome::kFail, 3);
  service.rollouts["ro_1"].state.evaluations = 1000;
  for (std::uint32_t i = 1; i <= 6; ++i)
    service.all_evaluations.push_back(evaluation(i, i % 2 == 0 ? "alerts" : "error-rate", i));
  const json row = get("/api/v1/fleet?values=2").at("active").at("items")[0];
  EXPECT_EQ(row.at("worst").at("name"), "alerts") << "it fails, the other one passes";
  ASSERT_THAT(row.at("worst").at("recent"), SizeIs(2));
  EXPECT_EQ(row.at("worst").at("recent")[0].at("value"), 4);
  EXPECT_EQ(row.at("worst").at("recent")[1].at("value"), 6);
  EXPECT_THAT(service.asked, testing::Contains("evaluations 64 996")) << "the last ones only";
}

TEST_F(FleetTest, FiltersAreTheListsAndNarrowBoth) {
  get("/api/v1/fleet?q=check&namespace=payments&service=checkout&target=eu-1&label.tier=web&limit=7"
      "&cursor=" +
      seal_cursor("active rollouts of the fleet", "c1") +
      "&ended=3&ended_cursor=" + seal_cursor("ended rollouts of the fleet", "c2"));
  EXPECT_THAT(service.asked, testing::IsSupersetOf({"search check 7 c1", "search check 3 c2"}));
  EXPECT_EQ(service.search_filter.ns, "payments");
  EXPECT_EQ(service.search_filter.labels.at("tier"), "web");
  EXPECT_THAT(service.search_filter.states, SizeIs(5)) << "the final ones";
  service.asked.clear();
  const json paused = get("/api/v1/fleet?state=analyzing");
  EXPECT_THAT(paused.at("active").at("items"), SizeIs(1));
  EXPECT_THAT(paused.at("ended").at("items"), IsEmpty());
  EXPECT_EQ(get("/api/v1/fleet?state=rolled_back").at("ended").at("items").size(), 1);
  EXPECT_EQ(get("/api/v1/fleet?ended=0").at("ended").at("items").size(), 0);
}

TEST_F(FleetTest, SomeCanBeAskedForById) {
  const json fleet = get("/api/v1/fleet?id=ro_0&id=ro_1&id=ro_nobody");
  EXPECT_EQ(fleet.at("active").at("items")[0].at("id"), "ro_1");
  EXPECT_EQ(fleet.at("ended").at("items")[0].at("id"), "ro_0");
  EXPECT_THAT(fleet.at("active").at("items"), SizeIs(1));
}

TEST_F(FleetTest, WhatIsAskedWronglyIsRefusedAtItsPlace) {
  const struct Row {
    const char* query;
    const char* problem;
  } rows[] = {
      {"limit=0", "422 ?limit: must be a whole number from 1 to 200"},
      {"limit=201", "422 ?limit: "},
      {"ended=201", "422 ?ended: "},
      {"values=61", "422 ?values: "},
      {"values=-1", "422 ?values: "},
      {"state=x", "422 ?state: \"x\" is no state"},
      {"lmit=1", "422 ?lmit: is not known here"},
      {"cursor=bad", "422 ?cursor: is not one that this list gave"},
      {"ended_cursor=bad", "422 ?ended_cursor: is not one that this list gave"},
  };
  for (const Row& row : rows)
    EXPECT_THAT(problem_of(ask("GET", std::string("/api/v1/fleet?") + row.query)),
                HasSubstr(row.problem));
}

TEST_F(FleetTest, WhatWasSentBeforeIsNotSentAgain) {
  for (const char* path :
       {"/api/v1/fleet", "/api/v1/deliveries", "/api/v1/status", "/api/v1/rollouts/ro_1/report"}) {
    const ServerResponse first = ask("GET", path);
    EXPECT_EQ(first.status, 200) << path << first.body;
    const std::string tag = header(first, "ETag");
    EXPECT_THAT(tag, testing::MatchesRegex("\"[0-9a-f]{16}\""));
    EXPECT_EQ(header(first, "Cache-Control"), "no-cache");
    const ServerResponse again = ask("GET", path, "", {{"if-none-match", "W/" + tag}});
    EXPECT_EQ(again.status, 304) << path;
    EXPECT_THAT(again.body, IsEmpty());
    service.rollouts["ro_1"].state.reached_weight += 1;
    if (std::string_view(path).find("fleet") != std::string_view::npos) {
      EXPECT_EQ(ask("GET", path, "", {{"if-none-match", tag}}).status, 200);
    }
  }
}

// ---- Headlines

TEST_F(FleetTest, HeadlinesSayItOnce) {
  const struct Row {
    State state;
    const char* reason;
    const char* headline;
  } rows[] = {
      {State::kWaiting, "waits for readiness: 2 of 3", "checkout 1.24 waits for readiness: 2 of 3"},
      {State::kWaiting, "it begins at once", "checkout 1.24 waits: it begins at once"},
      {State::kAnalyzing, "watching at 5 %", "checkout 1.24 is rolling out (5 %, step 1 of 2)"},
      {State::kAnalyzing, "frozen by ana: x",
       "checkout 1.24 is rolling out (5 %, step 1 of 2): frozen by ana: x"},
      {State::kPaused, "pause by ana", "checkout 1.24 is paused: pause by ana"},
      {State::kPromoting, "all conditions passed",
       "checkout 1.24 is being promoted: all conditions passed"},
      {State::kSoaking, "promoted, watched for another 1h",
       "checkout 1.24 was promoted, watched for another 1h"},
      {State::kPromoted, "promoted: all passed", "checkout 1.24 was promoted: all passed"},
      {State::kPromoted, "all passed", "checkout 1.24 was promoted: all passed"},
      {State::kRollingBack, "errors 0.9 > 0.05",
       "checkout 1.24 is being rolled back: errors 0.9 > 0.05"},
      {State::kRolledBack, "rolled back: by ana", "checkout 1.24 was rolled back: by ana"},
      {State::kRollbackFailed, "rollback failed: rollback was refused: not now",
       "checkout 1.24 could not be rolled back: rollback was refused: not now"},
      {State::kRollbackFailed, "rollback failed again: refused",
       "checkout 1.24 could not be rolled back again: refused"},
      {State::kCancelled, "cancel by ana", "checkout 1.24 was cancelled: cancel by ana"},
      {State::kSuperseded, "superseded by 1.25", "checkout 1.24 was superseded by 1.25"},
      {State::kPromoted, "", "checkout 1.24 was promoted"},
  };
  for (const Row& row : rows) {
    RolloutView view = sample_rollout();
    view.spec.target = "default";
    view.state.state = row.state;
    view.state.reason = row.reason;
    EXPECT_EQ(headline(view), row.headline);
  }
}

TEST_F(FleetTest, APausedOnesQuestionIsItsReason) {
  RolloutView view = sample_rollout();
  view.state.state = State::kPaused;
  view.state.reason = "pause";
  view.state.question.emplace().text = "no answers for 5m: is the datasource away?";
  EXPECT_EQ(headline(view),
            "checkout 1.24 in eu-1 is paused: no answers for 5m: is the datasource away?");
}

TEST_F(FleetTest, WhatStandsInItsWayIsSaidBeforeAnythingIsDecided) {
  answered(0, Outcome::kFail, 0.083);
  condition(0).last->rule = Comparison{CompareOp::kGreater, 0.05};
  EXPECT_EQ(headline(service.rollouts["ro_1"]),
            "checkout 1.24 in eu-1 is rolling out (5 %, step 1 of 2): error-rate 0.083 > 0.05");
  condition(0).last->outcome = Outcome::kNoData;
  condition(0).last->cause = Cause::kNoSeries;
  EXPECT_THAT(headline(service.rollouts["ro_1"]), HasSubstr("step 1 of 2): error-rate: "));
}

TEST_F(FleetTest, AmongEqualsTheOneNearestToItsLimitIsTheWorst) {
  service.rollouts["ro_1"] = sample_rollout("ro_1", R"json({
      "steps": [{"weight": 5, "hold": "2m"}],
      "condition": [
        {"name": "far", "query": "a > 10"}, {"name": "near", "query": "b > 1"},
        {"name": "low", "query": "c < 5"}, {"name": "watched", "query": "d > 1", "on_fail": "observe"}
      ]})json");
  const auto worst = [&] {
    const RolloutView& view = service.rollouts["ro_1"];
    return view.plan->conditions[*worst_condition(view)].name;
  };
  answered(0, Outcome::kPass, 2);
  answered(1, Outcome::kPass, 0.9);
  answered(2, Outcome::kPass, 10);
  answered(3, Outcome::kFail, 7);
  EXPECT_EQ(worst(), "near");
  answered(2, Outcome::kPass, 5.1);
  EXPECT_EQ(worst(), "low");
  answered(0, Outcome::kFail, 11);
  EXPECT_EQ(worst(), "far") << "a worse verdict counts first; what only observes counts last";
}

// ---- Deliveries of all rollouts

TEST_F(FleetTest, DeliveriesNameTheirRolloutAndWhetherTheyCanBeSentAgain) {
  const struct Row {
    const char* id;
    DeliveryClass cls;
    const char* kind;
    DeliveryState state;
    bool redeliverable;
  } rows[] = {
      {"no_1", DeliveryClass::kNotification, "paused", DeliveryState::kDead, true},
      {"no_2", DeliveryClass::kNotification, "paused", DeliveryState::kDone, false},
      {"ord_1", DeliveryClass::kOrder, "rollback", DeliveryState::kDead, true},
      {"ord_2", DeliveryClass::kOrder, "rollback", DeliveryState::kRefused, true},
      {"ord_3", DeliveryClass::kOrder, "rollback", DeliveryState::kPending, false},
      {"ord_4", DeliveryClass::kOrder, "advance", DeliveryState::kDead, false},
  };
  for (const Row& row : rows) {
    Delivery delivery;
    delivery.id = row.id;
    delivery.cls = row.cls;
    delivery.kind = row.kind;
    delivery.state = row.state;
    delivery.rollout = "ro_1";
    service.known_deliveries[row.id] = delivery;
  }
  TargetView target;
  target.name = "deployer";
  targets = {target};
  const json answer = get("/api/v1/deliveries?state=failed&class=order&target=deployer&limit=200");
  ASSERT_THAT(answer.at("items"), SizeIs(std::size(rows)));
  for (std::size_t i = 0; i < std::size(rows); ++i)
    EXPECT_EQ(answer.at("items")[i].at("redeliverable"), rows[i].redeliverable) << rows[i].id;
  EXPECT_EQ(answer.at("items")[0].at("service"), "checkout");
  EXPECT_EQ(answer.at("items")[0].at("rollout_target"), "eu-1");
  EXPECT_EQ(answer.at("counts").at("failed"), 4);
  EXPECT_EQ(answer.at("counts").at("pending"), 1);
  EXPECT_EQ(answer.at("targets")[0].at("name"), "deployer");
  EXPECT_THAT(service.delivery_filter.states,
              ElementsAre(DeliveryState::kDead, DeliveryState::kRefused));
  EXPECT_EQ(service.delivery_filter.cls, DeliveryClass::kOrder);
  EXPECT_EQ(service.delivery_filter.receiver, "deployer");
  EXPECT_THAT(problem_of(ask("GET", "/api/v1/deliveries?state=lost")),
              HasSubstr("422 ?state: \"lost\" is no state"));
  EXPECT_THAT(problem_of(ask("GET", "/api/v1/deliveries?class=x")), HasSubstr("422 ?class: "));
  EXPECT_THAT(problem_of(ask("GET", "/api/v1/deliveries?cursor=bad")), HasSubstr("422 ?cursor: "));
  service.asked.clear();
  EXPECT_EQ(ask("GET", "/api/v1/deliveries?cursor=" + seal_cursor("deliveries", "d-7")).status,
            200);
}

// ---- The daemon

TEST_F(FleetTest, TheStatusIsOfAllItDependsOn) {
  DatasourceView source;
  source.name = "default";
  source.url = "http://127.0.0.1:9090";
  source.up = false;
  source.last_error = "connection refused";
  source.ingestion_delay = Millis{15'000};
  datasources = {source};
  daemon.store_kind = "sqlite";
  daemon.last_reload = {kSampleTime, false, {"a.toml:3:1: unknown key"}};
  not_ready = "the store is away";
  const json status = get("/api/v1/status");
  EXPECT_EQ(status.at("ready"), false);
  EXPECT_EQ(status.at("not_ready"), "the store is away");
  EXPECT_EQ(status.at("datasources")[0].at("up"), false);
  EXPECT_EQ(status.at("datasources")[0].at("last_error"), "connection refused");
  EXPECT_EQ(status.at("datasources")[0].at("ingestion_delay"), "15s");
  EXPECT_EQ(status.at("datasources")[0].at("since"), nullptr);
  EXPECT_EQ(status.at("configuration").at("last_reload").at("ok"), false);
  EXPECT_EQ(status.at("configuration").at("last_reload").at("lines")[0], "a.toml:3:1: unknown key");
  EXPECT_EQ(status.at("store").at("kind"), "sqlite");
  EXPECT_EQ(status.at("rollouts").at("analyzing"), 1);
  EXPECT_FALSE(status.at("rollouts").contains("promoted"));
}

TEST_F(FleetTest, WithoutTokensWhoeverAsksMayDoAll) {
  EXPECT_EQ(get("/api/v1/me"), json::parse(R"({"name": "local", "token": null,
      "scopes": ["read", "register", "decide", "admin"], "namespaces": []})"));
  EXPECT_THAT(problem_of(ask("GET", "/api/v1/me?x=1")), HasSubstr("422 ?x: "));
}

}  // namespace
}  // namespace rollwatch
