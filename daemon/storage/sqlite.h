// SQLite in a few lines of C++: a connection, a statement that is bound, stepped and given back,
// and errors that know whether a retry makes sense. Nothing here knows about rollouts.
//
//   Query found(db, "SELECT key FROM rollouts WHERE id = ?1");
//   found.bind(id);
//   if (found.next()) use(found.integer(0));
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace rollwatch {

class SqliteError : public std::runtime_error {
 public:
  SqliteError(int code, const std::string& message) : std::runtime_error(message), code_(code) {}

  int code() const { return code_; }  // the extended one
  bool is_constraint() const;         // this statement is at fault, the transaction goes on
  // What is on disk is no longer known: a failed fsync may have dropped pages that the system calls
  // written, so trying again would only pretend.
  bool is_fatal() const;

 private:
  int code_;
};

// One connection, used by one thread at a time.
class Database {
 public:
  enum class Mode { kReadWrite, kReadOnly };

  // Creates the file in kReadWrite if there is none.
  Database(const std::filesystem::path& path, Mode mode);

  // One or more statements without parameters and without results.
  void execute(const std::string& sql);

  // The only column of the only row of a query such as a PRAGMA.
  std::int64_t integer(const std::string& sql);
  std::string text(const std::string& sql);

  // False once SQLite itself has rolled the transaction back.
  bool in_transaction() const;

  // Rows the last INSERT, UPDATE or DELETE changed.
  std::int64_t changes() const;

  // Length of the write-ahead log after this connection's last commit. Checkpoints are the
  // caller's.
  int wal_pages() const { return *wal_pages_; }

  // Throws what the connection's last failure was.
  [[noreturn]] void fail() const;

 private:
  friend class Query;
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  Statement prepare(std::string_view sql, bool keep);

  std::unique_ptr<int> wal_pages_ = std::make_unique<int>(0);  // written by SQLite's hook
  std::unique_ptr<sqlite3, Close> handle_;
  // Prepared once, by their text; those in use are taken out and put back.
  std::map<std::string, Statement, std::less<>> idle_;
};

// A statement for as long as it is in scope.
class Query {
 public:
  enum class Reuse { kKeep, kOnce };  // kOnce: the text is put together and will hardly come again

  Query(Database& db, std::string_view sql, Reuse reuse = Reuse::kKeep);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  struct Bytes {
    std::string_view data;
  };

  // Binds ?1, ?2, … in order. Views must outlive the steps.
  template <class... Values>
  Query& bind(const Values&... values) {
    next_parameter_ = 1;
    (add(values), ...);
    return *this;
  }

  // Binds the next parameter after those bound.
  void add(std::int64_t value);
  void add(std::uint32_t value) { add(std::int64_t{value}); }
  void add(int value) { add(std::int64_t{value}); }
  void add(bool value) { add(std::int64_t{value}); }
  void add(double value);
  void add(std::string_view text);
  void add(const std::string& text) { add(std::string_view(text)); }
  void add(const char*) = delete;
  void add(Bytes bytes);
  void add(SysTime at) { add(std::int64_t{at.time_since_epoch().count()}); }
  void add(Millis span) { add(std::int64_t{span.count()}); }
  void add(const MaybeTime& at) { add(std::optional<SysTime>(at)); }
  template <class T>
  void add(const std::optional<T>& value) {
    if (value) {
      add(*value);
    } else {
      add_null();
    }
  }

  // To be bound and stepped once more.
  Query& again();

  bool next();  // the next row, if there is one
  void run() {
    while (next()) {
    }
  }

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  std::string_view view(int column) const;  // text or bytes, until the next step
  SysTime time(int column) const { return SysTime(Millis(integer(column))); }
  std::optional<SysTime> optional_time(int column) const;
  std::optional<double> optional_real(int column) const;

 private:
  void add_null();

  Database& db_;
  Database::Statement statement_;
  std::string_view sql_;
  Reuse reuse_;
  int next_parameter_ = 1;
};

}  // namespace rollwatch
