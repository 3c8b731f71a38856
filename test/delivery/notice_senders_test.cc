// The senders of webhooks, Alertmanager and Grafana: what leaves, what is kept of the answer, and
// what is remembered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <nlohmann/json.hpp>

#include "daemon/delivery/alertmanager_sender.h"
#include "daemon/delivery/grafana_sender.h"
#include "daemon/delivery/webhook_sender.h"
#include "notifiers/notifier_notice.h"
#include "notifiers/standing.h"
#include "test/support/manual_clock.h"
#include "test/support/run.h"

namespace rollwatch {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;

constexpr const char* kToken = "glsa_the-token-of-the-test";

class NoticeSenders : public testing::Test {
 protected:
  NoticeSenders() {
    target.url = Secret("https://host.example.net/a-secret-path");
    target.headers = {{"authorization", Secret(std::string("Bearer ") + kToken)}};
    target.timeout = Millis{1234};
  }

  HttpSend http() {
    return [this](HttpRequest request) -> awaitable<HttpResponse> {
      requests.push_back(std::move(request));
      HttpResponse response;
      if (!answers.empty()) {
        response = answers.front();
        answers.pop_front();
      }
      co_return response;
    };
  }
  static HttpResponse answer(int status, std::string body = "") {
    HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    return response;
  }

  SendResult send(NotificationSender& sender, const Notice& notice,
                  const std::optional<Standing>& standing = {}) {
    NotificationMessage message;
    message.spec.id = "ro_1";
    message.spec.service = "checkout";
    message.spec.candidate = "1.24";
    message.delivery.id = "no_1";
    message.delivery.payload = to_payload(notice);
    if (standing) message.delivery.payload = with_standing(message.delivery.payload, *standing);
    message.memo = memo;
    SendResult result = run<SendResult>(io, [&] { return sender.send(message); });
    if (result.memo) memo = result.memo;
    return result;
  }
  SendResult send_unreadable(NotificationSender& sender) {
    NotificationMessage message;
    message.delivery.payload = "of another version";
    return run<SendResult>(io, [&] { return sender.send(message); });
  }

  static Notice notice_of_event(EventType event) {
    Notice notice;
    notice.event = event;
    notice.summary = "because";
    return notice;
  }
  static Standing standing_of_state(const std::string& state, unsigned number) {
    Standing standing;
    standing.state = state;
    standing.number = number;
    return standing;
  }
  nlohmann::json body(std::size_t i) { return nlohmann::json::parse(requests.at(i).body); }
  std::string header(std::size_t i, const std::string& name) {
    for (const auto& [key, value] : requests.at(i).headers)
      if (key == name) return value.reveal();
    return "";
  }

  net::io_context io;
  ManualClock clock{io};
  NoticeTarget target;
  Originator originator{"http://rollwatch", "rollwatch/test"};
  std::deque<HttpResponse> answers;
  std::vector<HttpRequest> requests;
  std::optional<std::string> memo;
};

class WebhookSenderTest : public NoticeSenders {
 protected:
  WebhookNotifier notifier(bool cloud_events = false) {
    const char* secrets[] = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                             "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"};
    WebhookNotifier made{target, {}, cloud_events};
    for (const char* secret : secrets)
      made.keys.push_back(parse_signing_key(Secret(secret)).value());
    return made;
  }
};

TEST_F(WebhookSenderTest, IsSignedWithEveryKeyUnderTheDeliverysId) {
  WebhookSender sender(http(), clock, notifier(), originator);
  answers.push_back(answer(204));
  const SendResult result = send(sender, notice_of_event(EventType::kPaused));
  EXPECT_EQ(result.end, SendEnd::kDone);
  ASSERT_EQ(requests.size(), 1U);
  const HttpRequest& request = requests[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url.reveal(), "https://host.example.net/a-secret-path");
  EXPECT_EQ(request.timeout, Millis{1234});
  EXPECT_LE(request.max_answer, 2048U);
  EXPECT_TRUE(request.truncate) << "an answer without an end is cut off";
  EXPECT_EQ(header(0, "content-type"), "application/json");
  EXPECT_EQ(header(0, "webhook-id"), "no_1");
  EXPECT_EQ(header(0, "webhook-signature"),
            sign(notifier().keys, "no_1", header(0, "webhook-timestamp"), request.body));
  EXPECT_THAT(header(0, "webhook-signature"), HasSubstr(" v1,"));
  EXPECT_EQ(body(0)["type"], "rollout.paused");
  EXPECT_FALSE(sender.remembers());
}

TEST_F(WebhookSenderTest, TheBodyIsTheSameInEveryAttemptAndTheSignatureFresh) {
  WebhookSender sender(http(), clock, notifier(), originator);
  answers = {answer(500), answer(200)};
  EXPECT_EQ(send(sender, notice_of_event(EventType::kPaused)).end, SendEnd::kRetry);
  clock.advance(std::chrono::minutes{10});
  EXPECT_EQ(send(sender, notice_of_event(EventType::kPaused)).end, SendEnd::kDone);
  EXPECT_EQ(requests[0].body, requests[1].body);
  EXPECT_NE(header(0, "webhook-timestamp"), header(1, "webhook-timestamp"));
  EXPECT_NE(header(0, "webhook-signature"), header(1, "webhook-signature"));
}

TEST_F(WebhookSenderTest, ACloudEventSaysSo) {
  WebhookSender sender(http(), clock, notifier(true), originator);
  answers.push_back(answer(200));
  send(sender, notice_of_event(EventType::kPaused));
  EXPECT_EQ(header(0, "content-type"), "application/cloudevents+json; charset=utf-8");
  EXPECT_EQ(body(0)["id"], "no_1");
}

TEST_F(WebhookSenderTest, ARedirectIsAFailureAndAWordThatIsFinalIsFinal) {
  WebhookSender sender(http(), clock, notifier(), originator);
  answers = {answer(307), answer(400, "what?"), answer(200)};
  const SendResult moved = send(sender, notice_of_event(EventType::kPaused));
  EXPECT_EQ(moved.end, SendEnd::kRetry);
  EXPECT_EQ(moved.attempt.error, "redirects are not followed");
  EXPECT_EQ(send(sender, notice_of_event(EventType::kPaused)).end, SendEnd::kRefused);
  EXPECT_EQ(requests.size(), 2U);
}

TEST_F(WebhookSenderTest, NoSecretIsInWhatIsKept) {
  WebhookSender sender(http(), clock, notifier(), originator);
  HttpResponse lost;
  lost.error = HttpError::kUnreachable;
  lost.error_text = std::string("no way with Bearer ") + kToken;
  answers = {answer(500, std::string("POST /a-secret-path with ") + kToken), lost};
  const SendResult echoed = send(sender, notice_of_event(EventType::kPaused));
  EXPECT_THAT(echoed.attempt.answer, Not(HasSubstr(kToken)));
  EXPECT_THAT(echoed.attempt.answer, Not(HasSubstr("a-secret-path")));
  EXPECT_THAT(echoed.attempt.answer, HasSubstr("POST "));
  EXPECT_THAT(send(sender, notice_of_event(EventType::kPaused)).attempt.error,
              Not(HasSubstr(kToken)));
}

TEST_F(NoticeSenders, WhatCannotBeReadIsRefusedUnsent) {
  WebhookSender webhook(http(), clock, WebhookNotifier{target, {}, false}, originator);
  AlertmanagerSender alertmanager(http(), clock, {target, {}}, originator);
  GrafanaSender grafana(http(), clock, {target, "", {}, {}}, originator);
  for (NotificationSender* sender :
       {static_cast<NotificationSender*>(&webhook), static_cast<NotificationSender*>(&alertmanager),
        static_cast<NotificationSender*>(&grafana)}) {
    const SendResult result = send_unreadable(*sender);
    EXPECT_EQ(result.end, SendEnd::kRefused);
    EXPECT_THAT(result.attempt.error, HasSubstr("cannot be read by this version"));
  }
  EXPECT_TRUE(requests.empty());
}

TEST_F(NoticeSenders, AlertmanagerIsToldAndTheAlertRemembered) {
  AlertmanagerSender sender(http(), clock, {target, {}}, originator);
  answers = {answer(200), answer(200)};
  const SendResult begun =
      send(sender, notice_of_event(EventType::kPaused), standing_of_state("paused", 1));
  EXPECT_EQ(begun.end, SendEnd::kDone);
  EXPECT_TRUE(begun.memo);
  EXPECT_EQ(requests[0].url.reveal(), "https://host.example.net/a-secret-path/api/v2/alerts");
  EXPECT_EQ(header(0, "authorization"), std::string("Bearer ") + kToken);
  ASSERT_TRUE(body(0).is_array());
  send(sender, notice_of_event(EventType::kResumed), standing_of_state("analyzing", 2));
  EXPECT_EQ(body(1)[0]["labels"], body(0)[0]["labels"]);
  const SendResult nothing =
      send(sender, notice_of_event(EventType::kPromoted), standing_of_state("promoted", 3));
  EXPECT_EQ(nothing.end, SendEnd::kDone);
  EXPECT_FALSE(nothing.attempt.status);
  EXPECT_THAT(nothing.attempt.answer, HasSubstr("nothing was sent"));
  EXPECT_EQ(requests.size(), 2U);
}

TEST_F(NoticeSenders, AnAlertThatWasNotTakenIsNotRemembered) {
  AlertmanagerSender sender(http(), clock, {target, {}}, originator);
  answers = {answer(503), answer(400)};
  for (const SendEnd end : {SendEnd::kRetry, SendEnd::kRefused}) {
    const SendResult result =
        send(sender, notice_of_event(EventType::kPaused), standing_of_state("paused", 1));
    EXPECT_EQ(result.end, end);
    EXPECT_FALSE(result.memo);
  }
}

// The beginning failed, and is tried again after the end was taken.
TEST_F(NoticeSenders, AnAlertOfADatasourceThatHasEndedDoesNotComeBack) {
  AlertmanagerSender sender(http(), clock, {target, {}}, originator);
  Notice begins = notice_of_event(EventType::kPaused);
  begins.subject = "datasource default";
  begins.datasource = "default";
  begins.at = clock.wall();
  Notice ends = begins;
  ends.event = EventType::kResumed;
  ends.at += Millis{1000};
  answers = {answer(503), answer(200)};
  EXPECT_EQ(send(sender, begins).end, SendEnd::kRetry);
  EXPECT_EQ(send(sender, ends).end, SendEnd::kDone);
  const SendResult late = send(sender, begins);
  EXPECT_EQ(late.end, SendEnd::kDone);
  EXPECT_FALSE(late.attempt.status);
  EXPECT_EQ(requests.size(), 2U);
}

TEST_F(NoticeSenders, ARegionIsClosedByTheIdThatWasRemembered) {
  GrafanaSender sender(http(), clock, {target, "abc", 3, {}}, originator);
  answers = {answer(200, R"({"message":"Annotation added","id":42})"),
             answer(200, R"({"message":"Annotation patched"})")};
  EXPECT_TRUE(
      send(sender, notice_of_event(EventType::kStarted), standing_of_state("analyzing", 1)).memo);
  const SendResult closed =
      send(sender, notice_of_event(EventType::kPromoted), standing_of_state("promoted", 2));
  EXPECT_EQ(closed.end, SendEnd::kDone);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].url.reveal(), "https://host.example.net/a-secret-path/api/annotations");
  EXPECT_EQ(requests[1].method, "PATCH");
  EXPECT_EQ(requests[1].url.reveal(), "https://host.example.net/a-secret-path/api/annotations/42");
  EXPECT_TRUE(body(1).contains("timeEnd"));
  EXPECT_EQ(header(1, "authorization"), std::string("Bearer ") + kToken);
}

TEST_F(NoticeSenders, ARegionThatIsGoneIsMadeAnewWholeAndRemembered) {
  GrafanaSender sender(http(), clock, {target, "", {}, {}}, originator);
  answers = {answer(200, R"({"id":42})"), answer(404, R"({"message":"not found"})"),
             answer(200, R"({"id":43})"), answer(200, "{}")};
  send(sender, notice_of_event(EventType::kStarted), standing_of_state("analyzing", 1));
  const SendResult closed =
      send(sender, notice_of_event(EventType::kPromoted), standing_of_state("promoted", 2));
  EXPECT_EQ(closed.end, SendEnd::kDone);
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[2].method, "POST");
  EXPECT_TRUE(body(2).contains("time") && body(2).contains("timeEnd"));
  send(sender, notice_of_event(EventType::kStillBad), standing_of_state("promoted", 3));
  EXPECT_THAT(requests.at(3).url.reveal(), HasSubstr("/api/annotations/43"));
}

TEST_F(NoticeSenders, APostToNowhereIsNotTriedForEver) {
  GrafanaSender sender(http(), clock, {target, "", {}, {}}, originator);
  answers = {answer(404), answer(200, "<html>a login page</html>")};
  EXPECT_EQ(
      send(sender, notice_of_event(EventType::kStarted), standing_of_state("analyzing", 1)).end,
      SendEnd::kRefused);
  const SendResult other =
      send(sender, notice_of_event(EventType::kStarted), standing_of_state("analyzing", 1));
  EXPECT_EQ(other.end, SendEnd::kRefused);
  EXPECT_EQ(other.attempt.error, "the answer has no id of an annotation");
  EXPECT_FALSE(memo);
  EXPECT_EQ(requests.size(), 2U);
}

}  // namespace
}  // namespace rollwatch
