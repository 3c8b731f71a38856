// What a registration makes of the configuration's layers: merged, pinned, shown with the source of
// each value; several policies; locked ones; and where the request is pointed at when the engine
// finds something.
#include <nlohmann/json.hpp>

#include "test/api/api_fixture.h"
#include "test/config/config_support.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kConfiguration = R"toml([datasource.default]
url = "http://127.0.0.1:9090"
[defaults]
interval = "10s"
ready = { query = "sum(up)", at_least = 1 }
[policy.http]
steps = [{ weight = 5 }]
soak = "5m"
[[policy.http.condition]]
name = "errors"
query = 'errors{v="{{candidate}}"} > 0.05'
[policy.slow]
soak = "9m"
[[policy.slow.condition]]
name = "latency"
query = "latency > 1"
[policy.like-http]
[[policy.like-http.condition]]
name = "errors"
query = "other > 1"
[policy.part]
[[policy.part.condition]]
name = "memory"
query = "memory > 1"
[policy.closed]
duration = "1h"
locked = true
[service."payments/checkout"]
ready.at_least = 4
)toml";

class RegisterAnalysis : public ApiTest {
 protected:
  RegisterAnalysis() {
    const auto loaded = ConfigInMemory(kConfiguration).load();
    if (!loaded) throw std::invalid_argument(ConfigInMemory::text_of(loaded.error()));
    settings = std::make_shared<const Settings>(*loaded);
    service.register_answer.end = RegisterEnd::kCreated;
    service.register_answer.rollout = sample_rollout();
  }

  // {"policy": …} and so on, beside what every registration has.
  ServerResponse send(const json& fields) {
    json body{{"namespace", "payments"}, {"service", "checkout"}, {"candidate", "1.24"}};
    body.update(fields);
    return ask("POST", "/api/v1/rollouts", body.dump());
  }
};

TEST_F(RegisterAnalysis, TheMergedOneIsPinnedAndShownWithItsSources) {
  const ServerResponse response = send(
      {{"policy", "http"}, {"analysis", {{"interval", "7s"}, {"ready", {{"on_lost", "pause"}}}}}});
  ASSERT_EQ(response.status, 201) << response.body;
  ASSERT_THAT(service.registrations, SizeIs(1));
  RolloutView view = sample_rollout();
  view.document = std::make_shared<const PlanDocument>(service.registrations[0].document);
  view.plan = service.registrations[0].plan;
  service.rollouts["ro_1"] = view;
  settings = std::make_shared<const Settings>();  // what is changed later does not reach it

  const json shown = get("/api/v1/rollouts/ro_1");
  const json& analysis = shown.at("analysis");
  const json& sources = shown.at("analysis_sources");
  struct Row {
    const char* pointer;
    json value;
    const char* source;
  };
  const Row rows[] = {
      {"/steps", json::parse(R"([{"weight": 5, "hold": "0s", "approve": false}])"),
       "policy http rollwatch.toml:7"},
      {"/soak", "5m", "policy http rollwatch.toml:8"},
      {"/recovery", "5m", "default"},
      {"/ready/query", "sum(up)", "[defaults] rollwatch.toml:5"},
      {"/ready/at_least", 4, "service payments/checkout rollwatch.toml:29"},
      {"/ready/on_lost", "pause", "request"},
      {"/ready/interval", "7s", "request"},
      {"/condition/0/query", R"(errors{v="{{candidate}}"})", "policy http rollwatch.toml:11"},
      {"/condition/0/interval", "7s", "request"},
      {"/condition/0/window", "1m", "default"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(analysis.value(json::json_pointer(row.pointer), json()), row.value) << row.pointer;
    EXPECT_EQ(sources.value(row.pointer, ""), row.source) << row.pointer;
  }
}

TEST_F(RegisterAnalysis, SeveralPoliciesAreOneAnalysis) {
  ASSERT_EQ(send({{"policy", {"http", "part"}}}).status, 201);
  const Registration& sent = service.registrations.front();
  EXPECT_THAT(sent.spec.policy, ElementsAre("http", "part"));
  std::vector<std::string> names;
  for (const ConditionPlan& condition : sent.plan->conditions) names.push_back(condition.name);
  EXPECT_THAT(names, ElementsAre("errors", "memory", "ready"));
  EXPECT_EQ(json::parse(sent.document.sources).at("/condition/1/query"),
            "policy part rollwatch.toml:24");
}

TEST_F(RegisterAnalysis, PoliciesThatClashAreRefusedByName) {
  EXPECT_THAT(problem_of(send({{"policy", {"http", "like-http"}}})),
              AllOf(HasSubstr("422 /policy: condition \"errors\" is in policy \"http\" ("),
                    HasSubstr("rollwatch.toml:9:1) and in policy \"like-http\" ("),
                    HasSubstr("rename one, or register with one of them")));
  EXPECT_THAT(problem_of(send({{"policy", {"http", "slow"}}})),
              AllOf(HasSubstr("422 /policy: policies \"http\" ("), HasSubstr("and \"slow\" ("),
                    HasSubstr("give different values for soak; give it in the request")));
  EXPECT_EQ(send({{"policy", {"http", "slow"}}, {"analysis", {{"soak", "1m"}}}}).status, 201);
  EXPECT_THAT(problem_of(send({{"policy", {"http", "htpp"}}})),
              HasSubstr("422 /policy/1: there is no policy \"htpp\": did you mean \"http\"?"));
  EXPECT_THAT(service.registrations, SizeIs(1));
}

TEST_F(RegisterAnalysis, ALockedPolicyTakesArgsOnly) {
  EXPECT_THAT(problem_of(send({{"policy", "closed"}, {"analysis", {{"soak", "1m"}}}})),
              AllOf(HasSubstr("422 /analysis: the analysis is locked (policy closed "),
                    HasSubstr("a request may give args and nothing of the analysis")));
  EXPECT_THAT(problem_of(send({{"policy", {"http", "closed"}}, {"analysis", {{"soak", "1m"}}}})),
              HasSubstr("is locked"));
  EXPECT_THAT(service.registrations, IsEmpty());
  EXPECT_EQ(send({{"policy", "closed"}, {"args", {{"n", "5"}}}}).status, 201);
  EXPECT_EQ(send({{"policy", "closed"}, {"analysis", json::object()}}).status, 201);
}

TEST_F(RegisterAnalysis, ObserveAndAFirstReleaseNeedNothingElse) {
  ASSERT_EQ(send({{"policy", "http"}, {"observe", true}}).status, 201);
  EXPECT_TRUE(service.registrations.back().spec.observe);
  EXPECT_EQ(service.registrations.back().spec.stable, "");
  EXPECT_THAT(service.registrations.back().plan->conditions, SizeIs(2))
      << "all of them: which are left out is for the engine to say";
}

// The engine knows the merged analysis; whoever sent the request is pointed at what he wrote.
TEST_F(RegisterAnalysis, WhatTheEngineFindsPointsIntoTheRequest) {
  const json analysis = {
      {"ready", {{"query", "bad"}}},
      {"condition",
       {{{"name", "own"}, {"query", "y"}, {"fail_if", "> 1"}, {"select", {{"a", "b"}}}},
        {{"name", "errors"}, {"fail_if", "> 1"}}}}};
  struct Row {
    const char* found;
    const char* told;
  };
  const Row rows[] = {
      {"/analysis/condition/1/query", "/analysis/condition/0/query"},
      {"/analysis/condition/1/select/a", "/analysis/condition/0/select/a"},
      {"/analysis/condition/0/query", "/policy"},
      {"/analysis/condition/0/evidence", "/policy"},
      {"/analysis/ready/query", "/analysis/ready/query"},
      {"/labels/tier", "/labels/tier"},
      {"/attempt", "/attempt"},
  };
  service.register_answer = {};
  for (const Row& row : rows) {
    service.register_answer.problems = {{row.found, "it is said"}};
    EXPECT_EQ(problem_of(send({{"policy", "http"}, {"analysis", analysis}})),
              "422 " + std::string(row.told) + ": it is said");
  }
  service.register_answer.problems = {{"/analysis/condition/0/query", "it is said"}};
  EXPECT_EQ(problem_of(send({{"policy", "http"}})), "422 /policy: it is said");
}

}  // namespace
}  // namespace rollwatch
