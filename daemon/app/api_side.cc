#include "daemon/app/api_side.h"

namespace rollwatch {

Expected<std::shared_ptr<ServerTls>, std::string> server_tls_of(const ServerSettings& settings,
                                                                const Clock& clock) {
  if (!settings.tls) return std::shared_ptr<ServerTls>();
  const ServerTlsSettings& tls = *settings.tls;
  return ServerTls::load({tls.cert_file, tls.key_file, tls.client_ca_file, tls.client_names},
                         clock);
}

std::vector<TargetView> target_views_of(const std::vector<TargetReading>& readings) {
  std::vector<TargetView> views;
  for (const TargetReading& from : readings) {
    TargetView& to = views.emplace_back();
    to.name = from.name;
    to.kind = from.cls == DeliveryClass::kOrder ? "orchestrator" : "notifier";
    to.breaker = name_of(from.breaker);
    to.since = from.since;
    to.next_probe = from.next_probe;
    to.failures = from.failures;
    to.last_error = from.last_error;
    to.open_deliveries = from.open;
  }
  return views;
}

std::map<std::string, bool> open_breakers_of(const std::vector<TargetReading>& readings) {
  std::map<std::string, bool> open;
  for (const TargetReading& reading : readings) {
    bool& is_open = open[reading.name];
    is_open = is_open || reading.breaker != BreakerState::kClosed;
  }
  return open;
}

}  // namespace rollwatch
