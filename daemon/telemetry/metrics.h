// What the daemon tells Prometheus about itself. Other parts do not know this class: the
// application hands them its functions. Series of one rollout live as long as it is watched and are
// gone within a minute of its end, so the number of series follows the number of active rollouts;
// history is in the counters, which know policies and conditions, but no rollouts.
//
//   Metrics metrics(version);
//   hooks.ended = [&](const RolloutView& view) { metrics.on_ended(view); };
//   …
//   answer(metrics.text(clock.wall(), active));    // text format 0.0.4
//
// Io thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/time.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/nodes.h"

namespace rollwatch {

// What waits to be delivered now.
struct OutboxReading {
  std::size_t orders = 0;         // to be sent
  std::size_t accepted = 0;       // orders sent, to be acknowledged
  std::size_t notifications = 0;  // to be sent
  Millis oldest_age{0};           // of those to be sent
};

// What a datasource is being asked now.
struct QueriesReading {
  std::size_t in_flight = 0, waiting = 0;
};

class Metrics {
 public:
  using Seconds = std::chrono::duration<double>;

  explicit Metrics(const std::string& version);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // From the engine. A slot that is missed counts as `slots` at once.
  void on_evaluated(const std::string& datasource, Outcome outcome, std::uint32_t slots,
                    Cause cause);
  // The same slot, counted for the policies (as registered) and the condition it belongs to. Those
  // of requests have any name: past kMostConditions of them, further ones count as "other".
  static constexpr std::size_t kMostConditions = 500;
  void on_condition(const std::vector<std::string>& policies, const std::string& condition,
                    Outcome outcome, std::uint32_t slots);
  void on_late(Millis late);
  // What rollouts asked together was answered like this, and each asks for itself for a while.
  void on_kept_apart(const std::string& datasource, std::string_view result);
  void on_ended(const RolloutView& view);  // and when it moved once more after that
  // Now and then, so that what has ended is let go of also where nobody scrapes.
  void forget_ended(SysTime now);
  void on_decision(const Decision& decision, Verdict before);       // the rollout's until then
  void on_labelled(DecisionKind kind, const DecisionLabel& label);  // or labelled otherwise
  void on_freeze(const FreezeRecord& freeze);                       // given, replaced or lifted
  void on_freezes(std::size_t in_force);
  void on_commit(Seconds took);
  void on_not_recorded();  // a step of a rollout, each time that it is tried

  // How much later than asked for the event loop came back to a timer.
  void on_loop_delay(Seconds delay);
  // Whether /-/ready is 200.
  void on_ready(bool ready);

  // From the datasources: one query's end in a word, and whether they answer at all.
  void on_query(const std::string& datasource, std::string_view result, Seconds took);
  void on_datasource(const std::string& datasource, bool up);
  // Of all that are configured now.
  void on_ingestion_delays(const std::map<std::string, Millis>& delays);
  void on_queries_now(const std::map<std::string, QueriesReading>& queries);

  // Who may be told, by the configuration. Their dead letters, like the missed slots of each
  // reason, are counted from 0: of a series that begins with its first event increase() and delta()
  // see nothing, and no alert fires.
  void on_targets(const std::vector<std::string>& names);

  // From the outbox: an attempt or an end in a word ("expired" and "given_up" are dead letters),
  // and the time from decision to done.
  void on_delivery(const Delivery& delivery, std::string_view result);
  void on_delivered(const Delivery& delivery, Seconds latency);
  void on_outbox(const OutboxReading& reading);
  // Of all that are configured now: whether they are probed instead of being sent everything.
  void on_breakers(const std::map<std::string, bool>& open);

  // The nodes that share the store, and which places are this one's.
  void on_nodes(const NodesReading& reading);

  // The event stream: who follows it, and who was cut and why ("slow", "gap").
  void on_stream_clients(std::size_t clients);
  void on_stream_cut(std::string_view reason);

  void on_http(std::string_view method, std::string_view route, int status, Seconds took);
  // The configuration was taken over (at the start, too) or refused.
  void on_reload(bool successful, SysTime now);
  void on_configuration(std::uint64_t fingerprint);  // the one that is in force

  // `active` shows every rollout that is watched here.
  std::string text(SysTime now, const std::function<void(const Engine::Look&)>& active);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rollwatch
