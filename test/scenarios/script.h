// What a story says about everything around the daemon: what the metrics server, the deployer and
// the disk do from now on, and what reached the deployer and the people who are told.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/answer.h"
#include "daemon/engine/metrics_source.h"
#include "test/scenarios/scripted_leases.h"

namespace rollwatch {

// What a metric (a whole query) answers from now on.
struct Behaviour {
  enum class Kind {
    kValue,
    kNoData,
    kScalar,
    kPartial,
    kUnusable,  // `text` says what came instead: "string", "matrix", …
    kDown,
    kSlow,
    kHttpError,
    kNonsense,
    kBadQuery,
    kOverload,  // there was no connection to ask it over
  };
  Kind kind = Kind::kNoData;
  std::vector<double> values;
  std::vector<std::vector<Label>> labels = {};  // of each value; without any, several get a `pod`
  std::string text = {};
};

// What the deployer answers from now on. One that hangs makes up its mind after ten seconds: what
// it is then decides.
enum class Deployer { kAcknowledges, kAccepts, kRefuses, kFails, kIsDown };

struct DeliveredOrder {
  std::string id;
  std::string kind;
  double weight = 0;
  std::int64_t fence = 0;
  std::string payload = {};  // what the rest of the body is made from
  bool refused = false;
};

// A message that people got.
struct Message {
  std::string rollout;
  std::string kind;  // the event's
  std::string notifier;
  std::string summary;
};

struct AskedQuestion {
  SysTime at{};
  Question question;
};

struct Script {
  // By query, each from a time on: a question is answered for the time it asks about.
  std::map<std::string, std::vector<std::pair<SysTime, Behaviour>>> metrics;
  std::optional<Behaviour::Kind> source;  // the same for every query
  Millis source_lags{0};                  // what is younger is not there yet
  std::map<std::string, Millis> ingestion_delays;
  std::optional<Millis> ingestion_delay;  // the same for every datasource
  bool checks_hang = false;
  Deployer deployer = Deployer::kAcknowledges;
  bool deployer_hangs = false;
  bool store_fails = false;
  std::string refused_rollout;
  bool store_hangs = false;
  bool is_shared =
      false;  // by several nodes: what is written under a lease that is over is refused
  PlaceTable places;

  std::vector<AskedQuestion> asked;
  std::vector<DeliveredOrder> attempts;
  bool people_refuse = false;  // no message is taken: each is dead at once
  std::vector<Message> told;
  std::vector<std::string> not_recorded;
  std::size_t most_evaluations = 0;  // in one commit
  std::size_t batches = 0;           // that the store was given
  Millis linger{0};
};

}  // namespace rollwatch
