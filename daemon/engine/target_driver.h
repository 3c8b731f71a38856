// Port: how an order reaches an orchestrator. Three moments, so that drivers which can read the
// target's state avoid acting twice: look (is it still to be done?), send, confirm (did it take
// effect?).
// The webhook driver only sends; the receiver's answer is its confirmation.
#pragma once

#include <optional>
#include <string>
#include <vector>

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

// What would be sent, for people: nothing in it is secret, and nothing can be sent again from it.
struct OrderPreview {
  std::string method;  // "": nothing is sent
  std::string url;
  std::vector<std::string> headers;  // their names
  std::string body;
  std::string note;
};

class TargetDriver {
 public:
  virtual ~TargetDriver() = default;
  // How the attempt ends without anything being sent: it is already so, must not be, or cannot be
  // seen. Nothing: it is to be sent.
  virtual awaitable<std::optional<SendResult>> look(const OrderMessage& order) = 0;
  virtual awaitable<SendResult> send(const OrderMessage& order) = 0;
  virtual awaitable<Looked> confirm(const OrderMessage& order) = 0;
  virtual OrderPreview preview(const OrderMessage& order) const = 0;
};

}  // namespace rollwatch
