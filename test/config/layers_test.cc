// Every key in every combination of the four layers that may give it: the strongest one wins, and
// the source says which that is. The keys are those of plan_rows.cc, which are those of the
// readers.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "config/toml_reader.h"
#include "test/config/key_table.h"
#include "test/config/merge_fixture.h"
#include "test/config/plan_rows.h"

namespace rollwatch {
namespace {

using nlohmann::json;

constexpr int kLayers = 4;
constexpr int kAll = (1 << kLayers) - 1;
constexpr const char* kSources[kLayers] = {"[defaults] rollwatch.toml:", "policy p rollwatch.toml:",
                                           "service default/checkout rollwatch.toml:", "request"};

// One value for each layer, the weakest first, as TOML and as the merged document writes it.
struct LayerRow {
  const char* key;
  const char* values[kLayers];
};

constexpr LayerRow kJudging[] = {
    {"interval", {"'11s'", "'12s'", "'13s'", "'14s'"}},
    {"window", {"'21s'", "'22s'", "'23s'", "'24s'"}},
    {"initial_delay", {"'1s'", "'2s'", "'3s'", "'4s'"}},
    {"timeout", {"'5s'", "'6s'", "'7s'", "'8s'"}},
    {"datasource", {"'d0'", "'d1'", "'d2'", "'d3'"}},
    {"fail_after", {"1", "2", "3", "4"}},
    {"within", {"4", "5", "6", "'all'"}},
    {"min_passes", {"1", "2", "3", "4"}},
    {"on_fail", {"'pause'", "'observe'", "'rollback'", "'pause'"}},
    {"on_no_data", {"'fail'", "'ignore'", "'wait'", "'fail'"}},
    {"on_error", {"'ignore'", "'wait'", "'fail'", "'ignore'"}},
    {"share", {"'auto'", "'off'", "'auto'", "'off'"}},
};

constexpr LayerRow kPolicy[] = {
    {"duration", {"'1m'", "'2m'", "'3m'", "'4m'"}},
    {"approve", {"'start'", "'promote'", "'both'", "'none'"}},
    {"soak", {"'1m'", "'2m'", "'3m'", "'4m'"}},
    {"patience", {"'1m'", "'2m'", "'3m'", "'4m'"}},
    {"on_inconclusive", {"'rollback'", "'pause'", "'rollback'", "'pause'"}},
    {"deadline", {"'1h'", "'2h'", "'3h'", "'4h'"}},
    {"on_deadline", {"'rollback'", "'pause'", "'rollback'", "'pause'"}},
    {"recovery", {"'1m'", "'2m'", "'3m'", "'4m'"}},
    {"steps",
     {"[{ weight = 1, hold = '0s', approve = false }]",
      "[{ weight = 2, hold = '1m', approve = false }]",
      "[{ weight = 3, hold = '0s', approve = true }]",
      "[{ weight = 0, hold = '0s', approve = false }]"}},
};

constexpr LayerRow kReady[] = {
    {"query", {"'r0'", "'r1'", "'r2'", "'r3'"}},
    {"at_least", {"1", "2", "3", "4.5"}},
    {"timeout", {"'1m'", "'2m'", "'3m'", "'4m'"}},
    {"retry_after", {"'1s'", "'2s'", "'3s'", "'4s'"}},
    {"attempts", {"1", "2", "3", "4"}},
    {"on_lost", {"'pause'", "'rollback'", "'ignore'", "'pause'"}},
    {"interval", {"'11s'", "'12s'", "'13s'", "'14s'"}},
    {"window", {"'21s'", "'22s'", "'23s'", "'24s'"}},
    {"datasource", {"'d0'", "'d1'", "'d2'", "'d3'"}},
    {"fail_after", {"1", "2", "3", "4"}},
    {"within", {"4", "5", "6", "'all'"}},
};

constexpr LayerRow kAlerts[] = {
    {"match", {"{ a = '0' }", "{ b = '1' }", "{ c = '2' }", "{ a = '3', b = '4' }"}},
    {"on_fire", {"'pause'", "'observe'", "'rollback'", "'pause'"}},
};

constexpr LayerRow kCondition[] = {
    {"query", {"'q0'", "'q1'", "'q2'", "'q3'"}},
    {"fail_if", {"'> 1'", "'< 2'", "'none'", "'> 4'"}},
    {"pass_if", {"'< 0.1'", "'< 0.2'", "'< 0.3'", "'< 0.4'"}},
    {"reduce", {"'max'", "'min'", "'sum'", "'each'"}},
    {"select", {"{ a = '0' }", "{ b = '1' }", "{ c = '2' }", "{ a = '3', b = '4' }"}},
    {"evidence", {"'e0'", "'e1'", "'e2'", "'e3'"}},
    {"min_evidence", {"1", "2", "3", "0.5"}},
    {"steps", {"[5]", "[25]", "[5, 25]", "[100]"}},
};

template <std::size_t N>
std::set<std::string> keys_of(const LayerRow (&rows)[N]) {
  std::set<std::string> keys;
  for (const LayerRow& row : rows) keys.insert(row.key);
  return keys;
}

json json_of(const std::string& toml) {
  FieldErrors errors;
  const Value value = value_from_toml("v = " + toml, "", errors);
  EXPECT_TRUE(errors.empty()) << toml;
  return json::parse(to_json(*value.find("v")));
}

// What the layers say besides the key in question: enough to be registered.
struct Frame {
  std::string table;       // of the key: "", "ready" or "condition"
  std::vector<Line> plan;  // of the policy
  std::vector<Line> rest;  // of the table, in the policy
  std::string pointer;     // of the table in the document
};

const Frame kInPolicy{"", {{"duration", "'1h'"}}, {}, ""};
const Frame kInReady{
    "ready", {{"duration", "'1h'"}}, {{"query", "'r'"}, {"at_least", "1"}}, "/ready"};
const Frame kInAlerts{"alerts", {{"duration", "'1h'"}}, {{"match", "{ z = '9' }"}}, "/alerts"};
const Frame kInCondition{"condition",
                         {{"steps", "[{ weight = 5 }, { weight = 25 }]"}},
                         {{"query", "'q'"}, {"evidence", "'e'"}, {"fail_if", "'> 1'"}},
                         "/condition/0"};

class LayerTest : public Merge {
 protected:
  static int strongest_of(int mask) {
    int strongest = 0;
    for (int layer = 0; layer < kLayers; ++layer) {
      if ((mask >> layer & 1) != 0) strongest = layer;
    }
    return strongest;
  }

  // The value at this place of the merged document, and that it is said to be this layer's.
  void expect_at(const std::string& pointer, const json& value, int layer) {
    EXPECT_EQ(analysis().value(json::json_pointer(pointer), json()), value);
    const std::string source = sources().value(pointer, "");
    EXPECT_EQ(source.rfind(kSources[layer], 0), 0u) << source;
  }

  static std::string lines_without(const std::vector<Line>& lines, const std::string& key) {
    std::string text;
    for (const auto& [name, value] : lines) {
      if (name != key) text += name + " = " + value + "\n";
    }
    return text;
  }

  static std::string four_datasources() {
    std::string text;
    for (const char* name : {"d0", "d1", "d2", "d3"}) {
      text += "[datasource." + std::string(name) + "]\nurl = 'http://h'\n";
    }
    return text;
  }

  // `steps` stand in the place of `duration`.
  static std::string shape_or(const std::string& key) {
    return key == "steps" || key == "ramp" ? "duration" : key;
  }

  // A configuration, and a request, in which the layers of the mask give the key.
  void give(const Frame& frame, const LayerRow& row, int mask) {
    const std::string key = row.key;
    // A policy must be complete on top of [defaults]; so it says the key itself if they do not.
    const bool replaced = (mask & 0b11) != 0;
    const std::string of_table = replaced ? key : "";
    const std::string of_plan = replaced && frame.table.empty() ? shape_or(key) : "";
    std::string text = four_datasources();
    for (int layer = 0; layer < kLayers - 1; ++layer) {
      static const char* const kNames[] = {"defaults", "policy.p", "service.'default/checkout'"};
      const bool given = (mask >> layer & 1) != 0;
      const bool is_policy = layer == 1;
      text += "[" + std::string(kNames[layer]) + "]\n";
      if (is_policy) text += lines_without(frame.plan, of_plan);
      if (!frame.table.empty() && (given || is_policy)) {
        const std::string inner = std::string(kNames[layer]) + "." + frame.table;
        text +=
            frame.table == "condition" ? "[[" + inner + "]]\nname = 'c'\n" : "[" + inner + "]\n";
        if (is_policy) text += lines_without(frame.rest, of_table);
      }
      if (given) text += key + " = " + row.values[layer] + "\n";
    }
    configure(text);
    request_.clear();
    if ((mask >> (kLayers - 1) & 1) == 0) return;
    json inner{{key, json_of(row.values[kLayers - 1])}};
    if (frame.table == "condition") {
      inner["name"] = "c";
      inner = json{{"condition", json::array({inner})}};
    } else if (!frame.table.empty()) {
      inner = json{{frame.table, inner}};
    }
    request_ = inner.dump();
  }

  void expect_strongest_wins(const Frame& frame, const LayerRow& row, int lowest_layers = kAll) {
    for (int mask = 1; mask <= kAll; ++mask) {
      if ((mask & lowest_layers) != mask) continue;
      SCOPED_TRACE(frame.table + " " + row.key + " in layers " + std::to_string(mask));
      give(frame, row, mask);
      expect_merged({"p"}, request_);
      const int strongest = strongest_of(mask);
      const std::string pointer = frame.pointer + "/" + row.key;
      expect_at(pointer, json_of(row.values[strongest]), strongest);
    }
  }

  std::string request_;
};

TEST_F(LayerTest, EveryKeyOfAPolicy) {
  for (const LayerRow& row : kPolicy) expect_strongest_wins(kInPolicy, row);
}

TEST_F(LayerTest, EveryKeyOfReadiness) {
  for (const LayerRow& row : kReady) expect_strongest_wins(kInReady, row);
}

TEST_F(LayerTest, EveryKeyOfAlerts) {
  for (const LayerRow& row : kAlerts) expect_strongest_wins(kInAlerts, row);
}

TEST_F(LayerTest, EveryKeyOfACondition) {
  for (const LayerRow& row : kCondition) expect_strongest_wins(kInCondition, row);
  for (const LayerRow& row : kJudging) expect_strongest_wins(kInCondition, row);
}

// Given by the layers for all conditions, and shown in the condition that is judged so.
TEST_F(LayerTest, EveryKeyForAllConditions) {
  for (const LayerRow& row : kJudging) {
    for (int mask = 1; mask <= kAll; ++mask) {
      SCOPED_TRACE(std::string(row.key) + " in layers " + std::to_string(mask));
      give({"", {{"duration", "'1h'"}, {"condition", "[{ name = 'c', query = 'x > 1' }]"}}, {}, ""},
           row, mask);
      expect_merged({"p"}, request_);
      const int strongest = strongest_of(mask);
      const std::string pointer = std::string("/condition/0/") + row.key;
      expect_at(pointer, json_of(row.values[strongest]), strongest);
      EXPECT_FALSE(analysis().contains(row.key)) << "it is the conditions', not the plan's";
    }
  }
}

// What a condition says for itself stands, whichever layer it is in, before what any layer says for
// all of them.
TEST_F(LayerTest, AConditionsOwnKeyStandsBeforeWhatIsForAll) {
  for (const LayerRow& row : kJudging) {
    SCOPED_TRACE(row.key);
    const std::string key = row.key;
    const std::string text = four_datasources();
    configure(text + "[defaults]\n[[defaults.condition]]\nname = 'c'\nquery = 'x > 1'\n" + key +
              " = " + row.values[0] + "\n[policy.p]\nduration = '1h'\n" + key + " = " +
              row.values[1] + "\n");
    expect_merged({"p"}, json{{key, json_of(row.values[3])}}.dump());
    expect_at("/condition/0/" + key, json_of(row.values[0]), 0);
  }
}

// A request cannot lock; the other three layers can, and can take it off again.
TEST_F(LayerTest, Locked) {
  const LayerRow row = {"locked", {"true", "false", "true", "false"}};
  expect_strongest_wins(kInPolicy, row, 0b0111);
  give(kInPolicy, row, 0b1000);
  EXPECT_TRUE(says(errors({"p"}, request_), {"/analysis/locked: ", "leave it out"}));
}

// A ramp is written out as the steps it stands for, under the source that gave it.
TEST_F(LayerTest, Ramp) {
  const LayerRow row = {"ramp",
                        {"{ from = 10, by = 50, to = 50, every = '1m' }",
                         "{ from = 20, by = 50, to = 50, every = '1m' }",
                         "{ from = 30, by = 50, to = 50, every = '1m' }",
                         "{ from = 40, by = 50, to = 50, every = '1m' }"}};
  for (int mask = 1; mask <= kAll; ++mask) {
    SCOPED_TRACE(mask);
    give(kInPolicy, row, mask);
    expect_merged({"p"}, request_);
    const int strongest = strongest_of(mask);
    const std::string weight = std::to_string(10 * (strongest + 1));
    expect_at("/steps",
              json::parse(R"([{"weight": )" + weight + R"(, "hold": "1m", "approve": false},
                              {"weight": 50, "hold": "1m", "approve": false}])"),
              strongest);
  }
}

// The tables above are complete: a key that is added to the readers has to be added here.
TEST_F(LayerTest, NoKeyIsForgotten) {
  // Of a comparison and of count_of, in a plan of their own: compare_test.cc.
  const std::set<std::string> elsewhere = {
      "compare",        "events",     "bad_events", "buckets",       "alpha", "tolerance",
      "promote_margin", "dispersion", "warmup",     "early_promote", "worse", "count_of"};
  const auto expect_same = [&](const AnalysisTable& table, std::set<std::string> tested) {
    SCOPED_TRACE(table.name);
    for (const std::string& key : keys_of(table.rows)) {
      EXPECT_EQ(tested.erase(key) + elsewhere.count(key), 1u) << key << " is not tested";
    }
    EXPECT_EQ(tested, std::set<std::string>{}) << "are no keys";
  };
  const auto joined = [](std::set<std::string> a, const std::set<std::string>& b) {
    a.insert(b.begin(), b.end());
    return a;
  };
  for (const AnalysisTable& table : analysis_tables()) {
    if (table.name.empty())
      expect_same(table, joined(joined(keys_of(kPolicy), keys_of(kJudging)),
                                {"locked", "ramp", "ready", "alerts", "condition"}));
    if (table.name == "ready") expect_same(table, keys_of(kReady));
    if (table.name == "alerts") expect_same(table, keys_of(kAlerts));
    if (table.name == "condition")
      expect_same(table, joined(joined(keys_of(kCondition), keys_of(kJudging)), {"name"}));
  }
}

}  // namespace
}  // namespace rollwatch
