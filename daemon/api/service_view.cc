#include <nlohmann/json.hpp>

#include "analysis/freezes.h"
#include "daemon/api/json_values.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

Json latest_json(const StoredRollout& rollout) {
  return {{"id", rollout.spec.id},
          {"target", rollout.spec.target},
          {"candidate", rollout.spec.candidate},
          {"state", name_of(rollout.state.state)},
          {"fence", rollout.fence == 0 ? Json(nullptr) : Json(rollout.fence)},
          {"created_at", format_time(rollout.spec.created_at)},
          {"ended_at", time_json(rollout.state.ended_at)}};
}

}  // namespace

Json freeze_json(const FreezeRecord& freeze, SysTime now) {
  return {{"namespace", text_json(freeze.ns)},
          {"service", text_json(freeze.service)},
          {"in_force", holds(freeze, now)},
          {"text", sentence_of(freeze)},
          {"by", freeze.by},
          {"reason", freeze.reason},
          {"since", format_time(freeze.since)},
          {"until", time_json(freeze.until)},
          {"lifted_at", time_json(freeze.lifted_at)},
          {"lifted_by", text_json(freeze.lifted_by)},
          {"lift_reason", text_json(freeze.lift_reason)},
          {"token", text_json(freeze.via.token)},
          {"from", text_json(freeze.via.address)},
          {"lifted_token", text_json(freeze.lifted_via.token)},
          {"lifted_from", text_json(freeze.lifted_via.address)}};
}

Json service_json(const ServiceRecord& record, SysTime now) {
  const FreezeView& freeze = record.freeze;
  const Json latest = freeze.latest ? freeze_json(*freeze.latest, now) : Json(nullptr);
  Json json{{"namespace", record.ns},
            {"service", record.service},
            {"frozen", freeze.text ? Json(*freeze.text) : Json(nullptr)},
            {"freeze", freeze.in_force ? latest : Json(nullptr)},
            {"last_freeze", freeze.in_force ? Json(nullptr) : latest},
            {"active_rollouts", record.active_rollouts},
            {"layers", record.layers},
            {"rollouts", Json::array()}};
  for (const StoredRollout& rollout : record.rollouts)
    json["rollouts"].push_back(latest_json(rollout));
  return json;
}

}  // namespace rollwatch
