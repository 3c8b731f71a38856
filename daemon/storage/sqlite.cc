#include "daemon/storage/sqlite.h"

#include <sqlite3.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

namespace rollwatch {
namespace {

constexpr int kBusyTimeoutMs = 5'000;

// SQLite makes NULL of a NaN and 0 of -0.0; these travel as their eight bytes instead.
bool needs_its_bits(double value) {
  return std::isnan(value) || (value == 0 && std::signbit(value));
}

}  // namespace

bool SqliteError::is_constraint() const { return (code_ & 0xff) == SQLITE_CONSTRAINT; }

bool SqliteError::is_fatal() const {
  return code_ == SQLITE_IOERR_FSYNC || code_ == SQLITE_IOERR_DIR_FSYNC ||
         (code_ & 0xff) == SQLITE_CORRUPT || (code_ & 0xff) == SQLITE_NOTADB;
}

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
void Database::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Database::Database(const std::filesystem::path& path, Mode mode) {
  const int flags =
      SQLITE_OPEN_NOMUTEX |
      (mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  handle_.reset(handle);
  if (handle == nullptr) throw SqliteError(code, sqlite3_errstr(code));
  sqlite3_extended_result_codes(handle, 1);
  if (code != SQLITE_OK) fail();
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  sqlite3_wal_hook(
      handle,
      [](void* pages, sqlite3*, const char*, int length) {
        *static_cast<int*>(pages) = length;
        return SQLITE_OK;
      },
      wal_pages_.get());
}

void Database::fail() const {
  throw SqliteError(sqlite3_extended_errcode(handle_.get()), sqlite3_errmsg(handle_.get()));
}

void Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

std::int64_t Database::integer(const std::string& sql) {
  Query query(*this, sql, Query::Reuse::kOnce);
  return query.next() ? query.integer(0) : 0;
}

std::string Database::text(const std::string& sql) {
  Query query(*this, sql, Query::Reuse::kOnce);
  return query.next() ? query.text(0) : std::string();
}

std::int64_t Database::changes() const { return sqlite3_changes64(handle_.get()); }

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

Database::Statement Database::prepare(std::string_view sql, bool keep) {
  if (const auto found = idle_.find(sql); found != idle_.end() && found->second) {
    return std::move(found->second);
  }
  sqlite3_stmt* statement = nullptr;
  const unsigned flags = keep ? SQLITE_PREPARE_PERSISTENT : 0;
  if (sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), flags, &statement,
                         nullptr) != SQLITE_OK) {
    fail();
  }
  return Statement(statement);
}

Query::Query(Database& db, std::string_view sql, Reuse reuse)
    : db_(db), statement_(db.prepare(sql, reuse == Reuse::kKeep)), sql_(sql), reuse_(reuse) {}

Query::~Query() {
  if (reuse_ == Reuse::kOnce) return;
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  const auto found = db_.idle_.find(sql_);
  if (found != db_.idle_.end()) {
    found->second = std::move(statement_);
  } else {
    db_.idle_.emplace(sql_, std::move(statement_));
  }
}

// What the steps before ended with was thrown where they ended.
Query& Query::again() {
  sqlite3_reset(statement_.get());
  return *this;
}

void Query::add(std::int64_t value) {
  if (sqlite3_bind_int64(statement_.get(), next_parameter_++, value) != SQLITE_OK) db_.fail();
}

void Query::add(double value) {
  const int parameter = next_parameter_++;
  int code = SQLITE_OK;
  if (needs_its_bits(value)) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    code = sqlite3_bind_blob(statement_.get(), parameter, &bits, sizeof bits, SQLITE_TRANSIENT);
  } else {
    code = sqlite3_bind_double(statement_.get(), parameter, value);
  }
  if (code != SQLITE_OK) db_.fail();
}

void Query::add(std::string_view text) {
  // An empty view may have no address, which SQLite would take for NULL.
  const char* data = text.empty() ? "" : text.data();
  if (sqlite3_bind_text64(statement_.get(), next_parameter_++, data, text.size(), SQLITE_STATIC,
                          SQLITE_UTF8) != SQLITE_OK) {
    db_.fail();
  }
}

void Query::add(Bytes bytes) {
  const char* data = bytes.data.empty() ? "" : bytes.data.data();
  if (sqlite3_bind_blob64(statement_.get(), next_parameter_++, data, bytes.data.size(),
                          SQLITE_STATIC) != SQLITE_OK) {
    db_.fail();
  }
}

void Query::add_null() {
  if (sqlite3_bind_null(statement_.get(), next_parameter_++) != SQLITE_OK) db_.fail();
}

bool Query::next() {
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      db_.fail();
  }
}

bool Query::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::int64_t Query::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double Query::real(int column) const {
  if (sqlite3_column_type(statement_.get(), column) != SQLITE_BLOB) {
    return sqlite3_column_double(statement_.get(), column);
  }
  const std::string_view bytes = view(column);
  std::uint64_t bits = 0;
  if (bytes.size() == sizeof bits) std::memcpy(&bits, bytes.data(), sizeof bits);
  return std::bit_cast<double>(bits);
}

std::string_view Query::view(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

std::string Query::text(int column) const { return std::string(view(column)); }

std::optional<SysTime> Query::optional_time(int column) const {
  if (is_null(column)) return std::nullopt;
  return time(column);
}

std::optional<double> Query::optional_real(int column) const {
  if (is_null(column)) return std::nullopt;
  return real(column);
}

}  // namespace rollwatch
