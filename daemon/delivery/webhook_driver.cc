#include "daemon/delivery/webhook_driver.h"

#include <utility>

#include "daemon/net/fail_point.h"
#include "notifiers/order_body.h"

namespace rollwatch {

WebhookDriver::WebhookDriver(HttpSend http, Clock& clock, WebhookTarget target,
                             Originator originator)
    : http_(std::move(http)),
      clock_(clock),
      target_(std::move(target)),
      originator_(std::move(originator)) {}

awaitable<std::optional<SendResult>> WebhookDriver::look(const OrderMessage&) {
  co_return std::nullopt;
}

awaitable<Looked> WebhookDriver::confirm(const OrderMessage&) { co_return Looked::kUnknown; }

HttpRequest WebhookDriver::request_for(const OrderMessage& order, SysTime now) const {
  const Delivery& delivery = order.delivery;
  OrderFacts facts;
  facts.id = delivery.id;
  facts.kind = delivery.kind;
  facts.weight = delivery.weight;
  facts.fence = delivery.fence;
  facts.decided_at = delivery.created_at;
  facts.expires_at = delivery.expires_at;
  facts.payload = delivery.payload;
  facts.attempt = static_cast<unsigned>(order.attempt);
  facts.attempted_at = now;

  HttpRequest request;
  request.method = "POST";
  request.url = target_.url;
  const bool event = target_.format == OrderFormat::kCloudEvents;
  request.body = event ? order_cloud_event(order.spec, facts, originator_.external_url)
                       : order_body(order.spec, facts, originator_.external_url);
  request.timeout = target_.timeout;
  request.max_answer = kAnswerKept;
  request.truncate = true;
  const std::string timestamp = signature_timestamp(now);
  request.headers = {
      {"content-type", Secret(event ? kCloudEventType : "application/json")},
      {"user-agent", Secret(originator_.user_agent)},
      {"webhook-id", Secret(delivery.id)},
      {"webhook-timestamp", Secret(timestamp)},
      {"webhook-signature", Secret(sign(target_.keys, delivery.id, timestamp, request.body))},
      {"idempotency-key", Secret(delivery.id)},
  };
  if (std::string trace = traceparent_of(delivery.payload); !trace.empty())
    request.headers.emplace_back("traceparent", Secret(std::move(trace)));
  return request;
}

awaitable<SendResult> WebhookDriver::send(const OrderMessage& order) {
  const SysTime sent_at = clock_.wall();
  HttpRequest request = request_for(order, sent_at);
  HttpResponse response = co_await http_(std::move(request));
  fail_point("after_send");
  co_return judge_answer(std::move(response), target_.url, sent_at, clock_.wall(), rule_on_order);
}

// The path of the address is as good as a password, and a signature is good for five minutes.
OrderPreview WebhookDriver::preview(const OrderMessage& order) const {
  const HttpRequest request = request_for(order, clock_.wall());
  OrderPreview preview;
  preview.method = request.method;
  const std::string& url = request.url.reveal();
  const std::size_t host = url.find("://");
  const std::size_t path = url.find('/', host == std::string::npos ? 0 : host + 3);
  preview.url = path == std::string::npos ? url : url.substr(0, path) + "/…";
  for (const auto& [name, value] : request.headers) preview.headers.push_back(name);
  preview.body = request.body;
  return preview;
}

}  // namespace rollwatch
