// Orders as signed webhooks (Standard Webhooks), the body the contract's or a CloudEvent. It cannot
// look at the target: the receiver's answer is the confirmation, and the order's id, the same in
// every attempt, lets it take a repeat for one.
#pragma once

#include <string>
#include <vector>

#include "analysis/secret.h"
#include "daemon/delivery/answer.h"
#include "daemon/engine/target_driver.h"
#include "daemon/net/clock.h"
#include "notifiers/signature.h"

namespace rollwatch {

enum class OrderFormat : unsigned char { kStandard, kCloudEvents };

struct WebhookTarget {
  Secret url;
  std::vector<SigningKey> keys;  // each signs: two while a secret is being changed
  Millis timeout{10'000};        // of one attempt
  OrderFormat format = OrderFormat::kStandard;
};

// Who we say we are.
struct Originator {
  std::string external_url;  // for links
  std::string user_agent;    // "rollwatch/1.2.3"
};

class WebhookDriver : public TargetDriver {
 public:
  // `clock` and what `http` refers to must outlive the driver and its attempts.
  WebhookDriver(HttpSend http, Clock& clock, WebhookTarget target, Originator originator);

  awaitable<std::optional<SendResult>> look(const OrderMessage& order) override;
  awaitable<SendResult> send(const OrderMessage& order) override;
  awaitable<Looked> confirm(const OrderMessage& order) override;
  OrderPreview preview(const OrderMessage& order) const override;

 private:
  HttpRequest request_for(const OrderMessage& order, SysTime now) const;

  HttpSend http_;
  Clock& clock_;
  WebhookTarget target_;
  Originator originator_;
};

}  // namespace rollwatch
