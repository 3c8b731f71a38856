// Alerts of somebody else's rules (Alertmanager) as a condition of a rollout: one that fires, and
// whose labels match, fails it at once. Alerts are no evidence and no passes, and while none fires
// they hold nothing back.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "analysis/advance.h"

namespace rollwatch {

// What the condition is called where conditions are listed.
inline constexpr std::string_view kAlertsName = "alerts";

// The label that every alert has which we sent to Alertmanager ourselves.
inline constexpr std::string_view kOwnAlertLabel = "generator";
inline constexpr std::string_view kOwnAlertValue = "rollwatch";

// The labels by which alerts are this rollout's: those of `match`, with its values in them. Made
// once for all the alerts that arrive together. Nothing: no alert is.
using AlertLabels = std::map<std::string, std::string>;
std::optional<AlertLabels> alert_labels(const Plan& plan, const RolloutSpec& spec);

// Whether each of the wanted labels is among these with exactly that value. An alert that we sent
// ourselves and that comes back matches nothing: a pause must not fail the rollout that is paused.
bool alert_matches(const AlertLabels& wanted, const AlertLabels& labels);

// `HighErrors{severity="page"} fires: 5 % of requests fail`
std::string alert_sentence(const FiringAlert& alert);

// Whether one fires that counts.
bool any_alert_counts(const AlertsState& alerts);

// Of the condition as a whole; of a plan with alerts.
Verdict alerts_verdict(const RolloutState& state);

// Whether alerts can decide anything now: they do not only observe.
bool alerts_gate(const Plan& plan, const RolloutState& state);

// `service="checkout", severity="page"`: what is matched, as a rule to show.
std::string alerts_rule(const Plan& plan, const RolloutSpec& spec);

}  // namespace rollwatch
