// `share = "auto"`: what many rollouts may ask together.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "test/config/merge_fixture.h"

namespace rollwatch {
namespace {

constexpr const char* kPolicy = R"(
[policy.p]
duration = "1h"
SHARE_OF_POLICY
[[policy.p.condition]]
name = "errors"
query = '''
  sum(rate(x{app="{{service}}",v="{{candidate}}",code="5"}[{{window}}]))
/ sum(rate(x{app="{{service}}",v="{{candidate}}"}[{{window}}])) > 0.05'''
evidence = 'sum(increase(x{app="{{service}}",v="{{candidate}}"}[{{window}}]))'
SHARE_OF_CONDITION
)";

class Share : public Merge {
 protected:
  const ThresholdCondition& condition(const std::string& of_policy, const std::string& of_condition,
                                      const std::string& request = "{}") {
    std::string file = kPolicy;
    const auto put = [&file](const std::string& mark, const std::string& text) {
      file.replace(file.find(mark), mark.size(), text);
    };
    put("SHARE_OF_POLICY", of_policy);
    put("SHARE_OF_CONDITION", of_condition);
    configure(file);
    expect_merged({"p"}, request);
    return std::get<ThresholdCondition>(merged_.plan.conditions[0].kind);
  }
};

TEST_F(Share, IsOffAndThenNotInTheDocument) {
  EXPECT_FALSE(condition("", "").joined);
  // So that a version which does not know it reads the rest.
  EXPECT_FALSE(analysis()["condition"][0].contains("share"));
  EXPECT_FALSE(condition("share = 'off'", "").joined);
}

TEST_F(Share, JoinsTheQueryWithoutItsComparisonAndTheEvidence) {
  for (const auto& [policy, own] : {std::pair{"share = 'auto'", ""}, {"", "share = 'auto'"}}) {
    const ThresholdCondition& threshold = condition(policy, own);
    ASSERT_TRUE(threshold.joined);
    EXPECT_EQ(threshold.joined->query.text(),
              "sum by (app, v) (rate(x{code=\"5\"}[{{window}}])) / on (app, v) "
              "sum by (app, v) (rate(x[{{window}}]))");
    ASSERT_TRUE(threshold.joined_evidence);
    EXPECT_EQ(threshold.joined_evidence->query.text(), "sum by (app, v) (increase(x[{{window}}]))");
    EXPECT_EQ(analysis()["condition"][0]["share"], "auto") << "pinned";
    EXPECT_TRUE(threshold.query.uses("candidate")) << "its own question stays";
  }
}

TEST_F(Share, IsTurnedOffByAStrongerLayer) {
  EXPECT_FALSE(condition("share = 'auto'", "share = 'off'").joined);
  EXPECT_FALSE(
      condition("share = 'auto'", "", R"({"condition": [{"name": "errors", "share": "off"}]})")
          .joined);
}

TEST_F(Share, EvidenceIsAskedTogetherOnlyBesideTheQuery) {
  const ThresholdCondition& alone = condition(
      "share = 'auto'", "",
      R"({"condition": [{"name": "errors", "query": "topk(1, x{v=\"{{candidate}}\"}) > 1"}]})");
  EXPECT_FALSE(alone.joined);
  EXPECT_FALSE(alone.joined_evidence) << "it has the query's grid, which nobody shares";
  const ThresholdCondition& query =
      condition("share = 'auto'", "",
                R"json({"condition": [{"name": "errors", "evidence": "vector(1000)"}]})json");
  EXPECT_TRUE(query.joined);
  EXPECT_FALSE(query.joined_evidence);
}

TEST_F(Share, WithSelectThereIsNothingToJoin) {
  EXPECT_FALSE(condition("share = 'auto'", "", R"json({"condition": [{"name": "errors",
                           "query": "sum by (v) (x) > 1", "evidence": "sum by (v) (y)",
                           "select": {"v": "{{candidate}}"}}]})json")
                   .joined);
}

}  // namespace
}  // namespace rollwatch
