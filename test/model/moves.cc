// The moves everything that can happen is made of.
#include <algorithm>

#include "test/model/model.h"

namespace rollwatch::model {

Fact& Model::add(What what) {
  Fact fact;
  fact.what = what;
  fact.now = now_;
  fact.since = now_;
  facts_.push_back(fact);
  return facts_.back();
}

void Model::decide(DecisionKind kind, const std::string& by, std::optional<std::size_t> condition) {
  out_.decisions.push_back({kind, by, false, condition});
}

void Model::withdraw() {
  if (order_) {
    // One that was given at this very moment never goes out.
    const auto given = std::find_if(out_.orders.begin(), out_.orders.end(),
                                    [&](const SeenOrder& o) { return o.number == order_->number; });
    if (given != out_.orders.end()) {
      out_.orders.erase(given);
    } else {
      out_.withdrawn.push_back(order_->number);
    }
  }
  order_.reset();
  lapsed_.reset();
}

void Model::order(DecisionKind kind, double weight) {
  withdraw();
  const bool by_person = out_.decisions.back().by != "engine";
  order_ = OpenOrder{kind, ++orders_, weight, false, now_, {}, by_person};
  out_.orders.push_back({kind, orders_, weight, false});
}

void Model::watch(std::size_t i, SysTime from) {
  Fact& fact = add(What::kWatched);
  fact.condition = i;
  fact.since = from;
}

// In a later step the slots simply go on; only what was not asked before begins.
void Model::watch_all(SysTime since, bool all_anew, bool first_step) {
  for (std::size_t i = 0; i < plan_.conditions.size(); ++i) {
    const ConditionPlan& condition = plan_.conditions[i];
    if (condition.is_readiness) continue;
    if (!applies(condition, weight())) {
      add(What::kUnwatched).condition = i;
    } else if (all_anew || !watched_from(i)) {
      // Slots that lie in the past were never due. A yes does not cut an initial delay short.
      SysTime from = std::max(now_, since + first_slot_after(condition));
      if (first_step)
        from = std::max(from, since + first_slot_after(condition) + condition.initial_delay);
      if (const auto before = watched_from(i)) from = std::max(from, *before);
      watch(i, from);
    }
  }
}

void Model::unwatch_all() {
  for (std::size_t i = 0; i < plan_.conditions.size(); ++i) add(What::kUnwatched).condition = i;
}

void Model::begin() {
  add(What::kBegun);
  extension_ = Millis{0};
  state_ = State::kAnalyzing;
  if (spec_.observe) {
    add(What::kOnlyObserve);
    promote("engine");
  } else if (!weighted()) {
    reach_step(0, now_);
  } else if (told()) {
    order_step(0, "engine");
  }
}

// Ends the step if its hold has passed by then and nothing holds it back.
void Model::step_ends(SysTime by_then) {
  if (state_ != State::kAnalyzing || step() < 0 || held() || order_to_go_on()) return;
  if (by_then < hold_end() || alerts_hold()) return;
  bool evidence = !any_gates();
  for (std::size_t i = 0; i < plan_.conditions.size(); ++i) {
    if (!gates(i)) continue;
    if (!lets_go(i)) return;
    evidence = evidence || passes_in_step(i) > 0;
  }
  if (!evidence) return;
  if (has_next_step()) {
    if (!told()) return;  // its steps move only by what is reported
    if (plan_.steps[static_cast<std::size_t>(step())].approve)
      return pause(QuestionKind::kApproveStep, "engine");
    return go_on("engine");
  }
  if (plan_.steps[static_cast<std::size_t>(step())].approve)
    return pause(QuestionKind::kApproveStep, "engine");
  if (!ever_passed()) return pause(QuestionKind::kNothingMeasured, "engine");
  if (plan_.approve_promote) return pause(QuestionKind::kApprovePromote, "engine");
  go_on("engine");
}

void Model::go_on(const std::string& by) {
  if (has_next_step()) return order_step(step() + 1, by);
  promote(by);
}

void Model::order_step(int index, const std::string& by) {
  decide(DecisionKind::kAdvance, by);
  order(DecisionKind::kAdvance, *plan_.steps[static_cast<std::size_t>(index)].weight);
  question_.reset();
  state_ = State::kAnalyzing;
}

void Model::promote(const std::string& by) {
  decide(DecisionKind::kPromote, by);
  question_.reset();
  if (!told()) return reach_everything(now_);
  order(DecisionKind::kPromote, 100);
  state_ = State::kPromoting;
}

void Model::reach_step(int index, SysTime since) {
  const bool first = step() < 0;
  extension_ = Millis{0};
  Fact& fact = add(What::kStepReached);
  fact.step = index;
  fact.since = std::min(since, now_);
  const SysTime reached = fact.since;
  if (const auto weight = plan_.steps[static_cast<std::size_t>(index)].weight) reached_ = *weight;
  watch_all(reached, false, first);
}

void Model::reach_everything(SysTime since) {
  const bool first = step() < 0;
  extension_ = Millis{0};
  question_.reset();
  reached_ = 100;
  state_ = State::kSoaking;
  Fact& fact = add(What::kSoakBegan);
  fact.step = static_cast<int>(plan_.steps.size()) - 1;
  fact.since = std::min(since, now_);
  const SysTime reached = fact.since;
  watch_all(reached, false, first);
  if (plan_.soak == Millis{0}) end(State::kPromoted);
}

void Model::ask(QuestionKind kind) {
  question_ = OpenQuestion{kind, ++questions_, now_, now_, "", ""};
  state_ = State::kPaused;
}

void Model::pause(QuestionKind kind, const std::string& by, std::optional<std::size_t> condition) {
  decide(DecisionKind::kPause, by, condition);
  const bool knows =
      begun() && kind != QuestionKind::kOrderRefused && kind != QuestionKind::kOrderExpired;
  if (told() && knows) order(DecisionKind::kPause, reached_);
  ask(kind);
}

// A condition that failed while nothing could be asked about it is asked about now.
void Model::ask_about_failed() {
  if (state_ != State::kAnalyzing) return;
  for (std::size_t i = 0; i < plan_.conditions.size(); ++i) {
    const ConditionPlan& condition = plan_.conditions[i];
    if (condition.on_fail != OnFail::kPause || !failed(i) || only_observe()) continue;
    if (condition.is_readiness) return pause(QuestionKind::kReadyLost, "engine", i);
    if (gates(i)) return pause(QuestionKind::kConditionFailed, "engine", i);
  }
  if (!alerts_can_stop() || !alerts_failed()) return;
  pause(QuestionKind::kAlertFires, "engine");
  out_.decisions.back().by_alerts = true;
}

void Model::begin_afresh() {
  add(What::kAfresh);
  if (step() >= 0) watch_all(now_, true, false);
}

void Model::roll_back(const std::string& by, std::optional<std::size_t> condition) {
  decide(DecisionKind::kRollback, by, condition);
  question_.reset();
  // Before it has begun it never had any traffic, but an older one that is under way does.
  if (!told() || (older_active_ && !begun())) {
    withdraw();
    return rolled_back();
  }
  order(DecisionKind::kRollback, 0);
  unwatch_all();
  state_ = State::kRollingBack;
}

void Model::rolled_back() {
  reached_ = 0;
  end(State::kRolledBack);
  if (plan_.recovery == Millis{0}) return;
  Millis longest = plan_.recovery;
  bool any = false;
  for (std::size_t i = 0; i < plan_.conditions.size(); ++i) {
    const ConditionPlan& condition = plan_.conditions[i];
    if (condition.is_readiness || !failed(i)) continue;
    any = true;
    watch(i, now_ + first_slot_after(condition));
    longest = std::max(longest, first_slot_after(condition) + condition.interval);
  }
  if (!any) return;
  recovery_span_ = longest;
  recovery_ = RecoveryState{now_ + longest, false};
}

void Model::end(State state) {
  last_verdict_ = verdict();
  question_.reset();
  order_.reset();
  lapsed_.reset();
  recovery_.reset();
  unwatch_all();
  state_ = state;
}

bool Model::refuse(bool when) {
  if (when) out_.refused = true;
  return when;
}

}  // namespace rollwatch::model
