// The SQLite side of a transfer: the file, kept from everybody else and only read, and the rows of
// its tables as PostgreSQL would give them.
#pragma once

#include <compare>
#include <deque>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "daemon/postgres/transfer_tables.h"
#include "daemon/postgres/values.h"
#include "daemon/storage/lock_file.h"
#include "daemon/storage/sqlite.h"

namespace rollwatch {

// Why there was no transfer: one sentence, with what to do.
class TransferError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

class TransferFile {
 public:
  // Throws TransferError.
  explicit TransferFile(const std::filesystem::path& path);

  Database& db() { return db_; }
  const std::string& shown() const { return shown_; }

 private:
  const std::string shown_;
  const LockFile lock_;
  Database db_;
};

// Values in PostgreSQL's text format, each in the one form that PgArray gives it: equal values are
// equal texts, doubles bit for bit, but for a NaN, which equals every NaN.
using TransferRow = std::vector<std::optional<std::string>>;

std::strong_ordering key_order(const TransferTable& table, const TransferRow& a,
                               const TransferRow& b);
// The key as people read it.
std::string shown_key(const TransferTable& table, const TransferRow& row);
TransferRow row_in(const TransferTable& table, const PgRows& rows, int row);

// The rows of one table in the order in which PostgreSQL has their keys.
class TransferRows {
 public:
  TransferRows(Database& db, const TransferTable& table);

  std::optional<TransferRow> next();  // Throws SqliteError.
  // Rows so far whose text had to be changed.
  std::int64_t cleaned() const { return cleaned_; }

 private:
  std::optional<TransferRow> read();
  void read_group();

  const TransferTable& table_;
  Query query_;
  // Text may sort differently once it is cleaned, so rows that differ only in their text keys are
  // read together and sorted again.
  const bool sorts_;
  std::deque<TransferRow> group_;
  std::optional<TransferRow> ahead_;
  bool ended_ = false;
  std::int64_t cleaned_ = 0;
};

}  // namespace rollwatch
