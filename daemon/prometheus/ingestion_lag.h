// How late a datasource's samples come: what it is asked, and what follows from the answers. For
// `ingestion_delay = "auto"`.
//
// A sample's lag is the time from its timestamp until a query sees it: the scrape itself, and what
// remote writing adds. It cannot be seen in hindsight, only by asking for now: the newest sample of
// a target is then as old as its lag, plus the time since its last scrape, which is anything up to
// one scrape interval. That second part is noise: with 15 s between scrapes the slowest tenth of
// `up` is 13.5 s old on a server that has no lag at all. So nine tenths of the target's own
// interval are taken off its age, and then the 90th percentile of the targets is taken: of many
// targets in step with nothing it is the lag, and of a single one the largest of ten looks nearly
// is.
//
//   interval = (10m − age) / (samples of the last 10m − ½)
//   lag      = 90th percentile of (age − 0.9 × interval)
//
// The server computes it, so the answer is one number however many targets there are. Targets that
// are younger than ten minutes are left out, as their interval cannot be told; those that went away
// have a staleness marker, or are older than the lookback of five minutes, and are no series of
// `up` any more. A tenth of the targets may be odd without moving it.
//
// Pure: no clock, no I/O.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "analysis/answer.h"
#include "analysis/time.h"

namespace rollwatch {

// To be asked for now.
const std::string& lag_query();

// The lag an answer tells; nothing if it tells none, as where there is no `up`. May be negative:
// it is an estimate.
std::optional<Millis> lag_of(const Answer& answer);

// From lags to a delay for which the samples are there. It falls slowly, so that conditions skip
// next to nothing when a lag is over. And it rises to what two looks in a row have seen at least,
// if something new came between them: a metrics server that was away shows for how long, until it
// has scraped its targets again. Only the very first look counts alone, until the second.
class IngestionLag {
 public:
  // Until something was measured.
  static constexpr Millis kUnmeasured{15'000};
  static constexpr Millis kLeast{1'000};
  static constexpr Millis kMost{300'000};

  // It was asked for `at`.
  void seen(Millis lag, SysTime at);
  // It told nothing: what it shows next may be how long it was away.
  void away();
  // Something was measured.
  bool is_known() const { return !highs_.empty(); }
  // Whole seconds, from kLeast to kMost.
  Millis delay() const;

 private:
  struct Look {
    Millis lag;
    SysTime at;
  };
  std::optional<Look> last_;
  bool was_away_ = false;
  bool first_alone_ = false;
  std::deque<Millis> highs_;  // what two looks in a row have seen at least; newest last
  Millis level_ = kUnmeasured;
};

}  // namespace rollwatch
