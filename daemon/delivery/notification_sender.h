// Port: how a notification reaches people. One implementation per kind of notifier.
#pragma once

#include <cstddef>

#include "daemon/engine/target_driver.h"

namespace rollwatch {

struct NotificationMessage {
  RolloutSpec spec;
  Delivery delivery;  // payload: the facts of notifiers/notification.h
  int attempt = 1;    // of this delivery
  // Of a sender that remembers: what it last wanted to, of this rollout.
  std::optional<std::string> memo;
  bool is_outdated = false;  // something that waits behind it outdates it
};

class NotificationSender {
 public:
  virtual ~NotificationSender() = default;

  // kRefused: no repetition will help, the notification is dead.
  virtual awaitable<SendResult> send(const NotificationMessage& message) = 0;

  // Attempts at once to this destination; the rest waits its turn.
  virtual std::size_t at_once() const { return 4; }

  // Whether it has a memo per rollout. What is to be remembered of one attempt (SendResult::memo)
  // is on disk, in the commit with the attempt's end, before the next one begins.
  virtual bool remembers() const { return false; }

  // `newer` shows whatever `older` would have shown, as it is by now.
  virtual bool outdates(const Delivery& /*newer*/, const Delivery& /*older*/) const {
    return false;
  }
};

}  // namespace rollwatch
