// Port from delivery back to the engine: what became of an order's attempt. The engine commits the
// attempt, the delivery's new state and the rollout's transition together, and says what the
// delivery's state is now; the outbox goes on from there.
#pragma once

#include <string>

#include "daemon/engine/leases.h"
#include "daemon/engine/target_driver.h"

namespace rollwatch {

class OrderSink {
 public:
  virtual ~OrderSink() = default;

  // kDone, kAccepted and kRefused end or park the delivery; kRetry keeps it pending. An order that
  // was withdrawn while its attempt was out stays withdrawn. Throws StoreError if it could not be
  // recorded: the attempt then counts as not made, and is made again. `lease` is the one under
  // which it was sent; StaleLease: it is over, and whoever has the place now makes the attempt
  // again.
  virtual awaitable<DeliveryState> order_attempted(Lease lease, std::string rollout,
                                                   std::string delivery, SendResult result) = 0;

  // `expires_at` (or `accepted_until`) passed. Ends the delivery as dead. `why` is told if no
  // attempt was made that says more.
  virtual awaitable<DeliveryState> order_expired(Lease lease, std::string rollout,
                                                 std::string delivery, std::string why) = 0;
};

}  // namespace rollwatch
