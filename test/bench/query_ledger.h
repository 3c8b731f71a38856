// What a datasource was asked, and when: one entry for each instant query, kept by the fake
// datasource and read after the measurement. It knows nothing of who asks.
//
// Every query has a grid of its own, `phase + k × interval`, that it was asked on. Nobody tells the
// phase, so it is found: arrivals of one query, taken modulo the interval, lie close together on a
// circle, and the phase is the one that follows the widest gap, which is the earliest ever seen.
// Lateness is the distance from there, so nothing that is always the same counts as late.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rollwatch::bench {

// Microseconds of CLOCK_MONOTONIC.
using Micros = std::int64_t;

struct Spread {
  double p50 = 0, p99 = 0, max = 0;
};

struct LedgerReport {
  std::size_t queries = 0;   // that arrived within the window
  std::size_t distinct = 0;  // queries ever asked
  std::size_t slots = 0;     // grid points within the window, of all queries
  std::size_t missed = 0;    // of those: not asked
  // By query, to see whether what is missed is missed fairly.
  double missed_median = 0, missed_max = 0;
  Spread late;        // milliseconds from the query's own grid
  Spread after_time;  // milliseconds from the instant the query is evaluated for
  std::size_t busiest_100ms = 0;
};

class QueryLedger {
 public:
  // `text` may be any encoding of the query, as long as it is always the same. `after_time` is how
  // long after the instant it is evaluated for it arrived, `asker` who asked, where that matters.
  void note(std::string_view text, Micros at, Micros after_time, std::uint16_t asker = 0);
  // As if nothing had been asked.
  void forget();

  void begin_window(Micros at) { begin_ = at; }
  void end_window(Micros at) { end_ = at; }
  // What arrived before the window helps to find the phases, and what arrived after it is late.
  // Only of queries that hold `part`, in whatever encoding they came.
  LedgerReport report(Micros interval, std::string_view part = "") const;

  // Queries that this asker was the last to ask before `since`, and how long after that somebody
  // else first asked them.
  struct Takeover {
    std::size_t queries = 0, waiting = 0;  // those that nobody has asked again yet
    Spread after;                          // milliseconds
  };
  Takeover takeover(std::uint16_t asker, Micros since) const;

 private:
  struct Arrival {
    std::uint32_t query;
    std::int32_t after_time;
    std::uint16_t asker;
    Micros at;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> numbers_;
  std::vector<Arrival> arrivals_;
  Micros begin_ = 0, end_ = 0;
};

}  // namespace rollwatch::bench
