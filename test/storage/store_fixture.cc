#include "test/storage/store_fixture.h"

#include "daemon/storage/sqlite_store.h"

namespace rollwatch {
namespace {

class SqliteHome : public StoreHome {
 public:
  std::unique_ptr<Store> open(net::any_io_executor io) override {
    return std::make_unique<SqliteStore>(std::move(io), dir_.path() / "rollwatch.db");
  }

 private:
  TempDir dir_;
};

}  // namespace

std::vector<StoreKind> store_kinds() {
  return {{"Sqlite", [] { return std::make_unique<SqliteHome>(); }}};
}

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
