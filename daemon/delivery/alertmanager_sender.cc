#include "daemon/delivery/alertmanager_sender.h"

#include <utility>

#include "notifiers/alertmanager.h"

namespace rollwatch {

AlertmanagerSender::AlertmanagerSender(HttpSend http, Clock& clock, AlertmanagerNotifier notifier,
                                       Originator originator)
    : http_(std::move(http)),
      clock_(clock),
      notifier_(std::move(notifier)),
      originator_(std::move(originator)) {}

awaitable<SendResult> AlertmanagerSender::send(const NotificationMessage& message) {
  const SysTime now = clock_.wall();
  SendResult result;
  const auto notice = notice_in(message, now, result);
  if (!notice) co_return result;
  const auto standing = standing_in(message.delivery.payload);
  const OpenAlert before = open_alert(message.memo);
  const AlertNews news{message.spec,     *notice, standing, originator_.external_url,
                       notifier_.events, now};
  std::optional<AlertPost> alerts = alerts_of(before, news);
  const auto told = told_of_.find(notice->subject);
  const bool is_old =
      !notice->subject.empty() && told != told_of_.end() && told->second > notice->at;
  if (!alerts || is_old) {
    result.end = SendEnd::kDone;
    result.attempt.at = now;
    result.attempt.answer = "nothing was sent: no alert begins, goes on or ends with it";
    co_return result;
  }
  NoticePost post;
  post.path = "/api/v2/alerts";
  post.body = std::move(alerts->body);
  post.headers = {{"content-type", Secret("application/json")},
                  {"user-agent", Secret(originator_.user_agent)}};
  result = co_await post_notice(http_, clock_, notifier_.target, std::move(post));
  if (result.end != SendEnd::kDone) co_return result;
  if (!notice->subject.empty()) told_of_[notice->subject] = notice->at;
  if (alerts->open != before) result.memo = to_text(alerts->open);
  co_return result;
}

}  // namespace rollwatch
