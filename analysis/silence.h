// A datasource that gives no answers is the trouble of every rollout that asks it: which rollouts
// suffer it, and what a step shows of it. So people can be told of the datasource once, and of a
// rollout only where the silence is its own query's.
#pragma once

#include <string>
#include <vector>

#include "analysis/advance.h"

namespace rollwatch {

// Whose silence a slot without an answer is: the datasource's (it cannot be reached, takes too
// long, answers with an error of its own), or "" for only this query's.
std::string silent_datasource(const ConditionPlan& plan, const Judgement& judgement);

// The datasources whose silence keeps the rollout waiting (its open question), or leaves it
// unwatched in its soak for `patience` and longer. Seldom one, hardly ever two.
std::vector<std::string> silenced_by(Fixed fixed, const RolloutState& state);

// The latest slot of one of this datasource's conditions, if it got no answer and that was the
// datasource's fault; of several, the one that has been without for the longest.
struct Silence {
  Judgement slot;
  SysTime at{};                  // of the latest, the time it was evaluated for
  std::optional<SysTime> since;  // of the first in a row; unknown after a restart
};
std::optional<Silence> silence_of(Fixed fixed, const RolloutState& state,
                                  const std::string& datasource);

// Every condition that the open question is about has had an answer of the datasource by now,
// though none that lifts the pause: what is missing is no longer the datasource's fault.
bool has_answered(Fixed fixed, const RolloutState& state, const std::string& datasource);

// One step of a rollout as it is recorded: from what to what, and what happened.
struct TakenStep {
  const RolloutSpec& spec;
  const Plan& plan;
  const RolloutState& before;  // of a registration: an empty one
  const RolloutState& after;
  const std::vector<Event>& events;
  const std::vector<Evaluation>& evaluations;
};

// What the step's slots show of a datasource: the last word of each condition counts, and a single
// silent one is more than an answer.
enum class Sign : unsigned char { kNone, kAnswers, kSilent };
Sign sign_of(const TakenStep& step, const std::string& datasource);

}  // namespace rollwatch
