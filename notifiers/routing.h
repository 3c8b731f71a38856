// Which notifiers are told of an event. Pure: the configuration comes in as values.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "analysis/advance.h"
#include "analysis/spec.h"

namespace rollwatch {

struct NotifierRoute {
  std::string name;
  std::map<std::string, std::string>
      match;                        // "namespace", "service", "target", "label.x" → exact value
  std::vector<std::string> events;  // empty: what its kind tells by default
  std::function<bool(const Event&)> tells_by_default;
};

// All of `match` holds. An empty one fits nothing: such a notifier is for rollouts that name it,
// and for those that nobody else is told of.
bool fits(const NotifierRoute& route, const RolloutSpec& spec);

// Names of the notifiers, in the order of `routes`: those the rollout names and those that fit; if
// there are none of either, all. Whether a notifier tells this event is asked afterwards, so an
// event filter never makes a rollout's messages go elsewhere.
std::vector<std::string> notifiers_for(const RolloutSpec& spec, const Event& event,
                                       const std::vector<NotifierRoute>& routes);

// The rollback has just been decided and its order is going out. Not one that merely would have
// been.
bool is_rolling_back(const Event& event);

}  // namespace rollwatch
