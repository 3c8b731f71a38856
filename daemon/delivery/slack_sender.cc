#include "daemon/delivery/slack_sender.h"

#include <utility>

#include "notifiers/notification.h"
#include "notifiers/slack.h"

namespace rollwatch {

SlackWebhookSender::SlackWebhookSender(HttpSend http, Clock& clock, Secret url,
                                       Originator originator)
    : http_(std::move(http)),
      clock_(clock),
      url_(std::move(url)),
      originator_(std::move(originator)) {}

awaitable<SendResult> SlackWebhookSender::send(const NotificationMessage& message) {
  const SysTime sent_at = clock_.wall();
  const auto notice = from_payload(message.delivery.payload);
  if (!notice) {
    SendResult unreadable;
    unreadable.end = SendEnd::kRefused;
    unreadable.attempt.at = sent_at;
    unreadable.attempt.error =
        "what was stored of this notification cannot be read by this version";
    co_return unreadable;
  }
  HttpRequest request;
  request.method = "POST";
  request.url = url_;
  request.body = slack_message(message.spec, *notice, originator_.external_url);
  request.max_answer = kAnswerKept;
  request.truncate = true;
  request.headers = {{"content-type", Secret("application/json; charset=utf-8")},
                     {"user-agent", Secret(originator_.user_agent)}};
  HttpResponse response = co_await http_(std::move(request));
  co_return judge_answer(std::move(response), url_, sent_at, clock_.wall(), rule_on_slack_webhook);
}

}  // namespace rollwatch
