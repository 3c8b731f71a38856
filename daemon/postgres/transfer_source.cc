#include "daemon/postgres/transfer_source.h"

#include <algorithm>
#include <charconv>

#include "daemon/postgres/writer_sql.h"
#include "daemon/storage/schema.h"

namespace rollwatch {
namespace {

constexpr std::size_t kShownKey = 60;

std::filesystem::path existing(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return path;
  throw TransferError("the store " + path.string() + (error ? " does not exist" : " is no file") +
                      "; name the file of store.url as the daemon was configured with");
}

LockFile lock(const std::filesystem::path& path) {
  try {
    std::filesystem::path beside = path;
    return LockFile(beside += ".lock", "the store " + path.string(),
                    "stop that one first, so that nothing it records is left behind");
  } catch (const std::runtime_error& error) {
    throw TransferError(error.what());
  }
}

Database open(const std::filesystem::path& path) {
  const std::string shown = "the store " + path.string();
  try {
    Database db(path, Database::Mode::kReadOnly);
    check_schema(db, sqlite_migrations());
    const std::int64_t found = db.integer("PRAGMA user_version");
    const int known = sqlite_migrations().back().version;
    if (found != known) {
      throw TransferError(shown + " has the tables of an older rollwatchd (schema " +
                          std::to_string(found) + ", this one knows " + std::to_string(known) +
                          "); start this rollwatchd on it once, and stop it");
    }
    db.execute(kTransferPreparation);
    return db;
  } catch (const SchemaError& error) {
    throw TransferError(shown + " " + error.what());
  } catch (const SqliteError& error) {
    throw TransferError(shown + " cannot be read: " + error.what());
  }
}

std::int64_t number_in(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool has_text_key(const TransferTable& table) {
  return std::any_of(
      table.columns.begin(), table.columns.begin() + static_cast<std::ptrdiff_t>(table.keys),
      [](const TransferColumn& column) { return column.kind == TransferKind::kText; });
}

std::string query_of(const TransferTable& table) {
  return "SELECT " + table.column_list() + " FROM " + std::string(table.from) + " ORDER BY " +
         table.key_list();
}

}  // namespace

TransferFile::TransferFile(const std::filesystem::path& path)
    : shown_("the store " + path.string()), lock_(lock(existing(path))), db_(open(path)) {}

std::strong_ordering key_order(const TransferTable& table, const TransferRow& a,
                               const TransferRow& b) {
  for (std::size_t i = 0; i < table.keys; ++i) {
    if (a[i] == b[i]) continue;
    if (table.columns[i].kind == TransferKind::kText) return *a[i] <=> *b[i];
    return number_in(*a[i]) <=> number_in(*b[i]);
  }
  return std::strong_ordering::equal;
}

std::string shown_key(const TransferTable& table, const TransferRow& row) {
  std::string shown;
  for (std::size_t i = 0; i < table.keys; ++i) {
    if (i > 0) shown += ", ";
    if (table.columns[i].kind != TransferKind::kText) {
      shown += *row[i];
      continue;
    }
    std::string text = row[i]->substr(0, kShownKey);
    std::replace_if(
        text.begin(), text.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
    shown += '"' + text + (row[i]->size() > kShownKey ? "…\"" : "\"");
  }
  return "(" + shown + ")";
}

TransferRow row_in(const TransferTable& table, const PgRows& rows, int row) {
  TransferRow values;
  values.reserve(table.columns.size());
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const int column = static_cast<int>(i);
    if (rows.is_null(row, column)) {
      values.emplace_back();
    } else if (table.columns[i].kind == TransferKind::kReal) {
      values.emplace_back(PgArray::encoded(rows.real(row, column)));
    } else {
      values.emplace_back(rows.text(row, column));
    }
  }
  return values;
}

// The text of the statement is used once, and must be there as long as the query.
TransferRows::TransferRows(Database& db, const TransferTable& table)
    : table_(table),
      query_(db, query_of(table), Query::Reuse::kOnce),
      sorts_(has_text_key(table)) {}

std::optional<TransferRow> TransferRows::read() {
  if (!query_.next()) return std::nullopt;
  TransferRow row;
  row.reserve(table_.columns.size());
  bool cleaned = false;
  for (std::size_t i = 0; i < table_.columns.size(); ++i) {
    const int column = static_cast<int>(i);
    const TransferKind kind = table_.columns[i].kind;
    if (kind == TransferKind::kPlanDigest) {
      const PlanDocument plan{static_cast<int>(query_.integer(column - 3)), query_.text(column - 2),
                              query_.text(column - 1)};
      row.emplace_back(PgArray::encoded(PgBytes{plan_digest(plan)}));
    } else if (query_.is_null(column)) {
      row.emplace_back();
    } else if (kind == TransferKind::kText) {
      row.emplace_back(pg_text(query_.view(column)));
      cleaned = cleaned || *row.back() != query_.view(column);
    } else if (kind == TransferKind::kBytes) {
      row.emplace_back(PgArray::encoded(PgBytes{query_.view(column)}));
    } else if (kind == TransferKind::kReal) {
      row.emplace_back(PgArray::encoded(query_.real(column)));
    } else if (kind == TransferKind::kBoolean) {
      row.emplace_back(PgArray::encoded(query_.integer(column) != 0));
    } else {
      row.emplace_back(PgArray::encoded(query_.integer(column)));
    }
  }
  if (cleaned) ++cleaned_;
  return row;
}

void TransferRows::read_group() {
  const bool by_number = table_.columns[0].kind != TransferKind::kText;
  if (!ahead_ && !ended_) ahead_ = read();
  while (ahead_ && (group_.empty() || !by_number || group_.front()[0] == (*ahead_)[0])) {
    group_.push_back(std::move(*ahead_));
    ahead_ = read();
  }
  ended_ = !ahead_;
  std::sort(group_.begin(), group_.end(), [this](const TransferRow& a, const TransferRow& b) {
    return std::is_lt(key_order(table_, a, b));
  });
}

std::optional<TransferRow> TransferRows::next() {
  if (!sorts_) {
    if (ended_) return std::nullopt;
    auto row = read();
    ended_ = !row;
    return row;
  }
  if (group_.empty()) read_group();
  if (group_.empty()) return std::nullopt;
  TransferRow row = std::move(group_.front());
  group_.pop_front();
  return row;
}

}  // namespace rollwatch
