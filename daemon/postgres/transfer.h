// Moves a whole store from SQLite to PostgreSQL, in one transaction there: every row is copied,
// then read again on both sides and compared, and only then it is committed. Whatever happens
// before that leaves PostgreSQL as empty as it was, and SQLite is only read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/postgres/connection.h"
#include "daemon/postgres/transfer_source.h"

namespace rollwatch {

struct TransferProgress {
  bool is_checking = false;  // that comes after all is copied
  std::string_view table;
  std::int64_t done = 0, all = 0;  // rows of all tables, in this half
};

struct TransferResult {
  std::int64_t rows = 0;
  std::size_t tables = 0;
  std::int64_t cleaned = 0;  // rows with text that PostgreSQL cannot hold
};

// What was read there is not what was read here: "evaluations (5, 12): value", the first of them.
class TransferMismatch : public TransferError {
 public:
  explicit TransferMismatch(std::vector<std::string> differences)
      : TransferError("what PostgreSQL holds is not what was copied"),
        differences_(std::move(differences)) {}
  const std::vector<std::string>& differences() const { return differences_; }

 private:
  std::vector<std::string> differences_;
};

// Blocks the event loop while it reads SQLite: it has the process to itself. Throws TransferError
// with what to do; nothing was copied then.
awaitable<TransferResult> transfer_store(net::any_io_executor executor, std::filesystem::path from,
                                         std::string to,
                                         std::function<void(const TransferProgress&)> progress);

}  // namespace rollwatch
