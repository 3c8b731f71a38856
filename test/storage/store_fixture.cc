#include "test/storage/store_fixture.h"

namespace rollwatch {
std::string StoreTest::listed(const ListFilter& filter, std::size_t limit) {
  std::string text;
  std::optional<std::string> cursor;
  do {
    const auto page = wait(store_->list(filter, limit, cursor));
    for (const StoredRollout& rollout : page.items) text += rollout.spec.id + " ";
    text += "/";
    cursor = page.next_cursor;
  } while (cursor);
  return text;
}

}  // namespace rollwatch
