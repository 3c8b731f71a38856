// The readiness gate: what its keys mean, how they merge, and what does not fit. And that all of an
// analysis, the gate and `select` included, is pinned as one text that reads back as it was.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "config/plan_warnings.h"
#include "test/config/key_table.h"
#include "test/config/merge_fixture.h"

namespace rollwatch {
namespace {

using nlohmann::json;

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const ThresholdCondition& threshold(const ConditionPlan& condition) {
  return std::get<ThresholdCondition>(condition.kind);
}

// A policy with this line and two conditions; line 4 of the file.
std::string policy_with(const std::string& line) {
  return "[policy.p]\n" + line +
         "\nduration = '1h'\n"
         "condition = [{ name = 'a', query = 'x > 1' }, { name = 'b', query = 'y > 1' }]\n";
}

TEST_F(Merge, ReadinessIsACondition) {
  configure(policy_with("ready = { query = 'sum(up{app=\"{{service}}\"})', at_least = 3 }"));
  const auto merged = merge({"p"});
  ASSERT_TRUE(merged) << ConfigInMemory::text_of(merged.error());
  const Plan& plan = merged->plan;
  ASSERT_TRUE(plan.ready);
  EXPECT_EQ(plan.ready->at_least, 3);
  EXPECT_EQ(plan.ready->timeout, 10min);
  EXPECT_EQ(plan.ready->retry_after, ReadyPlan{}.retry_after);
  EXPECT_EQ(plan.ready->attempts, 1);
  ASSERT_EQ(plan.conditions.size(), 3u);
  EXPECT_EQ(readiness_of(plan), 2u) << "after the others, so that their numbers stay";
  const ConditionPlan& gate = plan.conditions[2];
  EXPECT_EQ(gate.name, "ready");
  EXPECT_EQ(threshold(gate).query.text(), "sum(up{app=\"{{service}}\"})");
  EXPECT_EQ(threshold(gate).rule.fail_if, (Comparison{CompareOp::kLess, 3}));
  EXPECT_EQ(gate.interval, 30s);
  EXPECT_EQ(gate.fail_after, 3);
  EXPECT_EQ(gate.within, 3);
  EXPECT_EQ(gate.on_fail, OnFail::kObserve) << "on_lost = \"ignore\"";
  EXPECT_EQ(gate.timeout, std::nullopt) << "the gate's own timeout is not its query's";
  EXPECT_EQ(plan.recovery, 5min);
}

TEST_F(Merge, EveryKeyOfReadiness) {
  configure(
      "[datasource.vm]\nurl = 'http://vm'\n" +
      policy_with("ready = { query = 'r', at_least = 2.5, timeout = '2m', retry_after = '7s', "
                  "attempts = 4, interval = '10s', window = '20s', datasource = 'vm', "
                  "fail_after = 2, within = 'all' }\nrecovery = '0s'"));
  const auto merged = merge({"p"});
  ASSERT_TRUE(merged) << ConfigInMemory::text_of(merged.error());
  EXPECT_EQ(merged->plan.ready->at_least, 2.5);
  EXPECT_EQ(merged->plan.ready->timeout, 2min);
  EXPECT_EQ(merged->plan.ready->retry_after, 7s);
  EXPECT_EQ(merged->plan.ready->attempts, 4);
  EXPECT_EQ(merged->plan.recovery, 0s);
  const ConditionPlan& gate = merged->plan.conditions.back();
  EXPECT_EQ(gate.interval, 10s);
  EXPECT_EQ(gate.window, 20s);
  EXPECT_EQ(gate.datasource, "vm");
  EXPECT_EQ(gate.fail_after, 2);
  EXPECT_EQ(gate.within, kWithinAll);
}

TEST_F(Merge, WhatFollowsWhenReadinessIsLost) {
  const std::pair<const char*, OnFail> rows[] = {
      {"ignore", OnFail::kObserve}, {"pause", OnFail::kPause}, {"rollback", OnFail::kRollback}};
  for (const auto& [word, on_fail] : rows) {
    configure(policy_with("ready = { query = 'r', at_least = 1, on_lost = '" + std::string(word) +
                          "' }"));
    const auto merged = merge({"p"});
    ASSERT_TRUE(merged) << ConfigInMemory::text_of(merged.error());
    EXPECT_EQ(merged->plan.conditions.back().on_fail, on_fail) << word;
  }
}

TEST_F(Merge, ReadinessMergesKeyByKeyAndSaysFromWhere) {
  configure(R"([defaults]
ready = { query = "r", at_least = 1, timeout = "1m" }
fail_after = 2
[policy.p]
duration = "1h"
interval = "5s"
ready.at_least = 2
ready.attempts = 3
[service."default/checkout"]
ready.at_least = 5
window = "2m"
)");
  expect_merged({"p"}, R"({"ready": {"on_lost": "pause"}, "interval": "7s"})");
  struct Row {
    const char* key;
    json value;
    const char* source;
  };
  const Row rows[] = {
      {"query", "r", "[defaults] rollwatch.toml:4"},
      {"timeout", "1m", "[defaults] rollwatch.toml:4"},
      {"attempts", 3, "policy p rollwatch.toml:10"},
      {"at_least", 5, "service default/checkout rollwatch.toml:12"},
      {"on_lost", "pause", "request"},
      {"retry_after", "1m", "default"},
      {"interval", "7s", "request"},
      {"window", "2m", "service default/checkout rollwatch.toml:13"},
      {"fail_after", 2, "[defaults] rollwatch.toml:5"},
      {"within", 2, "default"},
      {"datasource", "default", "default"},
  };
  EXPECT_EQ(analysis()["ready"].size(), std::size(rows));
  for (const Row& row : rows) {
    EXPECT_EQ(analysis()["ready"].value(row.key, json()), row.value) << row.key;
    EXPECT_EQ(sources().value(std::string("/ready/") + row.key, ""), row.source) << row.key;
  }
}

TEST_F(Merge, ThePoliciesOfOneRegistrationAgreeOnReadiness) {
  configure(R"([policy.a]
duration = "1h"
ready = { query = "r", at_least = 2 }
[policy.b]
ready = { query = "r", at_least = 3 }
[policy.same]
ready = { query = "r", at_least = 2, timeout = "1m" }
[policy.often]
interval = "5s"
ready = { query = "r", at_least = 2 }
[policy.bare]
interval = "7s"
[service."default/strict"]
ready.at_least = 9
)");
  EXPECT_THAT(errors({"a", "b"}),
              AllOf(HasSubstr("/policy: policies \"a\" (rollwatch.toml:5:"),
                    HasSubstr("and \"b\" (rollwatch.toml:7:"),
                    HasSubstr("give different values for ready.at_least; give it in the request"),
                    Not(HasSubstr("ready.query"))));
  EXPECT_EQ(errors({"a", "b"}, R"({"ready": {"at_least": 4}})"), "") << "the request decides";
  EXPECT_TRUE(merge({"a", "b"}, "", "strict")) << "the service decides";
  EXPECT_EQ(errors({"a", "same"}), "") << "each gives a part of it";
  EXPECT_THAT(errors({"a", "often"}),
              HasSubstr("/policy: policies \"a\" and \"often\" both give ready, but not the same "
                        "interval (rollwatch.toml:11:12); give ready.interval in the request"));
  EXPECT_EQ(errors({"a", "often"}, R"({"ready": {"interval": "1s"}})"), "");
  EXPECT_EQ(errors({"a", "often"}, R"({"interval": "1s"})"), "");
  expect_merged({"a", "bare"});
  EXPECT_EQ(analysis()["ready"]["interval"], "30s") << "of the policy that gives ready";
}

TEST_F(Merge, WhatDoesNotFitIntoReadiness) {
  struct Row {
    const char* name;
    const char* policy;   // a line of the policy
    const char* request;  // beside it
    std::vector<std::string> error;
  };
  const Row rows[] = {
      {"no query",
       "",
       R"({"ready": {"at_least": 2}})",
       {"/analysis/ready: ready: missing key \"query\"; it says how many are ready"}},
      {"no number",
       "",
       R"({"ready": {"query": "r"}})",
       {"/analysis/ready: ready: missing key \"at_least\"; say how many begin the rollout"}},
      {"a comparison",
       "",
       R"({"ready": {"query": "r >= 3", "at_least": 3}})",
       {"/analysis/ready/query: ready.query: ends in a comparison", "give the number as at_least"}},
      {"the step's weight",
       "",
       R"({"ready": {"query": "r * {{weight}}", "at_least": 3}})",
       {"/analysis/ready/query: ready.query: {{weight}} has no place in it", "leave it out"}},
      {"the step",
       "",
       R"({"ready": {"query": "r{a=\"{{step}}\"}", "at_least": 3}})",
       {"/analysis/ready/query: ready.query: {{step}} has no place in it"}},
      {"more failing slots than are looked at",
       "within = 4",
       R"({"ready": {"query": "r", "at_least": 3, "fail_after": 5}})",
       {"/analysis/ready/fail_after: ready.fail_after: fail_after (5) must not be greater than "
        "within (4)"}},
      {"a datasource there is not",
       "",
       R"({"ready": {"query": "r", "at_least": 3,
       "datasource": "defalt"}})",
       {"/analysis/ready/datasource: ready.datasource: there is no datasource \"defalt\": did you "
        "mean \"default\"?"}},
      {"a condition of that name, both here",
       "",
       R"({"ready": {"query": "r", "at_least": 3}, "condition": [{"name": "c", "query": "x > 1"},
       {"name": "ready", "query": "x > 1"}]})",
       {"/analysis/condition/1: condition.ready: a condition cannot be named \"ready\" beside",
        "rename the condition"}},
      {"a condition of that name here",
       "ready = { query = 'r', at_least = 3 }",
       R"({"condition": [{"name": "ready", "query": "x > 1"}]})",
       {"/analysis/condition/0: condition.ready: a condition cannot be named \"ready\""}},
      {"a gate here, the condition in the file",
       "soak = '1m'\n[[policy.p.condition]]\nname = 'ready'\nquery = 'x > 1'",
       R"({"ready": {"query": "r", "at_least": 3}, "duration": "1h"})",
       {"/analysis/ready: ready: a condition cannot be named \"ready\""}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    configure("[policy.p]\n" + std::string(row.policy) + "\n");
    std::string request = row.request;
    if (request.find("duration") == std::string::npos) request.insert(1, R"("duration": "1h", )");
    EXPECT_TRUE(says(errors({"p"}, request), row.error)) << errors({"p"}, request);
  }
}

TEST(ReadinessInAFile, IsCheckedThere) {
  struct Row {
    std::string text;
    std::vector<std::string> error;
  };
  const std::string start = std::string(kDatasource) + "[policy.p]\nduration = '1h'\n";
  const Row rows[] = {
      {start + "ready = { query = 'r > 1', at_least = 1 }",
       {"rollwatch.toml:5:19: policy.p.ready.query: ends in a comparison"}},
      {start + "ready = { at_least = 1 }",
       {"rollwatch.toml:5:9: policy.p.ready: missing key \"query\""}},
      {start + "ready = { query = 'r', at_least = 1 }\n[[policy.p.condition]]\nname = 'ready'\n"
               "query = 'x > 1'",
       {"rollwatch.toml:6:1: policy.p.condition.ready: a condition cannot be named"}},
      {"[policy.p]\nduration = '1h'\nready = { query = 'r', at_least = 1 }",
       {"rollwatch.toml:3:9: policy.p.ready.datasource: there is no datasource \"default\""}},
      {start + "ready = { query = 'r', at_least = 1, datasource = 'vm' }",
       {"rollwatch.toml:5:51: policy.p.ready.datasource: there is no datasource \"vm\""}},
      // What nobody wrote is the policy's to give.
      {start + "within = 2\ncondition = [{ name = 'a', query = 'x > 1' }]",
       {"rollwatch.toml:5:10: policy.p.condition.a.within: fail_after (3) must not be greater"}},
  };
  for (const Row& row : rows) {
    const std::string errors = ConfigInMemory(row.text).errors();
    EXPECT_TRUE(says(errors, row.error)) << row.text << '\n' << errors;
  }
}

// A gate alone is not worth a warning, and none is given for the gate's own query.
TEST_F(Merge, ReadinessIsNotWarnedAbout) {
  configure(
      policy_with("ready = { query = 'r{a=\"b\",c=\"d\"} / r{a=\"b\"}', at_least = 1, "
                  "window = '10m', fail_after = 1 }"));
  expect_merged({"p"});
  EXPECT_THAT(merged_.warnings, IsEmpty());
  EXPECT_THAT(settings_.warnings, IsEmpty());
}

TEST_F(Merge, AnAnalysisWithAllOfItHasOneText) {
  configure(R"([policy.a]
steps = [{ weight = 5, hold = "60s" }, { weight = 25.0 }]
soak = "90s"
recovery = "300s"
ready = { query = "r", at_least = 3, timeout = "600s", retry_after = "60s" }
[[policy.a.condition]]
name = "c"
query = "x"
fail_if = ">1"
select = { app = "a", version = "b" }
steps = [25, 5]
window = "120s"
initial_delay = "60s"
[policy.b]
ready = { at_least = 3.0, on_lost = "ignore", query = "r", attempts = 1 }
soak = "1m30s"
[[policy.b.condition]]
steps = [5.0, 25, 5]
window = "2m"
select = { version = "b", app = "a" }
query = "x > 1.0"
initial_delay = "1m"
name = "c"
[policy.b.ramp]
from = 5
by = 20
to = 25
every = "1m"
)");
  // A ramp holds its last step too.
  const auto a = merge({"a"}, R"({"steps": [{"weight": 5, "hold": "1m"},
                                             {"weight": 25, "hold": "60s"}]})");
  const auto b = merge({"b"});
  ASSERT_TRUE(a) << ConfigInMemory::text_of(a.error());
  ASSERT_TRUE(b) << ConfigInMemory::text_of(b.error());
  EXPECT_EQ(a->analysis, b->analysis);
  const auto pinned = value_from_json(a->analysis);
  ASSERT_TRUE(pinned);
  EXPECT_EQ(to_json(*pinned), a->analysis);
}

// A document is all that is kept: read again it must mean the same, key by key.
TEST_F(Merge, ThePinnedGateAndSelectReadBackAsTheSamePlan) {
  configure(
      policy_with("ready = { query = 'r', at_least = 2, timeout = '2m', retry_after = '7s', "
                  "attempts = 4, on_lost = 'rollback', within = 5 }\nrecovery = '1m'"));
  const auto merged =
      merge({"p"}, R"({"condition": [{"name": "a", "select": {"app": "{{service}}", "v": "x"}}]})");
  ASSERT_TRUE(merged) << ConfigInMemory::text_of(merged.error());
  const auto again = decode_plan(*value_from_json(merged->analysis));
  ASSERT_TRUE(again) << ConfigInMemory::text_of(again.error());
  const Plan& plan = merged->plan;
  EXPECT_EQ(again->recovery, plan.recovery);
  ASSERT_TRUE(again->ready);
  EXPECT_EQ(std::tie(again->ready->at_least, again->ready->timeout, again->ready->retry_after,
                     again->ready->attempts),
            std::tie(plan.ready->at_least, plan.ready->timeout, plan.ready->retry_after,
                     plan.ready->attempts));
  ASSERT_EQ(again->conditions.size(), plan.conditions.size());
  for (std::size_t i = 0; i < plan.conditions.size(); ++i) {
    const ConditionPlan& before = plan.conditions[i];
    const ConditionPlan& after = again->conditions[i];
    SCOPED_TRACE(before.name);
    EXPECT_EQ(std::tie(before.name, before.is_readiness, before.on_fail, before.interval,
                       before.window, before.within, before.fail_after),
              std::tie(after.name, after.is_readiness, after.on_fail, after.interval, after.window,
                       after.within, after.fail_after));
    EXPECT_EQ(threshold(before).rule.fail_if, threshold(after).rule.fail_if);
    EXPECT_EQ(threshold(before).query.text(), threshold(after).query.text());
    std::map<std::string, std::string> left, right;
    for (const SelectLabel& label : threshold(before).select) left[label.name] = label.value.text();
    for (const SelectLabel& label : threshold(after).select) right[label.name] = label.value.text();
    EXPECT_EQ(left, right);
  }
}

}  // namespace
}  // namespace rollwatch
