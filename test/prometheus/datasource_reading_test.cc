#include "daemon/prometheus/datasource_reading.h"

#include <gtest/gtest.h>

namespace rollwatch {
namespace {

constexpr SysTime kFirst{Millis{1'000}}, kLater{Millis{2'000}}, kLast{Millis{3'000}};

Answer failure_of(FailureKind kind, const std::string& message) {
  Answer answer;
  answer.result = QueryFailure{kind, message, 0};
  return answer;
}

TEST(DatasourceReading, SinceWhenItAnswersIsKept) {
  DatasourceReading reading;
  EXPECT_EQ(reading.up, std::nullopt);
  EXPECT_TRUE(reading.note(Answer{}, kFirst));
  EXPECT_FALSE(reading.note(Answer{}, kLater)) << "as before";
  EXPECT_EQ(reading.up, true);
  EXPECT_EQ(reading.since, kFirst);
  EXPECT_EQ(reading.last_answer_at, kLater);
  EXPECT_TRUE(reading.note(failure_of(FailureKind::kTimeout, "no answer"), kLast));
  EXPECT_EQ(reading.up, false);
  EXPECT_EQ(reading.since, kLast);
  EXPECT_EQ(reading.last_answer_at, kLater);
}

TEST(DatasourceReading, ARefusedQueryIsAnAnswerAndAWaitIsNone) {
  DatasourceReading reading;
  EXPECT_FALSE(reading.note(failure_of(FailureKind::kOverload, "busy"), kFirst));
  EXPECT_EQ(reading.up, std::nullopt);
  EXPECT_TRUE(reading.note(failure_of(FailureKind::kBadQuery, "parse error"), kLater));
  EXPECT_EQ(reading.up, true);
  EXPECT_EQ(reading.last_answer_at, kLater);
}

TEST(DatasourceReading, WhatEndsIsCounted) {
  DatasourceReading reading;
  reading.count(Answer{}, kFirst);
  reading.count(failure_of(FailureKind::kOverload, "waited 10s"), kLater);
  reading.count(Answer{}, kLast);
  EXPECT_EQ(reading.queries, 3U);
  EXPECT_EQ(reading.failures, 1U);
  EXPECT_EQ(reading.last_error, "waited 10s");
  EXPECT_EQ(reading.last_error_at, kLater);
}

}  // namespace
}  // namespace rollwatch
