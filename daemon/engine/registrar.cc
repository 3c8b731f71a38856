#include "daemon/engine/registrar.h"

#include <set>
#include <utility>

#include "analysis/render.h"

namespace rollwatch {
namespace {

struct Rendered {
  std::string pointer;
  std::string datasource;
  std::string query;
};

// Renders a query for every step it applies to: a value may be there in one and not in another.
void render_everywhere(const RolloutSpec& spec, const Plan& plan, const ConditionPlan& condition,
                       const promql::QueryTemplate& query, const std::string& pointer,
                       std::vector<Rendered>& rendered, std::vector<FieldProblem>& problems) {
  if (condition.is_readiness) {
    const auto text = render_query(query, spec, condition, -1, std::nullopt);
    if (text)
      rendered.push_back({pointer, condition.datasource, *text});
    else
      problems.push_back({pointer, "readiness: " + text.error().message});
    return;
  }
  for (std::size_t step = 0; step < plan.steps.size(); ++step) {
    const auto weight = plan.steps[step].weight;
    if (!applies(condition, weight)) continue;
    const auto text = render_query(query, spec, condition, static_cast<int>(step), weight);
    if (!text) {
      problems.push_back({pointer, "condition " + condition.name + ": " + text.error().message});
      return;
    }
    if (rendered.empty() || rendered.back().query != *text || rendered.back().pointer != pointer)
      rendered.push_back({pointer, condition.datasource, *text});
  }
}

}  // namespace

awaitable<RegistrationCheck> check_registration(const RolloutSpec& spec, const Plan& plan,
                                                MetricsSource& source) {
  RegistrationCheck result;
  std::vector<Rendered> rendered;
  for (std::size_t i = 0; i < plan.conditions.size(); ++i) {
    const ConditionPlan& condition = plan.conditions[i];
    const auto& threshold = std::get<ThresholdCondition>(condition.kind);
    const std::string pointer =
        condition.is_readiness ? "/analysis/ready" : "/analysis/condition/" + std::to_string(i);
    for (const SelectLabel& label : threshold.select) {
      const auto value = render_select(label, spec);
      if (!value)
        result.problems.push_back({pointer + "/select/" + label.name,
                                   "condition " + condition.name + ": " + value.error().message});
    }
    render_everywhere(spec, plan, condition, threshold.query, pointer + "/query", rendered,
                      result.problems);
    if (threshold.evidence)
      render_everywhere(spec, plan, condition, *threshold.evidence, pointer + "/evidence", rendered,
                        result.problems);
  }
  if (!result.problems.empty()) co_return result;

  std::set<std::pair<std::string, std::string>> asked;
  std::set<std::string> silent;  // a datasource that did not answer once is not asked again here
  for (const Rendered& r : rendered) {
    if (silent.contains(r.datasource) || !asked.emplace(r.datasource, r.query).second) continue;
    const QueryCheck check = co_await source.check(r.datasource, r.query);
    if (check.verdict == QueryCheck::Verdict::kRefused)
      result.problems.push_back(
          {r.pointer, "datasource " + r.datasource + " refuses the query: " + check.message});
    if (check.verdict == QueryCheck::Verdict::kUnknown) {
      silent.insert(r.datasource);
      result.warnings.push_back("the queries could not be checked with datasource " + r.datasource +
                                ": " + check.message);
    }
  }
  co_return result;
}

}  // namespace rollwatch
