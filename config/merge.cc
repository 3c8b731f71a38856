#include "config/merge.h"

#include <algorithm>

#include "config/plan_warnings.h"
#include "config/table_reader.h"

namespace rollwatch {

namespace {

std::string sources_of(const Value& document) {
  Value sources{Value::Table{}};
  const auto add = [&sources](const std::string& pointer, const Value& value) {
    sources.set(pointer, Value(value.origin().source()));
  };
  for (const Value::Member& member : *document.as_table()) {
    if (member.key == "version") continue;
    if (member.key == "ready" || member.key == "alerts") {
      for (const Value::Member& key : *member.value.as_table())
        add('/' + member.key + '/' + pointer_token(key.key), key.value);
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

MergedAnalysis merged_from(const Value& document, Plan plan) {
  MergedAnalysis merged;
  merged.analysis = to_json(document);
  merged.sources = sources_of(document);
  merged.plan = std::move(plan);
  for (const FieldError& warning : plan_warnings(merged.plan, document)) {
    merged.warnings.push_back(warning.message);
  }
  return merged;
}

}  // namespace

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
    errors.push_back({value->origin().is_written() ? value->origin() : in.origin(),
                      join_key(in_path, "datasource"),
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
                                                     const Value* request_analysis, Steps steps) {
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
  auto plan = decode_plan(document, steps);
  if (!plan) errors.insert(errors.end(), plan.error().begin(), plan.error().end());
  // What is missing in every layer is for the request to give.
  for (FieldError& error : errors) {
    if (!error.origin.is_written()) error.origin = policy_error("/analysis", "").origin;
  }
  if (!errors.empty()) return Unexpected(std::move(errors));

  return merged_from(document, std::move(*plan));
}

std::optional<MergedAnalysis> merge_policy(const Settings& settings, const std::string& policy) {
  const auto found = settings.policies.find(policy);
  if (found == settings.policies.end()) return std::nullopt;
  Layers layers;
  layers.defaults = &settings.defaults;
  layers.policies.emplace_back(policy, &found->second);
  FieldErrors errors;
  const Value document = merged_document(layers, errors);
  auto plan = decode_plan(document, Steps::kOptional);
  // The loader has refused a policy that cannot be merged, but for what only a service or a request
  // can give: then its document is shown as far as it goes.
  return merged_from(document, plan ? std::move(*plan) : Plan{});
}

}  // namespace rollwatch
