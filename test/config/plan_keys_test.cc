// Every key of an analysis: wrong type, wrong value, misspelt neighbour; in each layer of a file
// and in a request. Each message names the place and what to write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/merge.h"
#include "config/plan_decoder.h"
#include "config/toml_reader.h"
#include "test/config/plan_rows.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;

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

// The request's analysis with this key in the table, and the pointer to it.
std::string request_with(const AnalysisTable& table, const std::string& key,
                         const std::string& toml, std::string& pointer) {
  std::size_t mark = 0;
  FieldErrors errors;
  const Value value = value_from_toml("v = " + without_mark(toml, mark), "", errors);
  EXPECT_TRUE(errors.empty()) << toml;
  Value inner;
  inner.set(key, *value.find("v"));
  pointer = "/analysis";
  if (table.name.empty()) {
    pointer += "/" + key;
    return to_json(inner);
  }
  pointer += "/" + std::string(table.name) + (table.is_list ? "/0/" : "/") + key;
  Value outer;
  outer.set(table.name, table.is_list ? Value(Value::Array{inner}) : inner);
  return to_json(outer);
}

void expect_request_refused(const AnalysisTable& table, const std::string& key, const char* value,
                            const std::string& message) {
  std::string pointer;
  const std::string request = request_with(table, key, value, pointer);
  const std::string errors = errors_of_request(request);
  EXPECT_TRUE(says(errors, {pointer, message})) << request << "\n"
                                                << pointer << ": …" << message << "\nsaid was\n"
                                                << errors;
}

TEST(PlanKeys, EveryKeyInEveryLayerOfAFile) {
  for (const AnalysisTable& table : analysis_tables()) {
    for (const char* layer : {"defaults", "policy.p", "service.'n/s'"}) {
      expect_every_key_refused(file_table(table, layer), table.rows);
    }
  }
}

TEST(PlanKeys, EveryKeyInARequest) {
  for (const AnalysisTable& table : analysis_tables()) {
    for (const KeyRow& row : table.rows) {
      expect_request_refused(table, row.key, row.wrong_type, row.says_of_type);
      if (row.wrong_value != nullptr) {
        expect_request_refused(table, row.key, row.wrong_value, row.says_of_value);
      }
      const std::string wrong = misspelt(row.key);
      expect_request_refused(table, wrong, "1",
                             "unknown key \"" + wrong + "\": did you mean \"" + row.key + "\"?");
    }
  }
}

// Whatever a key is given that its type has no use for, in JSON also null.
TEST(PlanKeys, NothingIsTakenForNull) {
  for (const AnalysisTable& table : analysis_tables()) {
    for (const KeyRow& row : table.rows) {
      std::string pointer;
      std::string request = request_with(table, row.key, "'MARK'", pointer);
      request.replace(request.find("\"MARK\""), 6, "null");
      EXPECT_TRUE(says(errors_of_request(request), {pointer, ": "})) << request;
    }
  }
}

// Further wrong values, beside the one that every key has in plan_rows.cc.
TEST(PlanKeys, MoreWaysToBeWrong) {
  struct Row {
    const char* key;
    const char* value;
    const char* message;
  };
  const Row of_policy[] = {
      {"soak", "['30s']", "not a list"},
      {"soak", "'100y'", "must be at most"},
      {"fail_after", "1001", "not 1001"},
      {"fail_after", "1.5", "not a number with a fraction"},
      {"within", "0", "not 0"},
      {"steps", "[{ weight = 100 }]", "at least one step below 100"},
      {"conditions", "[]", "did you mean \"condition\"?"},
      {"version", "1", "unknown key \"version\""},
  };
  for (const Row& row : of_policy) {
    expect_request_refused(analysis_tables().front(), row.key, row.value, row.message);
  }
  const Row of_condition[] = {
      {"query", "''", "must not be empty"},
      {"query", "'x{a=\"{{labels}}\"}'", "unknown variable {{labels}}"},
      {"fail_if", "'> x'", "> x"},
      {"steps", "[]", "at least one weight"},
      {"steps", "['5']", "numbers from 0 to 100, not \"5\""},
      {"soak", "'1m'", "unknown key \"soak\""},
      {"select", "{}", "must name at least one label, such as select = { app = "},
      {"select", "{ app = 1 }", "must be a string in quotes, not a whole number"},
      {"select", "{ app = '' }", "must not be empty"},
      {"select", "{ '0app' = 'x' }", "is no name of a label; those are letters, digits and _"},
      {"select", "{ 'a-b' = 'x' }", "is no name of a label"},
      {"select", "{ '' = 'x' }", "is no name of a label"},
      {"select", "{ app = '{{window}}' }", "{{window}} is not the rollout's own"},
      {"select", "{ app = '{{weight}}' }", "{{weight}} is not the rollout's own"},
      {"select", "{ app = '{{step}}' }", "{{step}} is not the rollout's own"},
      {"select", "{ app = '{{zzzzzzzz}}' }",
       "unknown variable {{zzzzzzzz}}; there are service, namespace"},
      {"select", "{ app = '{{service' }", "line 1, column 1"},
  };
  for (const Row& row : of_condition) {
    expect_request_refused(analysis_tables().back(), row.key, row.value, row.message);
  }
}

TEST(PlanKeys, BadAlerts) {
  struct AlertsRow {
    const char* name;
    const char* toml;
    const char* message;
  };
  const AlertsRow rows[] = {
      {"nothing to match", "alerts = { match = {} }",
       "f.toml:1:20: policy.p.alerts.match: must name at least one label, such as match = { "
       "service"},
      {"a number", "alerts = { match = { service = 1 } }",
       "must be a string in quotes, not a whole"},
      {"an empty value", "alerts = { match = { service = '' } }", "must not be empty"},
      {"no label's name", "alerts = { match = { 'a-b' = 'x' } }", "is no name of a label"},
      {"the window", "alerts = { match = { a = '{{window}}' } }", "is not the rollout's own"},
      {"the weight", "alerts = { match = { a = '{{weight}}' } }", "is not the rollout's own"},
      {"a variable that is none", "alerts = { match = { a = '{{zzzzzz}}' } }",
       "unknown variable {{zzzzzz}}; there are service, namespace"},
      {"another key", "alerts = { match = { a = 'b' }, on_fail = 'pause' }",
       "unknown key \"on_fail\"; the keys here are match, on_fire"},
      {"another word", "alerts = { on_fire = 'wait' }",
       "must be \"rollback\", \"pause\" or \"observe\", not \"wait\""},
      {"a condition of that name",
       "alerts = { match = { a = 'b' } }\n[[condition]]\nname = 'alerts'\nquery = 'x > 1'",
       "a condition cannot be named \"alerts\" beside the alerts, which are shown under that name"},
  };
  for (const AlertsRow& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_THAT(errors_of_file(row.toml), HasSubstr(row.message));
  }
  EXPECT_EQ(errors_of_file("alerts = { on_fire = 'observe' }"), "") << "a part of a layer";
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
      {"weight nan", "steps = [{ weight = nan }]", "not infinite or not a number"},
      {"falling", "steps = [{ weight = 25 }, { weight = 5 }]",
       "f.toml:1:38: policy.p.steps: weights must rise: 5 follows 25"},
      {"equal", "steps = [{ weight = 25 }, { weight = 25.0 }]", "weights must rise"},
      {"100 held", "steps = [{ weight = 5 }, { weight = 100, hold = '1m' }]", "use soak"},
      {"100 approved", "steps = [{ weight = 5 }, { weight = 100, approve = true }]",
       "approve = \"promote\""},
      {"steps and duration", "duration = '1m'\nsteps = [{ weight = 5 }]",
       "policy.p.duration: excludes steps; give only one"},
      {"ramp and steps", "steps = [{ weight = 5 }]\nramp = { from = 5, by = 5, every = '1m' }",
       "f.toml:2:8: policy.p.ramp: excludes steps"},
      {"ramp incomplete", "ramp = { from = 5 }", "missing key \"by\""},
      {"ramp backwards", "ramp = { from = 50, by = 5, to = 20, every = '1m' }",
       "f.toml:1:34: policy.p.ramp.to: must not be smaller than from"},
      {"ramp too fine", "ramp = { from = 0, by = 0.05, every = '1m' }", "more than 1000 steps"},
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
