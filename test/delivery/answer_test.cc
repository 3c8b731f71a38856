#include "daemon/delivery/answer.h"

#include <gtest/gtest.h>

namespace rollwatch {
namespace {

constexpr SysTime kSent{Millis{1'767'323'045'678}};

SendResult judge(const HttpResponse& response, const char* address = "http://deployer/") {
  return judge_answer(response, Secret(address), kSent, kSent + std::chrono::seconds{1},
                      rule_on_order);
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

// Express says "Cannot POST /path", Spring Boot {"path": "/path"}: who may read deliveries could
// then post orders.
TEST(Answer, ThatRepeatsTheAddressDoesNotTellIt) {
  struct Row {
    const char* name;
    const char* address;
    const char* answer;
    const char* kept;
  };
  const Row rows[] = {
      {"the path", "http://deployer:1/hook/s3cr3t", "Cannot POST /hook/s3cr3t, sorry",
       "Cannot POST …, sorry"},
      {"twice", "http://deployer/hook/s3cr3t", "/hook/s3cr3t /hook/s3cr3t", "… …"},
      {"path and query", "https://d/hook?key=s3cr3t", "no /hook?key=s3cr3t here", "no … here"},
      {"the query alone", "https://d/hook?key=s3cr3t", "unknown key=s3cr3t", "unknown …"},
      {"a query without a path", "https://d?key=s3cr3t", "unknown key=s3cr3t", "unknown …"},
      {"the whole address", "http://d/hook/s3cr3t", "http://d/hook/s3cr3t", "http://d…"},
      {"spelt otherwise", "https://d/services/T0/0123456789abcdefgh",
       R"({"path":"\/services\/T0\/0123456789abcdefgh"})", R"({"path":"\/services\/T0\/…"})"},
      {"a value of the query", "https://d/h?k=0123456789abcdefgh&x=1", "0123456789abcdefgh?", "…?"},
      {"no path", "http://deployer", "http://deployer is away", "http://deployer is away"},
      {"a path that is none to speak of", "http://deployer/", "a/b", "a/b"},
  };
  for (const Row& row : rows) {
    HttpResponse response;
    response.status = 500;
    response.body = row.answer;
    EXPECT_EQ(judge(response, row.address).attempt.answer, row.kept) << row.name;
  }
}

}  // namespace
}  // namespace rollwatch
