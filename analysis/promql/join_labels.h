// A query that is about one rollout, turned into one that answers for all of them at once:
//
//   sum(rate(errors_total{app="{{service}}",code=~"5.."}[{{window}}]))
//   sum by (app) (rate(errors_total{code=~"5.."}[{{window}}]))     and picked by app="{{service}}"
//
// Only where the picked series are, for every data and every value, those that the query itself
// would have answered with, but for the labels in `added`. So the list of shapes is closed:
//
//   A      an aggregation that judges each group by itself (sum, avg, min, max, count, group,
//          stddev, stdvar), with or without `by`, over one selector, or over a function that judges
//          each series by itself (rate, increase, max_over_time, …) of its range
//   A / B  two of these, with the same variables at the same labels; both without `by`, or with the
//          same one that has such a label
//   (A or vector(0)) / B  without `by`
//
// whose variables are the whole value of an `=` matcher, and {{window}} the range. Joined groups
// keep to themselves: of an aggregation by definition; a division matches series whose labels are
// equal, and here they say whose they are. A matcher's value is never empty (render() refuses it),
// so no series without the label is among them. With vector(0), a rollout that has a B and no A has
// 0 for A; joined, that is 0 times the count of what B is made of, which is there exactly if B is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/promql/query_template.h"

namespace rollwatch::promql {

struct JoinedQuery {
  // The series of one rollout have this label, and its value is that variable's.
  struct Pick {
    std::string label;
    std::string variable;
    friend bool operator==(const Pick&, const Pick&) = default;
  };
  QueryTemplate query;             // {{window}} is the only variable
  std::vector<Pick> picks;         // by label; at least one
  std::vector<std::string> added;  // labels that the query's own answer does not have
};

// nullopt: it is of another shape, or has no such variable, and is left alone.
std::optional<JoinedQuery> join_labels(const QueryTemplate& query);

}  // namespace rollwatch::promql
