// What people say of a decision afterwards, as it is kept: the text of a memo.
#pragma once

#include <optional>
#include <string>

#include "daemon/engine/records.h"

namespace rollwatch {

std::string label_text(const DecisionLabel& label);
// None for a text that is none, such as "".
std::optional<DecisionLabel> read_label(const std::string& text);

// What was decided when it ended like that; nothing if there is no decision to judge.
std::optional<DecisionKind> judged_decision(State state);

// "the rollback is labelled wrong by ana: the load test had its own errors"
std::string label_sentence(DecisionKind kind, const DecisionLabel& label);

}  // namespace rollwatch
