// History: evaluations, events, explain bundles, memos, idempotency keys.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "analysis/state_codec.h"
#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;

class StoreHistoryTest : public StoreTest {
 protected:
  std::vector<std::int64_t> seqs(const std::optional<std::string>& rollout, std::int64_t after,
                                 std::size_t limit) {
    std::vector<std::int64_t> found;
    for (const StoredEvent& event : wait(store_->events(rollout, after, limit)))
      found.push_back(event.seq);
    return found;
  }
};

TEST_P(StoreHistoryTest, AnEvaluationComesBackWhole) {
  record_one(registration("ro_a"));
  Commit commit = step("ro_a", 1);
  commit.evaluations = {full_evaluation(1), StoredEvaluation{}};
  record_one(commit);
  const auto page = wait(store_->evaluations("ro_a", 0, 10));
  ASSERT_EQ(page.items.size(), 1U);  // number 0 is not after 0
  EXPECT_EQ(text_of(page.items[0]), text_of(full_evaluation(1)));
}

TEST_P(StoreHistoryTest, EveryOutcomeCauseAndComparisonComesBack) {
  record_one(registration("ro_a"));
  Commit commit = step("ro_a", 1);
  commit.evaluations.clear();
  for (std::uint8_t i = 0; is_known(static_cast<Cause>(i)); ++i) {
    StoredEvaluation evaluation = full_evaluation(i + 1U);
    evaluation.judgement.cause = static_cast<Cause>(i);
    evaluation.judgement.outcome = static_cast<Outcome>(i % kOutcomeCount);
    evaluation.judgement.rule->op = static_cast<CompareOp>(i % 6);
    commit.evaluations.push_back(evaluation);
  }
  record_one(commit);
  const auto page = wait(store_->evaluations("ro_a", 0, 100));
  ASSERT_EQ(page.items.size(), commit.evaluations.size());
  for (std::size_t i = 0; i < page.items.size(); ++i) {
    EXPECT_EQ(text_of(page.items[i]), text_of(commit.evaluations[i]));
  }
}

TEST_P(StoreHistoryTest, NumbersKeepEveryBit) {
  using Limits = std::numeric_limits<double>;
  const std::vector<double> numbers = {0.0,
                                       -0.0,
                                       1.0,
                                       -1.5,
                                       0.1,
                                       Limits::max(),
                                       Limits::denorm_min(),
                                       Limits::infinity(),
                                       -Limits::infinity(),
                                       Limits::quiet_NaN(),  // its sign means nothing
                                       9007199254740993.0};
  record_one(registration("ro_a"));
  Commit commit = step("ro_a", 1);
  commit.evaluations.clear();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    StoredEvaluation evaluation = full_evaluation(static_cast<std::uint32_t>(i + 1));
    evaluation.judgement.value = numbers[i];
    evaluation.judgement.evidence = numbers[i];
    evaluation.judgement.min_evidence = numbers[i];
    evaluation.judgement.rule.reset();
    commit.evaluations.push_back(evaluation);
  }
  record_one(commit);
  const auto page = wait(store_->evaluations("ro_a", 0, 100));
  ASSERT_EQ(page.items.size(), numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    EXPECT_EQ(text_of(page.items[i]), text_of(commit.evaluations[i])) << numbers[i];
  }
}

TEST_P(StoreHistoryTest, EvaluationsGoPageByPageAndOnlyOfTheirRollout) {
  record_one(registration("ro_a"));
  record_one(registration("ro_b"));
  for (unsigned i = 1; i <= 5; ++i) record({step("ro_a", i), step("ro_b", i)});

  std::string numbers;
  std::uint32_t after = 0;
  std::optional<std::string> cursor;
  do {
    const auto page = wait(store_->evaluations("ro_a", after, 2));
    for (const auto& evaluation : page.items) numbers += std::to_string(evaluation.number) + " ";
    numbers += "/";
    cursor = page.next_cursor;
    if (cursor) after = static_cast<std::uint32_t>(std::stoul(*cursor));  // it is the number
  } while (cursor);
  EXPECT_EQ(numbers, "1 2 /3 4 /5 /");
}

TEST_P(StoreHistoryTest, AnEventComesBackWhole) {
  Commit commit = registration("ro_a");
  Event odd = full_event();
  odd.weight = std::nan("");
  odd.value = -std::numeric_limits<double>::infinity();
  commit.events = {full_event(), Event{}, odd};
  record_one(commit);
  const auto events = wait(store_->events("ro_a", 0, 10));
  ASSERT_EQ(events.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(events[i].rollout, "ro_a");
    EXPECT_EQ(text_of(events[i].event), text_of(commit.events[i]));
  }
}

TEST_P(StoreHistoryTest, EveryTypeOfEventComesBack) {
  Commit commit = registration("ro_a");
  for (int i = 0; i <= static_cast<int>(kLastEventType); ++i) {
    Event event;
    event.type = static_cast<EventType>(i);
    commit.events.push_back(event);
  }
  record_one(commit);
  const auto events = wait(store_->events("ro_a", 0, 100));
  ASSERT_EQ(events.size(), commit.events.size());
  for (std::size_t i = 0; i < events.size(); ++i)
    EXPECT_EQ(events[i].event.type, commit.events[i].type);
}

TEST_P(StoreHistoryTest, EventsAfterANumberOfOneOrAll) {
  record_one(registration("ro_a"));
  record_one(registration("ro_b"));
  for (unsigned i = 1; i <= 3; ++i) record({step("ro_a", i), step("ro_b", i)});
  EXPECT_THAT(seqs(std::nullopt, 0, 10), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(seqs(std::nullopt, 2, 2), ElementsAre(3, 4));
  EXPECT_THAT(seqs("ro_b", 0, 10), ElementsAre(2, 4, 6));
  EXPECT_THAT(seqs("ro_b", 2, 1), ElementsAre(4));
  EXPECT_THAT(seqs(std::nullopt, 6, 10), ElementsAre());
}

TEST_P(StoreHistoryTest, ExplainsTheDecisionAskedForOrTheLatest) {
  record_one(registration("ro_a"));
  record_one(registration("ro_b"));
  Commit commit = step("ro_a", 1);
  commit.explains = {{"dec_1", kNow, R"({"n":1})"}, {"dec_2", kNow, R"({"n":2})"}};
  record_one(commit);
  const auto latest = wait(store_->explain("ro_a", std::nullopt));
  const auto first = wait(store_->explain("ro_a", "dec_1"));
  ASSERT_TRUE(latest && first);
  EXPECT_EQ(latest->decision, "dec_2");
  EXPECT_EQ(latest->bundle, R"({"n":2})");
  EXPECT_EQ(first->bundle, R"({"n":1})");
  EXPECT_EQ(first->at, kNow);
  EXPECT_FALSE(wait(store_->explain("ro_b", "dec_1")));
  EXPECT_FALSE(wait(store_->explain("ro_a", "dec_3")));
}

TEST_P(StoreHistoryTest, AMemoIsTheLastOneWritten) {
  record_one(registration("ro_a"));
  Commit commit;
  commit.rollout = "ro_a";
  commit.memos = {{"releases", "ts", "1"}, {"other", "ts", "2"}};
  record_one(commit);
  commit.memos = {{"releases", "ts", "3"}};
  record_one(commit);
  EXPECT_EQ(wait(store_->memo("ro_a", "releases", "ts")), "3");
  EXPECT_EQ(wait(store_->memo("ro_a", "other", "ts")), "2");
  EXPECT_FALSE(wait(store_->memo("ro_a", "releases", "channel")));
}

// What is remembered of no rollout: whoever's commit writes it.
TEST_P(StoreHistoryTest, ASharedMemoIsOneForAll) {
  record_one(registration("ro_a"));
  record_one(registration("ro_b"));
  EXPECT_FALSE(wait(store_->memo("", "", "told")));
  Commit commit;
  commit.rollout = "ro_a";
  commit.memos = {{"", "told", "1", true}, {"", "told", "of a"}};
  record_one(commit);
  commit.rollout = "ro_b";
  commit.memos = {{"", "told", "2", true, "1"}};
  record_one(commit);
  EXPECT_EQ(wait(store_->memo("", "", "told")), "2");
  EXPECT_EQ(wait(store_->memo("ro_a", "", "told")), "of a");
  EXPECT_FALSE(wait(store_->memo("ro_b", "", "told")));
  EXPECT_FALSE(wait(store_->memo("ro_none", "", "told")));
}

TEST_P(StoreHistoryTest, ARolloutHasItsLabelBesideIt) {
  record_one(registration("ro_a"));
  record_one(registration("ro_b"));
  EXPECT_EQ(wait(store_->rollout("ro_a"))->label, "");
  Commit commit;
  commit.rollout = "ro_a";
  commit.memos = {{"", kLabelMemo, "{1}"}, {"releases", kLabelMemo, "of a target"}};
  record_one(commit);
  commit.memos = {{"", kLabelMemo, "{2}"}};
  record_one(commit);
  EXPECT_EQ(wait(store_->rollout("ro_a"))->label, "{2}");
  EXPECT_EQ(wait(store_->rollout("ro_b"))->label, "");
  for (const StoredRollout& one : wait(store_->list({}, 10, std::nullopt)).items)
    EXPECT_EQ(one.label, one.spec.id == "ro_a" ? "{2}" : "");
  for (const StoredRollout& one : wait(store_->active(std::nullopt)))
    EXPECT_EQ(one.label, one.spec.id == "ro_a" ? "{2}" : "");
}

TEST_P(StoreHistoryTest, AnIdempotencyKeyHoldsForADay) {
  constexpr Millis kDay = std::chrono::hours(24);
  Commit first = registration("ro_a");
  first.idempotency = IdempotencyRecord{"key", "sha-1", kNow};
  record_one(first);
  const auto found = wait(store_->idempotent("key", kNow + kDay - Millis(1)));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->rollout, "ro_a");
  EXPECT_EQ(found->body_sha256, "sha-1");
  EXPECT_FALSE(wait(store_->idempotent("key", kNow + kDay)));
  EXPECT_FALSE(wait(store_->idempotent("other", kNow)));

  Commit second = registration("ro_b");
  second.idempotency = IdempotencyRecord{"key", "sha-2", kNow + kDay};
  record_one(second);
  EXPECT_EQ(wait(store_->idempotent("key", kNow + kDay))->rollout, "ro_b");
}

ROLLWATCH_FOR_EVERY_STORE(StoreHistoryTest);

}  // namespace
}  // namespace rollwatch
