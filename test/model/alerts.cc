// Alerts, read from the facts: who fires, whether that counts, and whether it has failed the
// rollout.
#include <algorithm>
#include <map>

#include "test/model/model.h"

namespace rollwatch::model {

// When the first step began, by the clock as it is now.
std::optional<SysTime> Model::first_step_at() const {
  for (std::size_t i = 0; i < facts_.size(); ++i)
    if (facts_[i].what == What::kStepReached || facts_[i].what == What::kSoakBegan)
      return begun_at(i);
  return std::nullopt;
}

// The facts about each alert that fires, by its fingerprint.
std::map<std::string, const Fact*> Model::firing() const {
  std::map<std::string, const Fact*> firing;
  for (const Fact& fact : facts_) {
    if (fact.what != What::kAlert) continue;
    if (fact.alert.firing)
      firing[fact.alert.fingerprint] = &fact;
    else
      firing.erase(fact.alert.fingerprint);
  }
  return firing;
}

bool Model::alert_counts() const {
  for (const auto& [fingerprint, fact] : firing())
    if (fact->counts) return true;
  return false;
}

// From one that counts until none does, or a person goes on all the same; what was decided while it
// rolls back is decided.
bool Model::alerts_failed() const {
  bool failed = false;
  std::map<std::string, bool> counting;
  for (const Fact& fact : facts_) {
    if (fact.what == What::kAfresh || fact.what == What::kAlertsForgiven) failed = false;
    if (fact.what != What::kAlert) continue;
    counting.erase(fact.alert.fingerprint);
    if (fact.alert.firing && fact.counts) {
      counting[fact.alert.fingerprint] = true;
      failed = failed || !fact.rolling_back;
    } else if (!fact.alert.firing && counting.empty() && !fact.rolling_back) {
      failed = false;
    }
  }
  return failed;
}

bool Model::alerts_can_stop() const {
  return plan_.alerts && plan_.alerts->on_fire != OnFail::kObserve && !only_observe();
}

void Model::on(const AlertChanged& input) {
  if (!plan_.alerts || is_final(state_)) return;
  const auto known = firing();
  const auto same = known.find(input.fingerprint);
  if (input.firing) {
    if (same != known.end() && input.starts_at <= same->second->alert.starts_at) return;
  } else {
    if (same == known.end()) return;
    if (input.ends_at && *input.ends_at < same->second->alert.starts_at) return;
  }
  const bool failed_before = alerts_failed();
  const auto since = first_step_at();
  Fact& fact = add(What::kAlert);
  fact.alert = input;
  fact.counts = input.firing && since && input.starts_at >= *since;
  fact.rolling_back = state_ == State::kRollingBack;
  if (failed_before || !alerts_failed()) return;
  const auto what =
      plan_.alerts->on_fire == OnFail::kPause ? DecisionKind::kPause : DecisionKind::kRollback;
  const std::size_t decided = out_.decisions.size();
  if (!alerts_can_stop()) {
    out_.decisions.push_back({what, "engine", true, std::nullopt});
  } else if (what == DecisionKind::kRollback) {
    roll_back("engine");
  } else if (state_ != State::kSoaking && !a_question_stands_before_failing()) {
    pause(QuestionKind::kAlertFires, "engine");
  }
  if (out_.decisions.size() > decided) out_.decisions[decided].by_alerts = true;
}

}  // namespace rollwatch::model
