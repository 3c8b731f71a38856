// The store a process was configured with, and what comes with it: which places are its own, and
// the other nodes, if there are any. Everything above is the same for one node and for many.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "daemon/engine/fleet_store.h"
#include "daemon/engine/leases.h"
#include "daemon/engine/nodes.h"
#include "daemon/engine/store.h"
#include "daemon/net/clock.h"

namespace rollwatch {

// What the rest of the process does when something changes hands.
struct BackendHooks {
  // These are ours now (nullopt: everything is), to be loaded and watched; `cause` is that of slots
  // nobody asked until now. Throws StoreError if they cannot be read.
  std::function<awaitable<void>(std::optional<std::vector<Lease>>, Cause cause)> gained;
  std::function<awaitable<void>(std::vector<Place>)> give_up;
  std::function<void(const std::vector<Place>&)> lost;
  // Another node has moved that rollout, or changed a freeze.
  std::function<void(const std::string& rollout)> moved;
  std::function<void()> freezes_changed;
  std::function<void(std::size_t nodes)> nodes_changed;  // how many share the store
  // Answers what another node was asked about one of our places.
  std::function<awaitable<std::string>(std::string request)> answer;
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual Store& store() = 0;
  virtual FleetStore& fleet() = 0;  // the same
  virtual Leases& leases() = 0;

  // Before anything is asked of the store. Throws StoreError: what is wrong, and what to do;
  // `may_be_tried_again` says whether waiting can help.
  virtual awaitable<void> open() = 0;
  virtual bool may_be_tried_again() const { return false; }
  // Takes over what is ours, and from then on whatever else is to be. Throws StoreError.
  virtual awaitable<void> join() = 0;
  // Gives back everything, so that others have it at once.
  virtual awaitable<void> leave() = 0;

  // What the node that has this place answers. Nothing if no other node has it, or none answered in
  // time. Throws StoreError.
  virtual awaitable<std::optional<std::string>> ask_owner(Place place, std::string request) = 0;
  // What all other nodes answer. Throws StoreError if one does not.
  virtual awaitable<std::vector<std::string>> ask_others(std::string request) = 0;
  virtual awaitable<std::vector<NodeView>> nodes() = 0;  // Throws StoreError.
  // Why nothing can be done for any rollout at the moment.
  virtual std::optional<std::string> trouble() const { return std::nullopt; }
  virtual NodesReading reading() const { return {}; }
};

// Throws StoreError for a store that cannot be used. `node` is what this process is called.
std::unique_ptr<Backend> make_backend(net::any_io_executor executor, Clock& clock,
                                      const StoreSettings& settings, const std::string& node,
                                      BackendHooks hooks);

}  // namespace rollwatch
