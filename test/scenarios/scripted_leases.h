// Several nodes over one store: who has which place, as the table of a shared database would say
// it, and what each node believes, which may be something else.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "daemon/engine/leases.h"

namespace rollwatch {

// The table. Every claim gives a larger epoch, and only the latest may write.
class PlaceTable {
 public:
  struct Owner {
    std::size_t node = 0;
    Epoch epoch = 0;
  };

  std::optional<Owner> owner(const Place& place) const {
    const auto found = owners_.find(place);
    return found == owners_.end() ? std::nullopt : std::optional(found->second);
  }
  Epoch give(const Place& place, std::size_t node) {
    owners_[place] = {node, ++last_};
    return last_;
  }
  void free(const Place& place) { owners_.erase(place); }
  void free_all() { owners_.clear(); }
  bool is_stale(const Place& place, Epoch epoch) const {
    const auto now = owner(place);
    return !now || now->epoch != epoch;
  }

 private:
  std::map<Place, Owner> owners_;
  Epoch last_ = 100;
};

// A node's view of it.
class ScriptedLeases : public Leases {
 public:
  // `take` brings a place that was given into this node; `drop` is called for one it has lost.
  ScriptedLeases(PlaceTable& table, std::size_t node, std::function<awaitable<void>(Lease)> take,
                 std::function<void(const Place&)> drop)
      : table_(table), node_(node), take_(std::move(take)), drop_(std::move(drop)) {}

  bool sure = true;
  std::vector<Place> refusals;

  std::optional<Epoch> held(const Place& place) const override {
    const auto found = mine_.find(place);
    return found == mine_.end() ? std::nullopt : std::optional(found->second);
  }
  awaitable<std::optional<Epoch>> claim(Place place) override {
    if (const auto mine = held(place)) co_return mine;
    if (table_.owner(place)) co_return std::nullopt;
    const Epoch epoch = co_await seize(place);
    co_return epoch;
  }
  bool is_sure() const override { return sure; }
  void refused(const Place& place) override {
    refusals.push_back(place);
    lose(place);
  }

  // Takes it, whoever has it: that node learns of it when the store refuses it something.
  awaitable<Epoch> seize(Place place) {
    if (held(place)) lose(place);
    const Epoch epoch = table_.give(place, node_);
    mine_[place] = epoch;
    Lease lease{std::move(place), epoch};
    co_await take_(std::move(lease));
    co_return epoch;
  }
  void lose(const Place& place) {
    mine_.erase(place);
    drop_(place);
  }
  // Handed over already.
  void release(const Place& place) {
    mine_.erase(place);
    table_.free(place);
  }

 private:
  PlaceTable& table_;
  const std::size_t node_;
  std::function<awaitable<void>(Lease)> take_;
  std::function<void(const Place&)> drop_;
  std::map<Place, Epoch> mine_;
};

}  // namespace rollwatch
