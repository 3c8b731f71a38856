// Layers: who wins, what is filled in, where each value is said to come from, and what may not be
// mixed.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "test/config/merge_fixture.h"

namespace rollwatch {
namespace {

using nlohmann::json;

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kLayers = R"([defaults]
interval = "10s"
patience = "1m"
soak = "1m"
deadline = "1h"
[policy.http]
steps = [{ weight = 5, hold = "2m" }, { weight = 100 }]
patience = "2m"
soak = "2m"
window = "30s"
[[policy.http.condition]]
name = "errors"
query = "sum(x[{{window}}]) > 0.05"
fail_after = 4
[[policy.http.condition]]
name = "latency"
query = "y"
fail_if = "> 1"
[service."default/checkout"]
soak = "3m"
[[service."default/checkout".condition]]
name = "latency"
fail_if = "> 2"
interval = "5s"
)";

TEST_F(Merge, StrongerLayersWinAndSourcesSayWho) {
  configure(kLayers);
  expect_merged({"http"}, R"({"window": "40s", "condition": [{"name": "errors", "min_passes": 2},
                                                             {"name": "extra", "query": "z < 1"}]})");
  struct Row {
    const char* pointer;
    json value;
    const char* source;
  };
  const Row rows[] = {
      {"/deadline", "1h", "[defaults] rollwatch.toml:7"},
      {"/patience", "2m", "policy http rollwatch.toml:10"},
      {"/soak", "3m", "service default/checkout rollwatch.toml:22"},
      {"/approve", "none", "default"},
      {"/locked", false, "default"},
      {"/steps", json::parse(R"([{"weight": 5, "hold": "2m", "approve": false}])"),
       "policy http rollwatch.toml:9"},
      {"/condition/0/name", "errors", "policy http rollwatch.toml:14"},
      {"/condition/0/query", "sum(x[{{window}}])", "policy http rollwatch.toml:15"},
      {"/condition/0/fail_if", "> 0.05", "policy http rollwatch.toml:15"},
      {"/condition/0/fail_after", 4, "policy http rollwatch.toml:16"},
      {"/condition/0/within", 4, "default"},
      {"/condition/0/min_passes", 2, "request"},
      {"/condition/0/interval", "10s", "[defaults] rollwatch.toml:4"},
      {"/condition/0/window", "40s", "request"},
      {"/condition/1/fail_if", "> 2", "service default/checkout rollwatch.toml:25"},
      {"/condition/1/interval", "5s", "service default/checkout rollwatch.toml:26"},
      {"/condition/1/on_error", "wait", "default"},
      {"/condition/2/query", "z", "request"},
      {"/condition/2/fail_if", "< 1", "request"},
      {"/condition/2/datasource", "default", "default"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.pointer);
    EXPECT_EQ(analysis().value(json::json_pointer(row.pointer), json()), row.value);
    EXPECT_EQ(sources().value(row.pointer, ""), row.source);
  }
  EXPECT_EQ(analysis()["version"], kPlanVersion);
  EXPECT_FALSE(analysis()["condition"][0].contains("timeout")) << "follows the datasource";
  EXPECT_FALSE(analysis()["condition"][0].contains("min_evidence")) << "there is no evidence";
}

TEST_F(Merge, EveryValueHasASource) {
  configure(kLayers);
  expect_merged({"http"}, R"({"soak": "9m"})");
  const json analysis = this->analysis();
  for (const auto& [key, value] : analysis.items()) {
    if (key == "version" || key == "condition") continue;
    EXPECT_TRUE(sources().contains("/" + key)) << key;
  }
  for (std::size_t i = 0; i < analysis["condition"].size(); ++i) {
    for (const auto& [key, value] : analysis["condition"][i].items()) {
      EXPECT_TRUE(sources().contains("/condition/" + std::to_string(i) + "/" + key)) << key;
    }
  }
}

TEST_F(Merge, ThePinnedDocumentReadsBackAsTheSamePlan) {
  configure(kLayers);
  for (const char* request :
       {"", R"({"ramp": {"from": 1, "by": 3.5, "every": "1m"}})", R"({"duration": "9m"})"}) {
    SCOPED_TRACE(request);
    const auto merged = merge({"http"}, request);
    ASSERT_TRUE(merged) << ConfigInMemory::text_of(merged.error());
    const auto pinned = value_from_json(merged->analysis);
    ASSERT_TRUE(pinned);
    EXPECT_EQ(to_json(*pinned), merged->analysis) << "canonical";
    const auto plan = decode_plan(*pinned);
    ASSERT_TRUE(plan) << ConfigInMemory::text_of(plan.error());
    ASSERT_EQ(plan->steps.size(), merged->plan.steps.size());
    for (std::size_t i = 0; i < plan->steps.size(); ++i) {
      EXPECT_EQ(plan->steps[i].weight, merged->plan.steps[i].weight);
      EXPECT_EQ(plan->steps[i].hold, merged->plan.steps[i].hold);
    }
    ASSERT_EQ(plan->conditions.size(), merged->plan.conditions.size());
    for (std::size_t i = 0; i < plan->conditions.size(); ++i) {
      const ConditionPlan& a = plan->conditions[i];
      const ConditionPlan& b = merged->plan.conditions[i];
      const auto& left = std::get<ThresholdCondition>(a.kind);
      const auto& right = std::get<ThresholdCondition>(b.kind);
      EXPECT_EQ(left.query.text(), right.query.text());
      EXPECT_EQ(left.rule.fail_if, right.rule.fail_if);
      EXPECT_EQ(std::tie(a.name, a.interval, a.window, a.fail_after, a.within, a.min_passes,
                         a.datasource),
                std::tie(b.name, b.interval, b.window, b.fail_after, b.within, b.min_passes,
                         b.datasource));
    }
  }
}

TEST_F(Merge, EqualAnalysesHaveEqualText) {
  configure(R"([policy.a]
steps = [{ weight = 5, hold = "1m" }, { weight = 100 }]
condition = [{ name = "c", query = "x > 1", fail_after = 3 }]
[policy.b]
condition = [{ fail_after = 3, query = "x > 1", name = "c" }]
steps = [{ hold = "1m", weight = 5.0 }]
)");
  const auto a = merge({"a"});
  const auto b = merge({"b"});
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->analysis, b->analysis);
}

TEST_F(Merge, LaterDefaultsDoNotReachThePinnedDocument) {
  configure(kLayers);
  expect_merged({"http"});
  for (const char* key : {"interval", "window", "initial_delay", "datasource", "fail_after",
                          "within", "min_passes", "on_fail", "on_no_data", "on_error", "reduce"}) {
    EXPECT_TRUE(analysis()["condition"][0].contains(key)) << key;
  }
  for (const char* key :
       {"approve", "soak", "patience", "on_inconclusive", "deadline", "on_deadline", "locked"}) {
    EXPECT_TRUE(analysis().contains(key)) << key;
  }
}

TEST_F(Merge, TheThreeShapesReplaceEachOther) {
  configure("[defaults]\nduration = '1m'\n[policy.p]\nsteps = [{ weight = 5 }]\n");
  expect_merged({"p"});
  EXPECT_TRUE(analysis().contains("steps"));
  EXPECT_FALSE(analysis().contains("duration"));
  expect_merged({"p"}, R"({"ramp": {"from": 50, "by": 25, "every": "30s"}})");
  EXPECT_EQ(analysis()["steps"], json::parse(R"([{"weight": 50, "hold": "30s", "approve": false},
                                                {"weight": 75, "hold": "30s", "approve": false}])"));
  EXPECT_EQ(sources()["/steps"], "request");
  EXPECT_FALSE(analysis().contains("ramp"));
}

TEST_F(Merge, AStrongerLimitReplacesTheComparisonInTheQuery) {
  configure("[policy.p]\nduration = '1m'\ncondition = [{ name = 'c', query = 'x > 1' }]\n");
  expect_merged({"p"}, R"({"condition": [{"name": "c", "fail_if": "> 5"}]})");
  EXPECT_EQ(analysis()["condition"][0]["query"], "x");
  EXPECT_EQ(analysis()["condition"][0]["fail_if"], "> 5");
  expect_merged({"p"}, R"({"condition": [{"name": "c", "query": "y < 2"}]})");
  EXPECT_EQ(analysis()["condition"][0]["query"], "y");
  EXPECT_EQ(analysis()["condition"][0]["fail_if"], "< 2");
  EXPECT_TRUE(merged_.warnings.empty());
}

constexpr const char* kTwoPolicies = R"([policy.steps]
steps = [{ weight = 5 }]
interval = "10s"
[[policy.steps.condition]]
name = "a"
query = "x > 1"
[policy.part]
interval = "20s"
[[policy.part.condition]]
name = "b"
query = "y > 1"
[policy.same]
[[policy.same.condition]]
name = "a"
query = "z > 1"
[policy.other-steps]
steps = [{ weight = 50 }]
)";

TEST_F(Merge, SeveralPoliciesKeepTheirOwnCommonKeys) {
  configure(kTwoPolicies);
  expect_merged({"steps", "part"}, R"({"condition": [{"name": "c", "query": "z > 1"}]})");
  EXPECT_EQ(analysis()["condition"][0]["interval"], "10s");
  EXPECT_EQ(analysis()["condition"][1]["interval"], "20s");
  EXPECT_EQ(analysis()["condition"][2]["interval"], "30s") << "of no policy";
  expect_merged({"steps", "part"}, R"({"interval": "5s"})");
  EXPECT_EQ(analysis()["condition"][0]["interval"], "5s");
  EXPECT_EQ(analysis()["condition"][1]["interval"], "5s");
}

TEST_F(Merge, PoliciesThatClashAreNamed) {
  configure(kTwoPolicies);
  EXPECT_THAT(
      errors({"steps", "same"}),
      AllOf(HasSubstr("/policy: condition \"a\" is in policy \"steps\" (rollwatch.toml:6:1)"),
            HasSubstr("and in policy \"same\" (rollwatch.toml:15:1)")));
  EXPECT_THAT(errors({"steps", "other-steps"}),
              AllOf(HasSubstr("policies \"steps\" (rollwatch.toml:4:9) and \"other-steps\""),
                    HasSubstr("different values for steps, ramp or duration")));
  EXPECT_EQ(errors({"steps", "other-steps"}, R"({"duration": "1m"})"), "") << "the request decides";
}

TEST_F(Merge, UnknownPoliciesAreNamed) {
  configure(kTwoPolicies);
  EXPECT_THAT(errors({"stps"}),
              HasSubstr("/policy: there is no policy \"stps\": did you mean \"steps\"?"));
  EXPECT_THAT(errors({"steps", "nowhere-near-it"}),
              HasSubstr("/policy/1: there is no policy \"nowhere-near-it\"; there are other-steps, "
                        "part, same, steps"));
  EXPECT_THAT(errors({"part", "part"}), HasSubstr("/policy/0: policy \"part\" is named twice"));
  EXPECT_THAT(errors({"part"}), HasSubstr("missing key \"steps\""));
}

TEST_F(Merge, WithoutAPolicyTheRequestSaysEverything) {
  configure("");
  expect_merged({}, R"({"duration": "1m", "condition": [{"name": "a", "query": "x > 1"}]})");
  EXPECT_EQ(analysis()["condition"].size(), 1u);
  EXPECT_THAT(errors({}), HasSubstr("missing key \"steps\""));
}

TEST_F(Merge, MistakesOfARequestHavePointers) {
  configure(kLayers);
  struct Row {
    const char* name;
    const char* request;
    const char* error;
  };
  const Row rows[] = {
      {"unknown key", R"({"intervall": "1s"})",
       "/analysis/intervall: intervall: unknown key \"intervall\": did you mean"},
      {"wrong type", R"({"soak": 5})", "/analysis/soak: soak: must be a duration in quotes"},
      {"in a condition", R"({"condition": [{"name": "x", "query": "sum("}]})",
       "/analysis/condition/0/query"},
      {"misspelt condition", R"({"condition": [{"name": "eror", "min_passes": 2}]})",
       "/analysis/condition/0: condition.eror: missing key \"query\"; condition \"eror\" is in no "
       "weaker layer"},
      {"unknown datasource", R"({"datasource": "vm"})", "/analysis/datasource"},
      {"does not fit the policy", R"({"condition": [{"name": "errors", "within": 2}]})",
       "/analysis/condition/0/within: condition.errors.within: fail_after (4) must not be greater "
       "than within (2)"},
      {"steps that take a condition's away",
       R"({"duration": "1m", "condition": [{"name": "errors", "steps": [5]}]})",
       "/analysis/condition/0/steps"},
      {"locked", R"({"locked": true})",
       "/analysis/locked: is for the configuration, not for a request"},
      {"not a table", "7", "/analysis: must be a table, not a whole number"},
      {"a condition without name", R"({"condition": [{"min_passes": 2}]})",
       "/analysis/condition/0: condition: missing key \"name\""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_THAT(errors({"http"}, row.request), HasSubstr(row.error));
  }
}

TEST_F(Merge, ALockedAnalysisTakesOnlyArgs) {
  configure(
      "[policy.p]\nduration = '1m'\nlocked = true\n[policy.open]\n[service.'default/free']\nlocked "
      "= false\n");
  EXPECT_THAT(errors({"p"}, R"({"soak": "1m"})"),
              HasSubstr("/analysis: the analysis is locked (policy p rollwatch.toml:5); a request "
                        "may give args"));
  EXPECT_THAT(errors({"p", "open"}, R"({"soak": "1m"})"), HasSubstr("is locked"));
  EXPECT_EQ(errors({"p"}, "{}"), "");
  EXPECT_EQ(errors({"p"}), "");
  EXPECT_TRUE(merge({"p"}, R"({"soak": "1m"})", "free")) << "its service takes the lock off";
}

TEST_F(Merge, TextOfARequestIsNeverReadFromTheEnvironment) {
  configure(kLayers);
  expect_merged({"http"}, R"({"condition": [{"name": "extra", "query": "x{a=\"${HOME}\"} > 1"}]})");
  EXPECT_EQ(analysis()["condition"][2]["query"], "x{a=\"${HOME}\"}");
}

}  // namespace
}  // namespace rollwatch
