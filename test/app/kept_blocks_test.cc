#include "daemon/app/kept_blocks.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace rollwatch {
namespace {

class KeptBlocksTest : public testing::Test {
 protected:
  ~KeptBlocksTest() override {
    for (std::size_t size = 1; size <= KeptBlocks::kLargest; ++size)
      while (void* block = kept_.take(size)) std::free(block);
  }
  static void* make(std::size_t size) { return std::malloc(KeptBlocks::rounded(size)); }

  KeptBlocks kept_;
};

TEST_F(KeptBlocksTest, WhatWasFreedLastIsGivenOutFirst) {
  EXPECT_EQ(kept_.take(40), nullptr);
  void* first = make(40);
  void* second = make(33);  // of the same size as 40
  ASSERT_TRUE(kept_.keep(first, 40));
  ASSERT_TRUE(kept_.keep(second, 33));
  EXPECT_EQ(kept_.take(41), nullptr) << "none of them is so large";
  EXPECT_EQ(kept_.take(24), nullptr);
  EXPECT_EQ(kept_.take(36), second);
  EXPECT_EQ(kept_.take(40), first);
  EXPECT_EQ(kept_.take(40), nullptr);
  std::free(first);
  std::free(second);
}

// With an allocator whose sizes are others: what was to be found by its size had less room than
// that.
TEST_F(KeptBlocksTest, WhatCanBeUsedIsRoundedDown) {
  struct Row {
    std::size_t usable, fits, too_much;  // fits 0: it is not kept
  };
  const std::size_t most = KeptBlocks::kLargest;
  const std::size_t step = KeptBlocks::kStep;
  for (const Row& row : {Row{8, 0, 0}, Row{16, 0, 0}, Row{24, 24, 25}, Row{32, 24, 25},
                         Row{48, 40, 41}, Row{56, 56, 57}, Row{64, 56, 57}, Row{most, most, 0},
                         Row{most + step - 1, most, 0}, Row{most + step, 0, 0}}) {
    SCOPED_TRACE(row.usable);
    void* block = std::malloc(row.usable);
    EXPECT_EQ(kept_.keep_usable(block, row.usable), row.fits > 0);
    if (row.too_much > 0) {
      EXPECT_EQ(kept_.take(row.too_much), nullptr);
    }
    if (row.fits > 0) {
      EXPECT_EQ(kept_.take(row.fits), block);
    }
    std::free(block);
  }
}

TEST_F(KeptBlocksTest, NothingIsAsASmallOne) {
  void* block = make(0);
  ASSERT_TRUE(kept_.keep(block, 0));
  EXPECT_EQ(kept_.take(1), block);
  std::free(block);
}

TEST_F(KeptBlocksTest, LargeOnesAreNotKept) {
  void* block = std::malloc(KeptBlocks::kLargest + 1);
  EXPECT_EQ(KeptBlocks::rounded(KeptBlocks::kLargest + 1), KeptBlocks::kLargest + 1);
  EXPECT_FALSE(kept_.keep(block, KeptBlocks::kLargest + 1));
  EXPECT_EQ(kept_.take(KeptBlocks::kLargest + 1), nullptr);
  std::free(block);
}

TEST_F(KeptBlocksTest, OfEachSizeOnlySoMuchIsKept) {
  std::size_t count = 0;
  for (;; ++count) {
    void* block = make(1'000);
    if (kept_.keep(block, 1'000)) continue;
    std::free(block);
    break;
  }
  EXPECT_EQ(count, KeptBlocks::kMost / KeptBlocks::rounded(1'000));
  void* other = make(500);
  EXPECT_TRUE(kept_.keep(other, 500)) << "of another size there is none yet";
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// The library's sizes are ours, or rounding up would cost memory, and a block's usable size would
// not say which it is.
TEST_F(KeptBlocksTest, RoundedIsWhatTheLibraryGivesAnyway) {
  for (std::size_t size = 1; size <= KeptBlocks::kLargest; ++size) {
    void* block = std::malloc(size);
    EXPECT_GE(malloc_usable_size(block), KeptBlocks::rounded(size));
    EXPECT_LE(malloc_usable_size(block), KeptBlocks::rounded(size) + KeptBlocks::kStep);
    std::free(block);
  }
}
#endif  // which has sizes of its own

// Anything in any order: every block that is given out has room for what was asked for (a sanitizer
// looks on), is nobody else's, and none is lost.
TEST_F(KeptBlocksTest, NoBlockIsTwoPeoples) {
  std::mt19937 random(7);
  std::map<void*, std::size_t> used;
  std::set<void*> kept;
  for (int i = 0; i < 50'000; ++i) {
    if (used.size() < 200 || random() % 2 == 0) {
      const std::size_t size = random() % 1'200;
      void* block = kept_.take(size);
      if (block == nullptr)
        block = make(size);
      else
        ASSERT_EQ(kept.erase(block), 1u);
      ASSERT_TRUE(used.emplace(block, size).second);
      std::memset(block, 0xa5, size);
    } else {
      const auto one = std::next(used.begin(), static_cast<long>(random() % used.size()));
      const auto [block, size] = *one;
      used.erase(one);
      if (kept_.keep(block, size))
        ASSERT_TRUE(kept.insert(block).second);
      else
        std::free(block);
    }
  }
  for (const auto& [block, size] : used) std::free(block);
}

}  // namespace
}  // namespace rollwatch
