#include "daemon/delivery/answer.h"

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

}  // namespace

SendResult judge_answer(const HttpResponse& response, SysTime sent_at, SysTime now,
                        Ruling (*rule)(const Reply&, SysTime)) {
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

}  // namespace rollwatch
