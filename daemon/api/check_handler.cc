// POST /check: what the conditions of a policy come to now.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/alerts.h"
#include "analysis/graph_link.h"
#include "config/merge.h"
#include "daemon/api/analysis_of_request.h"
#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/json_values.h"
#include "daemon/engine/entry.h"
#include "daemon/engine/registrar.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

// How far back the graph begins.
constexpr Millis kGraphBefore{3'600'000};

// Those that are not asked: all but the one that is wanted, and what needs a stable version where
// there is none, which `unstable` names.
std::vector<std::string> left_out_of(const std::shared_ptr<const Plan>& plan,
                                     const RolloutSpec& spec,
                                     const std::optional<std::string>& wanted, BodyReader& body,
                                     std::vector<std::string>& unstable) {
  plan_for(spec, plan, &unstable);
  std::vector<std::string> left_out = unstable;
  for (const ConditionPlan& condition : plan->conditions) {
    const bool is_out = std::ranges::find(left_out, condition.name) != left_out.end();
    if (wanted && condition.name != *wanted && !is_out) left_out.push_back(condition.name);
  }
  if (wanted) {
    std::erase_if(unstable, [&](const std::string& name) { return name != *wanted; });
    left_out.emplace_back(kAlertsName);  // whose labels would have to be given, too
  }
  if (wanted) require_condition(body, *plan, *wanted);
  return left_out;
}

Json checked_json(const CheckedCondition& checked) {
  const Judgement& judged = checked.judged;
  const Asked& asked = checked.asked;
  Json evidence = nullptr;
  if (asked.evidence_query)
    evidence = {{"query", asked.evidence_query->str()},
                {"value", number_json(judged.evidence)},
                {"curl", curl_line(asked, asked.evidence_query->str())}};
  Json arms = nullptr;
  for (const AskedArm& arm : asked.arms)
    arms.push_back({{"version", name_of(arm.arm)},
                    {"counts", arm.is_bad ? "bad_events" : "all"},
                    {"query", arm.query.str()},
                    {"curl", curl_line(asked, arm.query.str())}});
  return {{"condition", checked.name},
          {"outcome", name_of(judged.outcome)},
          {"cause", name_of(judged.cause)},
          {"value", number_json(judged.value)},
          {"rule", checked.rule},
          {"detail", checked.detail},
          {"query", asked.query.str()},
          {"arms", std::move(arms)},
          {"evidence", std::move(evidence)},
          {"series", text_json(judged.series)},
          {"warnings", asked.value.warnings},
          {"datasource", asked.datasource},
          {"evaluated_at", format_time(asked.evaluated_at)},
          {"duration_ms", checked.duration.count()},
          {"curl", curl_line(asked, asked.query.str())},
          {"graph_url", graph_link(asked.datasource_url, asked.query.str(), asked.evaluated_at,
                                   asked.evaluated_at - kGraphBefore)}};
}

}  // namespace

awaitable<ServerResponse> check_conditions_now(const ApiContext& context, Call& call) {
  check_query(call, {});
  const Value object = body_object(call.request, false);
  BodyReader body(object);
  RolloutSpec spec;
  spec.id = "ro_check";
  read_subject(body, spec);
  const auto wanted = body.text("condition");
  const Value* const analysis = read_analysis(body, spec);
  body.finish();
  MergedAnalysis merged = merged_for_a_look(context.settings(), call.caller, spec, analysis, body);
  std::vector<std::string> unstable;
  auto plan = std::make_shared<const Plan>(std::move(merged.plan));
  std::vector<std::string> left_out = left_out_of(plan, spec, wanted, body, unstable);
  const auto problems = rendering_problems(spec, *plan, left_out);
  if (!problems.empty()) refuse_rendering(problems, merged.analysis, analysis);

  const std::shared_ptr<void> seat = context.checks.take();
  if (!seat) {
    ServerResponse busy =
        problem_response({429, "too many checks are under way already; try again"});
    busy.headers.emplace_back("Retry-After", "1");
    co_return busy;
  }
  RolloutSpec copy = spec;
  const auto checked =
      co_await context.check_conditions(std::move(copy), std::move(plan), std::move(left_out));
  Json items = Json::array();
  for (const CheckedCondition& one : checked) items.push_back(checked_json(one));
  co_return json_response(
      200, {{"items", std::move(items)}, {"left_out", unstable}, {"warnings", merged.warnings}});
}

}  // namespace rollwatch
