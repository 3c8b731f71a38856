#include "daemon/delivery/slack_sender.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "notifiers/notification.h"
#include "test/support/manual_clock.h"
#include "test/support/run.h"

namespace rollwatch {
namespace {

class SlackSenderTest : public testing::Test {
 protected:
  SendResult send(const std::string& payload) {
    HttpSend http = [this](HttpRequest request) -> awaitable<HttpResponse> {
      ++requests;
      sent = std::move(request);
      HttpResponse given = response;
      co_return given;
    };
    SlackWebhookSender slack(http, clock, Secret("https://hooks.slack.com/services/T/B/x"),
                             Originator{"http://rollwatch", "rollwatch/1.2.3"});
    NotificationMessage message;
    message.spec.service = "checkout";
    message.spec.candidate = "1.24";
    message.delivery.payload = payload;
    return run<SendResult>(io, [&] { return slack.send(message); });
  }

  net::io_context io;
  ManualClock clock{io};
  HttpResponse response;
  HttpRequest sent;
  int requests = 0;
};

TEST_F(SlackSenderTest, PostsTheMessage) {
  Notice notice;
  notice.event = EventType::kPromoted;
  response.status = 200;
  response.body = "ok";
  EXPECT_EQ(send(to_payload(notice)).end, SendEnd::kDone);
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.url.reveal(), "https://hooks.slack.com/services/T/B/x");
  EXPECT_EQ(nlohmann::json::parse(sent.body)["text"], "checkout 1.24: promoted");
  EXPECT_TRUE(sent.truncate);
}

TEST_F(SlackSenderTest, KeepsSlacksWord) {
  response.status = 410;
  response.body = "channel_is_archived";
  const SendResult result = send(to_payload(Notice{}));
  EXPECT_EQ(result.end, SendEnd::kRefused);
  EXPECT_EQ(result.attempt.error, "refused: channel_is_archived");
}

TEST_F(SlackSenderTest, DoesNotTellTheAddressThatAProxyRepeats) {
  response.status = 404;
  response.body = "no /services/T/B/x here";
  EXPECT_EQ(send(to_payload(Notice{})).attempt.error, "refused: no … here");
}

TEST_F(SlackSenderTest, AnUnreadablePayloadIsDeadWithoutARequest) {
  const SendResult result = send("{}");
  EXPECT_EQ(result.end, SendEnd::kRefused);
  EXPECT_EQ(requests, 0);
  EXPECT_EQ(result.attempt.at, clock.wall());
}

}  // namespace
}  // namespace rollwatch
