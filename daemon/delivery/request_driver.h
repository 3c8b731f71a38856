// Orders as requests of somebody else's API (notifiers/order_request.h). Before one is sent the
// target may be read: what is already so is not done twice, and what is somebody else's by now is
// left alone.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "daemon/delivery/webhook_driver.h"
#include "notifiers/order_request.h"

namespace rollwatch {

struct RequestTarget {
  // By kind of order; one that has none is done without a request.
  std::map<std::string, OrderRequest, std::less<>> requests;
  std::optional<TargetLook> look;
  std::string bearer_token_file;  // "": none; read again for every request
  TlsOptions tls;
  Millis timeout{10'000};  // of one attempt
};

class RequestDriver : public TargetDriver {
 public:
  // `clock` and what `http` refers to must outlive the driver and its attempts.
  RequestDriver(HttpSend http, Clock& clock, RequestTarget target, Originator originator);

  awaitable<std::optional<SendResult>> look(const OrderMessage& order) override;
  awaitable<SendResult> send(const OrderMessage& order) override;
  awaitable<Looked> confirm(const OrderMessage& order) override;
  OrderPreview preview(const OrderMessage& order) const override;

 private:
  const OrderRequest* request_of(const std::string& kind) const;
  TemplateValues values_of(const OrderMessage& order) const;
  // Nothing if the token's file cannot be read, which is then said in `problem`.
  std::optional<HttpRequest> prepared(RenderedRequest rendered, std::string& problem) const;

  HttpSend http_;
  Clock& clock_;
  RequestTarget target_;
  Originator originator_;
};

}  // namespace rollwatch
