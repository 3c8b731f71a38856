// From the configuration of notifiers to senders, routes and fallbacks.
#include <algorithm>
#include <memory>

#include "daemon/app/assembly.h"
#include "daemon/app/wiring.h"
#include "daemon/delivery/alertmanager_sender.h"
#include "daemon/delivery/grafana_sender.h"
#include "daemon/delivery/slack_bot_sender.h"
#include "daemon/delivery/slack_sender.h"
#include "daemon/delivery/webhook_sender.h"
#include "notifiers/alertmanager.h"
#include "notifiers/grafana.h"
#include "notifiers/slack.h"
#include "notifiers/slack_thread.h"

namespace rollwatch {
namespace {

NoticeTarget target_of(const NotifierSettings& from) {
  NoticeTarget to;
  to.url = from.url;
  to.tls = tls_of(from.tls);
  to.timeout = from.timeout;
  for (const auto& [name, value] : from.headers) to.headers.emplace_back(name, value);
  const Secret* bearer = from.bearer_token ? &*from.bearer_token : nullptr;
  if (from.type == "grafana") bearer = &from.token;
  if (bearer != nullptr)
    to.headers.emplace_back("authorization", Secret("Bearer " + bearer->reveal()));
  if (from.basic_auth)
    to.headers.emplace_back(
        "authorization",
        Secret("Basic " + basic_credentials(from.basic_auth->username, from.basic_auth->password)));
  return to;
}

std::shared_ptr<NotificationSender> sender_of(const std::string& name, const NotifierSettings& from,
                                              const HttpSend& http, Clock& clock,
                                              const Originator& originator) {
  if (from.type == "webhook") {
    WebhookNotifier to{target_of(from), keys_of("notifier " + name, from.secret, from.old_secret),
                       from.cloud_events};
    return std::make_shared<WebhookSender>(http, clock, std::move(to), originator);
  }
  if (from.type == "alertmanager") {
    AlertmanagerNotifier to{target_of(from), from.events};
    return std::make_shared<AlertmanagerSender>(http, clock, std::move(to), originator);
  }
  if (from.type == "grafana") {
    GrafanaNotifier to{target_of(from), from.dashboard_uid, from.panel_id, from.tags};
    return std::make_shared<GrafanaSender>(http, clock, std::move(to), originator);
  }
  if (from.token.empty())
    return std::make_shared<SlackWebhookSender>(http, clock, from.webhook_url, originator);
  SlackBot bot{from.api_url, from.token, from.channel};
  return std::make_shared<SlackBotSender>(http, clock, std::move(bot), originator);
}

NotifierRoute route_of(const std::string& name, const NotifierSettings& from) {
  NotifierRoute route;
  route.name = name;
  route.match = from.match;
  route.is_spare = from.is_fallback;
  const bool is_bot = from.type == "slack" && !from.token.empty();
  route.shows_standing = is_bot || from.type == "alertmanager" || from.type == "grafana";
  route.tells_first_failures = is_bot;
  route.tells_by_default = slack_webhook_tells;
  // A program is told whatever moves the rollout, as a bot is.
  if (is_bot || from.type == "webhook") route.tells_by_default = slack_bot_tells;
  if (from.type == "grafana") route.tells_by_default = grafana_tells;
  // Its `events` say what alerts may be of; the end of one is told in any case.
  if (from.type == "alertmanager")
    route.tells_by_default = alertmanager_tells;
  else
    route.events = from.events;
  return route;
}

}  // namespace

Outbox::Senders senders_of(const Settings& settings, const HttpSend& http, Clock& clock,
                           const Originator& originator) {
  Outbox::Senders senders;
  for (const auto& [name, notifier] : settings.notifiers)
    senders.emplace(name, sender_of(name, notifier, guarded(http, notifier.allow_addresses), clock,
                                    originator));
  return senders;
}

std::vector<NotifierRoute> routes_of(const Settings& settings) {
  std::vector<NotifierRoute> routes;
  for (const auto& [name, notifier] : settings.notifiers)
    routes.push_back(route_of(name, notifier));
  return routes;
}

Outbox::Fallbacks fallbacks_of(const Settings& settings) {
  const auto routes = std::make_shared<const std::vector<NotifierRoute>>(routes_of(settings));
  Outbox::Fallbacks fallbacks;
  for (const auto& [name, notifier] : settings.notifiers) {
    if (notifier.fallback.empty()) continue;
    const auto route = std::find_if(
        routes->begin(), routes->end(),
        [&other = notifier.fallback](const NotifierRoute& r) { return r.name == other; });
    if (route == routes->end()) continue;  // refused when the configuration was read
    fallbacks[name] = {notifier.fallback,
                       [routes, route](const RolloutSpec& spec, const Notice& notice) {
                         return tells_in_place(*route, *routes, spec, notice);
                       }};
  }
  return fallbacks;
}

}  // namespace rollwatch
