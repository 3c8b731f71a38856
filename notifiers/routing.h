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
  bool shows_standing = false;  // keeps one message per rollout, and shows in it how that stands
  bool tells_first_failures = false;  // of each condition, for it costs no message of its own
  bool is_spare = false;  // another's fallback: of rollouts that nobody is named for, not told
};

// All of `match` holds. An empty one fits nothing: such a notifier is for rollouts that name it,
// and for those that nobody else is told of.
bool fits(const NotifierRoute& route, const RolloutSpec& spec);

// The notifiers that a rollout is told to, in the order of `routes`: those it names and those that
// fit; if there are none of either, all but spare ones. Borrowed from `routes`.
std::vector<const NotifierRoute*> routes_for(const RolloutSpec& spec,
                                             const std::vector<NotifierRoute>& routes);

// Whether a notifier tells such an event.
bool tells(const NotifierRoute& route, const Event& event);

// Names of those of routes_for() that tell this event: asked afterwards, so an event filter never
// makes a rollout's messages go elsewhere.
std::vector<std::string> notifiers_for(const RolloutSpec& spec, const Event& event,
                                       const std::vector<NotifierRoute>& routes);

// The rollback has just been decided and its order is going out. Not one that merely would have
// been.
bool is_rolling_back(const Event& event);

}  // namespace rollwatch
