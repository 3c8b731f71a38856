// What the SQLite store costs: the processor time of its threads for a thousand evaluations of many
// rollouts in turn, by how many are committed together, beside a bare append of the same row to a
// table of SQLite in the same run; and what a store with a long history answers, and how fast.
//
//   rollwatch_bench_sqlite [--rollouts N] [--evaluations N] [--history N] [--rounds N] [--commit N]
//     [--dir PATH]
//
// --evaluations: so many are measured for each size of a commit. --history: so many are on disk
// for the second part; 0 leaves it out.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/state_codec.h"
#include "daemon/storage/sqlite.h"
#include "test/bench/report.h"
#include "test/bench/sqlite_history.h"
#include "test/bench/sqlite_subject.h"

namespace rollwatch::bench {
namespace {

struct Options {
  int rollouts = 10'000;
  int evaluations = 200'000;
  int history = 10'000'000;
  int rounds = 3;
  int commit = 0;  // only this size; 0: all of them
  std::filesystem::path dir = std::filesystem::temp_directory_path();
};

const std::vector<int> kCommitSizes{1, 10, 25, 100, 1'000};

// Evaluations of all rollouts in turn.
class Slots {
 public:
  explicit Slots(int rollouts) : rollouts_(rollouts) {}

  std::vector<Commit> next(int count) {
    std::vector<Commit> commits;
    commits.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      commits.push_back(slot_commit(at_, number_));
      if (++at_ == rollouts_) {
        at_ = 0;
        ++number_;
      }
    }
    return commits;
  }

 private:
  const int rollouts_;
  int at_ = 0;
  unsigned number_ = 1;
};

// The bare floor: a table that is only appended to.
class BareTable {
 public:
  explicit BareTable(const std::filesystem::path& file) : db_(file, Database::Mode::kReadWrite) {
    db_.execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (id INTEGER PRIMARY"
        " KEY, rollout INTEGER, number INTEGER, condition TEXT, slot INTEGER, last_slot INTEGER,"
        " slots INTEGER, evaluated_at INTEGER, outcome INTEGER, cause INTEGER, value REAL, rule_op"
        " INTEGER, rule_limit REAL, evidence REAL, min_evidence REAL, series TEXT, detail TEXT,"
        " step INTEGER, duration INTEGER, state BLOB)");
  }

  void record(const std::vector<Commit>& commits) {
    Query(db_, "BEGIN IMMEDIATE").run();
    {
      Query row(db_,
                "INSERT INTO t VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
                " ?13, ?14, ?15, ?16, ?17, ?18, ?19)");
      for (const Commit& commit : commits) {
        const StoredEvaluation& e = commit.evaluations.front();
        const Judgement& judgement = e.judgement;
        const std::string state = encode_state(*commit.state);
        row.again().bind(std::int64_t{1}, e.number, e.condition, e.slot, e.last_slot, e.slots,
                         e.evaluated_at, static_cast<int>(judgement.outcome),
                         static_cast<int>(judgement.cause), judgement.value,
                         static_cast<int>(judgement.rule->op), judgement.rule->limit,
                         judgement.evidence, judgement.min_evidence, judgement.series,
                         judgement.detail.text(), e.step, e.duration, Query::Bytes{state});
        row.run();
      }
    }
    Query(db_, "COMMIT").run();
    if (db_.wal_pages() >= 1'000) db_.execute("PRAGMA wal_checkpoint(PASSIVE)");
  }

 private:
  Database db_;
};

struct Cost {
  std::vector<double> store, bare;  // milliseconds of CPU for 1,000 evaluations, one for each round
  std::vector<double> commit_p50, commit_p99;
};

void measure_costs(const Options& options, const std::filesystem::path& dir) {
  StoreSubject subject(dir / "costs.db");
  BareTable bare(dir / "bare.db");
  for (int i = 0; i < options.rollouts; i += 1'000) {
    std::vector<Commit> commits;
    for (int k = i; k < std::min(i + 1'000, options.rollouts); ++k)
      commits.push_back(registration(k));
    subject.record(std::move(commits));
  }
  Slots slots(options.rollouts);
  // Until rows leave the log as fast as they come.
  for (int left = options.rollouts * 70; left > 0; left -= 1'000) subject.record(slots.next(1'000));

  std::printf(
      "CPU ms of the store's threads for 1,000 evaluations, %d rollouts in turn\n"
      "%10s %10s %10s %8s %12s %12s\n",
      options.rollouts, "a commit", "store", "bare", "ratio", "commit p50", "p99 ms");
  for (const int per_commit :
       options.commit > 0 ? std::vector<int>{options.commit} : kCommitSizes) {
    Cost cost;
    for (int round = 0; round < options.rounds; ++round) {
      std::vector<double> commits;
      double store = 0, floor = 0;
      const int count = std::max(1, std::min(options.evaluations, per_commit * 8'000) / per_commit);
      for (int i = 0; i < count; ++i) {
        std::vector<Commit> batch = slots.next(per_commit);
        const double before_bare = cpu_of_this_thread();
        bare.record(batch);
        floor += cpu_of_this_thread() - before_bare;
        const double begun = steady_now();
        const double before = cpu_of_process() - cpu_of_this_thread();
        subject.record(std::move(batch));
        store += cpu_of_process() - cpu_of_this_thread() - before;
        commits.push_back(steady_now() - begun);
      }
      const double thousands = static_cast<double>(count) * per_commit / 1'000;
      cost.store.push_back(store / thousands);
      cost.bare.push_back(floor / thousands);
      cost.commit_p50.push_back(percentile(commits, 50));
      cost.commit_p99.push_back(percentile(commits, 99));
    }
    const double store = median(cost.store), floor = median(cost.bare);
    std::printf("%10d %10.2f %10.2f %8.2f %12.3f %12.3f\n", per_commit, store, floor, store / floor,
                median(cost.commit_p50), median(cost.commit_p99));
  }
  std::printf("resident: %.1f MB, with the benchmark's own; file: %.0f MB\n", resident_megabytes(),
              static_cast<double>(std::filesystem::file_size(dir / "costs.db")) / 1e6);
}

void run(const Options& options) {
  const std::filesystem::path dir = options.dir / ("rollwatch-bench-" + std::to_string(::getpid()));
  std::filesystem::create_directories(dir);
  try {
    measure_costs(options, dir);
    if (options.history > 0) measure_history(dir / "history.db", options.rollouts, options.history);
  } catch (...) {
    std::filesystem::remove_all(dir);
    throw;
  }
  std::filesystem::remove_all(dir);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--rollouts")
      options.rollouts = std::stoi(value);
    else if (name == "--evaluations")
      options.evaluations = std::stoi(value);
    else if (name == "--history")
      options.history = std::stoi(value);
    else if (name == "--commit")
      options.commit = std::stoi(value);
    else if (name == "--rounds")
      options.rounds = std::stoi(value);
    else if (name == "--dir")
      options.dir = value;
    else
      throw std::invalid_argument("unknown option " + std::string(name));
  }
  return options;
}

}  // namespace
}  // namespace rollwatch::bench

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    rollwatch::bench::run(rollwatch::bench::parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rollwatch_bench_sqlite: %s\n", error.what());
    return 1;
  }
  return 0;
}
