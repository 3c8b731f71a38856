#include "daemon/engine/entry.h"

#include <algorithm>

#include "analysis/alerts.h"
#include "analysis/compare/standing.h"
#include "analysis/slots.h"
#include "daemon/engine/labels.h"

namespace rollwatch {
namespace {

Millis delay_of(const Plan& plan, std::size_t i, const MetricsSource& source) {
  return source.ingestion_delay(plan.conditions[i].datasource);
}

bool alerts_need_stable(const AlertsPlan& alerts) {
  return std::ranges::any_of(alerts.match,
                             [](const SelectLabel& label) { return label.value.uses("stable"); });
}

bool needs_stable(const ConditionPlan& condition) {
  const auto* threshold = std::get_if<ThresholdCondition>(&condition.kind);
  if (threshold == nullptr) return true;
  return threshold->query.uses("stable") ||
         (threshold->evidence && threshold->evidence->uses("stable")) ||
         std::any_of(threshold->select.begin(), threshold->select.end(),
                     [](const SelectLabel& label) { return label.value.uses("stable"); });
}

const Decision* decision_numbered(const Transition& step, unsigned number) {
  const auto found = std::find_if(step.decisions.begin(), step.decisions.end(),
                                  [number](const Decision& d) { return d.number == number; });
  return found == step.decisions.end() ? nullptr : &*found;
}

Delivery delivery_of(const Entry& entry, const Transition& step, const Order& order,
                     const CommitRules& rules) {
  Delivery d;
  d.id = order_id(entry.spec, order.number);
  d.cls = DeliveryClass::kOrder;
  d.kind = name_of(order.kind);
  d.rollout = entry.spec.id;
  d.target = entry.spec.orchestrator;
  d.number = order.number;
  d.weight = order.weight;
  d.created_at = rules.now;
  d.expires_at = rules.now + rules.rules.order_deadline(d.target, order.kind);
  if (const Decision* decision = decision_numbered(step, order.decision))
    d.payload = order_payload(entry.fixed(), step.state, *decision);
  return d;
}

void add_place(Asked& asked, const Entry& entry, const CommitRules& rules) {
  asked.datasource = entry.plan->conditions[asked.condition].datasource;
  asked.datasource_url = rules.rules.datasource_url(asked.datasource);
  asked.headers = rules.source.header_names(asked.datasource);
}

// What the explanation of a decision shows as its evaluation.
std::optional<Asked> asked_for(const Entry& entry, const RolloutState& after,
                               const Decision& decision, const Rare<Asked>& asked,
                               const CommitRules& rules) {
  std::optional<Asked> latest;
  if (asked && (!decision.condition || asked->condition == *decision.condition))
    latest = *asked;
  else if (!decision.condition)
    return std::nullopt;
  else if (entry.plan->conditions[*decision.condition].is_readiness && entry.last_ready)
    latest = *entry.last_ready;
  else
    latest = unanswered(entry.fixed(), after, *decision.condition);
  if (latest) add_place(*latest, entry, rules);
  return latest;
}

// The slot that was looked at last, where it was not the cause's: all that share the promise had
// reached together what decides.
std::optional<Asked> tipped_by(const Entry& entry, const Decision& decision,
                               const Rare<Asked>& asked, const CommitRules& rules) {
  if (!asked || !decision.condition || asked->condition == *decision.condition ||
      !is_in_promise(*entry.plan, asked->condition) ||
      !is_in_promise(*entry.plan, *decision.condition))
    return std::nullopt;
  std::optional<Asked> last = *asked;
  add_place(*last, entry, rules);
  return last;
}

}  // namespace

RolloutView view_of(const RolloutSpec& spec, std::shared_ptr<const PlanDocument> document,
                    std::shared_ptr<const Plan> plan, const RolloutState& state, std::int64_t fence,
                    const MetricsSource& source) {
  RolloutView view{spec, std::move(document), std::move(plan), state, fence, {}};
  for (std::size_t i = 0; i < state.conditions.size(); ++i) {
    const auto slot =
        next_slot(view.plan->conditions[i], state.conditions[i], delay_of(*view.plan, i, source));
    view.next_slots.push_back(
        slot ? std::optional(grid_of(view.plan->conditions[i], state.conditions[i]).at(*slot))
             : std::nullopt);
  }
  return view;
}

RenderedQuestions Entry::questions(std::size_t condition) const {
  const ConditionPlan& asks = plan->conditions[condition];
  // Readiness is one question from before the first step to the end.
  const auto weight = asks.is_readiness ? std::nullopt : step_weight(*plan, state);
  const int step = asks.is_readiness ? -1 : state.step;
  const auto render =
      [&](const promql::QueryTemplate& text) -> Expected<SharedText, promql::RenderError> {
    auto query = render_query(text, spec, asks, step, weight);
    if (!query) return Unexpected(query.error());
    return SharedText(*std::move(query));
  };
  if (comparison_of(asks) != nullptr) {
    RenderedQuestions rendered{SharedText(), {}, nullptr, nullptr, {}};
    for (const PlannedQuestion& question : questions_of(asks)) {
      auto text = render_question(question, spec, asks, step, weight);
      rendered.arms.push_back(text ? RenderedQuestions::Text(SharedText(*std::move(text)))
                                   : Unexpected(text.error()));
    }
    return rendered;
  }
  const auto& threshold = std::get<ThresholdCondition>(asks.kind);
  auto query = render(threshold.query);
  std::optional<Expected<SharedText, promql::RenderError>> evidence;
  if (threshold.evidence) evidence = render(*threshold.evidence);
  const auto join = [&](const std::optional<promql::JoinedQuery>& form,
                        const Expected<SharedText, promql::RenderError>& alone) -> JoinedPtr {
    if (!form || !alone) return nullptr;
    auto text = render_joined(*form, asks);
    if (!text) return nullptr;
    return std::make_shared<const JoinedQuestion>(
        JoinedQuestion{SharedText(*std::move(text)), *alone, picks_of(*form, spec), form->added});
  };
  JoinedPtr joined = join(threshold.joined, query);
  JoinedPtr joined_evidence = evidence ? join(threshold.joined_evidence, *evidence) : nullptr;
  return {std::move(query), std::move(evidence), std::move(joined), std::move(joined_evidence), {}};
}

RolloutView Entry::view(const MetricsSource& source) const {
  RolloutView view = view_of(spec, document, plan, state, fence, source);
  view.label = read_label(label);
  return view;
}

std::shared_ptr<const Plan> plan_for(const RolloutSpec& spec, std::shared_ptr<const Plan> plan,
                                     std::vector<std::string>* left_out) {
  const bool alerts_need_it = plan->alerts && alerts_need_stable(*plan->alerts);
  if (!spec.stable.empty() ||
      (!alerts_need_it &&
       std::none_of(plan->conditions.begin(), plan->conditions.end(), needs_stable)))
    return plan;
  auto without = std::make_shared<Plan>(*plan);
  std::erase_if(without->conditions, [left_out](const ConditionPlan& condition) {
    const bool needed = needs_stable(condition);
    if (needed && left_out != nullptr) left_out->push_back(condition.name);
    return needed;
  });
  if (!readiness_of(*without)) without->ready.reset();
  if (alerts_need_it) {
    without->alerts.reset();
    if (left_out != nullptr) left_out->emplace_back(kAlertsName);
  }
  return without;
}

std::optional<SysTime> next_due(const Entry& entry, const MetricsSource& source) {
  std::optional<SysTime> next = next_timer(entry.fixed(), entry.state);
  if (!is_watching(entry.state)) return next;
  for (std::size_t i = 0; i < entry.state.conditions.size(); ++i) {
    if (entry.asking[i].out) continue;  // comes back first
    const auto slot = next_slot(entry.plan->conditions[i], entry.state.conditions[i],
                                delay_of(*entry.plan, i, source));
    if (!slot) continue;
    const SysTime at = grid_of(entry.plan->conditions[i], entry.state.conditions[i]).at(*slot);
    next = next ? std::min(*next, at) : at;
  }
  return next;
}

Commit commit_of(const Entry& entry, unsigned rows_before, const Transition& step,
                 const Rare<Asked>& asked, const CommitRules& rules) {
  Commit commit;
  commit.rollout = entry.spec.id;
  std::uint32_t number = rows_before;
  for (const Evaluation& e : step.evaluations) {
    const Grid grid =
        grid_of(entry.plan->conditions[e.condition], step.state.conditions[e.condition]);
    StoredEvaluation row;
    row.number = ++number;
    row.condition = entry.plan->conditions[e.condition].name;
    row.slot = grid.at(e.slot);
    row.last_slot = grid.at(e.last_slot);
    row.slots = static_cast<std::uint32_t>(e.last_slot - e.slot + 1);
    row.evaluated_at = e.evaluated_at;
    row.judgement = e.judgement;
    row.step = e.step;
    row.duration = e.duration;
    commit.evaluations.push_back(std::move(row));
  }
  commit.events = step.events;

  for (const Order& order : step.orders)
    commit.deliveries.push_back(delivery_of(entry, step, order, rules));
  for (const unsigned number_withdrawn : step.withdrawn)
    commit.delivery_updates.push_back({order_id(entry.spec, number_withdrawn),
                                       DeliveryState::kWithdrawn, SysTime{}, std::nullopt});
  for (const unsigned number_settled : step.settled)
    commit.delivery_updates.push_back(
        {order_id(entry.spec, number_settled), DeliveryState::kDone, SysTime{}, std::nullopt});
  for (const Decision& decision : step.decisions) {
    std::vector<std::string> order_ids;
    for (const Order& order : step.orders)
      if (order.decision == decision.number)
        order_ids.push_back(order_id(entry.spec, order.number));
    const auto answer = asked_for(entry, step.state, decision, asked, rules);
    commit.explains.push_back(
        {decision_id(entry.spec, decision.number), decision.at,
         explain_bundle(entry.fixed(), step.state, decision, answer, order_ids,
                        tipped_by(entry, decision, asked, rules))});
  }
  return commit;
}

}  // namespace rollwatch
