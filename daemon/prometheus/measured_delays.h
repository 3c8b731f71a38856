// A metrics source whose ingestion delays are measured where the configuration says "auto": about
// once a minute each of these datasources is asked how late its samples come (ingestion_lag.h).
// Everything else goes to the source behind it.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "daemon/engine/metrics_source.h"
#include "daemon/net/clock.h"
#include "daemon/net/net.h"

namespace rollwatch {

struct DelayHooks {
  // The delay of a measured datasource is another one now.
  std::function<void(const std::string& datasource, Millis before, Millis after)> changed;
  // It answers, but nothing can be told from it; once, until something can.
  std::function<void(const std::string& datasource)> nothing_to_measure;
};

class MeasuredDelays : public MetricsSource {
 public:
  // `source` and `clock` must outlive this. `random` gives shares from [0, 1): looks that come in
  // step with the scrapes would see every target at the same age each time. Io thread only.
  MeasuredDelays(net::any_io_executor executor, Clock& clock, MetricsSource& source,
                 std::function<double()> random, DelayHooks hooks = {});
  ~MeasuredDelays() override;
  MeasuredDelays(const MeasuredDelays&) = delete;
  MeasuredDelays& operator=(const MeasuredDelays&) = delete;

  // These are measured from now on, and no others. What is known of one that was measured already
  // is kept.
  void measure(const std::set<std::string>& datasources);
  // Resumes when each of them was looked at once, or after `limit`: what is asked with a delay that
  // is too short finds nothing.
  awaitable<void> first_looks(Millis limit);
  // Nothing is asked any more.
  void stop();

  void ask(std::vector<Question> questions, Answered answered) override;
  awaitable<QueryCheck> check(std::string datasource, std::string query) override;
  awaitable<Past> ask_past(PastQuestion question) override;
  std::vector<std::string> header_names(const std::string& datasource) const override;
  // Of a measured one what was measured, IngestionLag::kUnmeasured before that.
  Millis ingestion_delay(const std::string& datasource) const override;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with looks that may end later than this
};

}  // namespace rollwatch
