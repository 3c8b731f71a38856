// Which evaluations of long ago stay.
#include "daemon/storage/thinning.h"

#include <gtest/gtest.h>

namespace rollwatch {
namespace {

struct Case {
  std::string name;
  std::string slots;         // of one condition: . passes, x does not, | is where a step ends
  std::vector<int> decided;  // between slot n-1 and slot n
  std::string left;          // the same, with _ for what is gone
};

SysTime at(std::size_t slot) { return SysTime(Millis(1'000 * (slot + 1))); }

// Every second row is of another condition, which always fails.
std::vector<ThinRow> rows_of(const std::string& slots) {
  std::vector<ThinRow> rows;
  int step = 0;
  std::size_t slot = 0;
  for (const char c : slots) {
    if (c == '|') {
      ++step;
      continue;
    }
    const auto number = static_cast<std::uint32_t>(2 * slot + 1);
    rows.push_back({number, "errors", at(slot), c == '.', step});
    rows.push_back({number + 1, "another", at(slot), false, step});
    ++slot;
  }
  return rows;
}

std::string left_of(const Case& row) {
  std::vector<SysTime> decided;
  for (const int slot : row.decided)
    decided.push_back(at(static_cast<std::size_t>(slot)) - Millis(500));
  std::string left = row.slots;
  for (const std::uint32_t number : superfluous(rows_of(row.slots), decided)) {
    EXPECT_EQ(number % 2, 1U) << "of the condition that always fails";
    std::size_t slot = (number - 1) / 2;
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (left[i] == '|') continue;
      if (slot-- == 0) left[i] = '_';
    }
  }
  return left;
}

TEST(Thinning, WhatStays) {
  const std::vector<Case> rows = {
      {"nothing", "", {}, ""},
      {"one", ".", {}, "."},
      {"two", "..", {}, ".."},
      {"the ends", ".....", {}, ".___."},
      {"what did not pass, with what is beside it", ".....x.....", {}, ".___.x.___."},
      {"nothing passed", "xxxxxx", {}, "xxxxxx"},
      {"a step's ends", ".....|.....", {}, ".___.|.___."},
      {"one in ten", ".........................", {}, "._________._________.___."},
      {"counted from the latest change", "......x..............", {}, ".____.x._________.__."},
      {"around a decision", "..........", {5}, ".__..._ __."},
      {"around the first", "..........", {0}, ".________."},
      {"two decisions at once", "..........", {5, 5}, ".__..._ __."},
      {"a decision after all of them", "..........", {20}, "._______.."},
  };
  for (Case row : rows) {
    std::erase(row.left, ' ');
    EXPECT_EQ(left_of(row), row.left) << row.name;
  }
}

TEST(Thinning, EachConditionByItself) {
  std::vector<ThinRow> rows;
  for (std::uint32_t i = 0; i < 3'000; ++i)
    rows.push_back({i + 1, "condition-" + std::to_string(i % 10), at(i), true, 0});
  std::vector<int> left(10, 300);
  for (const std::uint32_t number : superfluous(rows, {})) --left[(number - 1) % 10];
  for (const int count : left) EXPECT_EQ(count, 31) << "one in ten, and the last";
}

TEST(Thinning, APieceEndsBeforeWhatIsTooNewAndGoesOnThere) {
  ThinPiece piece;
  EXPECT_TRUE(piece.add({1, "errors", at(1), true, 0}, at(2)));
  EXPECT_FALSE(piece.add({2, "errors", at(2), true, 0}, at(2)));
  EXPECT_EQ(piece.rows.size(), 1U);
  EXPECT_EQ(piece.next, at(2));
  ThinPiece large;
  for (std::uint32_t i = 1; i <= kThinRows; ++i)
    ASSERT_TRUE(large.add({i, "errors", at(i), true, 0}, at(1'000'000)));
  EXPECT_EQ(large.next, std::nullopt);
  EXPECT_FALSE(large.add({9'999, "errors", at(9'999), true, 0}, at(1'000'000)));
  EXPECT_EQ(large.next, at(9'999));
}

}  // namespace
}  // namespace rollwatch
