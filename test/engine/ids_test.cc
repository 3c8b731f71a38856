#include "daemon/engine/ids.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rollwatch {
namespace {

SysTime at(std::int64_t millis) { return SysTime{Millis{millis}}; }

TEST(IdSequence, IsThePrefixAndTwentySixDigits) {
  struct Row {
    const char* name;
    std::int64_t millis;
    std::uint64_t random;
    const char* id;
  };
  const std::vector<Row> rows{
      {"one", 1, 0, "ro_00000000010000000000000000"},
      {"a day in 2026", 1'767'323'045'678, 0, "ro_01kdyak3se0000000000000000"},
      {"every random bit", 1, ~std::uint64_t{0}, "ro_0000000001zzzzzzzzzzzzzzzz"},
      {"the last of 48 bits", (std::int64_t{1} << 48) - 1, 0, "ro_7zzzzzzzzz0000000000000000"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    IdSequence ids([&row] { return row.random; });
    EXPECT_EQ(ids.next("ro", at(row.millis)), row.id);
  }
}

TEST(IdSequence, UsesTheAlphabetWithoutLettersThatLookLikeDigits) {
  std::uint64_t seed = 7;
  IdSequence ids([&seed] { return seed *= 0x9e3779b97f4a7c15ULL; });
  for (int i = 0; i < 200; ++i) {
    const std::string id = ids.next("ro", at(1'767'323'045'678 + i));
    EXPECT_EQ(id.size(), 29U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz", 3), std::string::npos) << id;
  }
}

TEST(IdSequence, EveryIdSortsAfterTheOnesBefore) {
  struct Row {
    const char* name;
    std::uint64_t random;
    std::vector<std::int64_t> times;
  };
  const std::vector<Row> rows{
      {"time goes on", 1, {1, 2, 31, 32, 1023, 1024, 1'767'323'045'678, 1'767'323'045'679}},
      {"within a millisecond", 1, {5, 5, 5, 5, 5}},
      {"the clock is put back",
       1,
       {1'767'323'045'678, 1'767'319'445'678, 1, 1'767'323'045'678, 1'767'323'045'679}},
      {"the low bits run over", ~std::uint64_t{0}, {5, 5, 5, 4, 6}},
  };
  for (const Row& row : rows) {
    IdSequence ids([&row] { return row.random; });
    std::string before;
    for (const std::int64_t time : row.times) {
      const std::string id = ids.next("ro", at(time));
      EXPECT_GT(id, before) << row.name << ": " << time;
      before = id;
    }
  }
}

TEST(IdSequence, GoesOnAfterOneOfAnEarlierProcess) {
  struct Row {
    const char* name;
    const char* id;
    bool counts;
  };
  const std::vector<Row> rows{
      {"later than now", "ro_01kdyak3sezzzzzzzzzzzzzzzz", true},
      {"earlier than now", "ro_0000000001zzzzzzzzzzzzzzzz", true},
      {"nothing", "", false},
      {"no prefix", "01kdyak3sezzzzzzzzzzzzzzzz", false},
      {"too short", "ro_01kdyak3se", false},
      {"too long", "ro_01kdyak3sezzzzzzzzzzzzzzzzz", false},
      {"other letters", "ro_01kdyak3selllllllluuuuuuuu", false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    IdSequence ids([] { return std::uint64_t{1}; });
    ids.go_on_after(row.id);
    const std::string next = ids.next("ro", at(1'000'000));
    if (row.counts) {
      EXPECT_GT(next, row.id);
    } else {
      EXPECT_EQ(next, "ro_000000ygj00000000100000001");  // as if it had not been told
    }
  }
}

}  // namespace
}  // namespace rollwatch
