#include "daemon/telemetry/rollout_series.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <optional>
#include <string_view>

namespace rollwatch {
namespace {

// Longer than most scrape intervals, and less than the minute that is promised.
constexpr Millis kSeenAfterItsEnd{45'000};

// Of a comparison: the evidence that decides.
std::optional<double> threshold_of(const ConditionPlan& condition, const ConditionState& state) {
  const auto* threshold = std::get_if<ThresholdCondition>(&condition.kind);
  if (threshold == nullptr) {
    if (!state.last || !state.last->rule) return std::nullopt;
    return state.last->rule->limit;
  }
  if (threshold->rule.fail_if) return threshold->rule.fail_if->limit;
  if (threshold->rule.pass_if) return threshold->rule.pass_if->limit;
  return std::nullopt;
}

// "a,b"
std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

// One metric: its lines, all of them together as the format asks for.
class Lines {
 public:
  Lines(const char* name, const char* help) : name_(name), help_(help) {}

  // `labels` is `a="b",c="d"`.
  void add(std::string_view labels, double value) {
    lines_ += name_;
    lines_ += '{';
    lines_ += labels;
    lines_ += "} ";
    if (std::isnan(value))
      lines_ += "NaN";
    else if (std::isinf(value))
      lines_ += value > 0 ? "+Inf" : "-Inf";
    else
      fmt::format_to(std::back_inserter(lines_), "{}", value);
    lines_ += '\n';
  }

  const std::string& text() const { return lines_; }
  void add_all(const std::string& lines) { lines_ += lines; }

  void append_to(std::string& text) const {
    if (lines_.empty()) return;
    text += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", name_, help_);
    text += lines_;
  }

 private:
  const char* name_;
  const char* help_;
  std::string lines_;
};

// Labels in the order of their names, as the other metrics have them.
class LabelText {
 public:
  LabelText& add(std::string_view name, std::string_view value) {
    if (!text_.empty()) text_ += ',';
    text_ += name;
    text_ += "=\"";
    for (const char c : value) {
      if (c == '\\' || c == '"') text_ += '\\';
      if (c == '\n')
        text_ += "\\n";
      else
        text_ += c;
    }
    text_ += '"';
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

struct RolloutFamilies {
  Lines info{"rollwatch_rollout_info", "An active rollout and what it is made of; always 1."};
  Lines weight{
      "rollwatch_rollout_weight",
      "Share of the traffic that the candidate has, in percent, as acknowledged or reported."};
  Lines state{"rollwatch_rollout_state",
              "State of a rollout: 0 waiting, 1 analyzing, 2 paused, 3 promoting, 4 soaking, 5 "
              "rolling_back, 6 promoted, 7 rolled_back, 8 rollback_failed, 9 cancelled, 10 "
              "superseded."};
  Lines started{"rollwatch_rollout_started_timestamp_seconds", "When a rollout was registered."};
  Lines value{"rollwatch_condition_value",
              "Latest value of a condition; absent while there is none."};
  Lines threshold{"rollwatch_condition_threshold",
                  "Limit that a condition's value is compared with."};
  Lines verdict{"rollwatch_condition_verdict",
                "Verdict of a condition: 0 pending, 1 passing, 2 failing, 3 unknown, 4 failed, 5 "
                "passed."};

  std::array<Lines*, 7> all() {
    return {&info, &weight, &state, &started, &value, &threshold, &verdict};
  }

  void add(const RolloutSpec& spec, const Plan& plan, const RolloutState& now) {
    info.add(LabelText()
                 .add("candidate", spec.candidate)
                 .add("namespace", spec.ns)
                 .add("policy", joined(spec.policy))
                 .add("rollout", spec.id)
                 .add("service", spec.service)
                 .add("stable", spec.stable)
                 .add("target", spec.target)
                 .text(),
             1);
    const LabelText whole = LabelText()
                                .add("namespace", spec.ns)
                                .add("rollout", spec.id)
                                .add("service", spec.service)
                                .add("target", spec.target);
    weight.add(whole.text(), now.reached_weight);
    state.add(whole.text(), static_cast<double>(now.state));
    using Seconds = std::chrono::duration<double>;
    started.add(whole.text(), Seconds(spec.created_at.time_since_epoch()).count());
    for (std::size_t i = 0; i < plan.conditions.size() && i < now.conditions.size(); ++i) {
      const LabelText labels = LabelText()
                                   .add("condition", plan.conditions[i].name)
                                   .add("namespace", spec.ns)
                                   .add("rollout", spec.id)
                                   .add("service", spec.service);
      const auto& last = now.conditions[i].last;
      if (last && last->value) value.add(labels.text(), *last->value);
      if (const auto limit = threshold_of(plan.conditions[i], now.conditions[i]))
        threshold.add(labels.text(), *limit);
      verdict.add(labels.text(), static_cast<double>(verdict_of({spec, plan}, now, i)));
    }
  }
};

}  // namespace

// Of the rollout itself, which is large, nothing is kept.
void RolloutSeries::ended(const RolloutView& view) {
  RolloutFamilies families;
  families.add(view.spec, *view.plan, view.state);
  Ended ended{view.state.ended_at.value_or(SysTime{}), {}};
  for (const Lines* lines : families.all()) ended.lines.push_back(lines->text());
  ended_.insert_or_assign(view.spec.id, std::move(ended));
}

// A wall clock that was set back must not keep one for long either.
void RolloutSeries::forget_ended(SysTime now) {
  std::erase_if(ended_, [now](const auto& one) {
    const SysTime at = one.second.at;
    return now < at || now - at >= kSeenAfterItsEnd;
  });
}

void RolloutSeries::append_to(std::string& text, SysTime now,
                              const std::function<void(const Engine::Look&)>& active) {
  forget_ended(now);
  std::array<std::size_t, static_cast<std::size_t>(State::kPromoted)> counts{};
  RolloutFamilies families;
  active([&](const RolloutSpec& spec, const Plan& plan, const RolloutState& state) {
    if (is_final(state.state)) return;  // among those that ended
    ++counts[static_cast<std::size_t>(state.state)];
    families.add(spec, plan, state);
  });
  const auto all = families.all();
  for (const auto& [id, ended] : ended_)
    for (std::size_t i = 0; i < all.size(); ++i) all[i]->add_all(ended.lines[i]);

  Lines states{"rollwatch_rollouts", "Active rollouts by state."};
  for (std::size_t i = 0; i < counts.size(); ++i)
    states.add(LabelText().add("state", name_of(static_cast<State>(i))).text(),
               static_cast<double>(counts[i]));
  states.append_to(text);
  for (const Lines* lines : all) lines->append_to(text);
}

}  // namespace rollwatch
