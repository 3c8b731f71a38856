#include "notifiers/classify.h"

#include <gtest/gtest.h>

namespace rollwatch {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr SysTime kNow{Millis{784'111'777'000}};  // Sun, 06 Nov 1994 08:49:37 GMT

struct AnswerRow {
  const char* name;
  int status;
  const char* body;
  const char* retry_after;  // nullptr: none
  ReplyEnd end;
  const char* note;
  std::optional<Millis> wait;
};

void expect(const AnswerRow& row, const Ruling& ruling) {
  SCOPED_TRACE(row.name);
  EXPECT_EQ(ruling.end, row.end);
  EXPECT_EQ(ruling.note, row.note);
  EXPECT_EQ(ruling.retry_after, row.wait);
}

Reply reply_of(const AnswerRow& row) {
  Reply reply{row.status, row.body, std::nullopt};
  if (row.retry_after != nullptr) reply.retry_after = row.retry_after;
  return reply;
}

TEST(Classify, Orders) {
  const std::optional<Millis> none;
  const AnswerRow rows[] = {
      {"done", 200, "", nullptr, ReplyEnd::kDone, "", none},
      {"created", 201, "", nullptr, ReplyEnd::kDone, "", none},
      {"accepted", 202, "", nullptr, ReplyEnd::kAccepted, "", none},
      {"done without a word", 204, "", nullptr, ReplyEnd::kDone, "", none},
      {"another 2xx", 299, "", nullptr, ReplyEnd::kDone, "", none},
      {"moved", 301, "", nullptr, ReplyEnd::kRetry, "redirects are not followed", none},
      {"found elsewhere", 302, "", nullptr, ReplyEnd::kRetry, "redirects are not followed", none},
      {"temporary redirect", 307, "", "5", ReplyEnd::kRetry, "redirects are not followed",
       seconds{5}},
      {"bad request", 400, "", nullptr, ReplyEnd::kRetry, "", none},
      {"not allowed yet", 401, "", nullptr, ReplyEnd::kRetry, "", none},
      {"not there yet", 404, "", nullptr, ReplyEnd::kRetry, "", none},
      {"conflict", 409, "fence is behind", nullptr, ReplyEnd::kRefused, "", none},
      {"gone", 410, "", nullptr, ReplyEnd::kRefused, "", none},
      {"not acceptable", 422, "", nullptr, ReplyEnd::kRefused, "", none},
      {"too many", 429, "", "7", ReplyEnd::kRetry, "", seconds{7}},
      {"broken", 500, "", nullptr, ReplyEnd::kRetry, "", none},
      {"away", 503, "", "120", ReplyEnd::kRetry, "", seconds{120}},
      {"no status known to man", 999, "", nullptr, ReplyEnd::kRetry, "", none},
  };
  for (const AnswerRow& row : rows) expect(row, rule_on_order(reply_of(row), kNow));
}

TEST(Classify, SlackIncomingWebhooks) {
  const std::optional<Millis> none;
  const AnswerRow rows[] = {
      {"delivered", 200, "ok", nullptr, ReplyEnd::kDone, "", none},
      {"delivered, with a line break", 200, "ok\n", nullptr, ReplyEnd::kDone, "", none},
      {"somebody's login page", 200, "<html>", nullptr, ReplyEnd::kRefused,
       "answered HTTP 200 without Slack's \"ok\"", none},
      {"moved", 302, "", nullptr, ReplyEnd::kRetry, "redirects are not followed", none},
      {"payload", 400, "invalid_payload", nullptr, ReplyEnd::kRefused, "refused: invalid_payload",
       none},
      {"forbidden", 403, "action_prohibited", nullptr, ReplyEnd::kRefused,
       "refused: action_prohibited", none},
      {"token", 403, "invalid_token", nullptr, ReplyEnd::kRefused, "refused: invalid_token", none},
      {"no such hook", 404, "no_service", nullptr, ReplyEnd::kRefused, "refused: no_service", none},
      {"archived", 410, "channel_is_archived", nullptr, ReplyEnd::kRefused,
       "refused: channel_is_archived", none},
      {"no word", 404, "", nullptr, ReplyEnd::kRefused, "refused without a word", none},
      {"only the first line", 400, "one\ntwo", nullptr, ReplyEnd::kRefused, "refused: one", none},
      {"timed out", 408, "", nullptr, ReplyEnd::kRetry, "", none},
      {"too many", 429, R"({"ok":false,"error":"rate_limited"})", "1", ReplyEnd::kRetry, "",
       seconds{1}},
      {"broken", 500, "rollup_error", nullptr, ReplyEnd::kRetry, "", none},
  };
  for (const AnswerRow& row : rows) expect(row, rule_on_slack_webhook(reply_of(row), kNow));
}

TEST(Classify, NotificationsOfOtherKinds) {
  const std::optional<Millis> none;
  const char* for_good = "refused: no repetition will change that";
  const AnswerRow rows[] = {
      {"delivered", 200, "", nullptr, ReplyEnd::kDone, "", none},
      {"taken for later", 202, "", nullptr, ReplyEnd::kDone, "", none},
      {"a redirect", 302, "", nullptr, ReplyEnd::kRetry, "redirects are not followed", none},
      {"not understood", 400, "", nullptr, ReplyEnd::kRefused, for_good, none},
      {"who are you", 401, "", nullptr, ReplyEnd::kRefused, for_good, none},
      {"no such place", 404, "", nullptr, ReplyEnd::kRefused, for_good, none},
      {"took too long", 408, "", nullptr, ReplyEnd::kRetry, "", none},
      {"gone", 410, "", nullptr, ReplyEnd::kRefused, for_good, none},
      {"too early", 425, "", nullptr, ReplyEnd::kRetry, "", none},
      {"too many", 429, "", "7", ReplyEnd::kRetry, "", seconds{7}},
      {"broken", 500, "", nullptr, ReplyEnd::kRetry, "", none},
      {"away", 503, "", "9", ReplyEnd::kRetry, "", seconds{9}},
  };
  for (const AnswerRow& row : rows) expect(row, rule_on_notification(reply_of(row), kNow));
}

TEST(RetryAfter, IsSecondsOrADate) {
  struct Case {
    const char* text;
    std::optional<Millis> wait;
  };
  const Case cases[] = {
      {"0", seconds{0}},
      {" 120 ", seconds{120}},
      {"Sun, 06 Nov 1994 08:50:07 GMT", seconds{30}},
      {"Mon, 07 Nov 1994 08:49:37 GMT", hours{24}},
      {"Sun, 06 Nov 1994 08:49:37 GMT", std::nullopt},  // now
      {"Sat, 05 Nov 1994 08:49:37 GMT", std::nullopt},  // past
      {"Sun, 31 Feb 1995 08:49:37 GMT", std::nullopt},
      {"Sun, 06 Nov 1995 24:49:37 GMT", std::nullopt},
      {"Sun, 06 Nox 1995 08:49:37 GMT", std::nullopt},
      {"Sunday, 06-Nov-94 08:49:37 GMT", std::nullopt},
      {"-5", std::nullopt},
      {"1.5", std::nullopt},
      {"soon", std::nullopt},
      {"99999999999999999999", std::nullopt},
      {"", std::nullopt},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(parse_retry_after(c.text, kNow), c.wait);
  }
}

}  // namespace
}  // namespace rollwatch
