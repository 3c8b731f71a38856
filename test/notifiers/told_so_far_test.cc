#include "notifiers/told_so_far.h"

#include <gtest/gtest.h>

namespace rollwatch {
namespace {

TEST(ToldSoFar, TextOfOtherVersionsIsPassedOver) {
  for (const char* text : {"", "{", "{}", "7", R"([7])", R"([{"kind":"silence"}])",
                           R"([{"kind":"flood","name":"x","notifier":"people","told":true,)"
                           R"("since":"2026-01-02T03:04:05Z","told_at":"2026-01-02T03:04:05Z",)"
                           R"("went_on":0}])"}) {
    SCOPED_TRACE(text);
    ToldSoFar so_far;
    so_far.read_text(text);
    EXPECT_EQ(so_far.to_text(), "[]");
  }
}

TEST(ToldSoFar, ACopyIsNotChangedWithTheOriginal) {
  const Matter matter = silence_matter("default");
  ToldSoFar before;
  RolloutSpec spec;
  spec.id = "ro_a";
  before.join(matter, spec, true);
  before.change(matter, "people").went_on = 1;
  ToldSoFar after = before;
  EXPECT_TRUE(after.is_same_as(before));
  after.join(matter, spec, true);
  EXPECT_TRUE(after.is_same_as(before)) << "it was there";
  ++after.change(matter, "people").went_on;
  EXPECT_FALSE(after.is_same_as(before));
  EXPECT_EQ(before.telling(matter, "people")->went_on, 1U);
  EXPECT_EQ(after.telling(matter, "people")->went_on, 2U);
  after.end(matter, "people", SysTime{Millis{7}});
  EXPECT_EQ(after.telling(matter, "people"), nullptr);
  EXPECT_EQ(after.ended_at(matter, "people"), SysTime{Millis{7}});
  EXPECT_FALSE(before.ended_at(matter, "people"));
  after.forget(matter, "people");
  after.leave(matter, "ro_a");
  EXPECT_TRUE(after.is_same_as(ToldSoFar{}));
  EXPECT_NE(before.telling(matter, "people"), nullptr);
}

}  // namespace
}  // namespace rollwatch
