#include "notifiers/routing.h"

#include <algorithm>

namespace rollwatch {
namespace {

constexpr std::string_view kLabel = "label.";

bool holds(const std::string& key, const std::string& wanted, const RolloutSpec& spec) {
  if (key == "namespace") return spec.ns == wanted;
  if (key == "service") return spec.service == wanted;
  if (key == "target") return spec.target == wanted;
  if (!key.starts_with(kLabel)) return false;
  const auto label = spec.labels.find(key.substr(kLabel.size()));
  return label != spec.labels.end() && label->second == wanted;
}

}  // namespace

bool fits(const NotifierRoute& route, const RolloutSpec& spec) {
  return !route.match.empty() &&
         std::all_of(route.match.begin(), route.match.end(),
                     [&](const auto& entry) { return holds(entry.first, entry.second, spec); });
}

bool tells(const NotifierRoute& route, const Event& event) {
  if (route.events.empty()) return route.tells_by_default && route.tells_by_default(event);
  return std::any_of(route.events.begin(), route.events.end(), [&](const std::string& name) {
    return name == name_of(event.type) || (name == "rolling_back" && is_rolling_back(event));
  });
}

std::vector<const NotifierRoute*> routes_for(const RolloutSpec& spec,
                                             const std::vector<NotifierRoute>& routes) {
  const auto chosen = [&](const NotifierRoute& route) {
    return fits(route, spec) ||
           std::find(spec.notify.begin(), spec.notify.end(), route.name) != spec.notify.end();
  };
  const bool everybody = std::none_of(routes.begin(), routes.end(), chosen);
  std::vector<const NotifierRoute*> told;
  for (const NotifierRoute& route : routes)
    if (everybody ? !route.is_spare : chosen(route)) told.push_back(&route);
  return told;
}

std::vector<std::string> notifiers_for(const RolloutSpec& spec, const Event& event,
                                       const std::vector<NotifierRoute>& routes) {
  std::vector<std::string> names;
  for (const NotifierRoute* route : routes_for(spec, routes))
    if (tells(*route, event)) names.push_back(route->name);
  return names;
}

bool is_rolling_back(const Event& event) {
  return event.type == EventType::kDecided && event.kind == DecisionKind::kRollback &&
         event.state == State::kRollingBack;
}

}  // namespace rollwatch
