// Decides what each `{{variable}}` of a lexed query stands for, from its neighbours and the
// brackets around it, or refuses it. A place counts only if every value of the right kind is safe
// there; there is no guessing, so a query that is accepted keeps its shape whatever the values are.
#pragma once

#include <vector>

#include "analysis/expected.h"
#include "analysis/promql/lexer.h"
#include "analysis/promql/quoting.h"

namespace rollwatch::promql {

enum class VariableContext {
  kLabelString,   // in a string that is taken literally: {app="…"}, or a function's argument
  kRegexMatcher,  // in a string that is a regular expression: {app=~"…"}, label_replace's last
  kReplacement,   // in label_replace's replacement, where $1 is a reference
  kNumber,        // an operand or argument
  kTimestamp,     // the number behind @
  kDuration,      // in [ ], as the subquery's step, behind offset
  kPlainText,     // not in a query at all; see TextTemplate
};

struct Placement {
  VariableContext context = VariableContext::kPlainText;
  QuoteKind quote = QuoteKind::kNone;
};

// One placement for each of lexed.placeholders, in their order.
Expected<std::vector<Placement>, PromqlError> place_variables(const Lexed& lexed);

}  // namespace rollwatch::promql
