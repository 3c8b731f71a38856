#include "daemon/engine/registrar.h"

#include <algorithm>
#include <set>
#include <utility>

#include "analysis/alerts.h"
#include "analysis/render.h"

namespace rollwatch {
namespace {

struct Rendered {
  std::string pointer;  // of one that is asked together with others: the condition
  std::string datasource;
  std::string query;
  bool joined = false;
};

// What of a rollout a query is rendered with at some point of its way.
struct Point {
  int step = 0;
  std::optional<double> weight;
};

// Before it begins for readiness; else each step at which the condition is asked, and the soak.
std::vector<Point> points_of(const Plan& plan, const ConditionPlan& condition) {
  if (condition.is_readiness) return {{-1, std::nullopt}};
  if (plan.steps.empty()) return {{0, std::nullopt}};  // a part of a plan, which is only checked
  std::vector<Point> points;
  for (std::size_t step = 0; step < plan.steps.size(); ++step)
    points.push_back({static_cast<int>(step), plan.steps[step].weight});
  if (plan.steps.front().weight && plan.soak > Millis{0})
    points.push_back({points.back().step, 100});
  std::erase_if(points, [&](const Point& point) { return !applies(condition, point.weight); });
  return points;
}

// Where a request gives the variable; `otherwise` if that is not for a request to give.
std::string field_of(const std::string& variable, const std::string& otherwise) {
  const std::size_t dot = variable.find('.');
  if (dot != std::string::npos)
    return "/" + variable.substr(0, dot) + "/" + variable.substr(dot + 1);
  for (const std::string_view field : {"service", "namespace", "target", "candidate", "stable"})
    if (variable == field) return "/" + variable;
  return otherwise;
}

// The configuration's key that the question is written at.
std::string_view key_of(const ConditionPlan& condition, const PlannedQuestion& question) {
  if (question.is_evidence) return "evidence";
  if (question.is_bad) return "bad_events";
  if (count_of(condition) != nullptr) return "count_of";
  const CompareCondition* compares = comparison_of(condition);
  if (compares == nullptr) return "query";
  if (compares->kind() == CompareKind::kRate) return "events";
  return compares->kind() == CompareKind::kHistogram ? "buckets" : "query";
}

std::string called(const ConditionPlan& condition) {
  return condition.is_readiness ? "readiness" : "condition " + condition.name;
}

class Checker {
 public:
  Checker(const RolloutSpec& spec, const Plan& plan) : spec_(spec), plan_(plan) {}

  void check(const ConditionPlan& condition, const std::string& pointer) {
    for (const PlannedQuestion& question : questions_of(condition))
      render(condition, question, pointer + "/" + std::string(key_of(condition, question)));
    const auto* kind = std::get_if<ThresholdCondition>(&condition.kind);
    if (kind == nullptr) return;
    const ThresholdCondition& threshold = *kind;
    for (const SelectLabel& label : threshold.select) {
      const auto value = render_select(label, spec_);
      if (!value) refuse(condition, pointer + "/select/" + label.name, value.error());
    }
    for (const auto* joined : {&threshold.joined, &threshold.joined_evidence}) {
      if (!*joined) continue;
      if (auto text = render_joined(**joined, condition))
        rendered.push_back({called(condition), condition.datasource, *std::move(text), true});
    }
  }

  void check(const AlertsPlan& alerts) {
    for (const SelectLabel& label : alerts.match) {
      const auto value = render_select(label, spec_);
      if (!value) refuse("alerts", "/analysis/alerts/match/" + label.name, value.error());
    }
  }

  std::vector<Rendered> rendered;
  std::vector<FieldProblem> problems;

 private:
  void refuse(const ConditionPlan& condition, const std::string& pointer,
              const promql::RenderError& error) {
    refuse(called(condition), pointer, error);
  }

  void refuse(const std::string& whose, const std::string& pointer,
              const promql::RenderError& error) {
    std::string why = error.message;
    const std::string variable = "{{" + error.variable + "}} ";
    if (error.variable == "weight")
      why = variable + "has no value: a plan with duration orders no weight; leave it out";
    else if (!variable_of_rollout(spec_, error.variable))
      why = variable + "is not given; send it with the registration, or leave it out of the query";
    problems.push_back({field_of(error.variable, pointer), whose + ": " + why});
  }

  void render(const ConditionPlan& condition, const PlannedQuestion& question,
              const std::string& pointer) {
    for (const Point& point : points_of(plan_, condition)) {
      const auto text = render_question(question, spec_, condition, point.step, point.weight);
      if (!text) return refuse(condition, pointer, text.error());
      if (rendered.empty() || rendered.back().query != *text || rendered.back().pointer != pointer)
        rendered.push_back({pointer, condition.datasource, *text, false});
    }
  }

  const RolloutSpec& spec_;
  const Plan& plan_;
};

void check_all(Checker& checker, const Plan& plan, const std::vector<std::string>& left_out) {
  for (std::size_t i = 0; i < plan.conditions.size(); ++i) {
    const ConditionPlan& condition = plan.conditions[i];
    if (std::ranges::find(left_out, condition.name) != left_out.end()) continue;
    checker.check(condition, condition.is_readiness ? "/analysis/ready"
                                                    : "/analysis/condition/" + std::to_string(i));
  }
  if (plan.alerts && std::ranges::find(left_out, kAlertsName) == left_out.end())
    checker.check(*plan.alerts);
}

}  // namespace

std::vector<FieldProblem> rendering_problems(const RolloutSpec& spec, const Plan& plan,
                                             const std::vector<std::string>& left_out) {
  Checker checker(spec, plan);
  check_all(checker, plan, left_out);
  return std::move(checker.problems);
}

awaitable<RegistrationCheck> check_registration(const RolloutSpec& spec, const Plan& plan,
                                                std::vector<std::string> left_out,
                                                MetricsSource& source) {
  Checker checker(spec, plan);
  check_all(checker, plan, left_out);
  RegistrationCheck result;
  result.problems = std::move(checker.problems);
  if (!result.problems.empty()) co_return result;

  std::set<std::pair<std::string, std::string>> asked;
  std::set<std::string> silent;  // a datasource that did not answer once is not asked again here
  for (const Rendered& r : checker.rendered) {
    if (silent.contains(r.datasource) || !asked.emplace(r.datasource, r.query).second) continue;
    const QueryCheck check = co_await source.check(r.datasource, r.query);
    // What cannot be asked together is asked alone.
    if (check.verdict == QueryCheck::Verdict::kRefused && r.joined)
      result.warnings.push_back(r.pointer + " is not shared: datasource " + r.datasource +
                                " refuses " + r.query + ": " + check.message);
    else if (check.verdict == QueryCheck::Verdict::kRefused)
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
