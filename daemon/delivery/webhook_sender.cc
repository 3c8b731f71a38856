#include "daemon/delivery/webhook_sender.h"

#include <utility>

#include "notifiers/order_body.h"
#include "notifiers/webhook_notice.h"

namespace rollwatch {

WebhookSender::WebhookSender(HttpSend http, Clock& clock, WebhookNotifier notifier,
                             Originator originator)
    : http_(std::move(http)),
      clock_(clock),
      notifier_(std::move(notifier)),
      originator_(std::move(originator)) {}

awaitable<SendResult> WebhookSender::send(const NotificationMessage& message) {
  const SysTime now = clock_.wall();
  SendResult result;
  const auto notice = notice_in(message, now, result);
  if (!notice) co_return result;
  const std::string& id = message.delivery.id;
  const WebhookNotice news{message.spec, *notice, id, originator_.external_url};
  NoticePost post;
  post.body = notifier_.cloud_events ? notice_cloud_event(news) : notice_body(news);
  const std::string timestamp = signature_timestamp(now);
  post.headers = {
      {"content-type", Secret(notifier_.cloud_events ? kCloudEventType : "application/json")},
      {"user-agent", Secret(originator_.user_agent)},
      {"webhook-id", Secret(id)},
      {"webhook-timestamp", Secret(timestamp)},
      {"webhook-signature", Secret(sign(notifier_.keys, id, timestamp, post.body))},
      {"idempotency-key", Secret(id)},
  };
  result = co_await post_notice(http_, clock_, notifier_.target, std::move(post));
  co_return result;
}

}  // namespace rollwatch
