// Port: how an order reaches an orchestrator. Three moments, so that drivers which can read the
// target's state avoid acting twice: look (is it already so?), send, confirm (did it take effect?).
// The webhook driver only sends; the receiver's answer is its confirmation.
#pragma once

#include <optional>
#include <string>

#include "daemon/engine/records.h"
#include "daemon/net/net.h"

namespace rollwatch {

struct OrderMessage {
  RolloutSpec spec;
  Delivery delivery;  // id, kind, weight, fence, expiry; payload: {"state","step","reason":{…}}
  int attempt = 1;    // of this delivery
};

enum class SendEnd : unsigned char { kDone, kAccepted, kRefused, kRetry };
struct SendResult {
  SendEnd end = SendEnd::kRetry;
  Attempt attempt;                    // as it is recorded
  std::optional<Millis> retry_after;  // the receiver asked for it
  // Of a notification: what its sender wants to remember of this rollout, whatever the end was.
  std::optional<std::string> memo;
};

enum class Looked : unsigned char { kUnknown, kNotYet, kAlreadySo };

class TargetDriver {
 public:
  virtual ~TargetDriver() = default;
  virtual awaitable<Looked> look(const OrderMessage& order) = 0;
  virtual awaitable<SendResult> send(const OrderMessage& order) = 0;
  virtual awaitable<Looked> confirm(const OrderMessage& order) = 0;
};

}  // namespace rollwatch
