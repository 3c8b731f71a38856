#include "daemon/app/migrate_store.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <cstdio>
#include <exception>

#include "config/store_url.h"
#include "daemon/net/net.h"
#include "daemon/net/system_clock.h"
#include "daemon/postgres/transfer.h"
#include "daemon/postgres/transfer_meter.h"

namespace rollwatch {
namespace {

// What is wrong with the two addresses. They are not repeated: one may hold a password.
std::optional<std::string> mistake_in(const std::string& from, const std::string& to) {
  if (is_postgres_url(from) && sqlite_path(to))
    return "--migrate-store goes from SQLite to PostgreSQL; the way back is not offered";
  if (is_postgres_url(from))
    return "FROM must be an SQLite store; one PostgreSQL database is copied to another with"
           " PostgreSQL's own pg_dump";
  if (!sqlite_path(from))
    return "FROM must be \"sqlite:\" and the path of the file, such as"
           " sqlite:/var/lib/rollwatch/rollwatch.db";
  if (sqlite_path(to))
    return "TO must be a PostgreSQL database; an SQLite store is moved by copying its file";
  if (!is_postgres_url(to))
    return "TO must be \"postgresql://\" and a database, such as"
           " postgresql://rollwatch@db.example.net/rollwatch";
  return std::nullopt;
}

template <class Tell>
TransferResult transfer(const std::string& path, const std::string& url, const Tell& tell) {
  net::io_context io;
  std::optional<TransferResult> result;
  std::exception_ptr failure;
  net::co_spawn(io, transfer_store(io.get_executor(), path, url, tell),
                [&](std::exception_ptr error, TransferResult value) {
                  failure = std::move(error);
                  result = value;
                });
  io.run();
  if (failure) std::rethrow_exception(failure);
  return result.value();
}

std::string number_of(std::int64_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

int migrate_store(const std::string& from, const std::string& to) {
  if (const auto mistake = mistake_in(from, to)) {
    fmt::print(stderr, "rollwatchd: {}; nothing was copied\n", *mistake);
    return 1;
  }
  const SystemClock clock;
  TransferMeter meter(isatty(STDERR_FILENO) == 1);
  const auto tell = [&](const TransferProgress& progress) {
    if (const auto text = meter.text(progress, clock.steady())) {
      std::fputs(text->c_str(), stderr);
      std::fflush(stderr);
    }
  };
  try {
    const TransferResult done = transfer(*sqlite_path(from), to, tell);
    fmt::print(stderr, "{}", meter.end());
    fmt::print("checked {} of {}: equal\n", number_of(done.rows, "row"),
               number_of(static_cast<std::int64_t>(done.tables), "table"));
    if (done.cleaned > 0) {
      fmt::print(
          "{} had text that PostgreSQL cannot hold (U+0000, or what is not UTF-8): U+FFFD"
          " stands in its place\n",
          number_of(done.cleaned, "row"));
    }
    fmt::print("everything is in {} now; {} is as it was\n", shown_postgres_url(to),
               *sqlite_path(from));
    return 0;
  } catch (const TransferMismatch& mismatch) {
    fmt::print(stderr, "{}", meter.end());
    for (const std::string& difference : mismatch.differences())
      fmt::print(stderr, "{}\n", difference);
    fmt::print(stderr, "rollwatchd: {}: see above for the first differences; nothing was kept\n",
               mismatch.what());
  } catch (const TransferError& error) {
    fmt::print(stderr, "{}rollwatchd: {}\n", meter.end(), error.what());
  }
  return 1;
}

}  // namespace rollwatch
