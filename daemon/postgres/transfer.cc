#include "daemon/postgres/transfer.h"

#include <compare>
#include <optional>
#include <utility>

#include "daemon/postgres/schema.h"

namespace rollwatch {
namespace {

constexpr Millis kAnswerLimit{600'000};  // for one batch, with all of its indexes
constexpr std::size_t kBatchBytes = 4'000'000;
constexpr std::size_t kShownDifferences = 10;
constexpr std::string_view kLockTimeout = "55P03";

// Nothing of the server's settings may end it early, or change how a value is written.
constexpr const char* kBegin =
    "BEGIN; SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = 0;"
    " SET LOCAL idle_in_transaction_session_timeout = '10min'; SET LOCAL synchronous_commit = on;"
    " SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1";

std::string table_names() {
  std::string names;
  for (const TransferTable& table : transfer_tables())
    names += (names.empty() ? "" : ", ") + std::string(table.name);
  return names;
}

std::string usage_query() {
  std::string full;
  for (const TransferTable& table : transfer_tables()) {
    const std::string name(table.name);
    full += ", CASE WHEN EXISTS (SELECT 1 FROM " + name + ") THEN '" + name + "' END";
  }
  return "SELECT (SELECT count(*) FROM rollouts), (SELECT name FROM nodes WHERE expires_at >="
         " clock_timestamp() ORDER BY number LIMIT 1), (SELECT last FROM event_counter),"
         " concat_ws(', '" +
         full + ")";
}

std::string insert_into(const TransferTable& table) {
  std::string values;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    values += (i == 0 ? "$" : ", $") + std::to_string(i + 1) +
              "::" + std::string(type_name(table.columns[i].kind)) + "[]";
  }
  return "INSERT INTO " + std::string(table.name) + " (" + table.column_list() + ")" +
         (table.has_sequence ? " OVERRIDING SYSTEM VALUE" : "") + " SELECT * FROM unnest(" +
         values + ")";
}

class Transfer {
 public:
  Transfer(const net::any_io_executor& executor, const std::filesystem::path& from,
           const std::string& to, std::function<void(const TransferProgress&)> progress)
      : file_(from), connection_(executor, target(to)), progress_(std::move(progress)) {}

  awaitable<TransferResult> run();

 private:
  static PgTarget target(const std::string& url) {
    PgTarget target;
    target.url = url;
    target.answer_limit = kAnswerLimit;
    return target;
  }

  awaitable<void> all();
  awaitable<void> make_tables();
  awaitable<void> refuse_if_used();
  void count();
  awaitable<void> copy(const TransferTable& table);
  awaitable<std::int64_t> insert(const TransferTable& table, std::vector<PgArray> columns);
  awaitable<void> set_numbers();
  awaitable<void> check(const TransferTable& table);
  void compare(const TransferTable& table, const TransferRow& here, const TransferRow& there);
  void differ(const TransferTable& table, const TransferRow& row, const std::string& how);
  awaitable<PgRows> ask(std::string sql);
  awaitable<void> undo();
  void tell(bool is_checking, const TransferTable& table, std::int64_t done);
  std::string sentence(const PgError& error) const;

  TransferFile file_;
  PgConnection connection_;
  std::function<void(const TransferProgress&)> progress_;
  enum class Phase : unsigned char { kOpening, kWriting, kCommitting };
  Phase phase_ = Phase::kOpening;
  std::int64_t rows_ = 0;  // in SQLite
  std::int64_t copied_ = 0, checked_ = 0, cleaned_ = 0;
  std::vector<std::string> differences_;
};

awaitable<TransferResult> Transfer::run() {
  std::string why;
  try {
    co_await all();
    if (differences_.empty())
      co_return TransferResult{checked_, transfer_tables().size(), cleaned_};
  } catch (const PgError& error) {
    why = sentence(error);
  } catch (const PgSchemaError& error) {
    why = std::string("the PostgreSQL store ") + error.what();
  } catch (const SqliteError& error) {
    why = file_.shown() + " could not be read: " + error.what();
  } catch (const std::out_of_range& error) {
    why = std::string("the PostgreSQL store could not be read: ") + error.what();
  } catch (const TransferError& error) {
    why = error.what();
  }
  co_await undo();
  if (!differences_.empty()) throw TransferMismatch(std::move(differences_));
  throw TransferError(why);
}

awaitable<void> Transfer::all() {
  co_await make_tables();
  co_await refuse_if_used();  // before anybody has to wait for our locks
  std::string begin = kBegin;
  phase_ = Phase::kWriting;
  co_await connection_.execute(std::move(begin));
  // Reading goes on; no daemon can join, and no other transfer begin.
  co_await ask("LOCK TABLE nodes, event_counter, " + table_names() +
               " IN SHARE ROW EXCLUSIVE MODE");
  co_await refuse_if_used();
  count();
  for (const TransferTable& table : transfer_tables()) co_await copy(table);
  co_await set_numbers();
  co_await ask("ANALYZE " + table_names());  // for the check, and for whoever starts next
  for (const TransferTable& table : transfer_tables()) {
    co_await check(table);
    if (differences_.size() >= kShownDifferences) co_return;
  }
  if (!differences_.empty()) co_return;
  phase_ = Phase::kCommitting;
  std::string commit = "COMMIT";
  co_await connection_.execute(std::move(commit));
}

// Tables of another version are nothing we know how to fill.
awaitable<void> Transfer::make_tables() {
  const PgSchemaVersion found = co_await pg_schema_version(connection_);
  const int known = pg_migrations().back().version;
  if (found.version > known) {
    throw TransferError("the PostgreSQL store has the tables of a newer rollwatchd (schema " +
                        std::to_string(found.version) + ", this one knows " +
                        std::to_string(known) + "); take that version for this, too");
  }
  if (found.version != 0 && found.version != known) {
    throw TransferError("the PostgreSQL store has the tables of an older rollwatchd (schema " +
                        std::to_string(found.version) + ", this one knows " +
                        std::to_string(known) + "); give a database that is empty");
  }
  co_await migrate_pg(connection_, pg_migrations());
}

awaitable<void> Transfer::refuse_if_used() {
  const PgRows found = co_await ask(usage_query());
  if (!found.is_null(0, 1)) {
    throw TransferError("the PostgreSQL store is in use by the node " + found.text(0, 1) +
                        "; stop every rollwatchd on it first (one that was killed counts until its"
                        " lease has ended)");
  }
  constexpr const char* kEmpty = "; a whole store can only be moved into an empty database";
  if (found.integer(0, 0) > 0) {
    throw TransferError("the PostgreSQL store has rollouts already (" + found.text(0, 0) + ")" +
                        kEmpty);
  }
  if (!found.view(0, 3).empty()) {
    throw TransferError("the PostgreSQL store was in use before: there are rows in " +
                        found.text(0, 3) + kEmpty);
  }
  if (found.integer(0, 2) != 0) {
    throw TransferError("the PostgreSQL store was in use before: it has numbered " +
                        found.text(0, 2) + " events" + kEmpty);
  }
}

void Transfer::count() {
  for (const TransferTable& table : transfer_tables())
    rows_ += file_.db().integer("SELECT count(*) FROM " + std::string(table.from));
}

awaitable<void> Transfer::copy(const TransferTable& table) {
  TransferRows rows(file_.db(), table);
  std::vector<PgArray> batch(table.columns.size());
  int count = 0;
  std::size_t bytes = 0;
  tell(false, table, copied_);
  for (auto row = rows.next(); row; row = rows.next()) {
    for (std::size_t i = 0; i < row->size(); ++i) {
      batch[i].add((*row)[i]);
      bytes += (*row)[i] ? (*row)[i]->size() : 0;
    }
    if (++count < table.page && bytes < kBatchBytes) continue;
    co_await insert(table, std::exchange(batch, std::vector<PgArray>(table.columns.size())));
    copied_ += std::exchange(count, 0);
    bytes = 0;
    tell(false, table, copied_);
  }
  if (count > 0) co_await insert(table, std::move(batch));
  copied_ += count;
  tell(false, table, copied_);
  cleaned_ += rows.cleaned();
}

awaitable<std::int64_t> Transfer::insert(const TransferTable& table, std::vector<PgArray> columns) {
  PgStatement statement;
  statement.once = insert_into(table);
  for (const PgArray& column : columns) statement.add(column);
  std::vector<PgStatement> statements;
  statements.push_back(std::move(statement));
  try {
    const auto answers = co_await connection_.ask(std::move(statements));
    co_return answers.at(0).changed();
  } catch (const PgError& error) {
    if (error.is_lost()) throw;
    throw TransferError("rows of " + std::string(table.name) +
                        " could not be written to the PostgreSQL store: " + error.what());
  }
}

// What is given next is larger than all that was ever given. RESTART is undone with the
// transaction, unlike setval().
awaitable<void> Transfer::set_numbers() {
  for (const TransferTable& table : transfer_tables()) {
    if (!table.has_sequence && table.name != "events") continue;
    const std::int64_t highest = file_.db().integer(highest_number_of(table));
    if (!table.has_sequence) {
      const PgRows counter =
          co_await ask("UPDATE event_counter SET last = " + std::to_string(highest));
      if (counter.changed() != 1)
        throw TransferError("the PostgreSQL store has no event counter; give a fresh database");
      continue;
    }
    const PgRows sequence =
        co_await ask("SELECT pg_get_serial_sequence('" + std::string(table.name) + "', 'key')");
    co_await ask("ALTER SEQUENCE " + sequence.text(0, 0) + " RESTART WITH " +
                 std::to_string(highest + 1));
  }
  const std::int64_t deleted = file_.db().integer("SELECT deleted FROM event_horizon");
  const PgRows horizon =
      co_await ask("UPDATE event_horizon SET deleted = " + std::to_string(deleted));
  if (horizon.changed() != 1)
    throw TransferError("the PostgreSQL store has no event horizon; give a fresh database");
}

// Both sides in the order of the keys: what has no counterpart is found by that.
awaitable<void> Transfer::check(const TransferTable& table) {
  co_await ask("DECLARE transfer_rows NO SCROLL CURSOR FOR SELECT " + table.column_list() +
               " FROM " + std::string(table.name) + " ORDER BY " + table.key_list());
  const std::string fetch = "FETCH FORWARD " + std::to_string(table.page) + " FROM transfer_rows";
  TransferRows rows(file_.db(), table);
  std::optional<TransferRow> here = rows.next();
  PgRows page = co_await ask(fetch);
  int at = 0;
  tell(true, table, checked_);
  while ((here || !page.empty()) && differences_.size() < kShownDifferences) {
    std::optional<TransferRow> there;
    if (!page.empty()) there = row_in(table, page, at);
    const std::strong_ordering order = !here    ? std::strong_ordering::greater
                                       : !there ? std::strong_ordering::less
                                                : key_order(table, *here, *there);
    if (std::is_lt(order)) differ(table, *here, "is missing in PostgreSQL");
    if (std::is_gt(order)) differ(table, *there, "is in PostgreSQL only");
    if (std::is_eq(order)) compare(table, *here, *there);
    if (std::is_lteq(order)) {
      here = rows.next();
      ++checked_;
    }
    if (std::is_gteq(order) && ++at == page.size()) {
      page = co_await ask(fetch);
      at = 0;
      tell(true, table, checked_);
    }
  }
  tell(true, table, checked_);
  co_await ask("CLOSE transfer_rows");
}

void Transfer::compare(const TransferTable& table, const TransferRow& here,
                       const TransferRow& there) {
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (here[i] != there[i]) differ(table, here, std::string(table.columns[i].name));
}

void Transfer::differ(const TransferTable& table, const TransferRow& row, const std::string& how) {
  if (differences_.size() < kShownDifferences)
    differences_.push_back(std::string(table.name) + " " + shown_key(table, row) + ": " + how);
}

awaitable<PgRows> Transfer::ask(std::string sql) {
  PgStatement statement;
  statement.once = std::move(sql);
  std::vector<PgStatement> statements;
  statements.push_back(std::move(statement));
  auto answers = co_await connection_.ask(std::move(statements));
  co_return std::move(answers.at(0));
}

// Closing the connection has the same effect, only later. A commit that failed is undone already.
awaitable<void> Transfer::undo() {
  if (phase_ != Phase::kWriting || connection_.is_broken()) co_return;
  try {
    std::string rollback = "ROLLBACK";
    co_await connection_.execute(std::move(rollback));
  } catch (const PgError&) {
    connection_.close();
  }
}

void Transfer::tell(bool is_checking, const TransferTable& table, std::int64_t done) {
  if (progress_) progress_({is_checking, table.name, done, rows_});
}

std::string Transfer::sentence(const PgError& error) const {
  if (phase_ == Phase::kOpening) {
    return std::string("the PostgreSQL store could not be opened: ") + error.what() +
           "; TO must name a database that exists, in which this user may create tables";
  }
  if (phase_ == Phase::kCommitting && error.is_lost()) {
    return std::string("whether the PostgreSQL store has all of it now or nothing is not known: ") +
           error.what() +
           "; give the same command again: it refuses a store that has rollouts, and then that one"
           " is complete";
  }
  if (error.state() == kLockTimeout)
    return "somebody else is writing to the PostgreSQL store; stop every rollwatchd on it first";
  return std::string("the PostgreSQL store could not be written: ") + error.what();
}

}  // namespace

awaitable<TransferResult> transfer_store(net::any_io_executor executor, std::filesystem::path from,
                                         std::string to,
                                         std::function<void(const TransferProgress&)> progress) {
  Transfer transfer(executor, from, to, std::move(progress));
  co_return co_await transfer.run();
}

}  // namespace rollwatch
