#include "config/merge.h"

#include <algorithm>
#include <array>
#include <map>

#include "analysis/promql/trailing_comparison.h"
#include "config/defaults.h"
#include "config/plan_warnings.h"
#include "config/table_reader.h"

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

bool gives(const Value* layer, const std::string& group) {
  const Value::Table* table = layer == nullptr ? nullptr : layer->as_table();
  return table != nullptr &&
         std::any_of(table->begin(), table->end(),
                     [&group](const auto& member) { return group_of(member.key) == group; });
}

bool is_true(const Value* value) {
  return value != nullptr && value->as_bool() != nullptr && *value->as_bool();
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
      // A table of settings merges key by key, like a condition.
      Value* ready = member.key == "ready" ? document_.find(member.key) : nullptr;
      if (ready == nullptr) {
        document_.set(member);
        continue;
      }
      for (const Value::Member& key : *member.value.as_table()) ready->set(key);
      ready->set_origin(member.value.origin());
    }
  }

  void complete_readiness() {
    Value* ready = document_.find("ready");
    if (ready == nullptr) return;
    const Value* policy = layers_.policies.size() == 1 ? layers_.policies.front().second : nullptr;
    for (const auto& [name, candidate] : layers_.policies) {
      if (policy == nullptr && candidate->find("ready") != nullptr) policy = candidate;
    }
    add_common_keys(*ready, readiness_keys(), policy);
    complete_ready(*ready);
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
      for (const Value::Member& member : *policy->as_table()) {
        if (member.key == "condition" || member.key == "locked") continue;
        if (is_one_of(judging_keys(), member.key)) continue;
        const std::string group = group_of(member.key);
        const auto [first, is_new] = given.emplace(group, std::make_pair(name, &member.value));
        if (is_new || *first->second.second == member.value) continue;
        if (gives(layers_.service, group) || gives(layers_.request, group)) continue;
        clash("policies \"" + first->second.first + "\" (" +
              first->second.second->origin().place() + ") and \"" + name + "\" (" +
              member.value.origin().place() + ") give different values for " + group +
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
      if (table.find(key) != nullptr) continue;
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

std::string sources_of(const Value& document) {
  Value sources{Value::Table{}};
  const auto add = [&sources](const std::string& pointer, const Value& value) {
    sources.set(pointer, Value(value.origin().source()));
  };
  for (const Value::Member& member : *document.as_table()) {
    if (member.key == "version") continue;
    if (member.key == "ready") {
      for (const Value::Member& key : *member.value.as_table())
        add("/ready/" + pointer_token(key.key), key.value);
      continue;
    }
    if (member.key != "condition") {
      add('/' + pointer_token(member.key), member.value);
      continue;
    }
    const Value::Array& conditions = *member.value.as_array();
    for (std::size_t i = 0; i < conditions.size(); ++i) {
      for (const Value::Member& key : *conditions[i].as_table()) {
        add("/condition/" + std::to_string(i) + '/' + pointer_token(key.key), key.value);
      }
    }
  }
  return to_json(sources);
}

FieldError policy_error(std::string pointer, std::string message) {
  Origin origin;
  origin.layer = "request";
  origin.pointer = std::move(pointer);
  return {std::move(origin), "", std::move(message)};
}

std::vector<std::string> names_of(const std::map<std::string, Value>& policies) {
  std::vector<std::string> names;
  names.reserve(policies.size());
  for (const auto& [name, policy] : policies) names.push_back(name);
  return names;
}

void find_policies(const Settings& settings, const std::vector<std::string>& names, Layers& layers,
                   FieldErrors& errors) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i];
    const std::string pointer = names.size() == 1 ? "/policy" : "/policy/" + std::to_string(i);
    const auto found = settings.policies.find(name);
    if (found == settings.policies.end()) {
      errors.push_back(policy_error(pointer, "there is no policy " + quoted(Value(name)) +
                                                 suggestion(name, names_of(settings.policies),
                                                            "there are", "; none is configured")));
    } else if (std::count(names.begin(), names.end(), name) > 1) {
      errors.push_back(
          policy_error(pointer, "policy \"" + name + "\" is named twice; name it once"));
    } else {
      layers.policies.emplace_back(name, &found->second);
    }
  }
}

// What the request may not do: change a locked analysis, or lock it.
void check_request(const Layers& layers, FieldErrors& errors) {
  const Value& request = *layers.request;
  if (const Value* locked = request.find("locked")) {
    errors.push_back(
        {locked->origin(), "", "is for the configuration, not for a request; leave it out"});
  }
  if (request.as_table() == nullptr || request.as_table()->empty()) return;
  Layers configured = layers;
  configured.request = nullptr;
  FieldErrors ignored;
  const Value document = merged_document(configured, ignored);
  const Value* locked = document.find("locked");
  if (!is_true(locked)) return;
  errors.push_back({request.origin(), "",
                    "the analysis is locked (" + locked->origin().source() +
                        "); a request may give args and nothing of the analysis"});
}

}  // namespace

Value merged_document(const Layers& layers, FieldErrors& errors) {
  return Merger(layers, errors).run();
}

void check_datasources(const Value& table, const std::string& path, const Settings& settings,
                       FieldErrors& errors) {
  std::vector<std::string> names;
  names.reserve(settings.datasources.size());
  for (const auto& [name, datasource] : settings.datasources) names.push_back(name);
  const auto check = [&](const Value& in, const std::string& in_path) {
    const Value* value = in.find("datasource");
    const std::string* name = value == nullptr ? nullptr : value->as_string();
    if (name == nullptr || settings.datasources.contains(*name)) return;
    const bool hidden = value->from_environment();
    const std::string shown = hidden ? "NAME" : *name;
    const bool written = !value->origin().file.empty() || !value->origin().pointer.empty();
    errors.push_back({written ? value->origin() : in.origin(), join_key(in_path, "datasource"),
                      "there is no datasource " +
                          (hidden ? "of the name from the environment" : quoted(*value)) +
                          suggestion(hidden ? "" : *name, names, "there are",
                                     "; add [datasource." + shown + "] with its url")});
  };
  check(table, path);
  if (const Value* ready = table.find("ready"); ready != nullptr && ready->as_table() != nullptr)
    check(*ready, join_key(path, "ready"));
  const Value* conditions = table.find("condition");
  if (conditions == nullptr || conditions->as_array() == nullptr) return;
  for (const Value& condition : *conditions->as_array()) {
    const Value* name = condition.find("name");
    const std::string* text = name == nullptr ? nullptr : name->as_string();
    const std::string list = join_key(path, "condition");
    check(condition, text == nullptr ? list : join_key(list, *text));
  }
}

Expected<MergedAnalysis, FieldErrors> merge_analysis(const Settings& settings,
                                                     const std::string& ns,
                                                     const std::string& service,
                                                     const std::vector<std::string>& policies,
                                                     const Value* request_analysis) {
  FieldErrors errors;
  Layers layers;
  layers.defaults = &settings.defaults;
  find_policies(settings, policies, layers, errors);
  const auto of_service = settings.services.find(ns + '/' + service);
  if (of_service != settings.services.end()) layers.service = &of_service->second;
  Value request;
  if (request_analysis != nullptr) {
    request = *request_analysis;
    request.set_layer("request");
    layers.request = &request;
    check_layer(request, "", errors);
    check_request(layers, errors);
  }
  if (!errors.empty()) return Unexpected(std::move(errors));

  const Value document = merged_document(layers, errors);
  if (!errors.empty()) return Unexpected(std::move(errors));
  check_datasources(document, "", settings, errors);
  auto plan = decode_plan(document);
  if (!plan) errors.insert(errors.end(), plan.error().begin(), plan.error().end());
  if (!errors.empty()) return Unexpected(std::move(errors));

  MergedAnalysis merged;
  merged.analysis = to_json(document);
  merged.sources = sources_of(document);
  merged.plan = std::move(*plan);
  for (const FieldError& warning : plan_warnings(merged.plan, document)) {
    merged.warnings.push_back(warning.message);
  }
  return merged;
}

}  // namespace rollwatch
