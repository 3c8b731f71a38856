#include "daemon/engine/ids.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace rollwatch {
namespace {

SysTime at(std::int64_t millis) { return SysTime{Millis{millis}}; }

TEST(NewId, IsThePrefixAndTwentySixDigits) {
  struct Row {
    const char* name;
    std::int64_t millis;
    std::uint64_t random;
    const char* id;
  };
  const std::vector<Row> rows{
      {"epoch", 0, 0, "ro_00000000000000000000000000"},
      {"one", 1, 0, "ro_00000000010000000000000000"},
      {"a day in 2026", 1'767'323'045'678, 0, "ro_01kdypw0he0000000000000000"},
      {"every random bit", 0, ~std::uint64_t{0}, "ro_0000000000zzzzzzzzzzzzzzzz"},
      {"the last of 48 bits", (std::int64_t{1} << 48) - 1, 0, "ro_7zzzzzzzzz0000000000000000"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(new_id("ro", at(row.millis), [&row] { return row.random; }), row.id);
  }
}

TEST(NewId, UsesTheAlphabetWithoutLettersThatLookLikeDigits) {
  std::uint64_t seed = 7;
  for (int i = 0; i < 200; ++i) {
    const std::string id = new_id("ro", at(1'767'323'045'678 + i), [&seed] { return seed *= 0x9e3779b97f4a7c15ULL; });
    EXPECT_EQ(id.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz", 3), std::string::npos) << id;
  }
}

TEST(NewId, SortsByTimeWhateverTheRandomBits) {
  std::vector<std::string> ids;
  std::uint64_t random = ~std::uint64_t{0};
  for (const std::int64_t millis : {0LL, 1LL, 31LL, 32LL, 1023LL, 1024LL, 1'767'323'045'678LL, 1'767'323'045'679LL}) {
    ids.push_back(new_id("ro", at(millis), [&random] { return random; }));
    random = ~random;
  }
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
}

TEST(TimeOfId, ReadsBackWhatWentIn) {
  for (const std::int64_t millis : {0LL, 1LL, 1'767'323'045'678LL, (1LL << 48) - 1})
    EXPECT_EQ(time_of_id(new_id("ro", at(millis), [] { return ~std::uint64_t{0}; })), at(millis));
}

TEST(TimeOfId, IsTheEpochForWhatIsNoId) {
  for (const char* text : {"", "ro_", "ro_01kd", "no underscore", "ro_!!!!!!!!!!0000000000000000"})
    EXPECT_EQ(time_of_id(text), SysTime{}) << text;
}

}  // namespace
}  // namespace rollwatch
