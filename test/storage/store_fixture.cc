#include "test/storage/store_fixture.h"

#include <cstdlib>
#include <stdexcept>

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

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "rollwatch-store-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

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
