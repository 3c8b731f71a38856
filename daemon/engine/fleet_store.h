// Port: what views over everything ask of what survives, beside what running rollouts needs
// (store.h). The same objects implement both, and one test suite holds for all of them.
//
// Calls are made on the io thread; reads see every commit that was reported recorded. All throw
// StoreError when the store is away, and std::invalid_argument for a cursor that is none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/engine/store.h"

namespace rollwatch {

struct RolloutSearch {
  ListFilter filter;
  // Part of the service, namespace, target or candidate, whatever the case of ASCII letters; empty:
  // any.
  std::string text;
};

struct DeliveryFilter {
  std::vector<DeliveryState> states;  // empty: any
  std::optional<DeliveryClass> cls;
  std::string receiver;                   // Delivery::target; empty: any
  std::string ns, service;                // of its rollout; empty: any
  std::vector<std::string> visible = {};  // namespaces; empty: all
};

// A delivery in a list of those of all rollouts, with whose it is.
struct ListedDelivery {
  Delivery delivery;
  std::string ns, service, place_target, candidate;
};

class FleetStore {
 public:
  virtual ~FleetStore() = default;

  // Ids, newest first. Cursors are those of Store::list().
  virtual awaitable<Page<std::string>> search(RolloutSearch search, std::size_t limit,
                                              std::optional<std::string> cursor) = 0;
  virtual awaitable<std::size_t> count_found(RolloutSearch search) = 0;

  // Of all rollouts, newest first. Quick for those that are open and for those that failed (dead,
  // refused), however many others there are.
  virtual awaitable<Page<ListedDelivery>> all_deliveries(DeliveryFilter filter, std::size_t limit,
                                                         std::optional<std::string> cursor) = 0;
  virtual awaitable<std::size_t> count_deliveries(DeliveryFilter filter) = 0;
};

}  // namespace rollwatch
