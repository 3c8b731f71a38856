#include "analysis/history_points.h"

#include <algorithm>
#include <functional>

namespace rollwatch {
namespace {

using Points = std::vector<HistoryPoint>;
using Kind = std::function<int(const HistoryPoint&)>;

int badness(Outcome outcome) {
  switch (outcome) {
    case Outcome::kFail:
      return 5;
    case Outcome::kMissed:
      return 4;
    case Outcome::kError:
      return 3;
    case Outcome::kNoData:
      return 2;
    case Outcome::kInconclusive:
      return 1;
    case Outcome::kPass:
      break;
  }
  return 0;
}

// Of a row in which all are alike: what happens to be alike depends on how many rows there may be.
int by_outcome_and_step(const HistoryPoint& point) {
  constexpr int kOutcomes = 8;
  return point.step * kOutcomes + badness(point.outcome);
}
int by_fail_gap_or_neither(const HistoryPoint& point) {
  if (point.outcome == Outcome::kFail) return 2;
  return point.outcome == Outcome::kPass || point.outcome == Outcome::kInconclusive ? 0 : 1;
}
int by_fail(const HistoryPoint& point) { return point.outcome == Outcome::kFail ? 1 : 0; }

void append(HistoryPoint& to, const HistoryPoint& next) {
  to.slots += next.slots;
  to.fails += next.fails;
  if (is_worse(next.outcome, to.outcome)) to.outcome = next.outcome;
  if (next.value) to.value = next.value;
  if (next.low) to.low = to.low ? std::min(*to.low, *next.low) : *next.low;
  if (next.high) to.high = to.high ? std::max(*to.high, *next.high) : *next.high;
}

// How many there are in each row of points of one kind.
std::vector<std::size_t> rows_of(const Points& points, const Kind& kind) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i > 0 && kind(points[i]) == kind(points[i - 1]))
      ++rows.back();
    else
      rows.push_back(1);
  }
  return rows;
}

std::size_t pieces(const std::vector<std::size_t>& rows, std::size_t size) {
  std::size_t count = 0;
  for (const std::size_t row : rows) count += (row + size - 1) / size;
  return count;
}

// Each row cut into pieces of that many, and each piece one point.
Points merged(const Points& points, const std::vector<std::size_t>& rows, std::size_t size) {
  Points out;
  std::size_t at = 0;
  for (const std::size_t row : rows) {
    for (std::size_t i = 0; i < row; ++i, ++at) {
      if (i % size == 0)
        out.push_back(points[at]);
      else
        append(out.back(), points[at]);
    }
  }
  return out;
}

// Pieces of the least size with which there are at most `most` of them; there are no more rows than
// that.
Points in_pieces(const Points& points, const std::vector<std::size_t>& rows, std::size_t most) {
  std::size_t too_small = 0, enough = points.size();
  while (enough - too_small > 1) {
    const std::size_t middle = too_small + (enough - too_small) / 2;
    (pieces(rows, middle) <= most ? enough : too_small) = middle;
  }
  return merged(points, rows, enough);
}

Points fewer(const Points& points, std::size_t most) {
  for (const Kind& kind : {Kind(by_outcome_and_step), Kind(by_fail_gap_or_neither), Kind(by_fail)})
    if (const auto rows = rows_of(points, kind); rows.size() <= most)
      return in_pieces(points, rows, most);
  return in_pieces(points, {points.size()}, most);
}

}  // namespace

bool is_worse(Outcome a, Outcome b) { return badness(a) > badness(b); }

std::vector<HistoryPoint> thinned(std::vector<HistoryPoint> points, std::size_t most) {
  constexpr std::size_t kLeast = 3;
  most = std::max(most, kLeast);
  if (points.size() <= most) return points;
  const HistoryPoint first = points.front(), last = points.back();
  Points thin = fewer(Points(points.begin() + 1, points.end() - 1), most - 2);
  thin.insert(thin.begin(), first);
  thin.push_back(last);
  return thin;
}

}  // namespace rollwatch
