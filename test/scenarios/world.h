// A whole daemon but for its edges, in virtual time: the real engine, outbox and SQLite store, with a
// metrics source and a deployer that follow a script. A rollout of hours is played in milliseconds, and
// the process can be killed and started again in between.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "daemon/delivery/outbox.h"
#include "daemon/engine/engine.h"
#include "test/support/manual_clock.h"
#include "test/support/process.h"

namespace rollwatch {

// What a metric (a whole query) answers from now on.
struct Behaviour {
  enum class Kind { kValue, kNoData, kNan, kInfinite, kPartial, kDown, kSlow, kBadQuery };
  Kind kind = Kind::kNoData;
  std::vector<double> values;
};

// What the deployer answers from now on.
enum class Deployer { kAcknowledges, kAccepts, kRefuses, kFails, kIsDown };

struct DeliveredOrder {
  std::string id;
  std::string kind;
  double weight = 0;
  std::int64_t fence = 0;
};

class World {
 public:
  World();
  ~World();

  // Once, before anything is registered: a configuration file's text.
  void configure(const std::string& toml);
  void metrics_are(const std::string& query, Behaviour behaviour) { metrics_[query] = std::move(behaviour); }
  void whole_source_is(std::optional<Behaviour::Kind> kind) { source_ = kind; }
  void deployer_is(Deployer deployer) { deployer_ = deployer; }

  RegisterResult register_rollout(RolloutSpec spec, std::optional<int> attempt = std::nullopt);
  DecideResult decide(const std::string& rollout, PersonDecided decision);
  DecideResult report(const std::string& rollout, double weight);
  DecideResult acknowledge(const std::string& order, bool done);

  void advance(Millis span);
  void jump_wall(Millis by);
  // Kills the process and starts it again after `down`.
  void restart(Millis down);
  // The disk refuses every commit from now on, or takes them again.
  void store_fails(bool fails) { store_fails_ = fails; }

  RolloutView rollout(const std::string& id);
  std::vector<StoredEvaluation> evaluations(const std::string& id);
  std::vector<StoredEvent> events(const std::string& id);
  std::vector<Delivery> deliveries(const std::string& id);
  std::optional<ExplainRecord> explain(const std::string& id);
  SysTime now() const;
  // Every attempt that reached the deployer and was answered, in order.
  const std::vector<DeliveredOrder>& attempts() const { return attempts_; }
  // …and those that took effect: the first of each id whose fence was not behind.
  std::vector<DeliveredOrder> effects() const;

 private:
  class ScriptedSource;
  class ScriptedDriver;
  class WatchedStore;
  struct Life;  // one process

  template <class T>
  T run(awaitable<T> work);

  TempDir folder_;
  Settings settings_;
  std::map<std::string, Behaviour> metrics_;
  std::optional<Behaviour::Kind> source_;
  Deployer deployer_ = Deployer::kAcknowledges;
  bool store_fails_ = false;
  std::vector<DeliveredOrder> attempts_;
  std::uint64_t seed_ = 1;
  std::unique_ptr<Life> life_;
};

}  // namespace rollwatch
