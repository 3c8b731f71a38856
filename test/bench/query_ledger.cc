#include "test/bench/query_ledger.h"

#include <algorithm>
#include <limits>

namespace rollwatch::bench {
namespace {

// Two queries of one grid point are never this far apart on a machine that can be measured on.
constexpr Micros kMillisecond = 1'000;

Micros modulo(Micros value, Micros interval) {
  const Micros rest = value % interval;
  return rest < 0 ? rest + interval : rest;
}

// The residue that follows the widest gap between neighbours on the circle.
Micros phase_of(std::vector<Micros> residues, Micros interval) {
  std::sort(residues.begin(), residues.end());
  Micros phase = residues.front();
  Micros widest = residues.front() + interval - residues.back();
  for (std::size_t i = 1; i < residues.size(); ++i) {
    const Micros gap = residues[i] - residues[i - 1];
    if (gap <= widest) continue;
    widest = gap;
    phase = residues[i];
  }
  return phase;
}

Spread spread_of(std::vector<Micros>& values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto rank = [&](std::size_t percent) {
    const std::size_t at = (values.size() * percent + 99) / 100;
    return static_cast<double>(values[std::max<std::size_t>(at, 1) - 1]) / kMillisecond;
  };
  return {rank(50), rank(99), rank(100)};
}

// The most that lie within 100 ms of each other; `times` are sorted.
std::size_t busiest(const std::vector<Micros>& times) {
  std::size_t most = 0, first = 0;
  for (std::size_t last = 0; last < times.size(); ++last) {
    while (times[last] - times[first] >= 100 * kMillisecond) ++first;
    most = std::max(most, last - first + 1);
  }
  return most;
}

}  // namespace

void QueryLedger::note(std::string_view text, Micros at, Micros after_time, std::uint16_t asker) {
  auto found = numbers_.find(text);
  if (found == numbers_.end())
    found = numbers_.emplace(std::string(text), static_cast<std::uint32_t>(numbers_.size())).first;
  constexpr Micros kMost = std::numeric_limits<std::int32_t>::max();
  arrivals_.push_back(
      {found->second, static_cast<std::int32_t>(std::clamp(after_time, -kMost, kMost)), asker, at});
}

void QueryLedger::forget() {
  numbers_.clear();
  arrivals_.clear();
  begin_ = end_ = 0;
}

LedgerReport QueryLedger::report(Micros interval, std::string_view part) const {
  LedgerReport report;
  std::vector<bool> is_asked_about(numbers_.size());
  for (const auto& [text, number] : numbers_)
    is_asked_about[number] = text.find(part) != std::string::npos;
  report.distinct =
      static_cast<std::size_t>(std::count(is_asked_about.begin(), is_asked_about.end(), true));
  std::vector<std::vector<Micros>> by_query(numbers_.size());
  std::vector<Micros> within, after_time, late;
  for (const Arrival& arrival : arrivals_) {
    if (!is_asked_about[arrival.query]) continue;
    by_query[arrival.query].push_back(arrival.at);
    if (arrival.at < begin_ || arrival.at >= end_) continue;
    within.push_back(arrival.at);
    after_time.push_back(arrival.after_time);
  }
  std::vector<Micros> missed_by_query;
  for (const std::vector<Micros>& times : by_query) {
    if (times.empty()) continue;
    std::vector<Micros> residues;
    for (const Micros at : times) residues.push_back(modulo(at, interval));
    const Micros phase = phase_of(std::move(residues), interval);
    // Grid points from `first` on, the last of them before the end.
    const Micros first = begin_ + modulo(phase - begin_, interval);
    const Micros slots = first >= end_ ? 0 : (end_ - first + interval - 1) / interval;
    std::vector<bool> asked(static_cast<std::size_t>(slots), false);
    for (const Micros at : times) {
      const Micros slot = (at - first) / interval;
      if (at < first || slot >= slots) continue;
      asked[static_cast<std::size_t>(slot)] = true;
      late.push_back((at - first) % interval);
    }
    const auto missed = static_cast<Micros>(std::count(asked.begin(), asked.end(), false));
    report.slots += static_cast<std::size_t>(slots);
    report.missed += static_cast<std::size_t>(missed);
    missed_by_query.push_back(missed * kMillisecond);  // spread_of() divides
  }
  std::sort(within.begin(), within.end());
  report.queries = within.size();
  report.busiest_100ms = busiest(within);
  report.late = spread_of(late);
  report.after_time = spread_of(after_time);
  const Spread missed = spread_of(missed_by_query);
  report.missed_median = missed.p50;
  report.missed_max = missed.max;
  return report;
}

QueryLedger::Takeover QueryLedger::takeover(std::uint16_t asker, Micros since) const {
  struct Query {
    bool is_theirs = false;
    Micros first = -1;
  };
  std::vector<Query> queries(numbers_.size());
  for (const Arrival& arrival : arrivals_) {
    Query& query = queries[arrival.query];
    if (arrival.at < since)
      query.is_theirs = arrival.asker == asker;
    else if (query.first < 0 && arrival.asker != asker)
      query.first = arrival.at - since;
  }
  Takeover takeover;
  std::vector<Micros> after;
  for (const Query& query : queries) {
    if (!query.is_theirs) continue;
    ++takeover.queries;
    if (query.first < 0)
      ++takeover.waiting;
    else
      after.push_back(query.first);
  }
  takeover.after = spread_of(after);
  return takeover;
}

}  // namespace rollwatch::bench
