// What the daemon tells Prometheus about itself. Other parts do not know this class: the application
// hands them its functions. Series of one rollout live as long as it is watched and are gone within a
// minute of its end, so the number of series follows the number of active rollouts; history is in the
// counters.
//
//   Metrics metrics(clock, version);
//   hooks.changed = [&](const RolloutView& view) { metrics.on_changed(view); };
//   …
//   answer(metrics.text());            // text format 0.0.4
//
// Io thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "analysis/answer.h"
#include "daemon/engine/engine.h"
#include "daemon/net/clock.h"

namespace rollwatch {

// What waits to be delivered now.
struct OutboxReading {
  std::map<std::string, std::size_t> pending;  // by kind
  std::optional<Millis> oldest_age;            // none: nothing waits
};

class Metrics {
 public:
  using Seconds = std::chrono::duration<double>;

  Metrics(const Clock& clock, const std::string& version);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // EngineHooks
  void on_evaluated(const std::string& datasource, Outcome outcome, std::uint32_t slots, Cause cause);
  void on_late(Millis late);
  void on_changed(const RolloutView& view);
  void on_decided(const Decision& decision);

  // One query was answered, or failed that way.
  void on_query(const std::string& datasource, std::optional<FailureKind> failure, Seconds took);
  // A delivery came to its end (done, refused, dead or withdrawn).
  void on_delivery_ended(const Delivery& delivery, DeliveryState state);
  void on_outbox(const OutboxReading& reading);
  void on_commit(Seconds took);
  void on_http(std::string_view method, std::string_view route, int status);
  // The configuration was loaded (at the start, too) or a reload was refused.
  void on_reload(bool successful);

  std::string text();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rollwatch
