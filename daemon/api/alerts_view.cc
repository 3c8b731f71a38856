// The alerts of a rollout as one of its conditions.
#include <nlohmann/json.hpp>

#include "analysis/alerts.h"
#include "daemon/api/json_values.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

Json firing_json(const FiringAlert& alert) {
  return {{"name", alert.name},
          {"labels", alert.labels},
          {"summary", text_json(alert.summary)},
          {"generator_url", text_json(alert.generator_url)},
          {"starts_at", format_time(alert.starts_at)},
          {"counts", alert.counts}};
}

}  // namespace

Json alerts_json(const RolloutView& view) {
  const AlertsState& alerts = *view.state.alerts;
  Json last = nullptr;
  if (alerts.last_at)
    last = {{"slot", format_time(*alerts.last_at)},
            {"outcome", name_of(alerts.last_fires ? Outcome::kFail : Outcome::kPass)},
            {"detail", alerts.last_text}};
  // Alerts are no passes, however many are resolved.
  Json counts = Json::object();
  for (std::size_t i = 0; i < kOutcomeCount; ++i)
    counts[std::string(name_of(static_cast<Outcome>(i)))] =
        static_cast<Outcome>(i) == Outcome::kFail ? alerts.fired : 0;
  Json firing = Json::array();
  std::size_t counting = 0;
  for (const FiringAlert& alert : alerts.firing) {
    firing.push_back(firing_json(alert));
    counting += alert.counts ? 1 : 0;
  }
  return {{"name", kAlertsName},
          {"verdict", name_of(alerts_verdict(view.state))},
          {"on_fail", on_fail_name(view.plan->alerts->on_fire)},
          {"value", counting},
          {"rule", alerts_rule(*view.plan, view.spec)},
          {"last", last},
          {"counts", counts},
          {"next_slot", nullptr},
          {"firing", firing},
          {"resolved", alerts.resolved}};
}

}  // namespace rollwatch
