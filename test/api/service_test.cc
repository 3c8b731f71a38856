// A service's record, and freezing it, or everything.
#include <nlohmann/json.hpp>

#include "test/api/api_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using Json = nlohmann::ordered_json;

constexpr const char* kFreeze = "/api/v1/services/payments/checkout/freeze";
constexpr const char* kService = "/api/v1/services/payments/checkout";

using ServiceTest = ApiTest;

TEST_F(ServiceTest, AFreezeIsRecordedAsAskedAndAnswered) {
  const ServerResponse response =
      ask("PUT", kFreeze,
          R"({"reason":"stock\ntaking","by":"ana","until":"2026-01-02T05:00:00+01:00"})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(Json::parse(response.body).dump(1), R"({
 "namespace": "payments",
 "service": "checkout",
 "in_force": true,
 "text": "frozen by ana: stock\ntaking",
 "by": "ana",
 "reason": "stock\ntaking",
 "since": "2026-01-02T03:04:05.678Z",
 "until": "2026-01-02T04:00:00.000Z",
 "lifted_at": null,
 "lifted_by": null,
 "lift_reason": null,
 "token": null,
 "from": "192.0.2.7",
 "lifted_token": null,
 "lifted_from": null,
 "active_rollouts": 2
})");
  const FreezeRecord& freeze = service.freezes.at("payments/checkout");
  EXPECT_EQ(freeze.ns, "payments");
  EXPECT_EQ(freeze.service, "checkout");
  EXPECT_EQ(freeze.by, "ana");
  EXPECT_EQ(get(kFreeze)["by"], "ana");
}

TEST_F(ServiceTest, EverythingIsOneOfItsOwn) {
  const ServerResponse response = ask("PUT", "/api/v1/freeze", R"({"reason":"holidays"})");
  EXPECT_EQ(response.status, 200);
  const Json json = Json::parse(response.body);
  EXPECT_TRUE(json["namespace"].is_null());
  EXPECT_TRUE(json["service"].is_null());
  EXPECT_TRUE(json["until"].is_null());
  EXPECT_EQ(json["by"], "local");
  EXPECT_EQ(json["text"], "everything is frozen by local: holidays");
  EXPECT_EQ(get("/api/v1/freeze")["reason"], "holidays");
  EXPECT_EQ(problem_of(ask("GET", kFreeze)), "404 payments/checkout is not frozen");
  EXPECT_EQ(ask("DELETE", "/api/v1/freeze").status, 200);
  EXPECT_EQ(problem_of(ask("GET", "/api/v1/freeze")), "404 everything is not frozen");
}

TEST_F(ServiceTest, LiftingNamesWhoAndWhyAndIsPossibleOnce) {
  ask("PUT", kFreeze, R"({"reason":"stocktaking"})");
  const ServerResponse lifted = ask("DELETE", kFreeze, R"({"by":"ben","reason":"done"})");
  EXPECT_EQ(lifted.status, 200);
  const Json json = Json::parse(lifted.body);
  EXPECT_EQ(json["in_force"], false);
  EXPECT_EQ(json["lifted_by"], "ben");
  EXPECT_EQ(json["lift_reason"], "done");
  EXPECT_EQ(json["lifted_at"], "2026-01-02T03:04:05.679Z");
  EXPECT_EQ(problem_of(ask("DELETE", kFreeze)), "404 payments/checkout is not frozen");
}

TEST_F(ServiceTest, BadRequestsFreezeNothing) {
  struct Row {
    const char* method;
    const char* target;
    const char* body;
    const char* problem;
  };
  const Row rows[] = {
      {"PUT", kFreeze, "", "400 "},
      {"PUT", kFreeze, "{}", "422 /reason: is required"},
      {"PUT", kFreeze, R"({"reason":""})", "422 /reason: must not be empty"},
      {"PUT", kFreeze, R"({"reason":"x","until":"tomorrow"})", "422 /until: must be a time"},
      {"PUT", kFreeze, R"({"reason":"x","until":60})", "422 /until: must be a string"},
      {"PUT", kFreeze, R"({"reason":"x","until":"2026-01-02T03:04:05.678Z"})",
       "422 /until: lies in the past: it is 2026-01-02T03:04:05.678Z here"},
      {"PUT", kFreeze, R"({"reason":"x","for":"1h"})", "422 /for: unknown key"},
      {"PUT", "/api/v1/freeze?all=1", R"({"reason":"x"})", "422 ?all: "},
      {"PUT", "/api/v1/services/a%0ab/c/freeze", R"({"reason":"x"})", "422 \"a\nb\" is no name"},
      {"DELETE", kFreeze, R"({"until":"x"})", "422 /until: unknown key"},
      {"POST", kFreeze, R"({"reason":"x"})", "405 "},
      {"PUT", kService, R"({"reason":"x"})", "405 "},
  };
  for (const Row& row : rows)
    EXPECT_THAT(problem_of(ask(row.method, row.target, row.body)), StartsWith(row.problem))
        << row.method << " " << row.target << " " << row.body;
  EXPECT_THAT(service.freezes, IsEmpty());
}

TEST_F(ServiceTest, AStoreThatIsAwayIs503) {
  service.store_is_away = true;
  EXPECT_THAT(problem_of(ask("PUT", kFreeze, R"({"reason":"x"})")), StartsWith("503 "));
}

TEST_F(ServiceTest, ItsRecordShowsEverythingKnown) {
  RolloutView ended = sample_rollout("ro_2");
  ended.spec.target = "us-1";
  ended.state.state = State::kPromoted;
  ended.state.ended_at = kSampleTime + Millis(1);
  ended.fence = 1767323045678;
  service.rollouts["ro_1"] = sample_rollout();
  service.rollouts["ro_2"] = ended;
  Settings configured = sample_settings();
  configured.services["payments/checkout"] = Value(Value::Table{});
  settings = std::make_shared<const Settings>(configured);
  ask("PUT", kFreeze, R"({"reason":"stocktaking","by":"ana"})");

  Json json = Json::parse(ask("GET", kService).body);
  EXPECT_EQ(json["freeze"]["by"], "ana");
  json.erase("freeze");
  EXPECT_EQ(json.dump(1), R"({
 "namespace": "payments",
 "service": "checkout",
 "frozen": "frozen by ana: stocktaking",
 "last_freeze": null,
 "active_rollouts": 2,
 "layers": [
  "service.payments/checkout"
 ],
 "rollouts": [
  {
   "id": "ro_2",
   "target": "us-1",
   "candidate": "1.24",
   "state": "promoted",
   "fence": 1767323045678,
   "created_at": "2026-01-02T03:04:05.678Z",
   "ended_at": "2026-01-02T03:04:05.679Z"
  },
  {
   "id": "ro_1",
   "target": "eu-1",
   "candidate": "1.24",
   "state": "analyzing",
   "fence": null,
   "created_at": "2026-01-02T03:04:05.678Z",
   "ended_at": null
  }
 ]
})");
  EXPECT_THAT(service.asked, ElementsAre("latest of payments/checkout 100 -"));
}

// Any of the three makes it known; none of them is a 404.
TEST_F(ServiceTest, OneThatNobodyKnowsIs404) {
  EXPECT_THAT(problem_of(ask("GET", kService)),
              HasSubstr("404 nothing is known of a service \"payments/checkout\""));
  ask("PUT", kFreeze, R"({"reason":"x","by":"ana"})");
  EXPECT_EQ(get(kService)["freeze"]["reason"], "x");
  ask("DELETE", kFreeze);
  const auto lifted = get(kService);
  EXPECT_TRUE(lifted["freeze"].is_null());
  EXPECT_TRUE(lifted["frozen"].is_null());
  EXPECT_EQ(lifted["last_freeze"]["by"], "ana");

  service.freezes.clear();
  service.rollouts["ro_1"] = sample_rollout();
  EXPECT_EQ(get(kService)["rollouts"].size(), 1U);

  service.rollouts.clear();
  Settings configured = sample_settings();
  configured.services["payments/checkout"] = Value(Value::Table{});
  settings = std::make_shared<const Settings>(configured);
  EXPECT_THAT(get(kService)["rollouts"], IsEmpty());
}

TEST_F(ServiceTest, ARolloutShowsWhatHoldsItWhileItDoes) {
  RolloutView view = sample_rollout();
  EXPECT_TRUE(rollout_json(view)["freeze"].is_null());
  view.state.freeze = FreezeState{kSampleTime, "frozen by ana: stocktaking"};
  EXPECT_EQ(rollout_json(view)["freeze"], "frozen by ana: stocktaking");
  for (const State state : {State::kRollingBack, State::kRolledBack, State::kCancelled}) {
    view.state.state = state;
    EXPECT_TRUE(rollout_json(view)["freeze"].is_null()) << name_of(state);
  }
}

}  // namespace
}  // namespace rollwatch
