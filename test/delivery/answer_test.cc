#include "daemon/delivery/answer.h"

#include <gtest/gtest.h>

namespace rollwatch {
namespace {

constexpr SysTime kSent{Millis{1'767'323'045'678}};

SendResult judge(const HttpResponse& response) {
  return judge_answer(response, kSent, kSent + std::chrono::seconds{1}, rule_on_order);
}

TEST(Answer, IsRecordedAsItCame) {
  HttpResponse response;
  response.status = 503;
  response.body = "later";
  response.duration = Millis{120};
  response.headers = {{"retry-after", "4"}};
  const SendResult result = judge(response);
  EXPECT_EQ(result.end, SendEnd::kRetry);
  EXPECT_EQ(result.retry_after, Millis{4000});
  EXPECT_EQ(result.attempt.at, kSent);
  EXPECT_EQ(result.attempt.status, 503);
  EXPECT_EQ(result.attempt.answer, "later");
  EXPECT_EQ(result.attempt.duration, Millis{120});
  EXPECT_EQ(result.attempt.error, "");
}

TEST(Answer, ThatBrokeOffIsNone) {
  HttpResponse response;
  response.error = HttpError::kUnreachable;
  response.error_text = "the connection was closed in the middle of the answer";
  response.status = 200;
  const SendResult result = judge(response);
  EXPECT_EQ(result.end, SendEnd::kRetry)
      << "a 200 that hung up may have come from something in between";
  EXPECT_EQ(result.attempt.status, 200);
  EXPECT_EQ(result.attempt.error, response.error_text);
}

TEST(Answer, NoneAtAll) {
  HttpResponse response;
  response.error = HttpError::kTimeout;
  response.error_text = "no answer within 10s";
  const SendResult result = judge(response);
  EXPECT_EQ(result.end, SendEnd::kRetry);
  EXPECT_EQ(result.attempt.status, std::nullopt);
  EXPECT_EQ(result.attempt.error, "no answer within 10s");
}

TEST(Answer, ThatIsNoTextIsMadeOne) {
  HttpResponse response;
  response.status = 200;
  response.body = std::string("\xFF\x00z", 3);
  EXPECT_EQ(judge(response).attempt.answer, "\uFFFD\uFFFDz");
}

}  // namespace
}  // namespace rollwatch
