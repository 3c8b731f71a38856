#include "daemon/delivery/answer.h"

#include <algorithm>

#include "analysis/text.h"
#include "notifiers/text.h"

namespace rollwatch {
namespace {

SendEnd end_of(ReplyEnd end) {
  switch (end) {
    case ReplyEnd::kDone:
      return SendEnd::kDone;
    case ReplyEnd::kAccepted:
      return SendEnd::kAccepted;
    case ReplyEnd::kRefused:
      return SendEnd::kRefused;
    case ReplyEnd::kRetry:
      break;
  }
  return SendEnd::kRetry;
}

// What stands behind the host: whole, its path, its query, and the long parts of them, which an
// answer may hold in another spelling ("\/hooks\/…").
void hide_address(std::string& text, std::string_view address) {
  constexpr std::size_t kLikeAPassword = 16;
  constexpr std::string_view kScheme = "://";
  const std::size_t host = address.find(kScheme);
  if (host == std::string_view::npos) return;
  const std::size_t begin = address.find_first_of("/?", host + kScheme.size());
  if (begin == std::string_view::npos) return;
  const std::string_view behind = address.substr(begin);
  hide(text, behind);
  const std::size_t question = behind.find('?');
  hide(text, behind.substr(0, question));
  if (question != std::string_view::npos) hide(text, behind.substr(question + 1));
  for (std::size_t at = 0; at < behind.size();) {
    const std::size_t end = std::min(behind.find_first_of("/?&=", at), behind.size());
    if (end - at >= kLikeAPassword) hide(text, behind.substr(at, end - at));
    at = end + 1;
  }
}

}  // namespace

SendResult judge_answer(HttpResponse response, const Secret& address, SysTime sent_at, SysTime now,
                        const std::function<Ruling(const Reply&, SysTime)>& rule) {
  hide_address(response.body, address.reveal());
  SendResult result;
  result.attempt.at = sent_at;
  result.attempt.duration = response.duration;
  result.attempt.answer = clean_utf8(response.body, kAnswerKept);
  if (response.status != 0) result.attempt.status = response.status;
  if (response.error != HttpError::kNone || response.status == 0) {
    result.attempt.error =
        response.error_text.empty() ? "no answer" : clean_utf8(response.error_text, kAnswerKept);
    return result;
  }
  const Ruling ruling = rule({response.status, response.body, response.header("retry-after")}, now);
  result.end = end_of(ruling.end);
  result.attempt.error = ruling.note;
  result.retry_after = ruling.retry_after;
  return result;
}

std::string describe(const Attempt& attempt) {
  std::string text = attempt.status ? "HTTP " + std::to_string(*attempt.status) : std::string();
  if (!attempt.error.empty()) text += (text.empty() ? "" : ", ") + attempt.error;
  return text;
}

}  // namespace rollwatch
