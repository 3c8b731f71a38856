// PostgreSQL as a home of the common suite: one server for all of its tests, a database for each.
#include <libpq-fe.h>

#include <map>
#include <stdexcept>

#include "daemon/postgres/store.h"
#include "test/storage/store_fixture.h"
#include "test/support/real_servers.h"

namespace rollwatch {
namespace {

RealPostgres& server() {
  static RealPostgres one;
  return one;
}

std::string new_database() {
  static int count = 0;
  return server().url("suite" + std::to_string(++count));
}

// Asks without an event loop: what the suite knows nothing of must not need one.
class Plainly {
 public:
  explicit Plainly(const std::string& url) : connection_(PQconnectdb(url.c_str()), PQfinish) {}
  std::int64_t ask(const std::string& sql) const {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection_.get(), sql.c_str()), PQclear);
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK)
      throw std::runtime_error(PQerrorMessage(connection_.get()));
    return std::stoll(PQgetvalue(result.get(), 0, 0));
  }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

// Every place is this node's the moment something is written to it.
class OwnerOfAll : public PgStore {
 public:
  OwnerOfAll(const net::any_io_executor& executor, const std::string& url)
      : PgStore(executor, url), plainly_(url) {
    plainly_.ask("WITH gone AS (DELETE FROM nodes) SELECT 1");
    node_ = plainly_.ask(
        "INSERT INTO nodes (name, program, expires_at) VALUES ('suite', '', 'infinity')"
        " RETURNING number");
    plainly_.ask("WITH u AS (UPDATE places SET owner = " + std::to_string(node_) +
                 " RETURNING 1) SELECT count(*) FROM u");
    writer().become(node_);
  }

  awaitable<std::vector<Recorded>> record(SharedCommits commits) override {
    auto owned = std::make_shared<std::vector<Commit>>(*commits);
    for (Commit& commit : *owned) {
      if (commit.insert) own(place_of(commit.insert->spec));
      commit.epoch = kEpoch;
    }
    return PgStore::record(SharedCommits(std::move(owned)));
  }

 private:
  static constexpr Epoch kEpoch = 7;

  void own(const Place& place) {
    plainly_.ask(
        "WITH i AS (INSERT INTO places (namespace, service, target, owner, epoch) VALUES"
        " ('" +
        place.ns + "', '" + place.service + "', '" + place.target + "', " + std::to_string(node_) +
        ", " + std::to_string(kEpoch) +
        ") ON CONFLICT DO NOTHING RETURNING 1) SELECT count(*) FROM i");
  }

  Plainly plainly_;
  std::int64_t node_ = 0;
};

class PostgresHome : public StoreHome {
 public:
  PostgresHome() : url_(new_database()) {
    net::io_context io;
    PgStore store(io.get_executor(), url_);
    const auto open = [&store]() -> awaitable<int> {
      co_await store.open();
      co_return 0;
    };
    wait_for(io, open());
  }
  std::unique_ptr<Store> open(net::any_io_executor io) override {
    return std::make_unique<OwnerOfAll>(io, url_);
  }

 private:
  std::string url_;
};

}  // namespace

std::vector<StoreKind> store_kinds() {
  return {{"Postgres", [] { return std::make_unique<PostgresHome>(); }}};
}

}  // namespace rollwatch
