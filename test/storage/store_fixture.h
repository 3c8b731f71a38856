// What every implementation of the store is tested in: a home that outlives it, so that a test can
// close and reopen, and a way to wait for its answers.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/engine/store.h"
#include "test/storage/samples.h"
#include "test/support/process.h"

namespace rollwatch {

// Where a store keeps its data for the length of a test.
class StoreHome {
 public:
  virtual ~StoreHome() = default;
  virtual std::unique_ptr<Store> open(net::any_io_executor io) = 0;
};

struct StoreKind {
  std::string name;
  std::function<std::unique_ptr<StoreHome>()> make_home;
};
std::vector<StoreKind> store_kinds();

// Runs one question to its end on an io_context of its own turn; what it throws comes out here.
template <class T>
T wait_for(net::io_context& io, awaitable<T> work) {
  std::optional<T> result;
  std::exception_ptr failure;
  net::co_spawn(io, std::move(work), [&](std::exception_ptr error, T value) {
    failure = error;
    result = std::move(value);
  });
  io.restart();
  io.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*result);
}

class StoreTest : public testing::TestWithParam<StoreKind> {
 protected:
  StoreTest() : home_(GetParam().make_home()) { reopen(); }
  ~StoreTest() override { close(); }

  void close() {
    if (store_) store_->close();
    store_.reset();
  }
  void reopen() {
    close();
    store_ = home_->open(io_.get_executor());
  }
  template <class T>
  T wait(awaitable<T> work) {
    return wait_for(io_, std::move(work));
  }
  std::vector<Recorded> record(std::vector<Commit> commits) {
    return wait(store_->record(std::move(commits)));
  }
  Recorded record_one(Commit commit) { return record(list_of(std::move(commit))).at(0); }
  // The message of the StoreError with which the store refuses, "" if it does not.
  std::string refusal(std::vector<Commit> commits) {
    try {
      record(std::move(commits));
      return "";
    } catch (const StoreError& error) {
      return error.what();
    }
  }
  // The ids of a list, page by page, pages divided by "/".
  std::string listed(const ListFilter& filter, std::size_t limit);

  net::io_context io_;
  std::unique_ptr<StoreHome> home_;
  std::unique_ptr<Store> store_;
};

}  // namespace rollwatch

// All tests of the suite hold for every kind of store.
#define ROLLWATCH_FOR_EVERY_STORE(suite)                                         \
  INSTANTIATE_TEST_SUITE_P(, suite, testing::ValuesIn(rollwatch::store_kinds()), \
                           [](const auto& info) { return info.param.name; })
