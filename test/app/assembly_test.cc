// From settings to parts.
#include "daemon/app/assembly.h"

#include <gmock/gmock.h>

namespace rollwatch {
namespace {

int part_of(int max_concurrency, std::size_t nodes) {
  Settings settings;
  settings.datasources["a"].max_concurrency = max_concurrency;
  return static_cast<int>(datasources_of(settings, nodes).at("a").max_concurrency);
}

TEST(AssemblyTest, EachNodeTakesItsPartOfADatasourcesConnections) {
  struct Row {
    int max_concurrency;
    std::size_t nodes;
    int part;
  };
  const std::vector<Row> rows = {
      {8, 1, 8}, {8, 2, 4}, {8, 3, 2}, {8, 8, 1}, {8, 9, 1}, {1, 1, 1}, {1, 3, 1}, {100, 7, 14},
  };
  for (const Row& row : rows)
    EXPECT_EQ(part_of(row.max_concurrency, row.nodes), row.part)
        << row.max_concurrency << " over " << row.nodes;
}

TEST(AssemblyTest, AllPartsTogetherAreNoMoreThanIsConfiguredUnlessEachHasOnlyOne) {
  for (int max_concurrency = 1; max_concurrency <= 64; ++max_concurrency) {
    for (int nodes = 1; nodes <= 80; ++nodes) {
      const int part = part_of(max_concurrency, static_cast<std::size_t>(nodes));
      EXPECT_GE(part, 1);
      EXPECT_TRUE(part == 1 || part * nodes <= max_concurrency) << max_concurrency << "/" << nodes;
    }
  }
}

}  // namespace
}  // namespace rollwatch
