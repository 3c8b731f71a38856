// How rollouts and their history look in JSON: pure functions from what the engine and the store
// keep to the fields the API promises. Numbers that are none become null, times are RFC 3339.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/engine/engine.h"

namespace rollwatch {

nlohmann::ordered_json rollout_json(const RolloutView& view);

// One sentence that says how it stands, or how it ended and why.
std::string headline(const RolloutView& view);

// Its conditions and alerts, step and open question, as rollout_json() has them.
nlohmann::ordered_json step_json(const RolloutView& view);
nlohmann::ordered_json question_json(const RolloutView& view);
nlohmann::ordered_json next_slot_json(const RolloutView& view);
std::string reason_of(const RolloutState& state);
// Why it is held, or null.
nlohmann::ordered_json held_by_json(const RolloutState& state);
// How far it is; 100 only when it is promoted.
int percent_of(const RolloutView& view);
std::string_view on_fail_name(OnFail on_fail);
std::string_view on_missing_name(OnMissing on_missing);

// Where of several a reader looks first: the gating condition with the worst verdict, and among
// equals the one nearest to its limit; while it waits for readiness, that. None: it has no
// condition.
std::optional<std::size_t> worst_condition(const RolloutView& view);
// "threshold", "count", "comparison" or "readiness".
std::string_view condition_kind(const ConditionPlan& condition);
// The comparison it fails by; nothing if none decides.
std::optional<Comparison> failing_limit(const ConditionPlan& condition,
                                        const ConditionState& state);

// A rollout as a row among others; `recent`: the last slots of its worst condition, or null.
nlohmann::ordered_json fleet_row_json(const RolloutView& view,
                                      const std::vector<StoredEvaluation>* recent);

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

// The rollout's ETag: changes with every recorded step, and with its label.
std::string etag_of(const RolloutView& view);

// Bytes that are no UTF-8 become U+FFFD.
std::string dump(const nlohmann::ordered_json& json);

}  // namespace rollwatch
