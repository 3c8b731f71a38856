// A whole daemon but for its edges, in virtual time: the real engine, outbox and SQLite store, with
// a metrics source and a deployer that follow a script. A rollout of hours is played in
// milliseconds, and the process can be killed and started again in between.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "daemon/delivery/outbox.h"
#include "daemon/engine/engine.h"
#include "test/scenarios/script.h"
#include "test/support/manual_clock.h"
#include "test/support/process.h"
#include "test/support/run.h"

namespace rollwatch {

class World {
 public:
  World();
  ~World();

  // Once, before anything is registered: a configuration file's text. With several nodes they share
  // the store, and calls go to the one that has the place.
  void configure(const std::string& toml, std::size_t nodes = 1);
  void metrics_are(const std::string& query, Behaviour behaviour);
  // Of every datasource; the configured one without it.
  void ingestion_delay_is(std::optional<Millis> delay) {
    script_.ingestion_delay = delay;
    engine().delays_changed();
  }
  void whole_source_is(std::optional<Behaviour::Kind> kind) { script_.source = kind; }
  // What is younger than this has not arrived yet.
  void source_lags(Millis by) { script_.source_lags = by; }
  void deployer_is(Deployer deployer) { script_.deployer = deployer; }
  void people_refuse(bool refuse) { script_.people_refuse = refuse; }
  void deployer_hangs(bool hangs) { script_.deployer_hangs = hangs; }

  Registration registration(RolloutSpec spec, std::optional<int> attempt = std::nullopt);
  RegisterResult register_rollout(RolloutSpec spec, std::optional<int> attempt = std::nullopt);
  DecideResult decide(const std::string& rollout, PersonDecided decision);
  DecideResult report(const std::string& rollout, double weight, Millis ago = Millis{0});
  DecideResult acknowledge(const std::string& order, bool done);
  // By ana.
  RedeliverResult redeliver(const std::string& delivery, const std::string& reason = "it is back");
  // A service "namespace/name", or "" for everything.
  FreezeRecord freeze(const std::string& service, const std::string& by, const std::string& reason,
                      std::optional<SysTime> until = std::nullopt);
  bool lift_freeze(const std::string& service, const std::string& by);

  void advance(Millis span);
  void jump_wall(Millis by);
  // Kills the process and starts it again after `down`. `loading` is called when it serves requests
  // already, and has not read its store yet.
  void restart(Millis down, const std::function<void()>& loading = {});
  // Before configure(): what nothing follows from waits this long for others to be written with.
  void linger_is(Millis linger) { script_.linger = linger; }
  // The disk refuses every commit from now on, or takes them again.
  void store_fails(bool fails) { script_.store_fails = fails; }
  // The store refuses every transaction that holds a commit of this rollout; "": none.
  void store_refuses(const std::string& rollout) { script_.refused_rollout = rollout; }
  // Every commit waits, as on a disk that hangs, until it is let go or this is called with false.
  void store_hangs(bool hangs);
  void let_commits_go();
  std::size_t most_evaluations_in_a_commit() const { return script_.most_evaluations; }
  std::size_t batches() const { return script_.batches; }  // that the store was given
  // Why steps could not be recorded, as the engine told.
  const std::vector<std::string>& not_recorded() const { return script_.not_recorded; }
  // Queries are not checked at registration before this is called with false.
  void checks_hang(bool hangs);

  RolloutView rollout(const std::string& id);
  std::vector<StoredEvaluation> evaluations(const std::string& id);
  std::vector<StoredEvent> events(const std::string& id);
  std::vector<Delivery> deliveries(const std::string& id);
  // Of the latest decision, or of the one named.
  std::optional<ExplainRecord> explain(const std::string& id,
                                       std::optional<std::string> decision = std::nullopt);
  SysTime now() const;
  std::size_t sleepers() const;
  const Settings& settings() const { return settings_; }

  // The engine itself, for what the calls above do not reach; run() plays a call to its end.
  Engine& engine(std::size_t node = 0);

  // ---- Several nodes. What these begin may have to wait for the store or for an attempt that is
  // out: true if it is done.

  Outbox& outbox(std::size_t node);
  ScriptedLeases& leases(std::size_t node);
  static Place place(const std::string& service);
  // The node that has it by the table; none if it is free.
  std::optional<std::size_t> owner(const Place& place) const;
  // In good order, from the one that has it.
  bool hand_over(const Place& place, std::size_t to);
  // From whoever has it, who does not know: paused, or cut off.
  bool seize(const Place& place, std::size_t to);
  // Its node knows that it has lost it, and nobody else has it yet.
  void lose(const Place& place);
  net::io_context& io();
  void settle();
  template <class T>
  T run(awaitable<T> work) {
    auto shared = std::make_shared<awaitable<T>>(std::move(work));
    return rollwatch::run<T>(io(),
                             [shared]() -> awaitable<T> { co_return co_await std::move(*shared); });
  }

  // Every attempt that reached the deployer and was answered, in order.
  const std::vector<DeliveredOrder>& attempts() const { return script_.attempts; }
  // …and those that took effect: the first of each id that was not refused and whose fence was not
  // behind.
  std::vector<DeliveredOrder> effects() const;
  // Every message that people got, in order.
  const std::vector<Message>& told() const { return script_.told; }
  // Every question that the metrics server was asked, in order.
  const std::vector<AskedQuestion>& asked() const { return script_.asked; }

 private:
  struct Node;  // one process
  struct Life;  // all of them
  void begin_life();
  void tell_nodes_of_freezes();
  Node& node_of(const Place& place);
  Node& node_of(const std::string& rollout);
  bool play(const std::string& name, std::function<awaitable<void>()> work);

  TempDir folder_{TempDir::Where::kMemory};
  Settings settings_;
  Script script_;
  std::uint64_t seed_ = 1;
  std::size_t nodes_ = 1;
  std::unique_ptr<Life> life_;
};

}  // namespace rollwatch
