// From settings to the parts that use them: pure wiring, used at the start and at every reload.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "config/settings.h"
#include "daemon/delivery/answer.h"
#include "daemon/delivery/outbox.h"
#include "daemon/delivery/webhook_driver.h"
#include "daemon/engine/engine.h"
#include "daemon/prometheus/query_request.h"
#include "notifiers/routing.h"

namespace rollwatch {

// max_concurrency is for all nodes that share the store; each takes its part of it, at least one.
std::map<std::string, Datasource> datasources_of(const Settings& settings, std::size_t nodes);
// Those whose ingestion delay is "auto".
std::set<std::string> measured_datasources_of(const Settings& settings);
Outbox::Drivers drivers_of(const Settings& settings, const HttpSend& http, Clock& clock,
                           const Originator& originator);
Outbox::Senders senders_of(const Settings& settings, const HttpSend& http, Clock& clock,
                           const Originator& originator);
std::vector<NotifierRoute> routes_of(const Settings& settings);
// Who is told in place of whom.
Outbox::Fallbacks fallbacks_of(const Settings& settings);
// Orchestrators and notifiers by name.
std::vector<std::string> targets_of(const Settings& settings);

// The pinned analysis read back. Throws std::runtime_error if it is none: a damaged store.
std::shared_ptr<const Plan> plan_of(const PlanDocument& document);

// Why a running daemon cannot change from `before` to `after`: what an active rollout needs is
// gone, or something only a restart can change did. Empty: it can.
std::vector<std::string> obstacles(const Settings& before, const Settings& after,
                                   const std::vector<RolloutView>& active);

// A URL without user and password, for links and curl lines.
std::string without_credentials(const std::string& url);

}  // namespace rollwatch
