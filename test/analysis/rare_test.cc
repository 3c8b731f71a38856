// Values that take no memory where they are not: they behave as what they stand for.
#include "analysis/rare.h"

#include <gtest/gtest.h>

#include "analysis/time.h"

namespace rollwatch {
namespace {

TEST(MaybeTime, IsATimeOrNone) {
  MaybeTime time;
  EXPECT_FALSE(time);
  EXPECT_EQ(time, std::nullopt);
  EXPECT_EQ(time.value_or(SysTime(Millis(7))), SysTime(Millis(7)));

  time = SysTime{};  // the epoch is a time like any other
  ASSERT_TRUE(time);
  EXPECT_EQ(*time, SysTime{});
  *time += Millis(5);
  EXPECT_EQ(time, SysTime(Millis(5)));
  EXPECT_EQ(std::optional<SysTime>(time), SysTime(Millis(5)));

  time.reset();
  EXPECT_EQ(std::optional<SysTime>(time), std::nullopt);
  EXPECT_EQ(MaybeTime(std::optional<SysTime>()), MaybeTime());
  EXPECT_EQ(time.emplace(), SysTime{});
  EXPECT_TRUE(time);
}

TEST(RareText, IsATextThatIsMostlyEmpty) {
  static_assert(sizeof(RareText) == sizeof(void*));
  RareText text;
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(text, "");
  EXPECT_TRUE(RareText(std::string()).empty());

  text = std::string("refused");
  EXPECT_EQ(text, "refused");
  const RareText copy = text;
  text.clear();
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(copy.text(), "refused");
  EXPECT_FALSE(copy == text);
}

TEST(RarePairs, AreAMapThatIsMostlyEmpty) {
  static_assert(sizeof(RarePairs) == sizeof(void*));
  RarePairs pairs;
  EXPECT_TRUE(pairs.empty());
  EXPECT_EQ(pairs.size(), 0U);
  EXPECT_TRUE(pairs.find("tier") == pairs.end());

  pairs["tier"] = "web";
  pairs["app"] = "shop";
  EXPECT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs.begin()->first, "app");
  EXPECT_EQ(pairs.find("tier")->second, "web");
  EXPECT_EQ(pairs, (RarePairs{{"app", "shop"}, {"tier", "web"}}));

  const RarePairs copy = pairs;
  pairs["tier"] = "batch";
  EXPECT_EQ(copy.find("tier")->second, "web");
  EXPECT_FALSE(copy == pairs);
  EXPECT_EQ(RarePairs(RarePairs::Map{}), RarePairs());
}

TEST(Seldom, IsMadeWhenItIsWrittenTo) {
  Seldom<std::string> text;
  EXPECT_EQ(text.touched(), nullptr);
  EXPECT_TRUE(text->empty());
  EXPECT_EQ(text.touched(), nullptr) << "reading must not make it";
  text.made() = "it";
  ASSERT_NE(text.touched(), nullptr);
  EXPECT_EQ(*text, "it");
  EXPECT_EQ(Seldom<std::string>(std::string()).touched(), nullptr);
}

}  // namespace
}  // namespace rollwatch
