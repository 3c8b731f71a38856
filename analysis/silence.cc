#include "analysis/silence.h"

#include <algorithm>
#include <map>

#include "analysis/mover.h"

namespace rollwatch {
namespace {

bool is_silence(const Judgement& j) {
  switch (j.cause) {
    case Cause::kUnreachable:
    case Cause::kTimeout:
    case Cause::kHttpStatus:
    case Cause::kMalformed:
    case Cause::kMissedOverlap:
    case Cause::kMissedOverload:
      return true;
    default:
      return false;
  }
}

// It said something, if only that there is nothing.
bool is_answer(const Judgement& j) {
  return j.outcome != Outcome::kMissed && j.cause != Cause::kNotAsked && !is_silence(j);
}

bool soaks_unwatched(const Mover& m, std::size_t i) {
  const ConditionState& c = m.state().conditions[i];
  return !m.condition(i).is_readiness && c.watched_from && c.silent_since && c.last &&
         is_silence(*c.last) && c.last_evaluated_at - *c.silent_since >= m.fixed.plan.patience;
}

}  // namespace

std::string silent_datasource(const ConditionPlan& plan, const Judgement& judgement) {
  return is_silence(judgement) ? plan.datasource : "";
}

std::vector<std::string> silenced_by(Fixed fixed, const RolloutState& state) {
  std::vector<std::string> datasources;
  if (state.question && !state.question->datasource.empty())
    datasources.push_back(state.question->datasource);
  if (state.state != State::kSoaking) return datasources;
  const Mover m(fixed, state, SysTime{});
  for (std::size_t i = 0; i < state.conditions.size(); ++i) {
    const std::string& datasource = fixed.plan.conditions[i].datasource;
    const bool known =
        std::find(datasources.begin(), datasources.end(), datasource) != datasources.end();
    if (!known && soaks_unwatched(m, i)) datasources.push_back(datasource);
  }
  return datasources;
}

std::optional<Silence> silence_of(Fixed fixed, const RolloutState& state,
                                  const std::string& datasource) {
  std::optional<Silence> longest;
  for (std::size_t i = 0; i < state.conditions.size(); ++i) {
    const ConditionState& c = state.conditions[i];
    if (!c.last || silent_datasource(fixed.plan.conditions[i], *c.last) != datasource) continue;
    const bool longer =
        !longest || (c.silent_since && longest->since && *c.silent_since < *longest->since);
    if (longer) longest = Silence{*c.last, c.last_evaluated_at, c.silent_since};
  }
  return longest;
}

bool has_answered(Fixed fixed, const RolloutState& state, const std::string& datasource) {
  const Mover m(fixed, state, SysTime{});
  for (std::size_t i = 0; i < state.conditions.size(); ++i) {
    const ConditionPlan& plan = fixed.plan.conditions[i];
    const bool asked = state.begun ? m.gates(i) : plan.is_readiness;
    if (!asked || plan.datasource != datasource) continue;
    if (!state.conditions[i].last || !is_answer(*state.conditions[i].last)) return false;
  }
  return true;
}

Sign sign_of(const TakenStep& step, const std::string& datasource) {
  std::map<std::size_t, Sign> last_words;
  for (const Evaluation& e : step.evaluations) {
    if (step.plan.conditions[e.condition].datasource != datasource) continue;
    if (is_silence(e.judgement)) last_words[e.condition] = Sign::kSilent;
    if (is_answer(e.judgement)) last_words[e.condition] = Sign::kAnswers;
  }
  Sign sign = Sign::kNone;
  for (const auto& [condition, word] : last_words) sign = std::max(sign, word);
  return sign;
}

}  // namespace rollwatch
