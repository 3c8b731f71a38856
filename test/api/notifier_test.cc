// A test message to a notifier: what is asked, and how the raw answer is shown.
#include <nlohmann/json.hpp>

#include "test/api/api_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class NotifierTest : public ApiTest {
 protected:
  std::string test(const std::string& name, const std::string& body = "") {
    return ask("POST", "/api/v1/notifiers/" + name + "/test", body,
               {{"content-type", "application/json"}})
        .body;
  }
};

TEST_F(NotifierTest, TheRawAnswerIsShown) {
  SendResult taken;
  taken.end = SendEnd::kDone;
  taken.attempt.at = kSampleTime;
  taken.attempt.status = 200;
  taken.attempt.duration = Millis{12};
  taken.attempt.answer = "ok";
  test_answers["releases"] = taken;
  EXPECT_EQ(test("releases"),
            R"({"name":"releases","outcome":"done","at":"2026-01-02T03:04:05.678Z","status":200,)"
            R"("error":null,"duration_ms":12,"answer":"ok"})"
            "\n");
  EXPECT_EQ(test("releases", R"({"by": "ana"})").substr(0, 20), R"({"name":"releases",")");
  EXPECT_THAT(tests, ElementsAre("releases local", "releases ana"));
}

TEST_F(NotifierTest, ARefusalAndNoAnswerAreAnswersToo) {
  SendResult refused;
  refused.end = SendEnd::kRefused;
  refused.attempt.status = 404;
  refused.attempt.error = "refused: no_service";
  refused.attempt.answer = "no_service";
  SendResult lost;
  lost.attempt.error = "connection refused";
  test_answers = {{"gone", refused}, {"away", lost}};
  const auto gone = nlohmann::json::parse(test("gone"));
  EXPECT_EQ(gone["outcome"], "refused");
  EXPECT_EQ(gone["status"], 404);
  EXPECT_EQ(gone["answer"], "no_service");
  const auto away = nlohmann::json::parse(test("away"));
  EXPECT_EQ(away["outcome"], "failed");
  EXPECT_TRUE(away["status"].is_null());
  EXPECT_EQ(away["error"], "connection refused");
}

TEST_F(NotifierTest, WhatCannotBeAskedSendsNothing) {
  EXPECT_EQ(problem_of(ask("POST", "/api/v1/notifiers/nobody/test")),
            "404 there is no notifier \"nobody\"");
  tests.clear();
  for (const char* body : {R"({"bye": "ana"})", R"({"by": 1})", R"({"by": ""})"})
    EXPECT_EQ(
        ask("POST", "/api/v1/notifiers/releases/test", body, {{"content-type", "application/json"}})
            .status,
        422)
        << body;
  EXPECT_EQ(ask("POST", "/api/v1/notifiers/releases/test?x=1").status, 422);
  EXPECT_EQ(ask("GET", "/api/v1/notifiers/releases/test").status, 405);
  EXPECT_THAT(tests, IsEmpty());
}

}  // namespace
}  // namespace rollwatch
