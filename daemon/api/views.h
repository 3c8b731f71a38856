// How rollouts and their history look in JSON: pure functions from what the engine and the store
// keep to the fields the API promises. Numbers that are none become null, times are RFC 3339.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/engine/engine.h"

namespace rollwatch {

nlohmann::ordered_json rollout_json(const RolloutView& view);

// Its alerts as one of its conditions; of a plan with alerts.
nlohmann::ordered_json alerts_json(const RolloutView& view);

// The short form that pipelines and other tools poll.
nlohmann::ordered_json verdict_json(const RolloutView& view);

nlohmann::ordered_json freeze_json(const FreezeRecord& freeze, SysTime now);

struct ServiceRecord {
  std::string ns, service;
  FreezeView freeze;
  std::size_t active_rollouts = 0;      // that a freeze of it can hold
  std::vector<std::string> layers;      // of the configuration, weakest first
  std::vector<StoredRollout> rollouts;  // the latest of each target
};
nlohmann::ordered_json service_json(const ServiceRecord& record, SysTime now);

// `plan`: of the evaluation's rollout.
nlohmann::ordered_json evaluation_json(const StoredEvaluation& evaluation, const Plan& plan);
// `spec`: of the event's rollout.
nlohmann::ordered_json event_json(const StoredEvent& stored, const RolloutSpec& spec);
// The same as one line, for streams.
std::string event_line(const StreamedEvent& event);
// `held_because`: why it is not being tried although it is its turn.
nlohmann::ordered_json delivery_json(const Delivery& delivery,
                                     const std::optional<std::string>& held_because = {});

// The rollout's ETag: changes with every recorded step.
std::string etag_of(const RolloutView& view);

// Bytes that are no UTF-8 become U+FFFD.
std::string dump(const nlohmann::ordered_json& json);

}  // namespace rollwatch
