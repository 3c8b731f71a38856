#include "test/bench/judged_rollout.h"

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "analysis/slots.h"

namespace rollwatch::bench {
namespace {

using statistics::ArmCounts;

constexpr Millis kInterval{30'000};
constexpr SysTime kBegin{Millis{1'767'323'040'000}};  // on the grid

promql::QueryTemplate query_of(std::string_view text) {
  auto query = promql::parse_query_template(text);
  if (!query) throw std::logic_error("a query of the simulation is none");
  return *std::move(query);
}

ConditionPlan condition_of(ConditionKind kind) {
  return {.name = "errors",
          .kind = std::move(kind),
          .interval = kInterval,
          .timeout = std::nullopt,
          .steps = {}};
}

Plan plan_of(const ConditionPlan& condition, const World& world) {
  Plan plan;
  const std::vector<double> weights = world.weights();
  const auto slots = SimulatedRollout::kSlots / static_cast<int>(weights.size());
  for (const double weight : weights) plan.steps.push_back({weight, slots * kInterval, false});
  plan.conditions = {condition};
  return plan;
}

RolloutSpec spec_of_all() {
  RolloutSpec spec;
  spec.id = "ro_1";
  spec.service = "checkout";
  spec.stable = "1.23";
  spec.candidate = "1.24";
  spec.orchestrator = "deployer";
  return spec;
}

// A rollout, and an orchestrator that does at once what it is told.
class Rollout {
 public:
  explicit Rollout(const Plan& plan) : plan_(plan), state_(registered(fixed(), kBegin).state) {
    state_.conditions.front().phase_ms = 0;
  }

  void happens(const Input& input) {
    Transition step = advance(fixed(), state_, input, now_);
    if (step.refusal) throw std::logic_error("the simulated rollout: " + *step.refusal);
    for (const Decision& decision : step.decisions) {
      ends_ = ends_ || decision.kind == DecisionKind::kRollback ||
              decision.kind == DecisionKind::kPromote;
      if (ends_) ended_by_ = decision.kind;
    }
    state_ = std::move(step.state);
    if (!ends_ && state_.order) happens(OrderEnded{state_.order->number, OrderEnd::kDone, "", {}});
  }
  void next_slot_answered(SlotAnswered answered) {
    const auto slot = next_slot(plan_.conditions.front(), state_.conditions.front(), Millis{0});
    if (!slot) throw std::logic_error("the simulated rollout is not watched");
    answered.slot = *slot;
    now_ = grid_of(plan_.conditions.front(), state_.conditions.front()).at(*slot);
    answered.evaluated_at = now_;
    happens(answered);
  }

  int step() const { return state_.step; }
  bool has_ended() const { return ends_; }
  DecisionKind ended_by() const { return ended_by_; }

 private:
  Fixed fixed() const { return {spec_, plan_}; }

  const RolloutSpec spec_ = spec_of_all();
  const Plan& plan_;
  SysTime now_ = kBegin;
  RolloutState state_;
  bool ends_ = false;
  DecisionKind ended_by_ = DecisionKind::kPause;
};

double share_of(const ArmCounts& counts) {
  return counts.events > 0 ? counts.bad / counts.events : 0;
}

// The counters as the pods export them.
class Exported {
 public:
  explicit Exported(std::size_t pods) : pods_(pods) {}

  void add(const SimulatedSlot& slot) {
    add(candidate_, slot.candidate);
    for (std::size_t i = 0; i < pods_.size(); ++i) add(pods_[i], slot.pods[i]);
  }
  HistorySlot stable_at(SysTime at) const {
    return {at, stable(&ArmCounts::events), stable(&ArmCounts::bad)};
  }
  // The candidate's pod begins with the first step: there is nothing of it before.
  std::vector<Answer> arms(bool candidate_is_there) const {
    const auto candidate = [&](double ArmCounts::*which) {
      SeriesList series;
      if (candidate_is_there) series.push_back({{{"pod", "candidate-0"}}, candidate_.*which});
      return Answer{Vector{std::move(series)}, {}, false, nullptr, {}};
    };
    return {candidate(&ArmCounts::events), candidate(&ArmCounts::bad), stable(&ArmCounts::events),
            stable(&ArmCounts::bad)};
  }

 private:
  static void add(ArmCounts& to, const ArmCounts& counts) {
    to = {to.events + counts.events, to.bad + counts.bad};
  }
  Answer stable(double ArmCounts::*which) const {
    std::vector<Series> series;
    series.reserve(pods_.size());
    for (std::size_t i = 0; i < pods_.size(); ++i)
      series.push_back({{{"pod", "stable-" + std::to_string(i)}}, pods_[i].*which});
    return Answer{Vector{SeriesList(std::move(series))}, {}, false, nullptr, {}};
  }

  ArmCounts candidate_;
  std::vector<ArmCounts> pods_;
};

}  // namespace

Answer one_number(double value) {
  return Answer{Vector{{Series{{}, value}}}, {}, false, nullptr, {}};
}

ConditionPlan threshold_condition(double limit, int in_a_row) {
  ThresholdCondition kind{query_of("errors"), Rule{}, Reduce::kEach, std::nullopt, 100};
  kind.rule.fail_if = Comparison{CompareOp::kGreater, limit};
  ConditionPlan plan = condition_of(std::move(kind));
  plan.fail_after = plan.within = in_a_row;
  return plan;
}

ConditionPlan comparing_condition(CompareRules rules, double alpha, bool early_promote) {
  CompareCondition kind{query_of(R"(requests{version="{{version}}"})"), std::nullopt,
                        std::move(rules)};
  if (kind.kind() == CompareKind::kRate) kind.bad = query_of(R"(errors{version="{{version}}"})");
  kind.alpha = alpha;
  kind.early_promote = early_promote;
  return condition_of(std::move(kind));
}

Outcomes played(const ConditionPlan& condition, const World& world, const Answers& answers,
                std::vector<HistorySlot> history) {
  const Plan plan = plan_of(condition, world);
  Rollout rollout(plan);
  if (!history.empty()) rollout.happens(HistoryRead{0, std::move(history), ""});
  rollout.happens(Begin{});
  // A comparison looks in the moment in which the step begins as well.
  if (comparison_of(condition) != nullptr) rollout.next_slot_answered(answers(0, 0));
  Outcomes outcomes;
  for (int slot = 1; slot <= SimulatedRollout::kSlots && !rollout.has_ended(); ++slot) {
    rollout.next_slot_answered(answers(slot, rollout.step()));
    if (!rollout.has_ended()) continue;
    (rollout.ended_by() == DecisionKind::kRollback ? outcomes.rolled_back : outcomes.promoted) =
        slot;
  }
  return outcomes;
}

Outcomes played_by_threshold(const ConditionPlan& condition, const SimulatedRollout& rollout) {
  return played(condition, rollout.world(), [&rollout](int slot, int step) {
    SlotAnswered answered;
    answered.value = one_number(share_of(rollout.slot(slot, step).candidate));
    return answered;
  });
}

Outcomes played_by_counters(const ConditionPlan& condition, const SimulatedRollout& rollout) {
  Exported exported(rollout.history().front().pods.size());
  std::vector<HistorySlot> history;
  SysTime at = kBegin - SimulatedRollout::kHistory * kInterval;
  history.push_back(exported.stable_at(at));
  for (const SimulatedSlot& slot : rollout.history()) {
    exported.add(slot);
    history.push_back(exported.stable_at(at += kInterval));
  }
  const auto answers = [&](int slot, int step) {
    if (slot > 0) exported.add(rollout.slot(slot, step));
    SlotAnswered answered;
    answered.arms = exported.arms(slot > 0);
    return answered;
  };
  return played(condition, rollout.world(), answers, std::move(history));
}

Outcomes played_by_shares(const ConditionPlan& condition, const SimulatedRollout& rollout) {
  return played(condition, rollout.world(), [&rollout](int slot, int step) {
    const SimulatedSlot& shown = rollout.slot(std::max(slot, 1), step);
    SlotAnswered answered;
    answered.arms = {one_number(share_of(shown.candidate)),
                     one_number(share_of(statistics::sum_of(shown.pods)))};
    return answered;
  });
}

}  // namespace rollwatch::bench
