// A metrics server that follows the script.
#pragma once

#include <string>

#include "daemon/engine/metrics_source.h"
#include "daemon/net/clock.h"
#include "test/scenarios/gate.h"
#include "test/scenarios/script.h"

namespace rollwatch {

class ScriptedSource : public MetricsSource {
 public:
  ScriptedSource(Script& script, net::io_context& io, Clock& clock)
      : script_(script), io_(io), clock_(clock) {}

  void ask(std::vector<Question> questions, Answered answered) override;
  awaitable<QueryCheck> check(std::string datasource, std::string query) override;
  Millis ingestion_delay(const std::string& datasource) const override;
  void let_checks_go() { held_.let_go(); }

 private:
  Behaviour behaviour_of(const std::string& query, SysTime time) const;

  Script& script_;
  net::io_context& io_;
  Clock& clock_;
  Gate held_;
};

}  // namespace rollwatch
