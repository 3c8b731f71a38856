// `select`: labels that pick a rollout's series out of an answer that all rollouts share.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "test/config/key_table.h"
#include "test/config/merge_fixture.h"

namespace rollwatch {
namespace {

using nlohmann::json;

std::map<std::string, std::string> labels_of(const ConditionPlan& condition) {
  std::map<std::string, std::string> labels;
  for (const SelectLabel& label : std::get<ThresholdCondition>(condition.kind).select)
    labels[label.name] = label.value.text();
  return labels;
}

constexpr const char* kSelect =
    "select = { version = '{{candidate}}', app = '{{service}}-{{labels.tier}}' }";

TEST_F(Merge, SelectIsAListOfLabelsWithTemplates) {
  configure(
      "[policy.p]\nduration = '1h'\n[[policy.p.condition]]\nname = 'a'\n"
      "query = 'sum by (app, version) (rate(x[{{window}}])) > 1'\n"
      "evidence = 'sum by (app, version) (increase(x[{{window}}]))'\n" +
      std::string(kSelect) + "\n");
  const auto merged = merge({"p"});
  ASSERT_TRUE(merged) << ConfigInMemory::text_of(merged.error());
  EXPECT_EQ(labels_of(merged->plan.conditions[0]),
            (std::map<std::string, std::string>{{"app", "{{service}}-{{labels.tier}}"},
                                                {"version", "{{candidate}}"}}));
  expect_merged({"p"}, R"({"condition": [{"name": "a", "select": {"pod": "{{args.pod}}"}}]})");
  EXPECT_EQ(analysis()["condition"][0]["select"], json::parse(R"({"pod": "{{args.pod}}"})"))
      << "replaced as a whole: a label less must not be a label more";
  EXPECT_EQ(sources()["/condition/0/select"], "request");
}

TEST_F(Merge, SelectSharesItsQueryWithEverybody) {
  struct Row {
    const char* name;
    const char* request;
    std::vector<std::string> error;
  };
  const Row rows[] = {
      {"in the query",
       R"({"condition": [{"name": "c", "query": "x{a=\"{{service}}\"} > 1", "select": {"a": "b"}}]})",
       {"/analysis/condition/0/query: condition.c.query: with select the query is asked once for "
        "all rollouts, so {{service}} has no place in it (only {{window}} has)",
        "by a label under select instead"}},
      {"in the evidence",
       R"({"condition": [{"name": "c", "query": "x > 1", "evidence": "y{a=\"{{step}}\"}",
       "select": {"a": "b"}}]})",
       {"/analysis/condition/0/evidence: condition.c.evidence: with select the evidence is asked "
        "once for all rollouts, so {{step}} has no place in it"}},
      {"the query is a policy's",
       R"({"condition": [{"name": "own", "select": {"a": "b"}}]})",
       {"/analysis/condition/0/select: condition.own.select: with select the query is asked once "
        "for all rollouts, so {{service}} has no place in it"}},
      {"nothing but the window",
       R"({"condition": [{"name": "c",
       "query": "sum by (a) (rate(x[{{window}}])) > 1", "select": {"a": "{{service}}"}}]})",
       {}},
  };
  configure(
      "[policy.p]\nduration = '1h'\n[[policy.p.condition]]\nname = 'own'\n"
      "query = 'x{a=\"{{service}}\"} > 1'\n");
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string found = errors({"p"}, row.request);
    if (row.error.empty()) {
      EXPECT_EQ(found, "");
    } else {
      EXPECT_TRUE(says(found, row.error)) << found;
    }
  }
}

}  // namespace
}  // namespace rollwatch
