// Notifications to Slack by incoming webhook. The URL is the secret.
#pragma once

#include "daemon/delivery/notification_sender.h"
#include "daemon/delivery/webhook_driver.h"

namespace rollwatch {

class SlackWebhookSender : public NotificationSender {
 public:
  // `clock` and what `http` refers to must outlive the sender and its attempts.
  SlackWebhookSender(HttpSend http, Clock& clock, Secret url, Originator originator);

  awaitable<SendResult> send(const NotificationMessage& message) override;

  // Slack takes about one message a second and channel, and keeps the order of what does not
  // overlap.
  std::size_t at_once() const override { return 1; }

 private:
  HttpSend http_;
  Clock& clock_;
  Secret url_;
  Originator originator_;
};

}  // namespace rollwatch
