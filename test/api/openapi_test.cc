// The document against the table of routes, and what it promises of policies and checks.
#include <nlohmann/json.hpp>
#include <set>

#include "daemon/api/openapi_document.h"
#include "test/api/api_fixture.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const json& document() {
  static const json parsed = json::parse(openapi_document());
  return parsed;
}

std::string_view word_for(Scope scope) {
  switch (scope) {
    case Scope::kRead:
      return "read";
    case Scope::kRegister:
      return "register";
    case Scope::kDecide:
      return "decide";
    case Scope::kAdmin:
      return "admin";
    case Scope::kAny:
      break;
  }
  return "";
}

const std::set<std::string> kOpen{"/", "/metrics", "/openapi.json", "/-/healthy", "/-/ready"};

TEST(OpenApi, DescribesEveryRouteAndNoOther) {
  std::set<std::string> routes, described;
  for (const Route& route : api_routes())
    routes.insert(lower_case(route.method) + " " + std::string(route.pattern));
  for (const auto& [path, operations] : document().at("paths").items())
    for (const auto& [method, operation] : operations.items())
      described.insert(method + " " + path);
  EXPECT_EQ(routes, described);
}

TEST(OpenApi, NamesTheScopeOfEveryOperation) {
  for (const Route& route : api_routes()) {
    const std::string pattern(route.pattern);
    SCOPED_TRACE(pattern);
    const json& security =
        document().at("paths").at(pattern).at(lower_case(route.method)).at("security");
    if (kOpen.contains(pattern)) {
      EXPECT_EQ(security, json::array());
    } else {
      const json scopes =
          route.scope == Scope::kAny ? json::array() : json::array({word_for(route.scope)});
      EXPECT_EQ(security.at(0).at("bearer"), scopes);
      EXPECT_EQ(security.at(1).at("password"), scopes);
    }
  }
}

TEST(OpenApi, EveryOperationHasANameOfItsOwnItsParametersAndProblems) {
  std::set<std::string> names;
  for (const auto& [path, operations] : document().at("paths").items()) {
    for (const auto& [method, operation] : operations.items()) {
      SCOPED_TRACE(method + " " + path);
      EXPECT_TRUE(names.insert(operation.at("operationId")).second);
      std::set<std::string> given, needed;
      for (const json& parameter : operation.value("parameters", json::array()))
        if (parameter.contains("$ref"))
          given.insert("{" + parameter.at("$ref").get<std::string>().substr(24) + "}");
      for (std::size_t at = path.find('{'); at != std::string::npos; at = path.find('{', at + 1))
        needed.insert(path.substr(at, path.find('}', at) - at + 1));
      EXPECT_TRUE(std::ranges::includes(given, needed));
      for (const auto& [status, response] : operation.at("responses").items()) {
        if (status < "400") continue;
        const json& real = response.contains("$ref")
                               ? document().at(json::json_pointer(
                                     response.at("$ref").get<std::string>().substr(1)))
                               : response;
        EXPECT_TRUE(real.at("content").contains("application/problem+json") ||
                    real.at("content").contains("text/plain"))
            << status;
      }
    }
  }
}

// So that a name is never accepted by the one and refused by the other.
TEST(OpenApi, BodiesRefuseUnknownFields) {
  std::size_t bodies = 0;
  for (const auto& [path, operations] : document().at("paths").items()) {
    if (!path.starts_with("/api/")) continue;
    for (const auto& [method, operation] : operations.items()) {
      if (!operation.contains("requestBody")) continue;
      const std::string ref =
          operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
      EXPECT_EQ(document().at(json::json_pointer(ref.substr(1))).at("additionalProperties"), false)
          << ref;
      ++bodies;
    }
  }
  EXPECT_GE(bodies, 15);
}

class OpenApiTest : public ApiTest {};

TEST_F(OpenApiTest, IsServedWithATagOfItsOwn) {
  const ServerResponse first = ask("GET", "/openapi.json");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, openapi_document());
  const std::string etag = header(first, "ETag");
  EXPECT_THAT(etag, testing::MatchesRegex("\"[0-9a-f]{16}\""));
  const ServerResponse again = ask("GET", "/openapi.json", "", {{"if-none-match", etag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_THAT(again.body, IsEmpty());
  EXPECT_EQ(ask("GET", "/openapi.json", "", {{"if-none-match", "\"other\""}}).status, 200);
}

// ---- Policies

const char* const kHttpPolicy = R"json({
  "steps": [{"weight": 5, "hold": "2m"}], "ready": {"query": "sum(up)", "at_least": 3},
  "condition": [{"name": "errors", "query": "errors{v=\"{{candidate}}\"} > 0.05"},
                {"name": "slower", "query": "a{v=\"{{candidate}}\"} / a{v=\"{{stable}}\"} > 2"}]})json";
const char* const kPartOfAPolicy =
    R"json({"locked": true, "condition": [{"name": "memory", "query": "m > 1"}]})json";

class PolicyTest : public ApiTest {
 protected:
  PolicyTest() {
    Settings changed = sample_settings();
    changed.defaults = *value_from_json(R"json({"interval": "15s"})json", "defaults");
    changed.policies["http"] = *value_from_json(kHttpPolicy);
    changed.policies["part"] = *value_from_json(kPartOfAPolicy);
    settings = std::make_shared<const Settings>(std::move(changed));
  }
  ServerResponse check(const std::string& body) { return ask("POST", "/api/v1/check", body); }
};

TEST_F(PolicyTest, AreListedWithWhatTheyAskFor) {
  EXPECT_EQ(get("/api/v1/policies"), json::parse(R"({"items": [
      {"name": "http", "conditions": ["errors", "slower"], "steps": 1, "locked": false},
      {"name": "part", "conditions": ["memory"], "steps": 0, "locked": true}]})"));
  EXPECT_EQ(problem_of(ask("GET", "/api/v1/policies?x=1")), "422 ?x: is not known here; none is");
}

TEST_F(PolicyTest, OneIsShownAsARolloutWouldHaveIt) {
  const json policy = get("/api/v1/policies/http");
  EXPECT_EQ(policy.at("name"), "http");
  EXPECT_EQ(policy.at("analysis").at("condition").at(0).at("interval"), "15s");
  EXPECT_EQ(policy.at("analysis").at("condition").at(0).at("fail_if"), "> 0.05");
  EXPECT_EQ(policy.at("analysis").at("patience"), "5m") << "what nobody gave";
  EXPECT_EQ(policy.at("analysis_sources").at("/patience"), "default");
  EXPECT_THAT(policy.at("analysis_sources").at("/condition/0/interval").get<std::string>(),
              HasSubstr("defaults"));
  EXPECT_EQ(get("/api/v1/policies/part").at("analysis").at("locked"), true);
  EXPECT_THAT(problem_of(ask("GET", "/api/v1/policies/htttp")),
              HasSubstr("404 there is no policy \"htttp\""));
}

TEST_F(PolicyTest, ItsRecordSaysWhatItsConditionsCameTo) {
  const auto add = [this](std::vector<std::string> policy, std::uint32_t passes,
                          std::uint32_t fails, std::uint32_t without) {
    RolloutView view = sample_rollout();
    view.spec.id = "ro_" + std::to_string(service.rollouts.size());
    view.spec.policy = std::move(policy);
    auto plan = std::make_shared<Plan>(*view.plan);
    plan->conditions[0].name = "errors";
    view.plan = std::move(plan);
    auto& counts = view.state.conditions[0].counts;
    counts = {};
    counts[static_cast<std::size_t>(Outcome::kPass)] = passes;
    counts[static_cast<std::size_t>(Outcome::kFail)] = fails;
    counts[static_cast<std::size_t>(Outcome::kNoData)] = without;
    service.rollouts[view.spec.id] = view;
  };
  add({"http"}, 3, 0, 0);
  add({"memory", "http"}, 3, 2, 1);
  add({"http"}, 0, 0, 4);
  add({"http"}, 0, 0, 0);
  add({"memory"}, 5, 5, 5);
  const json record = get("/api/v1/policies/http").at("record");
  EXPECT_EQ(record.at("looked_at"), 5);
  EXPECT_EQ(record.at("rollouts"), 4);
  EXPECT_EQ(record.at("since"), format_time(sample_rollout().spec.created_at));
  EXPECT_EQ(record.at("conditions"), json::parse(R"([
      {"name": "errors", "rollouts": 3, "answered": 2, "failed": 1},
      {"name": "slower", "rollouts": 0, "answered": 0, "failed": 0}])"));
  service.list_fails = true;
  EXPECT_EQ(get("/api/v1/policies/http").at("record"), nullptr) << "the rest is there";
}

// ---- Checks

TEST_F(PolicyTest, ACheckIsAskedOfTheWholePolicyAndToldAsItIs) {
  CheckedCondition one;
  one.name = "errors";
  one.rule = "> 0.05";
  one.detail = "0.1 > 0.05";
  one.judged.outcome = Outcome::kFail;
  one.judged.cause = Cause::kBeyondLimit;
  one.judged.value = 0.1;
  one.asked.query = "errors{v=\"1.24\"}";
  one.asked.datasource = "default";
  one.asked.datasource_url = "http://127.0.0.1:9090";
  one.asked.headers = {"X-Scope-OrgID"};
  one.asked.evaluated_at = kSampleTime;
  one.duration = Millis{3};
  checked = {one};
  const ServerResponse response =
      check(R"({"policy": "http", "service": "checkout", "stable": "1.23", "candidate": "1.24"})");
  ASSERT_EQ(response.status, 200) << response.body;
  const json item = json::parse(response.body).at("items").at(0);
  EXPECT_EQ(item.at("condition"), "errors");
  EXPECT_EQ(item.at("outcome"), "fail");
  EXPECT_EQ(item.at("value"), 0.1);
  EXPECT_EQ(item.at("evidence"), nullptr);
  EXPECT_EQ(item.at("evaluated_at"), "2026-01-02T03:04:05.678Z");
  EXPECT_THAT(item.at("curl").get<std::string>(), HasSubstr("-H 'X-Scope-OrgID: …'"));
  EXPECT_THAT(item.at("graph_url").get<std::string>(), HasSubstr("http://127.0.0.1:9090/"));
  ASSERT_EQ(checks.size(), 1);
  EXPECT_THAT(checks[0].left_out, IsEmpty());
  EXPECT_EQ(checks[0].plan->conditions.size(), 3) << "readiness too";
  EXPECT_EQ(checks[0].spec.candidate, "1.24");
  EXPECT_THAT(service.registrations, IsEmpty());
}

TEST_F(PolicyTest, WithoutAStableVersionWhatNeedsOneIsLeftOutAndNamed) {
  const ServerResponse response =
      check(R"({"policy": "http", "service": "checkout", "candidate": "1.24"})");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(json::parse(response.body).at("left_out"), json::array({"slower"}));
  EXPECT_THAT(checks.at(0).left_out, ElementsAre("slower"));
}

TEST_F(PolicyTest, OneConditionOfItOrOfTheRequestsOwnCanBeChecked) {
  ASSERT_EQ(check(R"({"policy": "http", "condition": "errors", "service": "checkout",
                      "candidate": "1.24"})")
                .status,
            200);
  EXPECT_THAT(checks.at(0).left_out, testing::UnorderedElementsAre("slower", "alerts", "ready"));
  // Without steps: nothing is rolled out.
  ASSERT_EQ(check(R"({"service": "checkout", "candidate": "1.24",
                      "analysis": {"condition": [{"name": "x", "query": "up > 1"}]}})")
                .status,
            200);
  EXPECT_EQ(checks.at(1).plan->conditions.at(0).name, "x");
}

TEST_F(PolicyTest, WhatCannotBeCheckedIsRefusedWithItsPlace) {
  const struct Row {
    const char* body;
    const char* problem;
  } rows[] = {
      {R"({"policy": "http"})", "422 /service: is required | /candidate: is required"},
      {R"({"service": "a", "candidate": "2"})",
       "422 /policy: is required, or else an \"analysis\" with conditions"},
      {R"({"service": "a", "candidate": "2", "policy": "htttp"})",
       "422 /policy: there is no policy"},
      {R"({"service": "a", "candidate": "2", "policy": "http", "condition": "erors"})",
       "422 /condition: there is no condition \"erors\" in it: did you mean \"errors\"?"},
      {R"({"service": "a", "candidate": "2", "stable": "2", "policy": "http"})",
       "422 /candidate: must differ from stable"},
      {R"({"service": "a", "candidate": "2", "by": "x", "policy": "http"})", "422 /by: "},
      {R"({"service": "a", "candidate": "2",
           "analysis": {"condition": [{"name": "x", "query": "up{t=\"{{labels.tier}}\"} > 1"}]}})",
       "422 /labels/tier: condition x: {{labels.tier}} is not given"},
      {R"({"service": "a", "candidate": "2",
           "analysis": {"condition": [{"name": "x", "query": "up{t=\"{{weight}}\"} > 1"}]}})",
       "422 /analysis/condition/0/query: condition x: {{weight}} has no value"},
      {R"({"service": "a", "candidate": "2", "analysis": {"conditon": []}})", "422 /analysis/"},
  };
  for (const Row& row : rows) EXPECT_THAT(problem_of(check(row.body)), HasSubstr(row.problem));
  EXPECT_THAT(checks, IsEmpty());
}

// ---- The trace of a call

TEST_F(PolicyTest, AGoodTraceparentGoesWithTheDecisionAndABadOneIsIgnored) {
  const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const struct Row {
    std::string given, taken;
  } rows[] = {
      {good, good},
      {"", ""},
      {"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", ""},
      {"00-00000000000000000000000000000000-00f067aa0ba902b7-01", ""},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", ""},
      {"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", ""},
      {good + "-x", ""},
      {"evil\r\nX: y", ""},
  };
  service.rollouts["ro_1"] = sample_rollout();
  service.decide_answer.end = DecideEnd::kDone;
  service.decide_answer.rollout = sample_rollout();
  for (const Row& row : rows) {
    ask("POST", "/api/v1/rollouts/ro_1/pause", "", {{"traceparent", row.given}});
    EXPECT_EQ(service.decisions.back().traceparent, row.taken) << row.given;
  }
}

}  // namespace
}  // namespace rollwatch
