// Port: how a notification reaches people. One implementation per kind of notifier.
#pragma once

#include <cstddef>

#include "daemon/engine/target_driver.h"

namespace rollwatch {

struct NotificationMessage {
  RolloutSpec spec;
  Delivery delivery;  // payload: the facts of notifiers/notification.h
  int attempt = 1;    // of this delivery
};

class NotificationSender {
 public:
  virtual ~NotificationSender() = default;

  // kRefused: no repetition will help, the notification is dead.
  virtual awaitable<SendResult> send(const NotificationMessage& message) = 0;

  // Attempts at once to this destination; the rest waits its turn.
  virtual std::size_t at_once() const { return 4; }
};

}  // namespace rollwatch
