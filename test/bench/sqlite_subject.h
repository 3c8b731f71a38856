// A SQLite store as the benchmark drives it: one caller that waits for each answer, as the engine
// does, and what the store's own threads use of the processor.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/storage/sqlite_store.h"

namespace rollwatch::bench {

// Milliseconds.
double steady_now();
double cpu_of_process();
double cpu_of_this_thread();
double resident_megabytes();

// A rollout as it is after a while, with one condition; what a slot of it adds.
std::string rollout_id(int rollout);
Commit registration(int rollout);
Commit slot_commit(int rollout, unsigned number);
StoredEvaluation evaluation(unsigned number, int step);

class StoreSubject {
 public:
  explicit StoreSubject(const std::filesystem::path& file)
      : store_(std::make_unique<SqliteStore>(io_.get_executor(), file)) {}

  SqliteStore& store() { return *store_; }

  template <class T>
  T wait(awaitable<T> work) {
    std::optional<T> result;
    std::exception_ptr failure;
    net::co_spawn(io_, std::move(work), [&](std::exception_ptr error, T value) {
      failure = error;
      result = std::move(value);
    });
    io_.restart();
    io_.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }
  void record(std::vector<Commit> commits) { wait(store_->record(std::move(commits))); }

  // For work beside which something else is waited for.
  net::any_io_executor executor() { return io_.get_executor(); }

 private:
  net::io_context io_;
  std::unique_ptr<SqliteStore> store_;
};

}  // namespace rollwatch::bench
