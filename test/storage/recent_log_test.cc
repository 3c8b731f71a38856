// Where rows of the log go, and that nobody can tell: one writer and one reader without their
// threads, so that what is folded when is the test's to say.
#include "daemon/storage/recent_log.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "analysis/state_codec.h"
#include "daemon/storage/group_commit.h"
#include "daemon/storage/reader.h"
#include "daemon/storage/retention.h"
#include "daemon/storage/schema.h"
#include "daemon/storage/sqlite_store.h"
#include "test/storage/failing_disk.h"
#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;

class RecentLogTest : public testing::Test {
 protected:
  RecentLogTest() { start(); }

  void start() {
    write_db_.emplace(file_, Database::Mode::kReadWrite);
    write_db_->execute(
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
        " PRAGMA synchronous = OFF");  // no power failure here
    migrate(*write_db_, sqlite_migrations());
    heads_.emplace();
    group_.emplace(*write_db_, "the store", *heads_);
    read_db_.emplace(file_, Database::Mode::kReadOnly);
    reader_.emplace(*read_db_, *heads_);
  }
  // As after kill -9: what was committed is there, and nothing else.
  void restart() {
    reader_.reset();
    read_db_.reset();
    group_.reset();
    heads_.reset();
    write_db_.reset();
    start();
  }

  // "" or why it was refused.
  std::string commit(Batch batch) {
    const BatchResult result = std::move(group_->commit({&batch}).front());
    return result ? "" : result.error().why;
  }
  void slots(const std::string& rollout, unsigned first, unsigned last) {
    for (unsigned i = first; i <= last; ++i) ASSERT_EQ(commit(list_of(step(rollout, i))), "");
  }
  // All that is due.
  void tidy() {
    while (group_->tidy()) {
    }
  }
  // Whatever has ended, with all that other tables have of it. Its rows of the log stay.
  std::size_t forget() {
    const auto forgotten = group_->run([](Database& db, RecentLog& recent) {
      const auto keys = hide_ended(db, kNow + Millis(1), 10);
      for (const std::int64_t key : keys) recent.forget(key);
      while (sweep(db) > 0) {
      }
      return keys.size();
    });
    EXPECT_TRUE(forgotten.has_value());
    return forgotten ? *forgotten : 0;
  }
  std::int64_t count(const std::string& table) {
    return write_db_->integer("SELECT count(*) FROM " + table);
  }
  std::int64_t count(const std::string& table, const std::string& rollout) {
    return write_db_->integer("SELECT count(*) FROM " + table + " WHERE rollout =" +
                              " (SELECT key FROM rollouts WHERE id = '" + rollout + "')");
  }
  // "1-70, 40" if those evaluations come, page by page, and that is the state's revision.
  std::string seen(const std::string& rollout) {
    std::uint32_t first = 0, last = 0;
    for (std::optional<std::string> cursor = "0"; cursor;) {
      const auto page = reader_->evaluations(rollout, last, 7);
      for (const StoredEvaluation& one : page.items) {
        if (first == 0) first = one.number;
        EXPECT_TRUE(last == 0 || one.number == last + 1) << one.number << " after " << last;
        EXPECT_EQ(text_of(one), text_of(full_evaluation(one.number)));
        last = one.number;
      }
      cursor = page.next_cursor;
    }
    const auto found = reader_->rollout(rollout);
    return std::to_string(first) + "-" + std::to_string(last) + ", " +
           (found ? std::to_string(found->state.revision) : "none");
  }

  TempDir dir_;
  std::filesystem::path file_ = dir_.path() / "rollwatch.db";
  std::optional<Database> write_db_, read_db_;
  std::optional<RecentHeads> heads_;
  std::optional<GroupCommit> group_;
  std::optional<StoreReader> reader_;
};

TEST_F(RecentLogTest, ASlotIsOneRowAndTouchesNothingElse) {
  ASSERT_EQ(commit(list_of(registration("ro_a"))), "");
  ASSERT_EQ(commit(list_of(step("ro_a", 1))), "");  // the state's name changes
  const std::string before =
      write_db_->text("SELECT group_concat(rollout || hex(state)) FROM states");
  slots("ro_a", 2, 9);
  EXPECT_EQ(count("recent"), 9);
  EXPECT_EQ(count("evaluations"), 0);
  EXPECT_EQ(write_db_->text("SELECT group_concat(rollout || hex(state)) FROM states"), before);
  EXPECT_EQ(write_db_->text("SELECT state FROM rollouts"), "analyzing");
  EXPECT_EQ(seen("ro_a"), "1-9, 9");
}

TEST_F(RecentLogTest, ARolloutWithManyRowsIsFolded) {
  ASSERT_EQ(commit(list_of(registration("ro_a"))), "");
  ASSERT_EQ(commit(list_of(registration("ro_b"))), "");
  slots("ro_b", 1, 1);
  slots("ro_a", 1, 63);
  tidy();
  EXPECT_EQ(count("evaluations"), 0);
  slots("ro_a", 64, 64);
  tidy();
  EXPECT_EQ(count("evaluations", "ro_a"), 64);
  EXPECT_EQ(count("evaluations", "ro_b"), 0);
  EXPECT_EQ(seen("ro_a"), "1-64, 64");
  slots("ro_a", 65, 70);
  EXPECT_EQ(seen("ro_a"), "1-70, 70") << "some here, some there";
  EXPECT_EQ(seen("ro_b"), "1-1, 1");
  EXPECT_EQ(count("all_evaluations", "ro_a"), 70);
}

// In turn, as rollouts with the same interval are: none of them ever has many rows, and the log
// would grow for ever.
TEST_F(RecentLogTest, TheLogStaysShort) {
  constexpr unsigned kSlots = 120;
  constexpr int kRollouts = 50;
  Batch registrations;
  for (int i = 0; i < kRollouts; ++i) registrations.push_back(registration(rollout_id(i)));
  ASSERT_EQ(commit(std::move(registrations)), "");
  std::int64_t longest = 0;
  for (unsigned slot = 1; slot <= kSlots; ++slot) {
    Batch batch;
    for (int i = 0; i < kRollouts; ++i) batch.push_back(step(rollout_id(i), slot));
    ASSERT_EQ(commit(std::move(batch)), "");
    tidy();
    longest = std::max(longest, count("recent"));
  }
  EXPECT_LT(longest, 3'000);  // 24 rows for each of them, and what is done in one piece
  EXPECT_GT(count("evaluations"), 2'500);
  for (int i = 0; i < kRollouts; ++i) ASSERT_EQ(seen(rollout_id(i)), "1-120, 120") << i;
  restart();
  for (int i = 0; i < kRollouts; ++i) ASSERT_EQ(seen(rollout_id(i)), "1-120, 120") << i;
}

TEST_F(RecentLogTest, ASlowRolloutAmongFastOnesHoldsNothingUp) {
  ASSERT_EQ(commit(list_of(registration("ro_slow"))), "");
  slots("ro_slow", 1, 2);
  ASSERT_EQ(commit(list_of(registration("ro_fast"))), "");
  for (unsigned i = 1; i <= 3'000; ++i) {
    ASSERT_EQ(commit(list_of(step("ro_fast", i))), "");
    tidy();
  }
  EXPECT_EQ(count("evaluations", "ro_slow"), 2);
  EXPECT_LT(count("recent"), 2'000);
  EXPECT_EQ(seen("ro_slow"), "1-2, 2");
  slots("ro_slow", 3, 3);
  EXPECT_EQ(seen("ro_slow"), "1-3, 3");
}

TEST_F(RecentLogTest, AnEndedRolloutLeavesTheLog) {
  ASSERT_EQ(commit(list_of(registration("ro_a"))), "");
  slots("ro_a", 1, 5);
  ASSERT_EQ(commit(list_of(ending("ro_a", kNow))), "");
  restart();  // before anything was folded
  EXPECT_EQ(count("recent"), 6);
  EXPECT_EQ(reader_->rollout("ro_a")->state.ended_at, kNow);
  tidy();
  EXPECT_EQ(count("recent"), 0);
  EXPECT_EQ(count("evaluations"), 5);
  EXPECT_EQ(seen("ro_a"), "1-5, 0");
  // Its numbers go on, though the log is empty.
  slots("ro_a", 6, 6);
  restart();
  EXPECT_EQ(seen("ro_a"), "1-6, 6");
}

TEST_F(RecentLogTest, ForgottenWithRowsInTheLog) {
  ASSERT_EQ(commit(list_of(registration("ro_a"))), "");
  ASSERT_EQ(commit(list_of(registration("ro_b"))), "");
  slots("ro_a", 1, 5);
  slots("ro_b", 1, 5);
  ASSERT_EQ(commit(list_of(ending("ro_a", kNow))), "");
  EXPECT_EQ(forget(), 1U);
  EXPECT_EQ(seen("ro_a"), "0-0, none");
  for (const bool restarts : {false, true}) {
    if (restarts) restart();
    ASSERT_EQ(commit(list_of(registration("ro_a"))), "");
    EXPECT_EQ(seen("ro_a"), "0-0, 0") << "nothing of the one before";
    ASSERT_EQ(commit(list_of(ending("ro_a", kNow))), "");
    EXPECT_EQ(forget(), 1U);
  }
  tidy();
  EXPECT_EQ(seen("ro_b"), "1-5, 5");
  ASSERT_EQ(commit(list_of(ending("ro_b", kNow))), "");
  tidy();
  EXPECT_EQ(count("recent"), 0);
  EXPECT_EQ(count("evaluations"), 5);
}

TEST_F(RecentLogTest, WhatFailsWhileFoldingIsLeftAsItWas) {
  ASSERT_EQ(commit(list_of(registration("ro_a"))), "");
  slots("ro_a", 1, 64);
  {
    FailingDisk disk;
    restart();  // on that disk
    disk.set(FailingDisk::Fault::kWriteFails);
    EXPECT_FALSE(group_->tidy());
    EXPECT_EQ(count("evaluations"), 0);
    EXPECT_EQ(seen("ro_a"), "1-64, 64");
    disk.set(FailingDisk::Fault::kNone);
    slots("ro_a", 65, 65);
    tidy();
    EXPECT_EQ(count("evaluations"), 65);
    EXPECT_EQ(seen("ro_a"), "1-65, 65");
    reader_.reset();
    read_db_.reset();
    group_.reset();
    write_db_.reset();
  }
  start();
  EXPECT_EQ(seen("ro_a"), "1-65, 65");
}

TEST_F(RecentLogTest, ANumberIsNotGivenTwiceWhereverTheFirstIs) {
  ASSERT_EQ(commit(list_of(registration("ro_a"))), "");
  slots("ro_a", 1, 64);
  tidy();
  slots("ro_a", 65, 66);
  for (const bool restarts : {false, true}) {
    if (restarts) restart();
    for (const unsigned number : {3U, 64U, 65U, 66U}) {
      EXPECT_THAT(commit(list_of(step("ro_a", number))), HasSubstr("evaluations")) << number;
      EXPECT_EQ(seen("ro_a"), "1-66, 66");
    }
  }
  Commit twice = step("ro_a", 67);
  twice.evaluations.push_back(full_evaluation(67));
  EXPECT_THAT(commit(list_of(twice)), HasSubstr("evaluations"));
  slots("ro_a", 67, 67);
  EXPECT_EQ(seen("ro_a"), "1-67, 67");
}

// One of several: what the others would have changed in memory is undone with what they wrote.
TEST_F(RecentLogTest, ARefusedBatchLeavesNoTraceAmongTheOthers) {
  ASSERT_EQ(commit(list_of(registration("ro_a"))), "");
  slots("ro_a", 1, 3);
  Commit paused = step("ro_a", 4);
  paused.state->state = State::kPaused;
  const Batch misfit{paused, step("ro_none", 1)};
  const Batch fits{registration("ro_b"), step("ro_b", 1)};
  const Batch more{step("ro_b", 2)};
  const auto results = group_->commit({&misfit, &fits, &more});
  EXPECT_FALSE(results[0].has_value());
  EXPECT_TRUE(results[1].has_value());
  EXPECT_TRUE(results[2].has_value());
  EXPECT_EQ(seen("ro_a"), "1-3, 3");
  EXPECT_EQ(seen("ro_b"), "1-2, 2");
  EXPECT_EQ(write_db_->text("SELECT state FROM rollouts WHERE id = 'ro_a'"), "analyzing");
  ASSERT_EQ(commit(list_of(paused)), "");
  EXPECT_EQ(write_db_->text("SELECT state FROM rollouts WHERE id = 'ro_a'"), "paused");
  EXPECT_EQ(seen("ro_a"), "1-4, 4");
}

TEST_F(RecentLogTest, ManyAtOnceGoToTheirPlaceDirectly) {
  ASSERT_EQ(commit(list_of(registration("ro_a"))), "");
  slots("ro_a", 1, 3);
  Commit many = step("ro_a", 4);
  for (unsigned i = 5; i <= 500; ++i) many.evaluations.push_back(full_evaluation(i));
  ASSERT_EQ(commit(list_of(many)), "");
  EXPECT_EQ(count("evaluations"), 500);
  slots("ro_a", 501, 502);
  EXPECT_EQ(seen("ro_a"), "1-502, 502");
}

// The reader takes what the writer told after its commit, and then a moment: in between anything
// may have been folded and deleted.
TEST_F(RecentLogTest, AReaderBesideTheWriterMissesNothingThatWasRecorded) {
  constexpr unsigned kSlots = 3'000;
  ASSERT_EQ(commit({registration("ro_a"), registration("ro_b")}), "");
  std::atomic<unsigned> recorded = 0;
  std::atomic<int> failures = 0;
  std::thread writer([&] {
    for (unsigned slot = 1; slot <= kSlots; ++slot) {
      if (!commit({step("ro_a", slot), step("ro_b", slot)}).empty()) ++failures;
      recorded = slot;
      if (slot % 3 == 0) tidy();
    }
  });
  for (unsigned before = 0; before < kSlots;) {
    before = recorded;
    std::uint32_t expected = before > 50 ? before - 50 : 0;
    const auto page = reader_->evaluations("ro_b", expected, 100);
    for (const StoredEvaluation& one : page.items)
      if (one.number != ++expected) ++failures;
    if (expected < std::min(before, kSlots)) ++failures;
    if (reader_->rollout("ro_a")->state.revision < before) ++failures;
    if (reader_->active().at(0).state.revision < before) ++failures;
  }
  writer.join();
  EXPECT_EQ(failures, 0);
}

TEST_F(RecentLogTest, AStoreOfTheFirstSchemaIsTakenOver) {
  file_ = dir_.path() / "old.db";
  const std::string blob = encode_state(full_state());
  {
    Database old(file_, Database::Mode::kReadWrite);
    migrate(old, sqlite_migrations().first(1));
    old.execute(
        "INSERT INTO plans VALUES (1, 0, 1, '{}', '{}');"
        "INSERT INTO rollouts SELECT 1, 'ro_a', 'default', 'checkout', 'default', '1.24', 'paused',"
        " 1, 0, NULL, 1, '{\"id\":\"ro_a\"}';"
        "INSERT INTO evaluations VALUES (1, 1, 'errors', 5, 5, 1, 5, 0, 0, 0.5, NULL, NULL, NULL,"
        " 0.0, '', '', 0, 3)");
    Query(old, "INSERT INTO states VALUES (1, 700, 9, ?1)").bind(Query::Bytes{blob}).run();
  }
  group_.reset();
  restart();
  EXPECT_EQ(encode_state(reader_->rollout("ro_a")->state), blob);
  EXPECT_EQ(reader_->evaluations("ro_a", 0, 10).items.at(0).condition, "errors");
  EXPECT_THAT(commit(list_of(step("ro_a", 1))), HasSubstr("evaluations"));
  slots("ro_a", 2, 70);
  tidy();
  EXPECT_EQ(reader_->evaluations("ro_a", 0, 100).items.size(), 70U);
  EXPECT_EQ(count("evaluations"), 70);
}

}  // namespace
}  // namespace rollwatch
