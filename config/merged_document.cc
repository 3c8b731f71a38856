// The layers on top of each other, as a document whose nodes know where they are from.
#include <algorithm>
#include <array>
#include <map>

#include "analysis/promql/trailing_comparison.h"
#include "config/compare_reader.h"
#include "config/defaults.h"
#include "config/merge.h"

namespace rollwatch {

namespace {

constexpr std::array<std::string_view, 3> kShapeKeys = {"steps", "ramp", "duration"};

template <class Keys>
bool is_one_of(const Keys& keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

// The three ways to say what the steps are replace each other.
std::string group_of(const std::string& key) {
  return is_one_of(kShapeKeys, key) ? "steps, ramp or duration" : key;
}

struct Given {
  std::string group;
  const Value* value;
};

// Tables of settings, which merge key by key, like a condition.
constexpr std::array<std::string_view, 2> kTables = {"ready", "alerts"};

// What a layer says about the rollout as a whole. A table's keys one by one, as they merge so.
std::vector<Given> given_by(const Value* layer) {
  std::vector<Given> given;
  const Value::Table* table = layer == nullptr ? nullptr : layer->as_table();
  if (table == nullptr) return given;
  for (const Value::Member& member : *table) {
    if (member.key == "condition" || is_one_of(judging_keys(), member.key)) continue;
    const Value::Table* keys = is_one_of(kTables, member.key) ? member.value.as_table() : nullptr;
    if (keys == nullptr) {
      given.push_back({group_of(member.key), &member.value});
      continue;
    }
    for (const Value::Member& key : *keys)
      given.push_back({member.key + "." + key.key, &key.value});
  }
  return given;
}

bool gives(const Value* layer, const std::string& group) {
  const auto given = given_by(layer);
  return std::any_of(given.begin(), given.end(),
                     [&group](const Given& one) { return one.group == group; });
}

class Merger {
 public:
  Merger(const Layers& layers, FieldErrors& errors) : layers_(layers), errors_(errors) {}

  Value run() {
    add_plain_keys(layers_.defaults);
    add_policies();
    add_plain_keys(layers_.service);
    add_plain_keys(layers_.request);
    complete_plan(document_);
    add_conditions();
    complete_readiness();
    document_.set("version", Value(std::int64_t{kPlanVersion}));
    return std::move(document_);
  }

 private:
  using Policy = std::pair<std::string, const Value*>;
  struct Condition {
    Value table;
    const Value* policy = nullptr;  // the one it is from
    std::string policy_name;
  };

  // Everything but conditions and the keys that are for conditions.
  void add_plain_keys(const Value* layer) {
    if (layer == nullptr || layer->as_table() == nullptr) return;
    for (const Value::Member& member : *layer->as_table()) {
      if (member.key == "condition" || is_one_of(judging_keys(), member.key)) continue;
      if (is_one_of(kShapeKeys, member.key)) {
        for (const std::string_view other : kShapeKeys) document_.remove(other);
      }
      Value* before = is_one_of(kTables, member.key) ? document_.find(member.key) : nullptr;
      if (before == nullptr) {
        document_.set(member);
        continue;
      }
      for (const Value::Member& key : *member.value.as_table()) before->set(key);
      before->set_origin(member.value.origin());
    }
  }

  void complete_readiness() {
    Value* ready = document_.find("ready");
    if (ready == nullptr) return;
    const auto* owner = layers_.policies.size() == 1 ? &layers_.policies.front() : nullptr;
    for (const auto& policy : layers_.policies) {
      if (policy.second->find("ready") == nullptr) continue;
      if (owner == nullptr) owner = &policy;
      for (const std::string_view key : readiness_keys()) {
        if (ready->find(key) == nullptr) refuse_two_ways_to_ask(*owner, policy, key);
      }
    }
    add_common_keys(*ready, readiness_keys(), owner == nullptr ? nullptr : owner->second);
    complete_ready(*ready);
  }

  // Two policies agree on `ready`, but not on the interval (or so) that it would take from them.
  void refuse_two_ways_to_ask(const Policy& a, const Policy& b, std::string_view key) {
    const Value* first = a.second->find(key);
    const Value* second = b.second->find(key);
    const bool equal = first == nullptr || second == nullptr ? first == second : *first == *second;
    if (equal) return;
    for (const Value* stronger : {layers_.service, layers_.request}) {
      if (stronger != nullptr && stronger->find(key) != nullptr) return;
    }
    clash("policies \"" + a.first + "\" and \"" + b.first +
          "\" both give ready, but not the same " + std::string(key) + " (" +
          (first != nullptr ? first : second)->origin().place() + "); give ready." +
          std::string(key) + " in the request, or register with one of them");
  }

  void add_policies() {
    std::map<std::string, std::pair<std::string, const Value*>> given;  // group → policy, value
    bool locked = false;
    for (const auto& [name, policy] : layers_.policies) {
      add_plain_keys(policy);
      locked = locked || is_true(policy->find("locked"));
      if (const Value* is_locked = document_.find("locked"); locked && !is_true(is_locked)) {
        document_.set("locked", Value(true).with_origin(is_locked->origin()));
      }
      for (const auto& [group, value] : given_by(policy)) {
        if (group == "locked") continue;
        const auto [first, is_new] = given.emplace(group, std::make_pair(name, value));
        if (is_new || *first->second.second == *value) continue;
        if (gives(layers_.service, group) || gives(layers_.request, group)) continue;
        clash("policies \"" + first->second.first + "\" (" +
              first->second.second->origin().place() + ") and \"" + name + "\" (" +
              value->origin().place() + ") give different values for " + group +
              "; give it in the request, or register with one of them");
      }
    }
  }

  void clash(std::string message) {
    Origin origin;
    origin.layer = "request";
    origin.pointer = "/policy";
    errors_.push_back({std::move(origin), "", std::move(message)});
  }

  void add_conditions() {
    add_conditions_of(layers_.defaults, nullptr, "");
    for (const auto& [name, policy] : layers_.policies) add_conditions_of(policy, policy, name);
    add_conditions_of(layers_.service, nullptr, "");
    add_conditions_of(layers_.request, nullptr, "");
    Value::Array merged;
    for (Condition& condition : conditions_) {
      const Value* policy = condition.policy;
      if (policy == nullptr && layers_.policies.size() == 1)
        policy = layers_.policies.front().second;
      add_common_keys(condition.table, judging_keys(), policy);
      complete_condition(condition.table);
      merged.push_back(std::move(condition.table));
    }
    document_.set("condition", Value(std::move(merged)).with_origin(layer_origin("default")));
  }

  void add_conditions_of(const Value* layer, const Value* policy, const std::string& policy_name) {
    const Value* list = layer == nullptr ? nullptr : layer->find("condition");
    if (list == nullptr) return;
    for (const Value& written : *list->as_array()) {
      const Value given = with_rule_apart(written);
      const std::string& name = *given.find("name")->as_string();
      const auto at = std::find_if(
          conditions_.begin(), conditions_.end(),
          [&name](const Condition& old) { return *old.table.find("name")->as_string() == name; });
      if (at == conditions_.end()) {
        conditions_.push_back({given, policy, policy_name});
        continue;
      }
      if (policy != nullptr && at->policy != nullptr) {
        clash("condition \"" + name + "\" is in policy \"" + at->policy_name + "\" (" +
              at->table.origin().place() + ") and in policy \"" + policy_name + "\" (" +
              given.origin().place() + "); rename one, or register with one of them");
        continue;
      }
      for (const Value::Member& member : *given.as_table()) {
        if (member.key != "name") at->table.set(member);
      }
      at->table.set_origin(given.origin());
      if (policy != nullptr) {
        at->policy = policy;
        at->policy_name = policy_name;
      }
    }
  }

  // A layer that writes a query and no rule means the comparison at the query's end as its fail_if.
  static Value with_rule_apart(const Value& written) {
    const Value* query = written.find("query");
    if (query == nullptr || written.find("fail_if") != nullptr ||
        written.find("pass_if") != nullptr) {
      return written;
    }
    const auto split = promql::take_comparison_off(*query->as_string());
    if (!split || !split->comparison) return written;
    Value given = written;
    Value left = Value(split->query).with_origin(query->origin());
    if (query->from_environment()) left.set_from_environment();
    given.set("query", std::move(left));
    given.set("fail_if", Value(to_string(*split->comparison)).with_origin(query->origin()));
    return given;
  }

  // The keys that a layer gives for every condition which does not say otherwise. A policy's are
  // for its own conditions; with a single policy also for those that the other layers add.
  void add_common_keys(Value& table, const std::vector<std::string_view>& keys,
                       const Value* policy) const {
    for (const std::string_view key : keys) {
      if (table.find(key) != nullptr || !may_take(table, key)) continue;
      for (const Value* layer : {layers_.request, layers_.service, policy, layers_.defaults}) {
        const Value::Member* member = layer == nullptr ? nullptr : layer->find_member(key);
        if (member == nullptr) continue;
        table.set(*member);
        break;
      }
    }
  }

  const Layers& layers_;
  FieldErrors& errors_;
  Value document_;
  std::vector<Condition> conditions_;
};

}  // namespace

Value merged_document(const Layers& layers, FieldErrors& errors) {
  return Merger(layers, errors).run();
}

}  // namespace rollwatch
