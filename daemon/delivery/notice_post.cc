#include "daemon/delivery/notice_post.h"

#include "analysis/text.h"

namespace rollwatch {
namespace {

// "Bearer TOKEN": a receiver may repeat the whole of it, or only what is secret.
void hide_header(std::string& text, const std::string& value) {
  hide(text, value);
  const std::size_t space = value.rfind(' ');
  if (space != std::string::npos) hide(text, std::string_view(value).substr(space + 1));
}

}  // namespace

awaitable<SendResult> post_notice(const HttpSend& http, Clock& clock, const NoticeTarget& target,
                                  NoticePost post) {
  const SysTime sent_at = clock.wall();
  HttpRequest request;
  request.method = std::move(post.method);
  request.url = Secret(target.url.reveal() + post.path);
  request.body = std::move(post.body);
  request.headers = std::move(post.headers);
  request.headers.insert(request.headers.end(), target.headers.begin(), target.headers.end());
  request.tls = target.tls;
  request.timeout = target.timeout;
  request.max_answer = kAnswerKept;
  request.truncate = true;
  HttpResponse response = co_await http(std::move(request));
  for (const auto& [name, value] : target.headers) {
    hide_header(response.body, value.reveal());
    hide_header(response.error_text, value.reveal());
  }
  co_return judge_answer(std::move(response), target.url, sent_at, clock.wall(),
                         rule_on_notification);
}

std::optional<Notice> notice_in(const NotificationMessage& message, SysTime now,
                                SendResult& unreadable) {
  auto notice = from_payload(message.delivery.payload);
  if (notice) return notice;
  unreadable.end = SendEnd::kRefused;
  unreadable.attempt.at = now;
  unreadable.attempt.error = "what was stored of this notification cannot be read by this version";
  return std::nullopt;
}

}  // namespace rollwatch
