// The report as JSON.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/advance.h"
#include "daemon/api/json_values.h"
#include "daemon/api/report.h"
#include "daemon/api/report_condition.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

// When each step began, as the events say it; of a step that began several times the first time.
std::vector<std::optional<SysTime>> beginnings(const ReportFacts& facts) {
  std::vector<std::optional<SysTime>> began(facts.view.plan->steps.size() + 1);
  for (const StoredEvent& stored : facts.events) {
    const Event& event = stored.event;
    const bool begins = event.type == EventType::kStepBegan;
    const bool promoted = event.type == EventType::kSoaking || event.type == EventType::kPromoted;
    const std::size_t index = promoted ? began.size() - 1 : static_cast<std::size_t>(event.step);
    if ((begins && event.step >= 0 && index < began.size()) || promoted)
      if (!began[index]) began[index] = event.at;
  }
  // The event may be among those left out.
  const RolloutState& s = facts.view.state;
  if (s.step >= 0 && static_cast<std::size_t>(s.step) < began.size() - 1)
    if (auto& current = began[static_cast<std::size_t>(s.step)]; !current) current = s.step_since;
  return began;
}

// The index of where it is: in a step, or (one more than the last) promoted; -1: not begun.
int reached_of(const RolloutView& view) {
  switch (view.state.state) {
    case State::kPromoting:
    case State::kSoaking:
    case State::kPromoted:
      return static_cast<int>(view.plan->steps.size());
    default:
      return view.state.step;
  }
}

Json steps_json(const ReportFacts& facts) {
  const RolloutView& view = facts.view;
  const auto began = beginnings(facts);
  const int place = reached_of(view);
  const bool all_done = view.state.state == State::kPromoted;
  Json steps = Json::array();
  for (std::size_t i = 0; i < began.size(); ++i) {
    const bool promotion = i + 1 == began.size();
    const StepPlan step = promotion ? StepPlan{100.0} : view.plan->steps[i];
    const int index = static_cast<int>(i);
    const char* state = "ahead";
    if (index < place || all_done)
      state = "done";
    else if (index == place)
      state = "current";
    std::optional<SysTime> ended;
    if (began[i])
      for (std::size_t later = i + 1; later < began.size() && !ended; ++later)
        if (began[later]) ended = began[later];
    if (began[i] && !ended) ended = view.state.ended_at;
    steps.push_back({{"index", index},
                     {"weight", number_json(step.weight)},
                     {"hold", format_duration(step.hold)},
                     {"approve", promotion ? view.plan->approve_promote : step.approve},
                     {"state", state},
                     {"began_at", time_json(began[i])},
                     {"ended_at", time_json(ended)}});
  }
  return steps;
}

Json clock_json(const RolloutView& view) {
  const RolloutState& s = view.state;
  std::optional<SysTime> hold_until, soak_until;
  if (s.hold_since && s.step >= 0 && static_cast<std::size_t>(s.step) < view.plan->steps.size() &&
      !s.soak_since && !is_final(s.state))
    hold_until = *s.hold_since + step_at(*view.plan, s.step).hold + s.extension;
  if (s.state == State::kSoaking && s.soak_since)
    soak_until = *s.soak_since + view.plan->soak + s.extension;
  const bool over = is_final(s.state) || s.soak_since.has_value();
  return {{"hold_until", time_json(hold_until)},
          {"soak", format_duration(view.plan->soak)},
          {"soak_until", time_json(soak_until)},
          {"deadline_at", over ? Json(nullptr) : Json(format_time(s.deadline_at))},
          {"recovery_until", s.recovery ? Json(format_time(s.recovery->until)) : Json(nullptr)}};
}

Transition tried(const ReportFacts& facts, DecisionKind kind) {
  PersonDecided decided;
  decided.kind = kind;
  decided.by = "somebody";
  decided.span = Millis{60'000};
  return advance({facts.view.spec, *facts.view.plan}, facts.view.state, decided, facts.now);
}

// Each decision that a person may take now is null, any other says why not: the transition itself
// is asked.
Json actions_json(const ReportFacts& facts) {
  constexpr DecisionKind kKinds[] = {
      DecisionKind::kAdvance, DecisionKind::kPromote,  DecisionKind::kPause, DecisionKind::kResume,
      DecisionKind::kExtend,  DecisionKind::kRollback, DecisionKind::kCancel};
  Json actions = Json::object();
  for (const DecisionKind kind : kKinds) {
    const Transition would = tried(facts, kind);
    actions[std::string(name_of(kind))] = would.refusal ? Json(*would.refusal) : Json(nullptr);
  }
  return actions;
}

// What follows from a yes to the open question.
Json resume_json(const ReportFacts& facts) {
  const Transition would = tried(facts, DecisionKind::kResume);
  if (would.refusal) return nullptr;
  for (const Decision& decision : would.decisions) {
    if (decision.kind == DecisionKind::kPromote) return "promotes";
    if (decision.kind == DecisionKind::kAdvance) return "goes_on";
  }
  return would.state.state == State::kWaiting ? "waits_on" : "begins_afresh";
}

Json events_json(const ReportFacts& facts) {
  Json items = Json::array();
  for (const StoredEvent& event : facts.events) items.push_back(event_json(event, facts.view.spec));
  return {{"items", std::move(items)}, {"earlier", facts.earlier_events}};
}

Json deliveries_json(const ReportFacts& facts) {
  Json items = Json::array();
  for (std::size_t i = 0; i < facts.deliveries.size(); ++i) {
    const std::string& held = facts.held_because[i];
    Json item =
        delivery_json(facts.deliveries[i], held.empty() ? std::nullopt : std::optional(held));
    item["redeliverable"] = may_be_redelivered(facts.deliveries[i]);
    items.push_back(std::move(item));
  }
  return {{"items", std::move(items)}, {"earlier", facts.earlier_deliveries}};
}

}  // namespace

Json report_json(const ReportFacts& facts) {
  const RolloutView& view = facts.view;
  Json conditions = Json::array();
  for (std::size_t i = 0; i < view.state.conditions.size() && i < facts.history.size(); ++i)
    conditions.push_back(report_condition_json(facts, i));
  const unsigned decisions = view.state.decisions_made;
  return {{"headline", headline(view)},
          {"rollout", rollout_json(view)},
          {"steps", steps_json(facts)},
          {"clock", clock_json(view)},
          {"conditions", std::move(conditions)},
          {"alerts", view.plan->alerts ? alerts_json(view) : Json(nullptr)},
          {"evaluations_after", facts.evaluations_after},
          {"seq", facts.seq},
          {"events", events_json(facts)},
          {"deliveries", deliveries_json(facts)},
          {"decision", decisions > 0 ? Json(decision_id(view.spec, decisions)) : Json(nullptr)},
          {"actions", actions_json(facts)},
          {"resume", resume_json(facts)}};
}

}  // namespace rollwatch
