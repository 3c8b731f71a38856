// Decides what people are told of recorded steps, as deliveries for the commit that records them,
// and remembers what was told so that it is told once (notifiers/told_once.h). What it must not
// forget is in the store, in the same commit as the notification.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/engine/engine.h"
#include "daemon/engine/store.h"
#include "notifiers/routing.h"
#include "notifiers/told_once.h"

namespace rollwatch {

// How long a notification is tried at most, whatever its schedule says: older news misleads.
inline constexpr Millis kNotificationLife = std::chrono::hours{24};

class Teller {
 public:
  // `random` makes the second half of the notifications' ids.
  explicit Teller(std::function<std::uint64_t()> random) : random_(std::move(random)) {}

  // The notifiers; a reload calls it again.
  void configure(std::vector<NotifierRoute> routes);

  // How many nodes share the store.
  void count_nodes(std::size_t nodes) { so_far_.set_shared(nodes > 1); }

  // Where a datasource is looked at, without credentials: for links to graphs.
  void show_graphs_of(std::function<std::string(const std::string& datasource)> datasource_url) {
    datasource_url_ = std::move(datasource_url);
  }

  // EngineRules::recall: what earlier processes and other nodes told, and the rollouts that are
  // active here. Before the first tell(), which would else repeat it, and be refused for writing
  // over it. Throws StoreError.
  awaitable<void> load(Store& store, std::vector<RolloutView> active);

  // EngineRules::tell.
  Told tell(const std::vector<TakenStep>& steps, const Freezes& freezes);

 private:
  std::vector<Delivery> deliveries_of(const TakenStep& step,
                                      std::vector<Announcement> announcements) const;
  Delivery delivery_of(const RolloutSpec& spec, const Announcement& announcement) const;

  std::function<std::uint64_t()> random_;
  std::shared_ptr<const std::vector<NotifierRoute>> routes_ =
      std::make_shared<const std::vector<NotifierRoute>>();
  std::function<std::string(const std::string&)> datasource_url_;
  ToldSoFar so_far_;     // as it is on disk
  std::string on_disk_;  // and in its very words, which another node may have written over
  bool loaded_ = false;
};

}  // namespace rollwatch
