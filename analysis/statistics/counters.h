// Raw counters become what happened since the slot before, each event once: nothing overlaps,
// nothing is extrapolated, and an event that a lost scrape hid is counted with the next one.
//
//   CounterTable table = CounterTable::start(2);            // part 0 events, part 1 bad events
//   Increments increments;
//   if (table.update(slot_time, samples, increments)) …     // false: this slot was counted already
//
// The first update only remembers. A series that is first seen later was born since, and counts
// from zero; so does one that is smaller than it was, for its process began anew. What comes from
// one process is counted as a whole: when one of its series began anew all did, and while one of
// them is missing none is counted, so that errors never meet the requests of another time. Errors
// that never were are none. A slot whose question failed is no update; what it missed comes with
// the next.
//
// A counter that went back by less than half did not begin anew: two servers behind one address are
// a scrape apart, and sums of floats differ in their last digits. Its process waits until it is
// where it was. A series that ended beside others of its kind is waited for by nobody: labels that
// were idle are dropped by some exporters, and one target of a pod may miss a scrape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "analysis/time.h"

namespace rollwatch::statistics {

// Of a text that says who it is. The bits are even enough to deal sources out.
std::uint64_t series_key(std::string_view text);
// Of one label. The sum of those of a series is the series' key, in whatever order they come.
std::uint64_t label_key(std::string_view name, std::string_view value);

// For series of which nobody knows the process: each is counted by itself.
inline constexpr std::uint64_t kUnknownSource = 0;

struct CounterSample {
  std::uint64_t source = kUnknownSource;  // the process: series_key of its instance or pod
  std::uint64_t series = 0;
  std::uint32_t part = 0;  // what is counted: 0 events, 1 bad events; or which bucket
  double value = 0;        // NaN, infinite or negative: as if it were not there
};

// What each source counted, by part; sources rise.
struct Increments {
  std::size_t parts = 0;
  std::vector<std::uint64_t> sources;
  std::vector<double> counts;  // one source's parts after another's

  std::span<const double> of(std::size_t index) const {
    return std::span(counts).subspan(index * parts, parts);
  }
  // Of all sources together.
  double total(std::size_t part) const;
};

struct CounterSeries {
  std::uint64_t source = kUnknownSource;
  std::uint64_t series = 0;
  std::uint32_t part = 0;
  std::uint32_t missing = 0;  // updates in a row without it
  double last = 0;

  bool operator==(const CounterSeries&) const = default;
};

struct CounterTable {
  // A series that was not seen for so many updates is gone: nothing waits for it. What it had
  // counted is remembered for longer, so that after a long gap it does not count all of its life
  // again.
  static constexpr std::uint32_t kGoneAfter = 10;
  static constexpr std::uint32_t kForgottenAfter = 1000;
  // Of less than so much nobody can tell whether it went back or began anew: it began anew.
  static constexpr double kLeastToGoBack = 100;
  // Where pods come and go all the time the table does not grow with every one that ever was: of
  // more than so many that are gone for so long those that went first are forgotten sooner.
  static constexpr std::size_t kMostLongGone = 30'000;
  static constexpr std::uint32_t kLongGoneAfter = 100;

  std::uint32_t parts = 0;
  MaybeTime last_at;
  std::vector<CounterSeries> series;  // by source, part and series

  static CounterTable start(std::uint32_t parts);

  // False, and nothing changes, if this time or a later one was counted already. `samples` are put
  // in order; their order makes no difference. `increments` is overwritten.
  bool update(SysTime at, std::vector<CounterSample>& samples, Increments& increments);

  // The sources that go on counting bad events and have no events, for longer than one update that
  // may have come between the two: what they count would never be counted. `samples`, which are put
  // in order, are those of the next update.
  std::vector<std::uint64_t> without_events(std::vector<CounterSample>& samples) const;

  bool operator==(const CounterTable&) const = default;
};

}  // namespace rollwatch::statistics
