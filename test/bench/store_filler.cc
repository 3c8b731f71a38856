#include "test/bench/store_filler.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <stdexcept>
#include <utility>

#include "daemon/storage/sqlite_store.h"
#include "test/bench/window.h"

namespace rollwatch::bench {
namespace {

// Rows of one rollout stand together in so large pieces. Fewer would be more like the real thing,
// where each row comes alone, and would take as long as it.
constexpr std::size_t kPiece = 100;
constexpr std::size_t kCommits = 100;  // of one batch

StoredEvaluation row(std::uint32_t number, SysTime slot) {
  StoredEvaluation row;
  row.number = number;
  row.condition = "c0";
  row.slot = row.last_slot = row.evaluated_at = slot;
  row.judgement.outcome = Outcome::kPass;
  row.judgement.cause = Cause::kWithinLimit;
  row.judgement.value = 0.01;
  row.judgement.rule = Comparison{CompareOp::kGreater, 0.05};
  row.step = 0;
  row.duration = Millis{3};
  return row;
}

// The next rows of one rollout, and its state with them.
Commit next_rows(StoredRollout& rollout, std::size_t count) {
  constexpr Millis kInterval{30'000};
  Commit commit;
  commit.rollout = rollout.spec.id;
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned number = ++rollout.state.evaluations;
    commit.evaluations.push_back(row(number, rollout.spec.created_at + kInterval * number));
  }
  commit.state = rollout.state;
  return commit;
}

awaitable<Filled> fill_all(Store& store, std::size_t evaluations) {
  std::vector<StoredRollout> rollouts = co_await store.active(std::nullopt);
  if (rollouts.empty()) throw std::runtime_error("there is no active rollout to fill up");
  Filled filled;
  filled.rollouts = rollouts.size();
  const std::size_t each = evaluations / rollouts.size();
  for (std::size_t done = 0; done < each; done += kPiece) {
    const std::size_t piece = std::min(kPiece, each - done);
    for (std::size_t first = 0; first < rollouts.size(); first += kCommits) {
      std::vector<Commit> commits;
      const std::size_t end = std::min(first + kCommits, rollouts.size());
      for (std::size_t i = first; i < end; ++i) commits.push_back(next_rows(rollouts[i], piece));
      filled.evaluations += piece * commits.size();
      co_await store.record(std::move(commits));
    }
  }
  co_return filled;
}

}  // namespace

Filled fill(const std::filesystem::path& database, std::size_t evaluations) {
  const SteadyClock::time_point begun = SteadyClock::now();
  net::io_context io;
  SqliteStore store(io.get_executor(), database);
  Filled filled;
  std::exception_ptr failure;
  net::co_spawn(io, fill_all(store, evaluations), [&](std::exception_ptr error, Filled done) {
    failure = error;
    filled = done;
  });
  io.run();
  store.close();
  if (failure) std::rethrow_exception(failure);
  filled.seconds = seconds_since(begun);
  return filled;
}

}  // namespace rollwatch::bench
