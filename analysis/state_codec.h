// A rollout's state as bytes, for the blob that is saved with every step. Exact: the same state
// gives the same bytes on every run, doubles keep every bit, and what decodes encodes back to the
// very same bytes.
//
//   std::string blob = encode_state(state);
//   Expected<RolloutState, std::string> again = decode_state(blob);
//
// The first byte is the format's version. A field added to a struct of analysis/state.h does not
// compile until it is listed here; listing it means a new version, and reading the old one still.
#pragma once

#include <string>
#include <string_view>

#include "analysis/expected.h"
#include "analysis/state.h"

namespace rollwatch {

std::string encode_state(const RolloutState& state);
// Replaces what `bytes` holds, in the memory it has.
void encode_state(const RolloutState& state, std::string& bytes);

// The error is a sentence that says what is wrong at which byte. Any input is safe.
Expected<RolloutState, std::string> decode_state(std::string_view bytes);

// Whether a number read from disk is one of the enumerators. Their values are on disk: new ones go
// last.
bool is_known(State value);
bool is_known(Verdict value);
bool is_known(DecisionKind value);
bool is_known(QuestionKind value);
bool is_known(Outcome value);
bool is_known(Cause value);
bool is_known(CompareOp value);

}  // namespace rollwatch
