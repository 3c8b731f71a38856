#include "daemon/app/memory.h"

#include <malloc.h>

namespace rollwatch {

namespace {

constexpr std::size_t kMuch = 8 << 20;  // and a quarter of all

}  // namespace

void allocate_together() { mallopt(M_ARENA_MAX, 2); }

bool give_memory_back() {
  const struct mallinfo2 heap = mallinfo2();
  if (heap.fordblks < kMuch || heap.fordblks < heap.arena / 4) return false;
  return malloc_trim(0) == 1;
}

}  // namespace rollwatch
