#include "daemon/delivery/webhook_driver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "test/support/manual_clock.h"
#include "test/support/run.h"

namespace rollwatch {
namespace {

SigningKey key(const char* text) { return parse_signing_key(Secret(text)).value(); }

class WebhookDriverTest : public testing::Test {
 protected:
  WebhookDriverTest() {
    order.spec.id = "ro_01jg";
    order.spec.service = "checkout";
    order.delivery.id = "ord_01jg-1";
    order.delivery.kind = "advance";
    order.delivery.weight = 25;
    order.delivery.fence = 7;
    order.delivery.expires_at = SysTime{Millis{1'767'323'345'678}};
    order.attempt = 3;
    response.status = 200;
    response.body = "thanks";
    target.url = Secret("http://deployer.example/rollouts");
    target.timeout = Millis{1234};
    target.keys = {key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")};
  }

  WebhookDriver driver() {
    HttpSend http = [this](HttpRequest request) -> awaitable<HttpResponse> {
      sent = std::move(request);
      HttpResponse given = response;
      co_return given;
    };
    return {http, clock, target, Originator{"http://rollwatch.example.net", "rollwatch/1.2.3"}};
  }

  SendResult send() {
    WebhookDriver webhook = driver();
    SendResult result = run<SendResult>(io, [&] { return webhook.send(order); });
    headers.clear();
    for (const auto& [name, value] : sent.headers) headers[name] = value.reveal();
    return result;
  }

  net::io_context io;
  ManualClock clock{io};
  WebhookTarget target;
  OrderMessage order;
  HttpResponse response;
  HttpRequest sent;
  std::map<std::string, std::string> headers;
};

TEST_F(WebhookDriverTest, SendsASignedRequest) {
  const SendResult result = send();
  EXPECT_EQ(result.end, SendEnd::kDone);
  EXPECT_EQ(result.attempt.answer, "thanks");
  EXPECT_EQ(result.attempt.at, clock.wall());
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.url.reveal(), "http://deployer.example/rollouts");
  EXPECT_EQ(sent.timeout, Millis{1234});
  const std::map<std::string, std::string> expected = {
      {"content-type", "application/json"},
      {"idempotency-key", "ord_01jg-1"},
      {"user-agent", "rollwatch/1.2.3"},
      {"webhook-id", "ord_01jg-1"},
      {"webhook-signature", sign(target.keys, "ord_01jg-1", "1767323045", sent.body)},
      {"webhook-timestamp", "1767323045"},
  };
  EXPECT_EQ(headers, expected);
  const auto body = nlohmann::json::parse(sent.body);
  EXPECT_EQ(body["type"], "rollout.advance");
  EXPECT_EQ(body["timestamp"], "2026-01-02T03:04:05.678Z");
  EXPECT_EQ(body["data"]["order"]["attempt"], 3);
  EXPECT_EQ(body["data"]["order"]["weight"], 25);
  EXPECT_EQ(body["data"]["order"]["fence"], 7);
  EXPECT_EQ(body["data"]["reason"]["explain_url"],
            "http://rollwatch.example.net/api/v1/rollouts/ro_01jg/explain");
}

TEST_F(WebhookDriverTest, CarriesTheTraceItBelongsTo) {
  send();
  EXPECT_FALSE(headers.contains("traceparent"));
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  order.delivery.payload =
      R"({"state":"analyzing","step":0,"reason":{},"traceparent":")" + trace + "\"}";
  send();
  EXPECT_EQ(headers["traceparent"], trace);
  EXPECT_EQ(sent.body.find(trace), std::string::npos) << "the body is the contract's";
}

TEST_F(WebhookDriverTest, ALaterAttemptIsSignedForItsOwnTime) {
  send();
  const auto first = headers;
  clock.advance(std::chrono::seconds{30});
  send();
  EXPECT_EQ(headers["webhook-id"], first.at("webhook-id"));
  EXPECT_EQ(headers["webhook-timestamp"], "1767323075");
  EXPECT_NE(headers["webhook-signature"], first.at("webhook-signature"));
}

TEST_F(WebhookDriverTest, SignsWithBothSecretsDuringARotation) {
  target.keys.push_back(key("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
  send();
  EXPECT_EQ(
      std::count(headers["webhook-signature"].begin(), headers["webhook-signature"].end(), ' '), 1);
}

TEST_F(WebhookDriverTest, SendsACloudEventSignedLikeTheContractsBody) {
  target.format = OrderFormat::kCloudEvents;
  order.delivery.created_at = SysTime{Millis{1'767'323'045'000}};
  EXPECT_EQ(send().end, SendEnd::kDone);
  EXPECT_EQ(headers["content-type"], "application/cloudevents+json; charset=utf-8");
  EXPECT_EQ(headers["webhook-signature"], sign(target.keys, "ord_01jg-1", "1767323045", sent.body));
  const auto event = nlohmann::json::parse(sent.body);
  EXPECT_EQ(event["type"], "io.rollwatch.rollout.advance.v1");
  EXPECT_EQ(event["id"], headers["webhook-id"]);
  EXPECT_EQ(event["time"], "2026-01-02T03:04:05.000Z");
  EXPECT_EQ(event["data"]["order"]["attempt"], 3);
}

TEST_F(WebhookDriverTest, CannotLook) {
  WebhookDriver webhook = driver();
  const auto looked = run<std::optional<SendResult>>(io, [&] { return webhook.look(order); });
  EXPECT_FALSE(looked) << "it is to be sent";
  EXPECT_EQ(run<Looked>(io, [&] { return webhook.confirm(order); }), Looked::kUnknown);
}

TEST_F(WebhookDriverTest, APreviewHoldsNeitherThePathNorASignature) {
  target.url = Secret("http://deployer.example/hooks/s3cret");
  const OrderPreview preview = driver().preview(order);
  EXPECT_EQ(preview.method + " " + preview.url, "POST http://deployer.example/…");
  EXPECT_NE(preview.body.find("rollout.advance"), std::string::npos);
  for (const std::string& name : preview.headers) EXPECT_EQ(name.find("v1,"), std::string::npos);
  EXPECT_EQ(std::ranges::count(preview.headers, "webhook-signature"), 1);
}

}  // namespace
}  // namespace rollwatch
