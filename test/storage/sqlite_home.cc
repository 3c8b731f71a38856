// SQLite as a home of the common suite.
#include "daemon/storage/sqlite_store.h"
#include "test/storage/store_fixture.h"

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

}  // namespace rollwatch
