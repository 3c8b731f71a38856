// Recording: what becomes durable, what fails alone, what is given at commit.
#include <gmock/gmock.h>

#include "analysis/state_codec.h"
#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class StoreRecordTest : public StoreTest {
 protected:
  std::string state_of(const std::string& id) {
    return encode_state(wait(store_->rollout(id)).value().state);
  }
};

TEST_P(StoreRecordTest, ARegisteredRolloutComesBackWhole) {
  Commit commit = registration("ro_a");
  commit.state = full_state();
  commit.insert->document =
      std::make_shared<PlanDocument>(PlanDocument{3, R"({"a":"\""})", R"({"a":"x"})"});
  record_one(commit);

  const auto found = wait(store_->rollout("ro_a"));
  ASSERT_TRUE(found);
  EXPECT_EQ(text_of(found->spec), text_of(commit.insert->spec));
  EXPECT_EQ(encode_state(found->state), encode_state(*commit.state));
  EXPECT_EQ(found->document->version, 3);
  EXPECT_EQ(found->document->analysis, R"({"a":"\""})");
  EXPECT_EQ(found->document->sources, R"({"a":"x"})");
}

TEST_P(StoreRecordTest, ASpecificationOfDefaultsComesBackToo) {
  Commit commit = registration("ro_a");
  commit.insert->spec = RolloutSpec{};
  commit.insert->spec.id = "ro_a";
  commit.insert->spec.attempt = 0;
  record_one(commit);
  EXPECT_EQ(text_of(wait(store_->rollout("ro_a"))->spec), text_of(commit.insert->spec));
}

TEST_P(StoreRecordTest, WhatIsNotThereIsNotFound) {
  EXPECT_FALSE(wait(store_->rollout("ro_none")));
  EXPECT_FALSE(wait(store_->delivery("ord_none")));
  EXPECT_FALSE(wait(store_->explain("ro_none", std::nullopt)));
  EXPECT_FALSE(wait(store_->memo("ro_none", "releases", "ts")));
  EXPECT_FALSE(wait(store_->idempotent("key", kNow)));
  EXPECT_FALSE(wait(store_->latest("default", "checkout", "default", "1.24")));
  EXPECT_THAT(wait(store_->evaluations("ro_none", 0, 10)).items, IsEmpty());
  EXPECT_THAT(wait(store_->events("ro_none", 0, 10)), IsEmpty());
  EXPECT_THAT(wait(store_->deliveries("ro_none", 10, std::nullopt)).items, IsEmpty());
  EXPECT_THAT(wait(store_->active(std::nullopt)), IsEmpty());
  EXPECT_THAT(wait(store_->open_deliveries(std::nullopt)), IsEmpty());
}

TEST_P(StoreRecordTest, TheSameBytesOfStateAreThereAfterReopening) {
  Commit next = step("ro_a", 1);
  next.state = full_state();
  record_one(registration("ro_a"));
  record_one(next);
  reopen();
  EXPECT_EQ(state_of("ro_a"), encode_state(full_state()));
}

TEST_P(StoreRecordTest, ActiveAreThoseThatHaveNotEnded) {
  for (const char* id : {"ro_a", "ro_b", "ro_c"}) record_one(registration(id));
  Commit ended = step("ro_b", 1);
  ended.state->state = State::kRolledBack;
  ended.state->ended_at = kNow;
  record_one(ended);
  reopen();

  const auto active = wait(store_->active(std::nullopt));
  ASSERT_THAT(active, SizeIs(2));
  EXPECT_EQ(active[0].spec.id, "ro_a");
  EXPECT_EQ(active[1].spec.id, "ro_c");
  // Equal documents are one in memory.
  EXPECT_EQ(active[0].document, active[1].document);
  EXPECT_EQ(wait(store_->rollout("ro_b"))->state.ended_at, kNow);
}

TEST_P(StoreRecordTest, EventsAreNumberedInTheOrderOfTheCommits) {
  record_one(registration("ro_a"));
  record_one(registration("ro_b"));
  Commit two = step("ro_a", 1);
  two.events.push_back(full_event());
  const auto recorded = record({two, step("ro_b", 1)});
  ASSERT_THAT(recorded, SizeIs(2));
  std::vector<std::int64_t> given = recorded[0].event_seqs;
  given.insert(given.end(), recorded[1].event_seqs.begin(), recorded[1].event_seqs.end());
  EXPECT_THAT(given, ElementsAre(1, 2, 3));

  reopen();
  EXPECT_THAT(record_one(step("ro_b", 2)).event_seqs, ElementsAre(4));
}

TEST_P(StoreRecordTest, ABatchThatFailsLeavesNothingAndTakesNoNumbers) {
  record_one(registration("ro_a"));
  // The second commit repeats evaluation 1 of the first.
  EXPECT_THAT(refusal({step("ro_a", 1), step("ro_a", 1)}), HasSubstr("evaluations"));
  EXPECT_EQ(wait(store_->rollout("ro_a"))->state.revision, 0U);
  EXPECT_THAT(wait(store_->evaluations("ro_a", 0, 10)).items, IsEmpty());
  EXPECT_THAT(record_one(step("ro_a", 1)).event_seqs, ElementsAre(1));
}

struct Misfit {
  std::string name;
  std::function<Commit()> commit;
  std::string message;
};

TEST_P(StoreRecordTest, WhatDoesNotFitIsRefused) {
  record_one(registration("ro_a"));
  Commit first = step("ro_a", 1);
  first.deliveries = {order("ord_1")};
  first.explains = {{"dec_1", kNow, "{}"}};
  first.idempotency = IdempotencyRecord{"key", "body", kNow};
  record_one(first);
  const std::vector<Misfit> misfits = {
      {"same rollout again", [] { return registration("ro_a"); }, "rollouts.id"},
      {"unknown rollout", [] { return step("ro_none", 1); }, "there is no rollout ro_none"},
      {"same evaluation again", [] { return step("ro_a", 1); }, "evaluations"},
      {"registration without a state",
       [] {
         Commit commit = registration("ro_b");
         commit.state.reset();
         return commit;
       },
       "without a state"},
      {"same delivery again",
       [] {
         Commit commit = step("ro_a", 2);
         commit.deliveries = {order("ord_1")};
         return commit;
       },
       "deliveries.id"},
      {"unknown delivery",
       [] {
         Commit commit = step("ro_a", 2);
         commit.delivery_updates.emplace_back();
         commit.delivery_updates.back().id = "ord_none";
         return commit;
       },
       "there is no delivery ord_none"},
      {"same decision explained again",
       [] {
         Commit commit = step("ro_a", 2);
         commit.explains = {{"dec_1", kNow, "{}"}};
         return commit;
       },
       "explains.decision"},
      {"same idempotency key again",
       [] {
         Commit commit = registration("ro_b");
         commit.idempotency = IdempotencyRecord{"key", "body", kNow};
         return commit;
       },
       "idempotency"},
  };
  for (const Misfit& misfit : misfits) {
    EXPECT_THAT(refusal(list_of(misfit.commit())), HasSubstr(misfit.message)) << misfit.name;
  }
  EXPECT_EQ(wait(store_->rollout("ro_a"))->state.revision, 1U);
  EXPECT_FALSE(wait(store_->rollout("ro_b")));
}

// Several callers at once, of whom one brings something that does not fit.
TEST_P(StoreRecordTest, OnlyTheBatchThatDoesNotFitFails) {
  constexpr int kCallers = 20;
  constexpr int kMisfit = 7;
  for (int i = 0; i < kCallers; ++i) record_one(registration(rollout_id(i)));
  std::vector<std::string> failures(kCallers);
  for (int i = 0; i < kCallers; ++i) {
    spawn(io_.get_executor(), "caller", [this, i, &failures]() -> awaitable<void> {
      std::vector<Commit> commits = list_of(step(rollout_id(i), 1));
      if (i == kMisfit) commits.push_back(step(rollout_id(i), 1));
      try {
        co_await store_->record(std::move(commits));
      } catch (const StoreError& error) {
        failures[static_cast<std::size_t>(i)] = error.what();
      }
    });
  }
  io_.restart();
  io_.run();
  for (int i = 0; i < kCallers; ++i) {
    const bool fits = i != kMisfit;
    EXPECT_EQ(failures[static_cast<std::size_t>(i)].empty(), fits) << i;
    EXPECT_EQ(wait(store_->rollout(rollout_id(i)))->state.revision, fits ? 1U : 0U) << i;
  }
}

TEST_P(StoreRecordTest, AReadSeesWhatWasRecordedBefore) {
  record_one(registration("ro_a"));
  int seen = 0;
  spawn(io_.get_executor(), "caller", [this, &seen]() -> awaitable<void> {
    for (unsigned revision = 1; revision <= 50; ++revision) {
      co_await store_->record(list_of(step("ro_a", revision)));
      const auto found = co_await store_->rollout("ro_a");
      const auto page = co_await store_->evaluations("ro_a", 0, 100);
      if (found->state.revision == revision && page.items.size() == revision) ++seen;
    }
  });
  io_.restart();
  io_.run();
  EXPECT_EQ(seen, 50);
}

TEST_P(StoreRecordTest, ClosingFinishesWhatWasHandedOver) {
  record_one(registration("ro_a"));
  bool recorded = false;
  spawn(io_.get_executor(), "caller", [this, &recorded]() -> awaitable<void> {
    co_await store_->record(list_of(step("ro_a", 1)));
    recorded = true;
  });
  io_.restart();
  io_.poll_one();  // the coroutine has handed its batch over
  close();
  io_.run();
  EXPECT_TRUE(recorded);
  reopen();
  EXPECT_EQ(wait(store_->rollout("ro_a"))->state.revision, 1U);
}

TEST_P(StoreRecordTest, ACallerMayBeGoneBeforeTheAnswer) {
  const auto home = GetParam().make_home();
  {
    net::io_context other;
    const auto store = home->open(other.get_executor());
    for (int i = 0; i < 10; ++i) {
      spawn(other.get_executor(), "caller", [&store, i]() -> awaitable<void> {
        co_await store->record(list_of(registration(rollout_id(i))));
        co_await store->active(std::nullopt);
      });
    }
    for (int i = 0; i < 10; ++i) other.poll_one();  // each has handed its batch over
    store->close();
  }  // the coroutines go with their io_context, answered or not
  const auto store = home->open(io_.get_executor());
  EXPECT_THAT(wait(store->active(std::nullopt)), SizeIs(10))
      << "handed over is recorded, with nobody listening";
}

ROLLWATCH_FOR_EVERY_STORE(StoreRecordTest);

}  // namespace
}  // namespace rollwatch
