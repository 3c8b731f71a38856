// operator new and delete of the daemon.
//
// A batch of answers makes and frees some dozens of objects for each of them. glibc keeps seven of
// a size by itself and walks through its heap for the rest, which by then is no longer in the
// processor's cache: a tenth of what an evaluation costs. Not under sanitizers, who want to see
// every block.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <malloc.h>

#include <cstdlib>
#include <new>

#include "daemon/app/kept_blocks.h"

// NOLINTBEGIN(cppcoreguidelines-no-malloc): what everybody else is to use is made of it.
namespace {

constinit thread_local rollwatch::KeptBlocks kept;

void* allocate(std::size_t size) {
  for (;;) {
    if (void* block = std::malloc(size)) return block;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* block = kept.take(size)) return block;
  return allocate(rollwatch::KeptBlocks::rounded(size));
}

void operator delete(void* block, std::size_t size) noexcept {
  if (block != nullptr && !kept.keep(block, size)) std::free(block);
}

void operator delete(void* block) noexcept {
  if (block != nullptr && !kept.keep_usable(block, malloc_usable_size(block))) std::free(block);
}
// NOLINTEND(cppcoreguidelines-no-malloc)

#endif
