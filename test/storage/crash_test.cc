// A child process writes and is killed; what it left must be whole commits, with all that it was
// told.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "daemon/storage/sqlite_store.h"
#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

constexpr const char* kRollout = "ro_a";

// Records steps until it is killed, and says each one's revision through the pipe.
[[noreturn]] void write_until_killed(const std::filesystem::path& file, int pipe) {
  net::io_context io;
  SqliteStore store(io.get_executor(), file);
  const auto found = wait_for(io, store.rollout(kRollout));
  if (!found) wait_for(io, store.record(list_of(registration(kRollout))));
  for (unsigned revision = found ? found->state.revision + 1 : 1;; ++revision) {
    Commit commit = step(kRollout, revision);
    commit.deliveries.push_back(order("ord_" + std::to_string(revision)));
    wait_for(io, store.record(list_of(std::move(commit))));
    if (::write(pipe, &revision, sizeof revision) != sizeof revision) _exit(1);
  }
}

struct Life {
  unsigned last_told = 0;  // the latest revision it said was recorded
  int status = 0;
};

// Lets a child write; kills it after it said `tellings` revisions, unless it dies by itself before.
Life live(const std::filesystem::path& file, int tellings) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    write_until_killed(file, ends[1]);
  }
  ::close(ends[1]);
  Life life;
  for (int i = 0; i < tellings; ++i) {
    if (::read(ends[0], &life.last_told, sizeof life.last_told) <= 0) break;
  }
  ::kill(child, SIGKILL);
  unsigned revision = 0;
  while (::read(ends[0], &revision, sizeof revision) > 0) life.last_told = revision;
  ::close(ends[0]);
  ::waitpid(child, &life.status, 0);
  return life;
}

// The one number that all parts of the commits agree on; -1 if they do not.
int whole_commits(const std::filesystem::path& file) {
  net::io_context io;
  SqliteStore store(io.get_executor(), file);
  const auto found = wait_for(io, store.rollout(kRollout));
  if (!found) return 0;
  const std::size_t revision = found->state.revision;
  const std::size_t evaluations =
      wait_for(io, store.evaluations(kRollout, 0, 100'000)).items.size();
  const std::size_t events = wait_for(io, store.events(kRollout, 0, 100'000)).size();
  const auto orders = wait_for(io, store.deliveries(kRollout, 100'000, std::nullopt)).items;
  for (std::size_t i = 1; i < orders.size(); ++i) {
    if (orders[i].fence <= orders[i - 1].fence) return -1;
  }
  const bool agree = evaluations == revision && events == revision && orders.size() == revision;
  return agree ? static_cast<int>(revision) : -1;
}

TEST(CrashTest, KilledAtAnyMomentItLeavesWholeCommitsAndAllThatWereTold) {
  const TempDir dir;
  const auto file = dir.path() / "rollwatch.db";
  constexpr unsigned kSeed = 20'260'102;
  std::mt19937 random(kSeed);
  for (int round = 0; round < 12; ++round) {
    const int tellings = static_cast<int>(random() % 40);
    const Life life = live(file, tellings);
    EXPECT_TRUE(WIFSIGNALED(life.status)) << "round " << round;
    const int commits = whole_commits(file);
    EXPECT_GE(commits, static_cast<int>(life.last_told)) << "seed " << kSeed << ", round " << round;
  }
}

#ifdef ROLLWATCH_FAIL_POINTS

struct FailPoint {
  std::string name;
  int commits;  // that are there afterwards
};

TEST(CrashTest, DiesAtTheChosenPoint) {
  const std::vector<FailPoint> points = {
      {"before_order_commit", 0},    {"after_order_commit", 1},
      {"before_order_commit:5", 4},  {"after_order_commit:5", 5},
      {"before_commit:3", 1},        {"after_commit:3", 2},  // the first registers
      {"before_fold_commit", 64},    {"after_fold_commit", 64},
      {"before_fold_commit:2", 128},
  };
  for (const FailPoint& point : points) {
    const TempDir dir;
    const auto file = dir.path() / "rollwatch.db";
    setenv("ROLLWATCH_FAIL_POINT", point.name.c_str(), 1);
    const Life life = live(file, 200);
    unsetenv("ROLLWATCH_FAIL_POINT");
    EXPECT_TRUE(WIFSIGNALED(life.status) && WTERMSIG(life.status) == SIGKILL) << point.name;
    EXPECT_EQ(whole_commits(file), point.commits) << point.name;
  }
}

#endif

}  // namespace
}  // namespace rollwatch
