// Answers from Prometheus, VictoriaMetrics and whoever else speaks their HTTP API.
//
// Equal questions for the same time are asked once. Each datasource has its own bounded number of
// connections and its own queue (query_queue.h). Waiting in it counts against a question's timeout,
// so a datasource that hangs holds up its own questions for as long as their timeout and nobody
// else's at all.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/engine/metrics_source.h"
#include "daemon/net/clock.h"
#include "daemon/prometheus/datasource_reading.h"
#include "daemon/prometheus/query_request.h"

namespace rollwatch {

// For whoever counts. Called on the io thread; may be left empty.
struct SourceHooks {
  // A question was answered: "success", "timeout", …; see result_word().
  std::function<void(const std::string& datasource, std::string_view result, Millis duration)>
      query_finished;
  // A datasource was seen to answer, or not to, for the first time or otherwise than before.
  std::function<void(const std::string& datasource, bool up)> up_changed;
};

struct SourceLimits {
  std::size_t answer_bytes = 16 << 20;
};

class PrometheusSource : public MetricsSource {
 public:
  // `clock` must outlive this. Io thread only.
  PrometheusSource(const net::any_io_executor& executor, Clock& clock,
                   std::map<std::string, Datasource> datasources, SourceHooks hooks = {},
                   SourceLimits limits = {});
  // Questions that are out are not answered any more.
  ~PrometheusSource() override;
  PrometheusSource(const PrometheusSource&) = delete;
  PrometheusSource& operator=(const PrometheusSource&) = delete;

  // Questions that were sent go on as they were; those that wait are sent with the new settings, or
  // are not asked if their datasource is gone.
  void reconfigure(std::map<std::string, Datasource> datasources);

  // Answer::duration is the time on the wire; without one, the time waited.
  void ask(std::vector<Question> questions, Answered answered) override;
  awaitable<QueryCheck> check(std::string datasource, std::string query) override;
  awaitable<Past> ask_past(PastQuestion question) override;
  std::vector<std::string> header_names(const std::string& datasource) const override;
  Millis ingestion_delay(const std::string& datasource) const override;

  // Whether it answered when it was last asked; nothing if it was not asked yet, or is not
  // configured.
  std::optional<bool> up(const std::string& datasource) const;
  DatasourceReading reading(const std::string& datasource) const;

 private:
  awaitable<Answer> ask_one(Question question);

  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with coroutines that may end later than this
};

}  // namespace rollwatch
