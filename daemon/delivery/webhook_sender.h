// Notifications as signed webhooks (Standard Webhooks), for programs; the body is the
// notification's own (notifiers/webhook_notice.h) or a CloudEvent. The id is the delivery's, the
// same in every attempt.
#pragma once

#include <vector>

#include "daemon/delivery/notice_post.h"
#include "daemon/delivery/webhook_driver.h"
#include "notifiers/signature.h"

namespace rollwatch {

struct WebhookNotifier {
  NoticeTarget target;
  std::vector<SigningKey> keys;  // each signs: two while a secret is being changed
  bool cloud_events = false;
};

class WebhookSender : public NotificationSender {
 public:
  // `clock` and what `http` refers to must outlive the sender and its attempts.
  WebhookSender(HttpSend http, Clock& clock, WebhookNotifier notifier, Originator originator);

  awaitable<SendResult> send(const NotificationMessage& message) override;

 private:
  HttpSend http_;
  Clock& clock_;
  WebhookNotifier notifier_;
  Originator originator_;
};

}  // namespace rollwatch
