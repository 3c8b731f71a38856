#include "daemon/app/memory.h"

#include <malloc.h>
#include <sys/resource.h>

namespace rollwatch {

std::size_t allow_many_files() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return 0;
  const rlimit all{files.rlim_max, files.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &all) == 0) files = all;
  return files.rlim_cur;
}

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
