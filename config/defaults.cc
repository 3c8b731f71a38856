#include "config/defaults.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "analysis/comparison.h"
#include "analysis/time.h"
#include "config/compare_reader.h"
#include "config/condition_reader.h"
#include "config/plan_decoder.h"

namespace rollwatch {

namespace {

Value default_value(Value value) { return std::move(value).with_origin(layer_origin("default")); }
Value text(std::string_view content) { return default_value(Value(std::string(content))); }
Value text(Millis span) { return default_value(Value(format_duration(span))); }
Value number(int content) { return default_value(Value(std::int64_t{content})); }

void add(Value& table, std::string_view key, Value value) {
  if (table.find(key) == nullptr) table.set(key, std::move(value));
}

// 5 and 5.0 are the same weight and must be the same text.
void make_number_canonical(Value& table, std::string_view key) {
  Value* value = table.find(key);
  const auto number = value == nullptr ? std::nullopt : value->as_number();
  if (!number || *number != std::floor(*number) || std::abs(*number) > 1e15) return;
  *value = Value(static_cast<std::int64_t>(*number)).with_origin(value->origin());
}

// "60s" and "1m" are the same, and so are ">1" and "> 1".
void make_text_canonical(Value& table, std::string_view key) {
  Value* value = table.find(key);
  const std::string* text = value == nullptr ? nullptr : value->as_string();
  if (text == nullptr) return;
  std::string canonical;
  if (const auto span = parse_duration(*text)) {
    canonical = format_duration(*span);
  } else if (const auto comparison = parse_comparison(*text)) {
    canonical = to_string(*comparison);
  } else {
    return;
  }
  const bool hidden = value->from_environment();
  *value = Value(std::move(canonical)).with_origin(value->origin());
  if (hidden) value->set_from_environment();
}

void make_texts_canonical(Value& table, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) make_text_canonical(table, key);
}

Value step_table(const StepPlan& step, const Origin& origin) {
  Value table{Value::Table{}};
  table.set_origin(origin);
  table.set("weight", Value(*step.weight).with_origin(origin));
  table.set("hold", Value(format_duration(step.hold)).with_origin(origin));
  return table;
}

void complete_shared_keys(Value& table) {
  const ConditionPlan blank = blank_condition();
  add(table, "interval", text(blank.interval));
  add(table, "datasource", text(blank.datasource));
  make_texts_canonical(table, {"interval", "timeout"});
  if (compares(table)) return;
  add(table, "window", text(blank.window));
  add(table, "fail_after", number(blank.fail_after));
  add(table, "within", default_value(*table.find("fail_after")));
  make_text_canonical(table, "window");
}

Value parts(std::initializer_list<std::pair<std::string_view, double>> values) {
  Value table{Value::Table{}};
  for (const auto& [key, value] : values) table.set(std::string(key), default_value(Value(value)));
  return default_value(std::move(table));
}

// What is tolerated when nobody says otherwise. A margin that is left out beside a tolerance that
// is given follows from that.
void complete_tolerance(Value& condition, const std::string& kind) {
  const bool has_tolerance = condition.find("tolerance") != nullptr;
  const bool has_margin = condition.find("promote_margin") != nullptr;
  const auto complete = [&](const Value& tolerance, const Value& margin) {
    add(condition, "tolerance", tolerance);
    if (!has_tolerance) add(condition, "promote_margin", margin);
  };
  if (kind == "rate") {
    const statistics::RateRules rules;
    complete(parts({{"factor", rules.tolerance.factor}, {"extra", rules.tolerance.extra}}),
             parts({{"factor", rules.margin.factor}, {"extra", rules.margin.extra}}));
  } else if (kind == "histogram") {
    const statistics::HistogramRules rules;
    complete(parts({{"slower", rules.tolerance.slower}, {"extra", rules.tolerance.extra}}),
             parts({{"slower", rules.margin.slower}, {"extra", rules.margin.extra}}));
  } else if (kind == "gauge" && !has_margin) {  // which would say in what units
    complete(default_value(Value(kGaugeTolerance)), default_value(Value(kGaugeMargin)));
  } else if (kind == "mann-whitney") {
    add(condition, "tolerance", number(1));
  }
}

void complete_comparison(Value& condition) {
  const std::string* name = condition.find("compare")->as_string();
  const std::string kind = name == nullptr ? "" : *name;
  add(condition, "alpha", default_value(Value(kDefaultAlpha)));
  if (kind == "rate" || kind == "histogram") {
    add(condition, "min_evidence", number(100));
    add(condition, "dispersion", text("auto"));
  } else {
    add(condition, "worse", text("higher"));
  }
  complete_tolerance(condition, kind);
  if (kind != "mann-whitney") add(condition, "early_promote", default_value(Value(false)));
  const std::string* written = condition.find("interval")->as_string();
  const auto interval = written == nullptr ? std::nullopt : parse_duration(*written);
  if (interval) add(condition, "warmup", text(kWarmupSlots * *interval));
  make_number_canonical(condition, "min_evidence");
  make_text_canonical(condition, "warmup");
}

// In order, each once.
void make_weights_canonical(Value::Array& weights) {
  for (Value& weight : weights) {
    Value holder{Value::Table{}};
    holder.set("weight", std::move(weight));
    make_number_canonical(holder, "weight");
    weight = std::move(*holder.find("weight"));
  }
  std::sort(weights.begin(), weights.end(),
            [](const Value& a, const Value& b) { return a.as_number() < b.as_number(); });
  weights.erase(std::unique(weights.begin(), weights.end()), weights.end());
}

void write_ramp_as_steps(Value& document) {
  const Value* ramp = document.find("ramp");
  if (ramp == nullptr) return;
  const Origin origin = ramp->origin();
  FieldErrors checked_before;
  Value::Array steps;
  for (const StepPlan& step : expand_ramp(*ramp, "", checked_before)) {
    steps.push_back(step_table(step, origin));
  }
  document.remove("ramp");
  document.set("steps", Value(std::move(steps)).with_origin(origin));
}

void complete_steps(Value& document) {
  Value* steps = document.find("steps");
  if (steps == nullptr) return;
  Value::Array& list = *steps->as_array();
  for (Value& step : list) {
    add(step, "hold", text(StepPlan{}.hold));
    add(step, "approve", default_value(Value(StepPlan{}.approve)));
    make_number_canonical(step, "weight");
    make_text_canonical(step, "hold");
  }
  if (!list.empty() && list.back().find("weight")->as_number() == 100.0) list.pop_back();
}

}  // namespace

const std::vector<std::string_view>& judging_keys() {
  static const std::vector<std::string_view> keys = {
      "interval",   "window",  "initial_delay", "timeout",  "datasource", "fail_after", "within",
      "min_passes", "on_fail", "on_no_data",    "on_error", "share",      "alpha"};
  return keys;
}

const std::vector<std::string_view>& readiness_keys() {
  static const std::vector<std::string_view> keys = {"interval", "window", "datasource",
                                                     "fail_after", "within"};
  return keys;
}

Origin layer_origin(std::string_view layer) {
  Origin origin;
  origin.layer = layer;
  return origin;
}

void complete_plan(Value& document) {
  const Plan plan;
  write_ramp_as_steps(document);
  complete_steps(document);
  add(document, "approve", text("none"));
  add(document, "soak", text(plan.soak));
  add(document, "patience", text(plan.patience));
  add(document, "on_inconclusive", text("pause"));
  add(document, "deadline", text(plan.deadline));
  add(document, "on_deadline", text("pause"));
  add(document, "recovery", text(plan.recovery));
  add(document, "locked", default_value(Value(false)));
  if (Value* alerts = document.find("alerts")) add(*alerts, "on_fire", text("rollback"));
  make_texts_canonical(document, {"duration", "soak", "patience", "deadline", "recovery"});
}

void complete_ready(Value& ready) {
  const ReadyPlan gate;
  add(ready, "timeout", text(gate.timeout));
  add(ready, "retry_after", text(gate.retry_after));
  add(ready, "attempts", number(gate.attempts));
  add(ready, "on_lost", text("ignore"));
  make_number_canonical(ready, "at_least");
  make_text_canonical(ready, "retry_after");
  complete_shared_keys(ready);
}

void complete_condition(Value& condition) {
  const ConditionPlan blank = blank_condition();
  add(condition, "initial_delay", text(blank.initial_delay));
  complete_shared_keys(condition);
  if (compares(condition))
    complete_comparison(condition);
  else if (condition.find("count_of") == nullptr)
    add(condition, "reduce", text("each"));
  add(condition, "min_passes", number(blank.min_passes));
  add(condition, "on_fail", text("rollback"));
  add(condition, "on_no_data", text("wait"));
  add(condition, "on_error", text("wait"));
  if (condition.find("evidence") != nullptr) {
    add(condition, "min_evidence",
        default_value(Value(std::get<ThresholdCondition>(blank.kind).min_evidence)));
  }
  make_number_canonical(condition, "min_evidence");
  make_texts_canonical(condition, {"initial_delay", "fail_if", "pass_if"});
  if (Value* steps = condition.find("steps")) make_weights_canonical(*steps->as_array());
}

}  // namespace rollwatch
