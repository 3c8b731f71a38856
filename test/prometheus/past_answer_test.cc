#include "daemon/prometheus/past_answer.h"

#include <gmock/gmock.h>

#include <cmath>

#include "daemon/prometheus/answer_parser.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;

// Every 10 s from 100 to 130.
PastQuestion four_slots() {
  return {"default", "x", SysTime(Millis(100'000)), SysTime(Millis(130'000)), Millis(10'000)};
}

Past read(const std::string& body, int status = 200) {
  return past_of(four_slots(), parse_answer("default", status, "application/json",
                                            std::make_shared<const std::string>(body)));
}

std::string matrix(const std::string& result) {
  return R"({"status":"success","data":{"resultType":"matrix","result":[)" + result + "]}}";
}

TEST(PastAnswer, EachTimeHasTheSeriesThatHadAValue) {
  const Past past =
      read(matrix(R"({"metric":{"pod":"a"},"values":[[100,"1"],[110,"2"],[130,"+Inf"]]},)"
                  R"({"metric":{"pod":"b"},"values":[[130.0,"NaN"]]})"));
  ASSERT_TRUE(past) << past.error();
  ASSERT_EQ(past->size(), 4u);
  EXPECT_EQ((*past)[2].at, SysTime(Millis(120'000)));
  std::vector<std::size_t> sizes;
  for (const PastSlot& slot : *past)
    sizes.push_back(std::get<Vector>(slot.answer.result).series.size());
  EXPECT_THAT(sizes, testing::ElementsAre(1, 1, 0, 2));
  const auto& last = std::get<Vector>(past->back().answer.result).series;
  EXPECT_TRUE(std::isinf(last[0].value));
  EXPECT_TRUE(std::isnan(last[1].value));
  EXPECT_EQ(last[1].labels, (std::vector<Label>{{"pod", "b"}}));
}

TEST(PastAnswer, NothingIsFourEmptySlots) {
  const Past past = read(matrix(""));
  ASSERT_TRUE(past);
  EXPECT_EQ(past->size(), 4u);
}

TEST(PastAnswer, WhatIsNoneSaysWhy) {
  struct Row {
    std::string body;
    std::string why;
    int status = 200;
  };
  const Row rows[] = {
      {R"({"status":"success","data":{"resultType":"vector","result":[]}})", "something else"},
      {R"({"status":"error","errorType":"bad_data","error":"parse error"})", "parse error", 400},
      {matrix(R"({"metric":{},"values":[[100,"1"]]})") + "x", "not an answer"},
      {matrix(R"({"metric":{}})"), "a series without"},
      {matrix(R"({"metric":{"a":1},"values":[]})"), "is not a string"},
      {matrix(R"({"metric":{},"values":[[true,"1"]]})"), "API"},
      {R"({"status":"success","warnings":["a store is away"],"data":{"resultType":"matrix","result":[]}})",
       "not whole: a store is away"},
  };
  for (const Row& row : rows) {
    const Past past = read(row.body, row.status);
    ASSERT_FALSE(past) << row.body;
    EXPECT_THAT(past.error(), HasSubstr(row.why)) << row.body;
  }
}

TEST(PastAnswer, ValuesBetweenTheSlotsAreLeftOut) {
  const Past past = read(matrix(R"({"metric":{},"values":[[105,"1"],[90,"1"],[140,"1"]]})"));
  ASSERT_TRUE(past);
  for (const PastSlot& slot : *past)
    EXPECT_TRUE(std::get<Vector>(slot.answer.result).series.empty());
}

TEST(PastAnswer, AQuestionWithoutTimeHasNoSlots) {
  PastQuestion question = four_slots();
  question.step = Millis{0};
  EXPECT_EQ(slots_in(question), 0u);
  std::swap(question.first, question.last);
  question.step = Millis{1};
  EXPECT_EQ(slots_in(question), 0u);
}

}  // namespace
}  // namespace rollwatch
