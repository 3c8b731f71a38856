// What is configured: policies, as a registration that gives nothing of its own would find them.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "config/merge.h"
#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/policy_record.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> condition_names(const Plan& plan) {
  std::vector<std::string> names;
  for (const ConditionPlan& condition : plan.conditions)
    if (!condition.is_readiness) names.push_back(condition.name);
  return names;
}

Json summary_json(const std::string& name, const MergedAnalysis& merged) {
  return {{"name", name},
          {"conditions", condition_names(merged.plan)},
          {"steps", merged.plan.steps.size()},
          {"locked", Json::parse(merged.analysis).value("locked", false)}};
}

}  // namespace

awaitable<ServerResponse> list_policies(const ApiContext& context, Call& call) {
  check_query(call, {});
  const auto settings = context.settings();
  Json items = Json::array();
  for (const auto& [name, policy] : settings->policies)
    items.push_back(summary_json(name, *merge_policy(*settings, name)));
  co_return json_response(200, {{"items", std::move(items)}});
}

awaitable<ServerResponse> get_policy(const ApiContext& context, Call& call) {
  check_query(call, {});
  const std::string& name = call.parameter("name");
  const auto settings = context.settings();
  const auto merged = merge_policy(*settings, name);
  if (!merged) {
    std::vector<std::string> known;
    for (const auto& [other, policy] : settings->policies) known.push_back(other);
    throw Refusal{{404, fmt::format("there is no policy \"{}\"{}", name,
                                    suggestion(name, known, "there are", "; none is configured"))}};
  }
  Json body{{"name", name},
            {"analysis", Json::parse(merged->analysis)},
            {"analysis_sources", Json::parse(merged->sources)},
            {"warnings", merged->warnings}};
  std::vector<std::string> names = condition_names(merged->plan);
  std::vector<std::string> visible = call.caller.namespaces;
  Json record;
  try {
    record =
        record_json(co_await policy_record(context, std::move(visible), name, std::move(names)));
  } catch (const StoreError&) {  // what is configured can be seen all the same
  }
  body["record"] = std::move(record);
  co_return json_response(200, body);
}

}  // namespace rollwatch
