#include "daemon/delivery/slack_bot_sender.h"

#include <utility>

#include "analysis/text.h"

namespace rollwatch {
namespace {

// Slack's answer repeats the whole message.
constexpr std::size_t kWholeAnswer = 1 << 20;

// An edit, and a reply; each once more if the root turns out to be gone.
constexpr int kMostCalls = 5;

void add_problem(std::string& problems, const std::string& problem) {
  if (problem.empty()) return;
  if (!problems.empty()) problems += "; ";
  problems += problem;
}

}  // namespace

SlackBotSender::SlackBotSender(HttpSend http, Clock& clock, SlackBot bot, Originator originator)
    : http_(std::move(http)),
      clock_(clock),
      bot_(std::move(bot)),
      originator_(std::move(originator)) {}

bool SlackBotSender::outdates(const Delivery& newer, const Delivery& older) const {
  return newer.rollout == older.rollout && standing_in(newer.payload).has_value();
}

awaitable<SendResult> SlackBotSender::send(const NotificationMessage& message) {
  SendResult result;
  result.attempt.at = clock_.wall();
  const auto notice = from_payload(message.delivery.payload);
  if (!notice) {
    result.end = SendEnd::kRefused;
    result.attempt.error = "what was stored of this notification cannot be read by this version";
    co_return result;
  }
  const auto standing = standing_in(message.delivery.payload);
  const SlackNews news{message.spec,        *notice,      standing,
                       message.delivery.id, bot_.channel, originator_.external_url,
                       message.is_outdated};
  const SlackThread before = slack_thread(message.memo);
  SlackThread thread = before;
  SlackProgress progress;
  std::string problems;
  result.end = SendEnd::kDone;
  result.attempt.answer = "nothing was sent: a newer state is shown, or about to be";
  for (int calls = 0;; ++calls) {
    std::optional<SlackCall> next = next_call(thread, news, progress);
    if (!next) break;
    if (calls == kMostCalls) {
      result.end = SendEnd::kRetry;
      add_problem(problems, "Slack loses what it is given");
      break;
    }
    const SlackCallKind kind = next->kind;
    SlackAnswer answer;
    const Millis so_far = result.attempt.duration;
    const SysTime at = result.attempt.at;
    SendResult one = co_await call(std::move(*next), answer);
    result = std::move(one);
    result.attempt.at = at;
    result.attempt.duration += so_far;
    if (result.end == SendEnd::kDone) {
      succeeded(thread, progress, news, kind, answer);
      continue;
    }
    add_problem(problems, result.attempt.error);
    if (result.end != SendEnd::kRefused || !answer.is_slacks ||
        !goes_on_after(thread, progress, kind, fate_of(answer.word)))
      break;
    result.end = SendEnd::kDone;
  }
  result.attempt.error = problems;
  if (thread != before) result.memo = to_text(thread);
  co_return result;
}

awaitable<SendResult> SlackBotSender::call(SlackCall call, SlackAnswer& answer) {
  const SysTime sent_at = clock_.wall();
  HttpRequest request;
  request.method = "POST";
  request.url = Secret(bot_.api_url + "/" + std::string(call.method));
  request.body = std::move(call.body);
  request.max_answer = kWholeAnswer;
  request.truncate = true;
  request.headers = {{"content-type", Secret("application/json; charset=utf-8")},
                     {"authorization", Secret("Bearer " + bot_.token.reveal())},
                     {"user-agent", Secret(originator_.user_agent)}};
  HttpResponse response = co_await http_(std::move(request));
  hide(response.body, bot_.token.reveal());
  hide(response.error_text, bot_.token.reveal());
  if (response.error == HttpError::kNone) answer = read_slack_answer(response.body);
  SendResult result =
      judge_answer(std::move(response), Secret(), sent_at, clock_.wall(), rule_on_slack_api);
  // Without these nothing could ever be added to it.
  if (result.end == SendEnd::kDone && (answer.channel.empty() || answer.ts.empty())) {
    result.end = SendEnd::kRefused;
    result.attempt.error = "Slack's answer says neither channel nor ts";
  }
  co_return result;
}

}  // namespace rollwatch
