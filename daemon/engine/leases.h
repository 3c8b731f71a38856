// Port: which places are this node's. Where several nodes share a store each place belongs to one
// of them at a time, by a lease that it renews; a single node has them all.
//
// What a place goes through here:
//
//   it is claimed        Engine::take_over, Outbox::take_up, Engine::watch
//   it is handed over    Outbox::give_up, Engine::give_up, and only then is it anybody else's
//   it is lost           Engine::lose, Outbox::lose: at once, whatever is out
//
// Between two leases of one place lies one of the last two, so that what is left of the first can
// never write under the second.
#pragma once

#include <optional>
#include <stdexcept>
#include <utility>

#include "daemon/engine/records.h"
#include "daemon/net/net.h"

namespace rollwatch {

struct Lease {
  Place place;
  Epoch epoch = 0;
};

// The place of an active rollout is another node's: nothing was done, and that node is to be asked.
class NotHere : public std::runtime_error {
 public:
  explicit NotHere(Place where)
      : std::runtime_error(where.ns + "/" + where.service + " in " + where.target +
                           " is another node's"),
        place(std::move(where)) {}
  Place place;
};

// Asked on the io thread.
class Leases {
 public:
  virtual ~Leases() = default;

  // As far as this node knows; nullopt: not ours.
  virtual std::optional<Epoch> held(const Place& place) const = 0;

  // For a call about the place: it is ours already, or it was free and is ours from now on; nullopt
  // if it is another node's, or being handed over. Resumes when it has been taken over whole.
  // Throws StoreError.
  virtual awaitable<std::optional<Epoch>> claim(Place place) = 0;

  // By our own clock no lease has run out. If it may have, nothing may be sent.
  virtual bool is_sure() const = 0;

  // The store has refused a write under this place's lease: it is another node's. Who calls this
  // has dropped what it had of the place itself; the engine and the outbox are both to lose it.
  virtual void refused(const Place& place) = 0;
};

// A node that shares its store with nobody.
class SoleNode : public Leases {
 public:
  std::optional<Epoch> held(const Place&) const override { return Epoch{0}; }
  awaitable<std::optional<Epoch>> claim(Place) override { co_return Epoch{0}; }
  bool is_sure() const override { return true; }
  void refused(const Place&) override {}
};

}  // namespace rollwatch
