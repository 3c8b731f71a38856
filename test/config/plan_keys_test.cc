// Every key of a policy and of a condition: wrong type, wrong value, unknown neighbour; in a file
// and in a request. Each message names the place and what to write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/merge.h"
#include "config/plan_decoder.h"
#include "config/toml_reader.h"
#include "test/config/config_support.h"

namespace rollwatch {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Row {
  const char* name;
  const char* json;  // the value as JSON, which is TOML too for everything used here
  const char* message;
};

std::string errors_of_file(const std::string& toml) {
  FieldErrors errors;
  const Value table = value_from_toml(toml, "f.toml", errors);
  check_layer(table, "policy.p", errors);
  return ConfigInMemory::text_of(errors);
}

std::string errors_of_request(const std::string& json) {
  const auto table = value_from_json(json, "request", "/analysis");
  if (!table) return "not JSON: " + json;
  FieldErrors errors;
  check_layer(*table, "", errors);
  return ConfigInMemory::text_of(errors);
}

void expect_policy_key_refused(const char* key, const Row& row) {
  SCOPED_TRACE(std::string(key) + ": " + row.name);
  const std::string name = key;
  EXPECT_THAT(
      errors_of_file(name + " = " + row.json),
      AllOf(HasSubstr("f.toml:1:"), HasSubstr(": policy.p." + name), HasSubstr(row.message)));
  EXPECT_THAT(errors_of_request("{\"" + name + "\": " + row.json + "}"),
              AllOf(HasSubstr("/analysis/" + name), HasSubstr(row.message)));
}

void expect_condition_key_refused(const char* key, const Row& row) {
  SCOPED_TRACE(std::string(key) + ": " + row.name);
  const std::string name = key;
  EXPECT_THAT(errors_of_file("[[condition]]\nname = \"c\"\n" + name + " = " + row.json),
              AllOf(HasSubstr("f.toml:3:"), HasSubstr(": policy.p.condition.c." + name),
                    HasSubstr(row.message)));
  EXPECT_THAT(
      errors_of_request("{\"condition\": [{\"name\": \"c\", \"" + name + "\": " + row.json + "}]}"),
      AllOf(HasSubstr("/analysis/condition/0/" + name), HasSubstr(row.message)));
}

struct KeyRows {
  const char* key;
  std::vector<Row> rows;
};

std::vector<Row> duration_rows() {
  return {{"number", "30", "must be a duration in quotes, such as \"30s\""},
          {"list", "[\"30s\"]", "not a list"},
          {"no unit", "\"30\"", "not \"30\""},
          {"negative", "\"-5s\"", "not \"-5s\""},
          {"too long", "\"100y\"", "must be at most"}};
}

std::vector<KeyRows> judging_key_rows() {
  std::vector<Row> counts = {
      {"text", "\"3\"", "must be a whole number from 1 to 1000, not a string"},
      {"zero", "0", "not 0"},
      {"too large", "1001", "not 1001"},
      {"fraction", "1.5", "not a number with a fraction"}};
  std::vector<Row> missing = {
      {"unknown", "\"wat\"", "did you mean \"wait\"?"},
      {"type", "true", "must be \"wait\", \"fail\" or \"ignore\", not true or false"}};
  return {
      {"interval", duration_rows()},
      {"interval", {{"zero", "\"0s\"", "must be at least \"100ms\""}}},
      {"window", duration_rows()},
      {"initial_delay", duration_rows()},
      {"timeout", duration_rows()},
      {"datasource", {{"type", "1", "must be a string"}, {"empty", "\"\"", "must not be empty"}}},
      {"fail_after", counts},
      {"min_passes", counts},
      {"within",
       {{"zero", "0", "not 0"},
        {"text", "\"al\"", "must be \"all\", not \"al\""},
        {"type", "[]", "whole number"}}},
      {"on_fail",
       {{"unknown", "\"rolback\"", "did you mean \"rollback\"?"},
        {"type", "1", "not a whole number"}}},
      {"on_no_data", missing},
      {"on_error", missing},
  };
}

TEST(PlanKeys, BadPolicyKeys) {
  std::vector<KeyRows> keys = judging_key_rows();
  const std::vector<KeyRows> of_policy = {
      {"steps",
       {{"type", "5", "must be a list: steps = ["},
        {"empty", "[]", "at least one step below 100"},
        {"only 100", "[{\"weight\" = 100}]", "at least one step below 100"}}},
      {"duration", duration_rows()},
      {"approve",
       {{"unknown", "\"promoted\"", "did you mean \"promote\"?"},
        {"type", "true", "\"both\", not true or false"}}},
      {"soak", duration_rows()},
      {"patience", duration_rows()},
      {"on_inconclusive",
       {{"unknown", "\"wait\"", "must be \"pause\" or \"rollback\""},
        {"type", "0", "not a whole number"}}},
      {"deadline", duration_rows()},
      {"deadline", {{"zero", "\"0s\"", "must be at least \"1s\""}}},
      {"on_deadline",
       {{"unknown", "\"roll back\"", "did you mean \"rollback\"?"}, {"type", "[]", "not a list"}}},
      {"locked", {{"type", "\"yes\"", "must be true or false, not a string"}}},
      {"ready", {{"given", "{}", "not available yet in this version"}}},
      {"recovery", {{"given", "\"5m\"", "not available yet in this version"}}},
      {"alerts", {{"given", "{}", "not available yet in this version"}}},
      {"condition",
       {{"type", "{}", "write [[policy.NAME.condition]] in a file"},
        {"no tables", "[1]", "must be a table"}}},
      {"intervall",
       {{"neighbour", "\"1s\"", "unknown key \"intervall\": did you mean \"interval\"?"}}},
      {"conditions", {{"neighbour", "[]", "did you mean \"condition\"?"}}},
      {"version", {{"not for people", "1", "unknown key \"version\""}}},
  };
  keys.insert(keys.end(), of_policy.begin(), of_policy.end());
  for (const KeyRows& each : keys) {
    for (const Row& row : each.rows) {
      // JSON and TOML differ in how a table's keys are written.
      if (std::string(row.json).find("=") != std::string::npos) continue;
      expect_policy_key_refused(each.key, row);
    }
  }
}

TEST(PlanKeys, BadConditionKeys) {
  std::vector<KeyRows> keys = judging_key_rows();
  std::vector<Row> queries = {
      {"type", "1", "must be a string"},
      {"empty", "\"\"", "must not be empty"},
      {"open bracket", "\"sum(x\"", "in the query, line 1, column 4"},
      {"unknown variable", "\"x{a=\\\"{{servce}}\\\"}\"",
       "unknown variable {{servce}}: did you mean \"service\"?"},
      {"label without name", "\"x{a=\\\"{{labels}}\\\"}\"", "unknown variable {{labels}}"}};
  const std::vector<KeyRows> of_condition = {
      {"query", queries},
      {"evidence", queries},
      {"fail_if",
       {{"type", "0.05",
         "must be \"> 0.05\" (any of > >= < <= == != and a number), \"any\" or \"none\", not a "
         "number"},
        {"unknown", "\"some\"", "some"},
        {"no number", "\"> x\"", "> x"}}},
      {"pass_if", {{"type", "1", "must be a string"}, {"unknown", "\"any\"", "any"}}},
      {"reduce",
       {{"unknown", "\"mean\"", "must be \"each\", \"max\", \"min\", \"sum\", \"avg\" or \"one\""},
        {"type", "1", "not a whole number"}}},
      {"min_evidence",
       {{"type", "\"9\"", "must be a number from 0"}, {"negative", "-1", "not -1"}}},
      {"steps",
       {{"type", "25", "must be a list: steps = [5, 25]"},
        {"empty", "[]", "at least one weight"},
        {"item", "[\"5\"]", "numbers from 0 to 100, not \"5\""},
        {"range", "[101]", "not 101"}}},
      {"select", {{"given", "{}", "not available yet in this version"}}},
      {"compare", {{"given", "\"rate\"", "not available yet in this version"}}},
      {"alpha", {{"given", "0.05", "not available yet in this version"}}},
      {"fail_iff",
       {{"neighbour", "\"> 1\"", "unknown key \"fail_iff\": did you mean \"fail_if\"?"}}},
      {"soak", {{"of a policy", "\"1m\"", "unknown key \"soak\""}}},
  };
  keys.insert(keys.end(), of_condition.begin(), of_condition.end());
  for (const KeyRows& each : keys) {
    for (const Row& row : each.rows) expect_condition_key_refused(each.key, row);
  }
}

TEST(PlanKeys, BadNamesOfConditions) {
  struct NameRow {
    const char* name;
    std::string toml;
    const char* message;
  };
  const NameRow rows[] = {
      {"missing", "[[condition]]\nquery = 'x'",
       "f.toml:1:1: policy.p.condition: missing key \"name\""},
      {"type", "[[condition]]\nname = 1", "f.toml:2:8: policy.p.condition.name: must be a string"},
      {"empty", "[[condition]]\nname = ''", "must not be empty"},
      {"newline", "[[condition]]\nname = \"a\\nb\"", "must be one line"},
      {"long", "[[condition]]\nname = '" + std::string(101, 'n') + "'", "at most 100 bytes"},
      {"twice", "[[condition]]\nname = 'a'\n[[condition]]\nname = 'a'",
       "f.toml:3:1: policy.p.condition.a: condition \"a\" is given twice, first at f.toml:1:1"},
  };
  for (const NameRow& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_THAT(errors_of_file(row.toml), HasSubstr(row.message));
  }
}

TEST(PlanKeys, BadStepsAndRamps) {
  struct StepRow {
    const char* name;
    const char* toml;
    const char* message;
  };
  const StepRow rows[] = {
      {"no table", "steps = [5]",
       "f.toml:1:10: policy.p.steps: must be a table, not a whole number"},
      {"no weight", "steps = [{ hold = '1m' }]", "missing key \"weight\""},
      {"weight type", "steps = [{ weight = '5' }]",
       "f.toml:1:21: policy.p.steps.weight: must be a number from 0 to 100"},
      {"weight range", "steps = [{ weight = 101 }]", "not 101"},
      {"weight nan", "steps = [{ weight = nan }]", "not infinite or not a number"},
      {"hold", "steps = [{ weight = 5, hold = 2 }]", "policy.p.steps.hold: must be a duration"},
      {"approve", "steps = [{ weight = 5, approve = 'x' }]",
       "policy.p.steps.approve: must be true or false"},
      {"neighbour", "steps = [{ weigth = 5 }]", "did you mean \"weight\"?"},
      {"falling", "steps = [{ weight = 25 }, { weight = 5 }]",
       "f.toml:1:38: policy.p.steps: weights must rise: 5 follows 25"},
      {"equal", "steps = [{ weight = 25 }, { weight = 25.0 }]", "weights must rise"},
      {"only 100", "steps = [{ weight = 100 }]", "at least one step below 100"},
      {"100 held", "steps = [{ weight = 5 }, { weight = 100, hold = '1m' }]", "use soak"},
      {"100 approved", "steps = [{ weight = 5 }, { weight = 100, approve = true }]",
       "approve = \"promote\""},
      {"steps and duration", "duration = '1m'\nsteps = [{ weight = 5 }]",
       "policy.p.duration: excludes steps; give only one"},
      {"ramp and steps", "steps = [{ weight = 5 }]\nramp = { from = 5, by = 5, every = '1m' }",
       "f.toml:2:8: policy.p.ramp: excludes steps"},
      {"ramp type", "ramp = 5", "f.toml:1:8: policy.p.ramp: must be a table"},
      {"ramp incomplete", "ramp = { from = 5 }", "missing key \"by\""},
      {"ramp standing still", "ramp = { from = 5, by = 0, every = '1m' }",
       "policy.p.ramp.by: must be a number from 0.01 to 100, not 0"},
      {"ramp backwards", "ramp = { from = 50, by = 5, to = 20, every = '1m' }",
       "f.toml:1:34: policy.p.ramp.to: must not be smaller than from"},
      {"ramp too fine", "ramp = { from = 0, by = 0.05, every = '1m' }", "more than 1000 steps"},
      {"ramp hold", "ramp = { from = 5, by = 5, every = 2 }",
       "policy.p.ramp.every: must be a duration"},
      {"ramp neighbour", "ramp = { from = 5, by = 5, evry = '2m' }", "did you mean \"every\"?"},
  };
  for (const StepRow& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_THAT(errors_of_file(row.toml), HasSubstr(row.message));
  }
}

TEST(PlanKeys, ALayerMayLeaveOutAnything) {
  EXPECT_EQ(errors_of_file(""), "");
  EXPECT_EQ(errors_of_request("{}"), "");
  EXPECT_EQ(errors_of_file("[[condition]]\nname = 'a'\nmin_passes = 2"), "");
  EXPECT_THAT(errors_of_request("[]"), HasSubstr("/analysis: must be a table, not a list"));
}

TEST(PlanKeys, KeysOfARequestAreNotRepeatedAtLength) {
  const auto table = value_from_json("{\"" + std::string(50'000, 'k') + "\": 1}");
  ASSERT_TRUE(table);
  FieldErrors errors;
  check_layer(*table, "", errors);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_THAT(errors[0].message, HasSubstr("unknown key"));
  EXPECT_LT(errors[0].message.size() + errors[0].key.size(), 1'000u);
}

}  // namespace
}  // namespace rollwatch
