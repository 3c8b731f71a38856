// What a store consists of, table by table: how each is read from SQLite, and what it is in
// PostgreSQL. In the order of dependence.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rollwatch {

enum class TransferKind : std::uint8_t {
  kBigint,
  kInteger,
  kSmallint,
  kReal,
  kBoolean,
  kText,
  kBytes,
  kPlanDigest,  // not in SQLite: made from the three columns before it
};
std::string_view type_name(TransferKind kind);  // PostgreSQL's

struct TransferColumn {
  std::string_view name;
  TransferKind kind;
};

struct TransferTable {
  std::string_view name;
  std::string_view from;  // in SQLite: a table, or a query in parentheses
  std::vector<TransferColumn> columns;
  std::size_t keys;           // so many of them, from the first, are the key
  int page;                   // rows that are handled at once: few where a row is large
  bool has_sequence = false;  // the key is an identity in PostgreSQL

  std::string column_list() const;
  std::string key_list() const;
};

const std::vector<TransferTable>& transfer_tables();

// What the queries above need in SQLite, as temporary tables: places have no numbers there.
extern const char* const kTransferPreparation;

// The largest number ever given to a row of this table in SQLite, also if the row is gone.
std::string highest_number_of(const TransferTable& table);

}  // namespace rollwatch
