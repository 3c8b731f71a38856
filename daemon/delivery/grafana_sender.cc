#include "daemon/delivery/grafana_sender.h"

#include <utility>

#include "notifiers/grafana.h"

namespace rollwatch {

GrafanaSender::GrafanaSender(HttpSend http, Clock& clock, GrafanaNotifier notifier,
                             Originator originator)
    : http_(std::move(http)),
      clock_(clock),
      notifier_(std::move(notifier)),
      originator_(std::move(originator)) {}

awaitable<SendResult> GrafanaSender::send(const NotificationMessage& message) {
  constexpr int kNotFound = 404;
  SendResult result;
  const SysTime now = clock_.wall();
  const auto notice = notice_in(message, now, result);
  if (!notice) co_return result;
  const auto standing = standing_in(message.delivery.payload);
  const GrafanaNews news{message.spec,
                         *notice,
                         standing,
                         originator_.external_url,
                         notifier_.dashboard_uid,
                         notifier_.panel_id,
                         notifier_.tags};
  const Region before = region_in(message.memo);
  std::optional<GrafanaCall> call = next_call(before, news);
  if (!call) {
    result.end = SendEnd::kDone;
    result.attempt.at = now;
    result.attempt.answer = "nothing was sent: the annotation shows a newer state";
    co_return result;
  }
  for (bool again = true; again;) {
    NoticePost post;
    post.method = call->method;
    post.path = call->path;
    post.body = call->body;
    post.headers = {{"content-type", Secret("application/json")},
                    {"accept", Secret("application/json")},
                    {"user-agent", Secret(originator_.user_agent)}};
    const Millis so_far = result.attempt.duration;
    result = co_await post_notice(http_, clock_, notifier_.target, std::move(post));
    result.attempt.at = now;
    result.attempt.duration += so_far;
    // Somebody deleted it: a new one, whole.
    again = call->method == "PATCH" && result.attempt.status == kNotFound;
    if (!again) break;
    Region gone = before;
    gone.id = 0;
    call = next_call(gone, news);
  }
  if (result.end != SendEnd::kDone || !call->is_region) co_return result;
  if (call->method == "POST") {
    const auto id = annotation_id(result.attempt.answer);
    // Without it the region could never be closed; who answers so is not Grafana.
    if (!id) {
      result.end = SendEnd::kRefused;
      result.attempt.error = "the answer has no id of an annotation";
      co_return result;
    }
    call->region.id = *id;
  }
  if (call->region != before) result.memo = to_text(call->region);
  co_return result;
}

}  // namespace rollwatch
