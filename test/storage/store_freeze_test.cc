// Freezes: one record for each service, and one for everything.
#include <gmock/gmock.h>

#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

FreezeRecord freeze_of(const std::string& ns, const std::string& service) {
  FreezeRecord freeze;
  freeze.ns = ns;
  freeze.service = service;
  freeze.by = "ana";
  freeze.reason = "stock\ntaking, \"…\"";
  freeze.since = kNow;
  return freeze;
}

class StoreFreezeTest : public StoreTest {
 protected:
  void put(const FreezeRecord& freeze) {
    wait([](Store& store, FreezeRecord put) -> awaitable<bool> {
      co_await store.put_freeze(std::move(put));
      co_return true;
    }(*store_, freeze));
  }
};

TEST_P(StoreFreezeTest, ThereIsNoneAtFirst) { EXPECT_THAT(wait(store_->freezes()), IsEmpty()); }

TEST_P(StoreFreezeTest, ComesBackWholeAfterReopening) {
  const FreezeRecord everything = freeze_of("", "");
  FreezeRecord whole = freeze_of("payments", "checkout");
  whole.until = kNow + Millis(1);
  whole.lifted_at = kNow + Millis(2);
  whole.lifted_by = "ben";
  whole.lift_reason = "done";
  whole.via = {"on-call", "10.1.2.3"};
  whole.lifted_via = {"ci", "10.1.2.4"};
  put(whole);
  put(everything);
  reopen();
  EXPECT_THAT(wait(store_->freezes()), ElementsAre(everything, whole));
}

TEST_P(StoreFreezeTest, ALaterOneReplacesTheOneOfTheSameService) {
  const FreezeRecord cart = freeze_of("payments", "cart");
  put(cart);
  FreezeRecord first = freeze_of("payments", "checkout");
  first.until = kNow;
  put(first);
  FreezeRecord second = freeze_of("payments", "checkout");
  second.by = "ben";
  put(second);
  EXPECT_THAT(wait(store_->freezes()), ElementsAre(cart, second));
}

// No names can run into each other.
TEST_P(StoreFreezeTest, NamesAreKeptApart) {
  put(freeze_of("a", "bc"));
  put(freeze_of("ab", "c"));
  EXPECT_EQ(wait(store_->freezes()).size(), 2U);
}

ROLLWATCH_FOR_EVERY_STORE(StoreFreezeTest);

}  // namespace
}  // namespace rollwatch
