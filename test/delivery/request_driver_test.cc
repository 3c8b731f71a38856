// Orders as requests of somebody else's API: what leaves, what is read before, how it ends.
#include "daemon/delivery/request_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <map>

#include "test/support/manual_clock.h"
#include "test/support/process.h"
#include "test/support/run.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class RequestDriverTest : public testing::Test {
 protected:
  RequestDriverTest() {
    order.spec.id = "ro_1";
    order.spec.service = "shop";
    order.spec.stable = "1.0";
    order.spec.candidate = "1.1";
    order.delivery.id = "ord_1-1";
    order.delivery.kind = "rollback";
    RequestShape rollback;
    rollback.method = "PATCH";
    rollback.url = Secret("https://api.example/rollouts/{{service}}/status");
    rollback.headers = {{"X-Tenant", Secret("t1")}};
    rollback.body = R"({"status":{"abort":true}})";
    rollback.already = R"({"/status/abort":true})";
    rollback.retry = {409};
    target.requests.emplace("rollback", *OrderRequest::make(rollback));
    target.timeout = Millis{1234};
  }

  void look_at_the_target() {
    LookShape look;
    look.url = Secret("https://api.example/rollouts/{{service}}");
    look.headers = {{"X-Tenant", Secret("t1")}};
    look.only_if = R"({"/version":"{{candidate}}"})";
    target.look = *TargetLook::make(look);
  }

  void answers(int status, std::string body) {
    HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    next.push_back(std::move(response));
  }

  // As the outbox does it.
  SendResult attempt() {
    HttpSend http = [this](HttpRequest request) -> awaitable<HttpResponse> {
      sent.push_back(std::move(request));
      HttpResponse response = next.empty() ? HttpResponse{} : next.front();
      if (!next.empty()) next.pop_front();
      co_return response;
    };
    driver = std::make_unique<RequestDriver>(http, clock, target,
                                             Originator{"http://rollwatch", "rollwatch/1"});
    auto looked = run<std::optional<SendResult>>(io, [&] { return driver->look(order); });
    if (looked) return *looked;
    return run<SendResult>(io, [&] { return driver->send(order); });
  }

  std::map<std::string, std::string> headers_of(std::size_t request) const {
    std::map<std::string, std::string> headers;
    for (const auto& [name, value] : sent.at(request).headers) headers[name] = value.reveal();
    return headers;
  }

  net::io_context io;
  ManualClock clock{io};
  RequestTarget target;
  OrderMessage order;
  std::deque<HttpResponse> next;
  std::vector<HttpRequest> sent;
  std::unique_ptr<RequestDriver> driver;
};

TEST_F(RequestDriverTest, SendsWhatTheShapeSays) {
  answers(200, "patched");
  const SendResult result = attempt();
  EXPECT_EQ(result.end, SendEnd::kDone);
  EXPECT_EQ(result.attempt.status, 200);
  EXPECT_EQ(result.attempt.answer, "patched");
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].method, "PATCH");
  EXPECT_EQ(sent[0].url.reveal(), "https://api.example/rollouts/shop/status");
  EXPECT_EQ(sent[0].body, R"({"status":{"abort":true}})");
  EXPECT_EQ(sent[0].timeout, Millis{1234});
  const std::map<std::string, std::string> expected = {
      {"X-Tenant", "t1"}, {"content-type", "application/json"}, {"user-agent", "rollwatch/1"}};
  EXPECT_EQ(headers_of(0), expected);
}

TEST_F(RequestDriverTest, AKindWithoutARequestIsDone) {
  order.delivery.kind = "pause";
  const SendResult result = attempt();
  EXPECT_EQ(result.end, SendEnd::kDone);
  EXPECT_THAT(result.attempt.answer, HasSubstr("nothing is sent"));
  EXPECT_TRUE(sent.empty());
}

TEST_F(RequestDriverTest, TheTargetIsReadFirst) {
  look_at_the_target();
  const struct {
    const char* name;
    int status;
    const char* state;
    SendEnd end;
    std::size_t requests;
    const char* words;
  } rows[] = {
      {"to be done", 200, R"({"version":"1.1","status":{"abort":false}})", SendEnd::kDone, 2, ""},
      {"already so", 200, R"({"version":"1.1","status":{"abort":true}})", SendEnd::kDone, 1,
       "already so, nothing was sent"},
      {"somebody else's", 200, R"({"version":"1.2"})", SendEnd::kRefused, 1,
       "nothing was sent, the target is somebody else's by now: /version is \"1.2\", not \"1.1\""},
      {"away", 503, "later", SendEnd::kRetry, 1, "nothing was sent: the target could not be read"},
      {"gone is not refused: it may be back", 404, "", SendEnd::kRetry, 1, "could not be read"},
      {"no state", 204, "", SendEnd::kRetry, 1, "could not be read"},
      {"not JSON", 200, "<html>", SendEnd::kRetry, 1, "is not JSON"},
      {"no answer", 0, "", SendEnd::kRetry, 1, "could not be read: no answer"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    sent.clear();
    next.clear();
    answers(row.status, row.state);
    answers(200, "");
    const SendResult result = attempt();
    EXPECT_EQ(result.end, row.end);
    EXPECT_EQ(sent.size(), row.requests);
    EXPECT_EQ(sent.at(0).method, "GET");
    EXPECT_EQ(sent.at(0).url.reveal(), "https://api.example/rollouts/shop");
    EXPECT_EQ(headers_of(0).at("X-Tenant"), "t1");
    EXPECT_THAT(result.attempt.error + result.attempt.answer, HasSubstr(row.words));
  }
}

TEST_F(RequestDriverTest, WhatCannotBeRenderedIsRefusedAndNotSent) {
  order.spec.service = "..";
  const SendResult result = attempt();
  EXPECT_EQ(result.end, SendEnd::kRefused);
  EXPECT_THAT(result.attempt.error, HasSubstr("nothing was sent: {{service}}"));
  EXPECT_TRUE(sent.empty());
  look_at_the_target();
  EXPECT_EQ(attempt().end, SendEnd::kRefused);
  EXPECT_TRUE(sent.empty());
}

TEST_F(RequestDriverTest, ATokenIsReadAgainForEveryRequest) {
  const TempDir folder;
  target.bearer_token_file = (folder / "token").string();
  EXPECT_EQ(attempt().end, SendEnd::kRetry) << "it may be written in a moment";
  EXPECT_TRUE(sent.empty());
  for (const char* token : {"first", "second"}) {
    std::ofstream(target.bearer_token_file) << token << "\n";
    answers(200, "");
    EXPECT_EQ(attempt().end, SendEnd::kDone);
    EXPECT_EQ(headers_of(sent.size() - 1).at("authorization"), std::string("Bearer ") + token);
  }
  std::ofstream(target.bearer_token_file) << "two\nlines\n";
  const SendResult broken = attempt();
  EXPECT_EQ(broken.end, SendEnd::kRetry);
  EXPECT_EQ(broken.attempt.error.find("lines\n"), std::string::npos);
  EXPECT_EQ(sent.size(), 2U);
}

TEST_F(RequestDriverTest, APreviewShowsNothingSecretAndSendsNothing) {
  target.bearer_token_file = "/run/token";
  RequestShape hidden;
  hidden.url = Secret("https://api.example/hook/s3cret?x={{weight}}");
  hidden.url_is_secret = true;
  hidden.body = R"({"token":"s3cret","to":"{{candidate}}"})";
  hidden.body_is_secret = true;
  target.requests.emplace("advance", *OrderRequest::make(hidden));
  answers(200, "");
  attempt();
  const OrderPreview open = driver->preview(order);
  EXPECT_EQ(open.method + " " + open.url, "PATCH https://api.example/rollouts/shop/status");
  EXPECT_EQ(open.body, R"({"status":{"abort":true}})");
  EXPECT_THAT(open.headers, UnorderedElementsAre("X-Tenant", "content-type", "authorization"));
  order.delivery.kind = "advance";
  const OrderPreview closed = driver->preview(order);
  EXPECT_EQ(closed.url, "https://api.example/…");
  EXPECT_EQ(closed.body, "…");
  order.delivery.kind = "resume";
  EXPECT_THAT(driver->preview(order).note, HasSubstr("counts as done"));
}

}  // namespace
}  // namespace rollwatch
