// Small blocks of memory that one thread has freed and gets again, before the C library is asked.
#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace rollwatch {

// Filled with zeros it is empty, and it has nothing to destroy: as a thread_local it is there
// before everything else of its thread and after it. What it holds then stays the process's: meant
// for threads that live as long as that.
class KeptBlocks {
 public:
  // glibc's own sizes: 24, 40, 56, … bytes. What is asked for is rounded up to one of them, so
  // nothing is lost.
  static constexpr std::size_t kSmallest = 24;
  static constexpr std::size_t kStep = 16;
  static constexpr std::size_t kSizes = 64;
  static constexpr std::size_t kLargest = kSmallest + (kSizes - 1) * kStep;
  // So many bytes of each size.
  static constexpr std::size_t kMost = 8 * 1024;

  // How much to allocate for so much, so that the block can be kept when it is freed.
  static constexpr std::size_t rounded(std::size_t size) {
    return size > kLargest ? size : size_of(place_of(size));
  }

  // One of at least that size; nullptr if there is none.
  void* take(std::size_t size) {
    if (size > kLargest) return nullptr;
    const std::size_t place = place_of(size);
    Blocks& kept = kept_[place];
    if (kept.first == nullptr) return nullptr;
    Block* block = kept.first;
    kept.first = block->next;
    kept.bytes -= size_of(place);
    return block;
  }

  // Whether it was kept. `size` is what was asked for.
  bool keep(void* block, std::size_t size) {
    return size <= kLargest && keep_at(place_of(size), block);
  }

  // The same, where only what can be used of the block is known: with another allocator in the
  // place of glibc's that lies between two sizes, and the block has room for the smaller one.
  bool keep_usable(void* block, std::size_t usable) {
    return usable >= kSmallest && usable < kLargest + kStep &&
           keep_at((usable - kSmallest) / kStep, block);
  }

 private:
  struct Block {
    Block* next;
  };
  struct Blocks {
    Block* first = nullptr;
    std::size_t bytes = 0;
  };

  bool keep_at(std::size_t place, void* block) {
    Blocks& kept = kept_[place];
    if (kept.bytes + size_of(place) > kMost) return false;
    kept.first = new (block) Block{kept.first};
    kept.bytes += size_of(place);
    return true;
  }

  static constexpr std::size_t size_of(std::size_t place) { return kSmallest + place * kStep; }
  static constexpr std::size_t place_of(std::size_t size) {
    return size <= kSmallest ? 0 : (size - kSmallest + kStep - 1) / kStep;
  }

  std::array<Blocks, kSizes> kept_{};
};

}  // namespace rollwatch
