// A SQLite store with something in every table, and a way to move it to a database of its own.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/postgres/transfer.h"
#include "daemon/storage/sqlite_store.h"
#include "test/postgres/nodes_fixture.h"

namespace rollwatch {

class TransferTest : public NodesTest {
 protected:
  // Ended and active rollouts, odd text and numbers, open and settled deliveries, both kinds of
  // memos and freezes, and a rollout that is deleted but for what other tables hold of it.
  void fill();

  TransferResult transfer(std::function<void(const TransferProgress&)> progress = {});
  // What it says if it does not take place.
  std::string refusal(std::function<void(const TransferProgress&)> progress = {});
  std::vector<std::string> differences();

  void sqlite(const std::string& sql);  // by another program
  void execute(const std::string& sql);
  // Rows of all tables of the PostgreSQL store.
  std::int64_t rows_there();

  TempDir dir_;
  std::filesystem::path file_ = dir_.path() / "rollwatch.db";
};

// Everything a store can be asked about what fill() wrote, as text.
std::vector<std::string> answers_of(Store& store, const std::function<void(awaitable<void>)>& wait);

}  // namespace rollwatch
