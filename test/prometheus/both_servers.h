// A Prometheus and a VictoriaMetrics that hold the same samples, asked the way the daemon asks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/net/system_clock.h"
#include "daemon/prometheus/prometheus_source.h"
#include "test/support/real_servers.h"

namespace rollwatch {

inline constexpr const char* kBoth[] = {"prometheus", "victoria"};

class BothServers {
 public:
  // Lines of the exposition format with timestamps in whole seconds.
  explicit BothServers(const std::string& samples);

  // The datasource of a question is one of kBoth. All are asked at once.
  std::vector<Answer> ask(const std::vector<Question>& questions);
  QueryCheck check(const std::string& datasource, const std::string& query);

 private:
  std::map<std::string, Datasource> datasources() const;

  HttpClientLibrary library_;
  RealPrometheus prometheus_;
  RealVictoriaMetrics victoria_;
  net::io_context io_;
  SystemClock clock_;
  PrometheusSource source_{io_.get_executor(), clock_, datasources()};
};

}  // namespace rollwatch
