// What is configured: policies, as a registration that gives nothing of its own would find them.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "config/merge.h"
#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

Json summary_json(const std::string& name, const MergedAnalysis& merged) {
  Json conditions = Json::array();
  for (const ConditionPlan& condition : merged.plan.conditions)
    if (!condition.is_readiness) conditions.push_back(condition.name);
  return {{"name", name},
          {"conditions", std::move(conditions)},
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
  co_return json_response(200, {{"name", name},
                                {"analysis", Json::parse(merged->analysis)},
                                {"analysis_sources", Json::parse(merged->sources)},
                                {"warnings", merged->warnings}});
}

}  // namespace rollwatch
