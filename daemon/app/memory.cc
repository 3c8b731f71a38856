#include "daemon/app/memory.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>

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

// The parts of one program or library that are mapped as they are in its file: what is let go of
// them is read again when it is touched. (What was relocated is in a writable part, and stays.)
int let_go(dl_phdr_info* library, std::size_t, void*) {
  static const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = library->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (library->dlpi_addr + part.p_vaddr) & ~(page - 1);
    const std::uintptr_t end = library->dlpi_addr + part.p_vaddr + part.p_memsz;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address is what the linker tells.
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void let_go_of_code() { dl_iterate_phdr(let_go, nullptr); }

void allocate_together() {
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_MXFAST, 0);
}

bool give_memory_back() {
  const struct mallinfo2 heap = mallinfo2();
  if (heap.fordblks < kMuch || heap.fordblks < heap.arena / 4) return false;
  return malloc_trim(0) == 1;
}

}  // namespace rollwatch
