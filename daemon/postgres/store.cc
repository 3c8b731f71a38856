#include "daemon/postgres/store.h"

#include <algorithm>
#include <utility>

#include "daemon/postgres/address.h"
#include "daemon/postgres/schema.h"
#include "daemon/storage/cursor.h"
#include "daemon/storage/documents.h"
#include "daemon/storage/thinning.h"

namespace rollwatch {
namespace {

constexpr std::size_t kConnections = 6;
constexpr Millis kForgetLimit{600'000};  // a rollout may have millions of evaluations

constexpr std::string_view kPutFreeze =
    "INSERT INTO freezes (namespace, service, made_by, reason, since, until, lifted_at, lifted_by,"
    " lift_reason, token, address, lifted_token, lifted_address) VALUES ($1, $2, $3, $4,"
    " $5::bigint, $6::bigint, $7::bigint, $8, $9, $10, $11, $12, $13)"
    " ON CONFLICT (namespace, service) DO UPDATE SET made_by = excluded.made_by,"
    " reason = excluded.reason, since = excluded.since, until = excluded.until,"
    " lifted_at = excluded.lifted_at, lifted_by = excluded.lifted_by,"
    " lift_reason = excluded.lift_reason, token = excluded.token, address = excluded.address,"
    " lifted_token = excluded.lifted_token, lifted_address = excluded.lifted_address";
constexpr std::string_view kTellFreeze = "SELECT pg_notify('rollwatch', 'freezes')";
constexpr std::string_view kEnded =
    "SELECT r.key FROM rollouts r WHERE NOT r.active AND r.ended_at < $1::bigint AND NOT EXISTS"
    " (SELECT 1 FROM deliveries d WHERE d.rollout = r.key AND d.open)"
    " ORDER BY r.ended_at, r.key LIMIT $2::bigint";
constexpr std::string_view kForget = "SELECT rollwatch_forget($1, $2)";

constexpr std::string_view kToThin =
    "SELECT key, thinned, created_at, active FROM rollouts WHERE thin_from < $1::bigint"
    " ORDER BY thin_from LIMIT 1";
constexpr std::string_view kRowsToThin =
    "SELECT number, condition, slot, outcome, step FROM evaluations"
    " WHERE rollout = $1::bigint AND number > $2::bigint ORDER BY number LIMIT $3::bigint";
constexpr std::string_view kDecisions = "SELECT at FROM explains WHERE rollout = $1::bigint";
// The rollout's row first, as whoever deletes it does.
constexpr std::string_view kThinned =
    "UPDATE rollouts SET thinned = $2::bigint, thin_from = $3::bigint"
    " WHERE key = $1::bigint AND thinned = $4::bigint";
constexpr std::string_view kThin =
    "DELETE FROM evaluations WHERE rollout = $1::bigint AND number = ANY($2::bigint[])";

PgTarget target_of(const std::string& url) {
  PgTarget target;
  target.url = url;
  return target;
}

std::string sentence(const char* what, const PgError& error) {
  return std::string("the PostgreSQL store could not be ") + what + ": " + error.what();
}

}  // namespace

PgStore::PgStore(const net::any_io_executor& executor, const std::string& url, PgWriterHooks hooks)
    : PgStore(executor, target_of(url), std::move(hooks)) {}

PgStore::PgStore(const net::any_io_executor& executor, PgTarget target, PgWriterHooks hooks)
    : executor_(executor),
      target_(std::move(target)),
      pool_(executor, target_, kConnections),
      reader_(pool_),
      writer_(executor, target_, std::move(hooks)) {}

PgStore::~PgStore() { close(); }

awaitable<void> PgStore::open() {
  may_come_back_ = false;
  PgConnection connection(executor_, target_);
  try {
    co_await migrate_pg(connection, pg_migrations());
  } catch (const PgSchemaError& error) {
    throw StoreError(std::string("the PostgreSQL store ") + error.what());
  } catch (const PgError& error) {
    may_come_back_ = error.is_lost();
    std::string why = sentence("opened", error);
    if (advice_on(why).empty())
      why += "; store.url must name a database that exists, in which this user may create tables";
    throw StoreError(why);
  }
}

template <class T>
awaitable<T> PgStore::reading(awaitable<T> question) {
  try {
    co_return co_await std::move(question);
  } catch (const PgError& error) {
    throw StoreError(sentence("read", error));
  } catch (const DocumentError& error) {
    throw StoreError(std::string("the PostgreSQL store could not be read: ") + error.what());
  } catch (const std::out_of_range& error) {
    throw StoreError(std::string("the PostgreSQL store could not be read: ") + error.what());
  }
}

awaitable<std::vector<Recorded>> PgStore::record(SharedCommits commits) {
  return writer_.record(std::move(commits));
}

awaitable<std::vector<StoredRollout>> PgStore::active(std::optional<std::vector<Place>> places) {
  return reading(reader_.active(std::move(places)));
}

awaitable<std::vector<Delivery>> PgStore::open_deliveries(
    std::optional<std::vector<Place>> places) {
  return reading(reader_.open_deliveries(std::move(places)));
}

awaitable<std::optional<StoredRollout>> PgStore::rollout(std::string id) {
  return reading(reader_.rollout(std::move(id)));
}

awaitable<Page<StoredRollout>> PgStore::list(ListFilter filter, std::size_t limit,
                                             std::optional<std::string> cursor) {
  std::optional<std::string> before;
  if (cursor) before = rollout_in_list_cursor(*cursor);
  return reading(reader_.list(std::move(filter), limit, std::move(before)));
}

awaitable<std::size_t> PgStore::count(ListFilter filter) {
  return reading(reader_.count(std::move(filter)));
}

awaitable<std::optional<StoredRollout>> PgStore::latest(std::string ns, std::string service,
                                                        std::string target, std::string candidate) {
  return reading(
      reader_.latest(std::move(ns), std::move(service), std::move(target), std::move(candidate)));
}

awaitable<Page<StoredEvaluation>> PgStore::evaluations(std::string rollout, std::uint32_t after,
                                                       std::size_t limit) {
  return reading(reader_.evaluations(std::move(rollout), after, limit));
}

awaitable<std::vector<StoredEvent>> PgStore::events(std::optional<std::string> rollout,
                                                    std::int64_t after, std::size_t limit) {
  return reading(reader_.events(std::move(rollout), after, limit));
}

awaitable<EventStretch> PgStore::event_stretch(std::int64_t after, std::size_t limit) {
  return reading(reader_.event_stretch(after, limit));
}

awaitable<Page<Delivery>> PgStore::deliveries(std::string rollout, std::size_t limit,
                                              std::optional<std::string> cursor) {
  const std::int64_t after = cursor ? key_in_delivery_cursor(*cursor) : 0;
  return reading(reader_.deliveries(std::move(rollout), limit, after));
}

awaitable<std::optional<Delivery>> PgStore::delivery(std::string id) {
  return reading(reader_.delivery(std::move(id)));
}

awaitable<Page<std::string>> PgStore::search(RolloutSearch search, std::size_t limit,
                                             std::optional<std::string> cursor) {
  std::optional<std::string> before;
  if (cursor) before = rollout_in_list_cursor(*cursor);
  return reading(reader_.search(std::move(search), limit, std::move(before)));
}

awaitable<std::size_t> PgStore::count_found(RolloutSearch search) {
  return reading(reader_.count_found(std::move(search)));
}

awaitable<Page<ListedDelivery>> PgStore::all_deliveries(DeliveryFilter filter, std::size_t limit,
                                                        std::optional<std::string> cursor) {
  std::optional<std::int64_t> before;
  if (cursor) before = key_in_delivery_cursor(*cursor);
  return reading(reader_.all_deliveries(std::move(filter), limit, before));
}

awaitable<std::size_t> PgStore::count_deliveries(DeliveryFilter filter) {
  return reading(reader_.count_deliveries(std::move(filter)));
}

awaitable<std::optional<ExplainRecord>> PgStore::explain(std::string rollout,
                                                         std::optional<std::string> decision) {
  return reading(reader_.explain(std::move(rollout), std::move(decision)));
}

awaitable<std::optional<std::string>> PgStore::memo(std::string rollout, std::string target,
                                                    std::string key) {
  return reading(reader_.memo(std::move(rollout), std::move(target), std::move(key)));
}

awaitable<std::optional<Store::Idempotent>> PgStore::idempotent(std::string key, SysTime now) {
  return reading(reader_.idempotent(std::move(key), now));
}

awaitable<std::vector<StoredRollout>> PgStore::latest_per_target(std::string ns,
                                                                 std::string service,
                                                                 std::size_t limit) {
  return reading(reader_.latest_per_target(std::move(ns), std::move(service), limit));
}

awaitable<void> PgStore::put_freeze(FreezeRecord freeze) {
  std::vector<PgStatement> statements;
  statements.push_back(pg(kPutFreeze, freeze.ns, freeze.service, freeze.by, freeze.reason,
                          freeze.since, freeze.until, freeze.lifted_at, freeze.lifted_by,
                          freeze.lift_reason, freeze.via.token, freeze.via.address,
                          freeze.lifted_via.token, freeze.lifted_via.address));
  statements.push_back(pg(kTellFreeze));
  try {
    co_await pool_.ask(std::move(statements));
  } catch (const PgError& error) {
    throw StoreError(sentence("written", error), error.may_have_happened()
                                                     ? StoreError::Effect::kUnknown
                                                     : StoreError::Effect::kNone);
  }
}

awaitable<std::vector<FreezeRecord>> PgStore::freezes() { return reading(reader_.freezes()); }

// Each rollout in a transaction of its own; several nodes may be at it, and each takes others.
awaitable<std::size_t> PgStore::forget(SysTime ended_before, std::size_t limit) {
  std::size_t forgotten = 0;
  try {
    PgStatement find = pg(kEnded, ended_before, static_cast<std::int64_t>(limit));
    const PgRows ended = co_await pool_.ask(std::move(find));
    for (int row = 0; row < ended.size(); ++row) {
      std::vector<PgStatement> statements;
      statements.push_back(pg(kForget, ended.integer(row, 0), ended_before));
      const auto rows = co_await pool_.ask(std::move(statements), kForgetLimit);
      if (rows.at(0).boolean(0, 0)) ++forgotten;
    }
  } catch (const PgError& error) {
    throw StoreError(sentence("written", error));
  }
  co_return forgotten;
}

// Several nodes may be at it: what one has deleted already is what another would have.
awaitable<Store::Thinned> PgStore::thin(SysTime before) {
  Thinned thinned;
  try {
    PgStatement find = pg(kToThin, before - kThinAtOnce);
    const PgRows found = co_await pool_.ask(std::move(find));
    if (found.empty()) co_return thinned;
    thinned.more = true;
    const std::int64_t rollout = found.integer(0, 0), done = found.integer(0, 1);
    std::vector<PgStatement> read;
    read.push_back(pg(kRowsToThin, rollout, done, static_cast<std::int64_t>(kThinRows + 1)));
    read.push_back(pg(kDecisions, rollout));
    const auto answers = co_await pool_.ask(std::move(read));
    ThinPiece piece;
    for (int row = 0; row < answers.at(0).size(); ++row) {
      ThinRow one{static_cast<std::uint32_t>(answers[0].integer(row, 0)), answers[0].text(row, 1),
                  answers[0].time(row, 2),
                  answers[0].integer(row, 3) == static_cast<int>(Outcome::kPass),
                  static_cast<int>(answers[0].integer(row, 4))};
      if (!piece.add(std::move(one), before)) break;
    }
    std::vector<SysTime> decided;
    decided.reserve(static_cast<std::size_t>(answers.at(1).size()));
    for (int row = 0; row < answers.at(1).size(); ++row) decided.push_back(answers[1].time(row, 0));
    PgArray numbers;
    for (const std::uint32_t number : superfluous(piece.rows, decided)) numbers.add(number);
    std::optional<SysTime> from = piece.next;
    if (!from && found.boolean(0, 3)) from = std::max(before, found.time(0, 2));
    const std::int64_t last = piece.rows.empty() ? done : std::int64_t{piece.rows.back().number};
    std::vector<PgStatement> write;
    write.push_back(pg(kThinned, rollout, last, from, done));
    if (!numbers.empty()) write.push_back(pg(kThin, rollout, numbers));
    const auto changed = co_await pool_.ask(std::move(write), kForgetLimit);
    if (!numbers.empty()) thinned.deleted = static_cast<std::size_t>(changed.at(1).changed());
  } catch (const PgError& error) {
    throw StoreError(sentence("written", error));
  }
  co_return thinned;
}

void PgStore::close() {
  writer_.close();
  pool_.close();
}

}  // namespace rollwatch
