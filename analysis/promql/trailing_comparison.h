// Takes the comparison off a query such as `sum(rate(x[5m])) / sum(rate(y[5m])) > 0.05`, so that
// the value stays visible and "not above the limit" can be told from "no data".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "analysis/comparison.h"
#include "analysis/expected.h"
#include "analysis/promql/lexer.h"

namespace rollwatch::promql {

struct TrailingComparison {
  // Without the comparison, the parentheses that wrapped the whole, and the comments and spaces
  // around it; comments inside stay. The query as it was when there is no comparison.
  std::string query;
  std::optional<Comparison> comparison;
  std::string why_left_alone;  // the end of a sentence that begins with "the query"; else empty
};

// Takes off a comparison only if it is the outermost operator of one whole expression, has a plain
// number on its right (with at most one sign), something that has a value on its left, and neither
// `bool` nor matching words; whatever is in doubt is left alone. Works on templates and on finished
// queries alike: a `{{variable}}` as the limit is left alone. Positions in later errors about
// `query` differ from those in the original, so parse the original first when it is to be shown to
// people. The error is that of lex().
Expected<TrailingComparison, PromqlError> take_comparison_off(std::string_view query);

}  // namespace rollwatch::promql
