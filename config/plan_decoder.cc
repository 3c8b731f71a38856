#include "config/plan_decoder.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/comparison.h"
#include "config/compare_reader.h"
#include "config/condition_reader.h"
#include "config/query_reader.h"
#include "config/table_reader.h"

namespace rollwatch {

namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Span kHolds{Millis(0), hours(24 * 30)};
constexpr Span kDurations{Millis(100), hours(24 * 30)};
constexpr Span kDeadlines{seconds(1), hours(24 * 365)};
constexpr std::size_t kStepLimit = 1000;
constexpr std::size_t kConditionLimit = 100;
constexpr std::string_view kStepsForm =
    "steps = [ { weight = 5, hold = \"2m\" }, { weight = 25, hold = \"5m\" } ]";
constexpr std::string_view kConditionsForm =
    "write [[policy.NAME.condition]] in a file, \"condition\": [{…}] in a request";

// One entry of `steps`. Weight 100 is read too; it is dropped once the whole list is known to be
// good.
std::optional<StepPlan> read_step(const Value& table, const std::string& path,
                                  FieldErrors& errors) {
  const std::size_t errors_before = errors.size();
  TableReader reader(table, path, errors);
  StepPlan step;
  step.weight = reader.number("weight", 0, 100);
  if (reader.is_table() && reader.find("weight") == nullptr) {
    reader.missing("weight", "give the candidate's share in percent, such as weight = 5");
  }
  if (const auto hold = reader.duration("hold", kHolds)) step.hold = *hold;
  if (const auto approve = reader.boolean("approve")) step.approve = *approve;
  if (step.weight == 100.0 && step.hold > Millis(0)) {
    reader.wrong("hold",
                 "weight 100 is the promotion and has no hold; use soak to watch on after it");
  }
  if (step.weight == 100.0 && step.approve) {
    reader.wrong("approve",
                 "weight 100 is the promotion; use approve = \"promote\" to be asked before it");
  }
  reader.finish();
  if (errors.size() > errors_before) return std::nullopt;
  return step;
}

std::vector<StepPlan> read_steps(TableReader& reader) {
  std::vector<StepPlan> steps;
  const Value* list = reader.array("steps", kStepsForm);
  if (list == nullptr) return steps;
  const Value::Array& items = *list->as_array();
  if (items.size() > kStepLimit) {
    reader.wrong("steps", "must have at most " + std::to_string(kStepLimit) + " entries");
    return steps;
  }
  bool good = true;
  for (const Value& item : items) {
    const auto step = read_step(item, join_key(reader.path(), "steps"), reader.errors());
    good = good && step.has_value();
    if (!step) continue;
    if (!steps.empty() && *step->weight <= *steps.back().weight) {
      const Value* weight = item.find("weight");
      reader.errors().push_back({weight->origin(), join_key(reader.path(), "steps"),
                                 "weights must rise: " + format_exact(*step->weight) + " follows " +
                                     format_exact(*steps.back().weight) +
                                     "; put the steps in order"});
      good = false;
    }
    steps.push_back(*step);
  }
  if (!steps.empty() && *steps.back().weight == 100) steps.pop_back();
  if (good && steps.empty()) {
    reader.wrong("steps",
                 "must have at least one step below 100; write " + std::string(kStepsForm));
  }
  return steps;
}

// `steps`, `ramp` or `duration`: one of them in a document, at most one in a layer.
std::vector<StepPlan> read_shape(TableReader& reader, bool required) {
  std::vector<StepPlan> steps = read_steps(reader);
  if (const Value* ramp = reader.find("ramp")) {
    steps = expand_ramp(*ramp, join_key(reader.path(), "ramp"), reader.errors());
  }
  if (const auto duration = reader.duration("duration", kDurations)) {
    steps.assign(1, StepPlan{std::nullopt, *duration, false});
  }
  std::vector<std::string_view> given;
  for (const std::string_view key : {"steps", "ramp", "duration"}) {
    if (reader.find(key) != nullptr) given.push_back(key);
  }
  if (given.size() > 1) {
    reader.wrong(given.back(), "excludes " + std::string(given.front()) +
                                   "; give only one of steps, ramp and duration");
  }
  if (given.empty() && required) {
    reader.missing("steps", "give " + std::string(kStepsForm) + ", a ramp or a duration");
  }
  return steps;
}

void read_approve(TableReader& reader, Plan& plan) {
  const auto approve = reader.choice<std::pair<bool, bool>>("approve", {{"none", {false, false}},
                                                                        {"start", {true, false}},
                                                                        {"promote", {false, true}},
                                                                        {"both", {true, true}}});
  if (approve) std::tie(plan.approve_start, plan.approve_promote) = *approve;
}

void read_limits(TableReader& reader, Plan& plan) {
  if (const auto soak = reader.duration("soak", kHolds)) plan.soak = *soak;
  if (const auto patience = reader.duration("patience", kHolds)) plan.patience = *patience;
  if (const auto deadline = reader.duration("deadline", kDeadlines)) plan.deadline = *deadline;
  const auto inconclusive = reader.choice<OnInconclusive>(
      "on_inconclusive",
      {{"pause", OnInconclusive::kPause}, {"rollback", OnInconclusive::kRollback}});
  if (inconclusive) plan.on_inconclusive = *inconclusive;
  const auto late = reader.choice<OnDeadline>(
      "on_deadline", {{"pause", OnDeadline::kPause}, {"rollback", OnDeadline::kRollback}});
  if (late) plan.on_deadline = *late;
}

// One table of the readiness gate; in a document whole, with everything its query is asked by.
void read_ready(TableReader& reader, Completeness completeness, Plan& plan) {
  const Value* table = reader.table("ready");
  if (table == nullptr) return;
  ReadyPlan ready;
  TableReader keys(*table, join_key(reader.path(), "ready"), reader.errors());
  ConditionPlan condition = read_readiness(keys, completeness);
  if (const auto least = keys.number("at_least", 0, 1e15)) {
    ready.at_least = *least;
  } else if (completeness == Completeness::kDocument && keys.find("at_least") == nullptr) {
    keys.missing("at_least", "say how many begin the rollout, such as at_least = 3");
  }
  if (const auto timeout = keys.duration("timeout", kDeadlines)) ready.timeout = *timeout;
  if (const auto again = keys.duration("retry_after", kHolds)) ready.retry_after = *again;
  if (const auto attempts = keys.integer("attempts", 1, 1000))
    ready.attempts = static_cast<int>(*attempts);
  keys.finish();
  auto& threshold = std::get<ThresholdCondition>(condition.kind);
  threshold.rule.fail_if = Comparison{CompareOp::kLess, ready.at_least};
  plan.ready = ready;
  plan.conditions.push_back(std::move(condition));
}

void read_alerts(TableReader& reader, Completeness completeness, Plan& plan) {
  const Value* table = reader.table("alerts");
  if (table == nullptr) return;
  AlertsPlan alerts;
  TableReader keys(*table, join_key(reader.path(), "alerts"), reader.errors());
  constexpr std::string_view kExample = "match = { service = \"{{service}}\" }";
  alerts.match = read_labels(keys, "match", kExample);
  if (completeness == Completeness::kDocument && keys.find("match") == nullptr)
    keys.missing("match", "say whose alerts count, such as " + std::string(kExample));
  if (const auto on_fire = keys.choice<OnFail>("on_fire", {{"rollback", OnFail::kRollback},
                                                           {"pause", OnFail::kPause},
                                                           {"observe", OnFail::kObserve}}))
    alerts.on_fire = *on_fire;
  keys.finish();
  plan.alerts = std::move(alerts);
}

// The readiness gate, and the alerts, are shown among the conditions, under their own names.
void check_name(TableReader& reader, const Plan& plan, std::string_view name, std::string_view what,
                std::string_view shown) {
  for (std::size_t i = 0; i < plan.conditions.size(); ++i) {
    if (plan.conditions[i].is_readiness || plan.conditions[i].name != name) continue;
    const Origin& of_gate = reader.find(name)->origin();
    const Origin& of_condition = (*reader.find("condition")->as_array())[i].origin();
    const bool gate_is_new = of_condition.pointer.empty() && !of_gate.pointer.empty();
    const std::string list = join_key(reader.path(), "condition");
    reader.errors().push_back({gate_is_new ? of_gate : of_condition,
                               gate_is_new ? join_key(reader.path(), name) : join_key(list, name),
                               "a condition cannot be named \"" + std::string(name) + "\" beside " +
                                   std::string(what) + ", which " + std::string(shown) +
                                   " under that name; rename the condition"});
  }
}

void check_condition_steps(const ConditionPlan& condition, const Value& table,
                           const std::string& path, const std::vector<StepPlan>& steps,
                           FieldErrors& errors) {
  const Value* list = table.find("steps");
  if (list == nullptr || steps.empty()) return;
  const Origin& origin = list->origin();
  if (!steps.front().weight) {
    errors.push_back(
        {origin, path, "a plan with duration has no weights; leave the condition's steps out"});
    return;
  }
  std::string known;
  for (const StepPlan& step : steps) known += format_exact(*step.weight) + ", ";
  known += "100 (the soak)";
  for (const double weight : condition.steps) {
    const bool exists =
        weight == 100 || std::any_of(steps.begin(), steps.end(), [weight](const StepPlan& step) {
          return step.weight == weight;
        });
    if (exists) continue;
    errors.push_back(
        {origin, path, "no step has the weight " + format_exact(weight) + "; there are " + known});
  }
}

std::string condition_path(const std::string& path, const Value& table) {
  std::string base = join_key(path, "condition");
  const Value* name = table.find("name");
  if (name == nullptr || name->as_string() == nullptr) return base;
  return join_key(base, *name->as_string());
}

void read_conditions(TableReader& reader, Completeness completeness, Plan& plan) {
  const Value* list = reader.array("condition", kConditionsForm);
  if (list == nullptr) return;
  if (list->as_array()->size() > kConditionLimit) {
    reader.wrong("condition", "must have at most " + std::to_string(kConditionLimit) + " entries");
    return;
  }
  std::map<std::string, const Value*> seen;
  for (const Value& item : *list->as_array()) {
    const std::string path = condition_path(reader.path(), item);
    ConditionPlan condition = read_condition(item, path, completeness, reader.errors());
    if (completeness == Completeness::kDocument) {
      check_condition_steps(condition, item, join_key(path, "steps"), plan.steps, reader.errors());
    }
    const auto [first, is_new] = seen.emplace(condition.name, &item);
    if (!is_new && !condition.name.empty()) {
      reader.errors().push_back({item.origin(), path,
                                 "condition \"" + condition.name + "\" is given twice, first at " +
                                     first->second->origin().place() + "; rename or remove one"});
    }
    plan.conditions.push_back(std::move(condition));
  }
}

// The promise is about the whole rollout: it cannot be one thing in one condition and another in
// the next.
void check_one_alpha(TableReader& reader, const Plan& plan) {
  const ConditionPlan* first = nullptr;
  for (std::size_t i = 0; i < plan.conditions.size(); ++i) {
    const ConditionPlan& condition = plan.conditions[i];
    const CompareCondition* compares = comparison_of(condition);
    if (compares == nullptr) continue;
    if (first == nullptr) first = &condition;
    if (compares->alpha == comparison_of(*first)->alpha) continue;
    const Value& table = (*reader.find("condition")->as_array())[i];
    const Value* alpha = table.find("alpha");
    reader.errors().push_back({(alpha == nullptr ? table : *alpha).origin(),
                               join_key(condition_path(reader.path(), table), "alpha"),
                               "all comparisons of a rollout share one alpha; here it is " +
                                   format_exact(compares->alpha) + ", but " +
                                   format_exact(comparison_of(*first)->alpha) + " in \"" +
                                   first->name + "\"; give it once, for the policy"});
  }
}

Plan read_plan(TableReader& reader, Completeness completeness, bool needs_steps) {
  Plan plan;
  plan.steps = read_shape(reader, needs_steps);
  read_approve(reader, plan);
  read_limits(reader, plan);
  reader.boolean("locked");
  if (const auto recovery = reader.duration("recovery", kHolds)) plan.recovery = *recovery;
  read_alerts(reader, completeness, plan);
  read_conditions(reader, completeness, plan);
  if (completeness == Completeness::kDocument) check_one_alpha(reader, plan);
  read_ready(reader, completeness, plan);
  if (plan.ready) check_name(reader, plan, kReadinessName, "a readiness gate", "is shown");
  if (plan.alerts) check_name(reader, plan, "alerts", "the alerts", "are shown");
  return plan;
}

}  // namespace

std::vector<StepPlan> expand_ramp(const Value& ramp, const std::string& path, FieldErrors& errors) {
  const std::size_t errors_before = errors.size();
  TableReader reader(ramp, path, errors);
  const auto from = reader.number("from", 0, 99.99);
  const auto by = reader.number("by", 0.01, 100);
  const auto to = reader.number("to", 0, 100);
  const auto every = reader.duration("every", kHolds);
  for (const char* key : {"from", "by", "every"}) {
    if (reader.is_table() && reader.find(key) == nullptr) {
      reader.missing(key, "write ramp = { from = 5, by = 5, to = 100, every = \"2m\" }");
    }
  }
  reader.finish();
  const double end = to.value_or(100);
  if (from && end < *from) reader.wrong("to", "must not be smaller than from");
  if (errors.size() > errors_before) return {};
  if ((end - *from) / *by > static_cast<double>(kStepLimit)) {
    reader.wrong(
        "by", "would make more than " + std::to_string(kStepLimit) + " steps; take a larger one");
    return {};
  }
  std::vector<StepPlan> steps;
  for (int k = 0;; ++k) {
    // To the millionth, so that 0.1 by 0.1 comes to 0.3 and not to 0.30000000000000004.
    const double weight = std::round((*from + k * *by) * 1e6) / 1e6;
    if (weight >= end) break;
    steps.push_back({weight, *every, false});
  }
  if (end < 100) steps.push_back({end, *every, false});
  return steps;
}

void check_layer(const Value& table, const std::string& path, FieldErrors& errors) {
  TableReader reader(table, path, errors);
  if (!reader.is_table()) return;
  ConditionPlan ignored = blank_condition();
  read_judging_keys(reader, ignored);
  read_alpha(reader);
  read_plan(reader, Completeness::kLayer, false);
  reader.finish();
}

Expected<Plan, FieldErrors> decode_plan(const Value& document, Steps steps) {
  FieldErrors errors;
  TableReader reader(document, "", errors);
  if (const auto version = reader.integer("version", 1, INT32_MAX);
      version && *version > kPlanVersion) {
    reader.wrong("version", "was written by a newer version of rollwatchd (" +
                                std::to_string(*version) + "); this one reads up to " +
                                std::to_string(kPlanVersion));
  }
  Plan plan = read_plan(reader, Completeness::kDocument, steps == Steps::kRequired);
  reader.finish();
  if (!errors.empty()) return Unexpected(std::move(errors));
  return plan;
}

}  // namespace rollwatch
