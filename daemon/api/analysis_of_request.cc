#include "daemon/api/analysis_of_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "config/merge.h"

namespace rollwatch {
namespace {

// The next token of a pointer, which is taken off it.
std::string next_token(std::string& pointer) {
  const std::size_t end = std::min(pointer.find('/', 1), pointer.size());
  std::string token = pointer.substr(1, end - 1);
  pointer.erase(0, end);
  return token;
}

const Value* condition_named(const Value& analysis, const std::string& name) {
  const Value* list = analysis.find("condition");
  if (list == nullptr) return nullptr;
  const auto has_name = [&name](const Value& condition) {
    return *condition.find("name")->as_string() == name;
  };
  const auto found = std::ranges::find_if(*list->as_array(), has_name);
  return found == list->as_array()->end() ? nullptr : &*found;
}

}  // namespace

void read_arguments(BodyReader& body, RolloutSpec& spec) {
  spec.ns = body.text("namespace").value_or(spec.ns);
  spec.service = body.required_text("service");
  spec.target = body.text("target").value_or(spec.target);
  spec.policy = body.texts("policy", kMostNames, true);
  spec.labels = body.pairs("labels", kMostLabels, kLabelValue);
  spec.args = body.pairs("args", kMostLabels, kLabelValue);
  if (spec.ns.find('/') != std::string::npos) body.wrong("namespace", "must not contain a slash");
}

void read_subject(BodyReader& body, RolloutSpec& spec) {
  read_arguments(body, spec);
  spec.stable = body.text("stable").value_or("");
  spec.candidate = body.required_text("candidate");
  if (!spec.candidate.empty() && spec.candidate == spec.stable)
    body.wrong("candidate", "must differ from stable: there is nothing to roll out");
}

const Value* read_analysis(BodyReader& body, const RolloutSpec& spec) {
  const bool is_given = body.is_given("analysis");
  if (spec.policy.empty() && !is_given)
    body.wrong("policy", "is required, or else an \"analysis\" with conditions");
  return is_given ? body.table().table("analysis") : nullptr;
}

MergedAnalysis merged_for_a_look(const std::shared_ptr<const Settings>& settings,
                                 const Caller& caller, const RolloutSpec& spec,
                                 const Value* analysis, BodyReader& body) {
  refuse_other_namespaces(caller, spec);
  auto merged =
      merge_analysis(*settings, spec.ns, spec.service, spec.policy, analysis, Steps::kOptional);
  if (!merged) {
    body.add(merged.error());
    body.refuse_errors();
  }
  return *std::move(merged);
}

void refuse_other_namespaces(const Caller& caller, const RolloutSpec& spec) {
  if (caller.sees(spec.ns)) return;
  throw Refusal{
      {403, fmt::format("the token \"{}\" is not for the namespace \"{}\"", caller.name, spec.ns)}};
}

void require_condition(BodyReader& body, const Plan& plan, const std::string& name) {
  std::vector<std::string> known;
  for (const ConditionPlan& condition : plan.conditions) known.push_back(condition.name);
  if (std::ranges::find(known, name) == known.end())
    body.wrong("condition", fmt::format("there is no condition \"{}\" in it{}", name,
                                        suggestion(name, known, "there are", "; it has none")));
  body.refuse_errors();
}

std::vector<std::string> merge_into(Registration& registration,
                                    const std::shared_ptr<const Settings>& settings,
                                    MergedAnalyses& merged_before, const Value* analysis,
                                    BodyReader& body) {
  const RolloutSpec& spec = registration.spec;
  if (analysis == nullptr) {
    auto ready = merged_before.of(settings, spec.ns, spec.service, spec.policy);
    if (!ready) {
      body.add(ready.error());
      return {};
    }
    registration.document = (*ready)->document;
    registration.plan = (*ready)->plan;
    return (*ready)->warnings;
  }
  auto merged = merge_analysis(*settings, spec.ns, spec.service, spec.policy, analysis);
  if (!merged) {
    body.add(merged.error());
    return {};
  }
  registration.document.version = merged->version;
  registration.document.analysis = std::move(merged->analysis);
  registration.document.sources = std::move(merged->sources);
  registration.plan = std::make_shared<const Plan>(std::move(merged->plan));
  return std::move(merged->warnings);
}

std::string pointer_into_request(const std::string& pointer, const std::string& merged,
                                 const Value* analysis) {
  constexpr std::string_view kAnalysis = "/analysis/";
  if (!pointer.starts_with(kAnalysis)) return pointer;
  std::string elsewhere = "/policy";
  if (analysis == nullptr) return elsewhere;
  std::string rest = pointer.substr(kAnalysis.size() - 1);
  const std::string table = next_token(rest);
  const Value* given = analysis->find(table);
  if (table == "condition" && !rest.empty()) {
    const std::string number = next_token(rest);
    std::size_t index = 0;
    std::from_chars(number.data(), number.data() + number.size(), index);
    const auto document = value_from_json(merged);
    const Value::Array& conditions = *document->find(table)->as_array();
    given = condition_named(*analysis, *conditions.at(index).find("name")->as_string());
  }
  if (given != nullptr && !rest.empty()) given = given->find(next_token(rest));
  return given == nullptr ? elsewhere : given->origin().pointer + rest;
}

void refuse_rendering(const std::vector<FieldProblem>& problems, const std::string& merged,
                      const Value* analysis) {
  Problem problem{422, ""};
  for (const FieldProblem& field : problems) {
    const std::string pointer = pointer_into_request(field.pointer, merged, analysis);
    if (problem.errors.empty()) problem.detail = pointer + ": " + field.detail;
    problem.errors.emplace_back(pointer, field.detail);
  }
  throw Refusal{problem};
}

}  // namespace rollwatch
