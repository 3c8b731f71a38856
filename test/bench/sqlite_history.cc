#include "test/bench/sqlite_history.h"

#include <algorithm>
#include <cstdio>
#include <random>
#include <vector>

#include "test/bench/report.h"
#include "test/bench/sqlite_subject.h"

namespace rollwatch::bench {
namespace {

constexpr unsigned kAtOnce = 1'000;
constexpr unsigned kInterleaved = 20;  // slots of each rollout that are still in the log
constexpr int kPages = 2'000;
constexpr std::size_t kPageSize = 100;
constexpr int kInOneCommit = 25;
constexpr int kTimedCommits = 400;

struct Percentiles {
  double p50, p99, worst;
};

Percentiles percentiles(const std::vector<double>& values) {
  return {percentile(values, 50), percentile(values, 99),
          *std::max_element(values.begin(), values.end())};
}

// Whole rollouts, one after the other: what is in the log in daily life is written apart.
void fill(StoreSubject& subject, int rollouts, unsigned of_each) {
  for (int rollout = 0; rollout < rollouts; ++rollout) {
    subject.record({registration(rollout)});
    for (unsigned first = 1; first <= of_each; first += kAtOnce) {
      const unsigned last = std::min(first + kAtOnce - 1, of_each);
      Commit commit = slot_commit(rollout, last);
      commit.evaluations.clear();
      for (unsigned number = first; number <= last; ++number)
        commit.evaluations.push_back(evaluation(number, 0));
      subject.record({std::move(commit)});
    }
  }
  for (unsigned number = of_each + 1; number <= of_each + kInterleaved; ++number) {
    std::vector<Commit> commits;
    for (int rollout = 0; rollout < rollouts; ++rollout)
      commits.push_back(slot_commit(rollout, number));
    subject.record(std::move(commits));
  }
}

void measure_start(const std::filesystem::path& file, int rollouts) {
  std::vector<double> opened, read;
  for (int round = 0; round < 3; ++round) {
    const double begun = steady_now();
    StoreSubject subject(file);
    opened.push_back(steady_now() - begun);
    const std::size_t active = subject.wait(subject.store().active(std::nullopt)).size();
    read.push_back(steady_now() - begun);
    if (active != static_cast<std::size_t>(rollouts)) throw std::runtime_error("some are missing");
  }
  std::printf("start: open %.0f ms, with %d active rollouts read %.0f ms\n", median(opened),
              rollouts, median(read));
}

void measure_pages(StoreSubject& subject, int rollouts, unsigned of_each) {
  std::mt19937 random(1);
  const auto below = [&random](unsigned limit) { return static_cast<unsigned>(random()) % limit; };
  std::vector<double> anywhere, newest;
  for (int i = 0; i < kPages; ++i) {
    const std::string id = rollout_id(static_cast<int>(below(static_cast<unsigned>(rollouts))));
    for (const bool is_newest : {false, true}) {
      const unsigned after = is_newest ? of_each + kInterleaved - 50 : below(of_each);
      const double begun = steady_now();
      const auto page = subject.wait(subject.store().evaluations(id, after, kPageSize));
      (is_newest ? newest : anywhere).push_back(steady_now() - begun);
      if (page.items.empty()) throw std::runtime_error("an empty page");
    }
  }
  const Percentiles any = percentiles(anywhere), latest = percentiles(newest);
  std::printf(
      "history page of %zu: p50 %.3f ms, p99 %.3f ms; the newest 50: p50 %.3f ms, p99 %.3f ms\n",
      kPageSize, any.p50, any.p99, latest.p50, latest.p99);
}

// Commits one after the other, each of some rollouts in turn.
awaitable<std::vector<double>> commit_all(SqliteStore& store, int rollouts, unsigned first) {
  std::vector<double> delays;
  int rollout = 0;
  unsigned number = first;
  for (int i = 0; i < kTimedCommits; ++i) {
    std::vector<Commit> commits;
    for (int k = 0; k < kInOneCommit; ++k) {
      commits.push_back(slot_commit(rollout, number));
      if (++rollout == rollouts) {
        rollout = 0;
        ++number;
      }
    }
    const double begun = steady_now();
    co_await store.record(std::move(commits));
    delays.push_back(steady_now() - begun);
  }
  co_return delays;
}

void measure_thinning(StoreSubject& subject, int rollouts, unsigned of_each) {
  const unsigned next = of_each + kInterleaved + 1;
  const unsigned slots = static_cast<unsigned>(kTimedCommits * kInOneCommit / rollouts) + 1;
  const Percentiles alone = percentiles(subject.wait(commit_all(subject.store(), rollouts, next)));

  const SysTime before = evaluation(of_each, 0).slot + std::chrono::hours(2);
  bool is_over = false;
  std::size_t deleted = 0;
  double took = 0;
  const auto thin = [&]() -> awaitable<void> {
    const double begun = steady_now();
    for (Store::Thinned piece{0, true}; piece.more && !is_over;) {
      piece = co_await subject.store().thin(before);
      deleted += piece.deleted;
    }
    took = steady_now() - begun;
  };
  spawn(subject.executor(), "thin", thin);
  const auto commits = [&]() -> awaitable<std::vector<double>> {
    auto delays = co_await commit_all(subject.store(), rollouts, next + slots);
    is_over = true;
    co_return delays;
  };
  const Percentiles beside = percentiles(subject.wait(commits()));
  std::printf(
      "a commit of %d alone: p50 %.2f ms, p99 %.2f ms, worst %.2f ms\n"
      "beside thinning:       p50 %.2f ms, p99 %.2f ms, worst %.2f ms; %.0f evaluations"
      " deleted a second\n",
      kInOneCommit, alone.p50, alone.p99, alone.worst, beside.p50, beside.p99, beside.worst,
      static_cast<double>(deleted) / took * 1e3);
}

}  // namespace

void measure_history(const std::filesystem::path& file, int rollouts, int evaluations) {
  const auto of_each =
      std::max(kInterleaved, static_cast<unsigned>(evaluations / rollouts) - kInterleaved);
  const double begun = steady_now();
  {
    StoreSubject subject(file);
    fill(subject, rollouts, of_each);
  }
  const double bytes = static_cast<double>(std::filesystem::file_size(file));
  std::printf("\n%d evaluations of %d rollouts, filled in %.0f s: %.1f bytes of file for each\n",
              evaluations, rollouts, (steady_now() - begun) / 1e3, bytes / evaluations);
  measure_start(file, rollouts);
  StoreSubject subject(file);
  measure_pages(subject, rollouts, of_each);
  measure_thinning(subject, rollouts, of_each);
  std::printf("resident: %.1f MB, with the benchmark's own\n", resident_megabytes());
}

}  // namespace rollwatch::bench
