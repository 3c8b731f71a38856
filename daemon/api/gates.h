// Gates for tools that ask instead of being called: from what a rollout is in to open or closed, in
// the dialect of the one who asks. Pure; docs/gates.md has the same as a table, and its test plays
// every cell of it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "analysis/spec.h"
#include "analysis/state.h"

namespace rollwatch {

// Flagger's webhook types, by what an answer means to it. It reads any status up to 202 as yes, and
// everything else, 204 and no answer included, as no.
enum class GateKind : unsigned char {
  kBegin,     // confirm-rollout: may the canary be scaled up at all; no waits
  kCheck,     // rollout, pre-rollout: a no is a failed check, and so many of them roll back
  kIncrease,  // confirm-traffic-increase: no waits
  kPromote,   // confirm-promotion: no waits
  kRollback,  // rollback: yes rolls back at once
  kTold,      // post-rollout, event: asks nothing
};

struct Gate {
  std::string_view name;  // the last part of the path
  GateKind kind;
  int closed;  // the status that says no
};

// In the order of Flagger's documentation.
std::span<const Gate> flagger_gates();
const Gate* flagger_gate(std::string_view name);  // null: there is none

struct GateAnswer {
  int status = 403;
  std::string line;  // one line of text for people, without the line end
};

// `frozen`: the sentence of the freeze that holds the service, if one does.
GateAnswer answer_of(const Gate& gate, const RolloutSpec& spec, const RolloutState& state,
                     const std::optional<std::string>& frozen);

// Nobody registered a rollout there: closed for what opens, quiet for a rollback.
GateAnswer answer_of_unknown(const Gate& gate, const std::string& place);

// Line ends and other control characters become spaces.
std::string one_line(std::string text);

}  // namespace rollwatch
