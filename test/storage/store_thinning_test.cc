// Old history is thinned: what of it is left, and that nobody else is disturbed.
#include <gmock/gmock.h>

#include "analysis/state_codec.h"
#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

constexpr Millis kSecond{1'000};
constexpr SysTime kBegin = kNow;
constexpr std::chrono::hours kHour{1};

class StoreThinningTest : public StoreTest {
 protected:
  static StoredEvaluation slot(std::uint32_t number, Outcome outcome = Outcome::kPass) {
    StoredEvaluation evaluation;
    evaluation.number = number;
    evaluation.condition = "errors";
    evaluation.slot = evaluation.last_slot = evaluation.evaluated_at = kBegin + number * kSecond;
    evaluation.judgement.outcome = outcome;
    evaluation.step = 0;
    return evaluation;
  }
  // Slots one second apart, in one commit or in many.
  void live(const std::string& id, std::uint32_t first, std::uint32_t last, bool apart = false) {
    Commit commit;
    commit.rollout = id;
    for (std::uint32_t i = first; i <= last; ++i) {
      commit.evaluations.push_back(slot(i));
      if (!apart && i < last) continue;
      record_one(commit);
      commit.evaluations.clear();
    }
  }
  static std::uint32_t before_slot(SysTime before) {
    return static_cast<std::uint32_t>((before - kBegin) / kSecond);
  }
  void begin(const std::string& id) {
    Commit commit = registration(id);
    commit.insert->spec.created_at = kBegin;
    record_one(std::move(commit));
  }
  void end(const std::string& id) { record_one(ending(id, kBegin + 2 * kHour)); }

  std::size_t thin(SysTime before) {
    std::size_t deleted = 0;
    for (int pieces = 0; pieces < 100; ++pieces) {
      const Store::Thinned piece = wait(store_->thin(before));
      deleted += piece.deleted;
      if (!piece.more) return deleted;
    }
    ADD_FAILURE() << "it does not end";
    return deleted;
  }
  std::vector<std::uint32_t> numbers(const std::string& id) {
    std::vector<std::uint32_t> numbers;
    std::optional<std::string> cursor = "0";
    while (cursor) {
      const auto after = static_cast<std::uint32_t>(std::stoul(*cursor));
      const auto page = wait(store_->evaluations(id, after, 17));
      for (const StoredEvaluation& one : page.items) numbers.push_back(one.number);
      cursor = page.next_cursor;
    }
    EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
    return numbers;
  }
};

TEST_P(StoreThinningTest, OnlyWhatIsOldEnough) {
  constexpr std::uint32_t kSlots = 9'000;  // two and a half hours
  begin("ro_a");
  live("ro_a", 1, kSlots);
  end("ro_a");
  const std::string state = encode_state(wait(store_->rollout("ro_a"))->state);
  EXPECT_EQ(thin(kBegin + kHour), 0U) << "not even an hour of it is";
  EXPECT_EQ(numbers("ro_a").size(), kSlots);

  const SysTime before = kBegin + 2 * kHour;
  const std::size_t deleted = thin(before);
  EXPECT_GT(deleted, 3'500U);
  const auto left = numbers("ro_a");
  EXPECT_EQ(left.size(), kSlots - deleted);
  EXPECT_EQ(left.front(), 1U);
  const auto young = static_cast<std::ptrdiff_t>(kSlots - before_slot(before));
  EXPECT_EQ(*(left.end() - young), before_slot(before) + 1) << "none of the young ones";
  EXPECT_EQ(thin(before), 0U) << "once is enough";
  EXPECT_EQ(encode_state(wait(store_->rollout("ro_a"))->state), state) << "its counts are whole";
  reopen();
  EXPECT_EQ(numbers("ro_a"), left);
  EXPECT_GT(thin(before + 24 * kHour), 4'000U);
  EXPECT_LT(numbers("ro_a").size(), 1'000U);
  EXPECT_EQ(thin(before + 48 * kHour), 0U);
}

TEST_P(StoreThinningTest, WhatDecidedSomethingStays) {
  begin("ro_a");
  live("ro_a", 1, 100);
  Commit failing;
  failing.rollout = "ro_a";
  failing.evaluations = {slot(101, Outcome::kFail)};
  failing.explains = {{"dec_1", kBegin + 50 * kSecond + Millis(500), "{}"}};
  record_one(failing);
  live("ro_a", 102, 200);
  end("ro_a");
  thin(kBegin + 5 * kHour);
  EXPECT_THAT(numbers("ro_a"),
              testing::ElementsAre(1, 11, 21, 31, 41, 49, 50, 51, 61, 71, 81, 91, 100, 101, 102,
                                   112, 122, 132, 142, 152, 162, 172, 182, 192, 200));
}

TEST_P(StoreThinningTest, ARolloutThatGoesOnIsThinnedToo) {
  begin("ro_a");
  live("ro_a", 1, 4'000);
  const std::size_t first = thin(kBegin + kHour + 3'000 * kSecond);
  EXPECT_GT(first, 2'600U);
  live("ro_a", 4'001, 9'000);
  EXPECT_EQ(thin(kBegin + kHour + 3'100 * kSecond), 0U) << "again when an hour more is old enough";
  EXPECT_GT(thin(kBegin + 3 * kHour), 3'500U);
  live("ro_a", 9'001, 9'050, true);  // its numbers go on
  EXPECT_EQ(numbers("ro_a").back(), 9'050U);
  EXPECT_NE(refusal(list_of(step("ro_a", 9'050))), "");
  end("ro_a");
  thin(kBegin + 9 * kHour);
  const auto left = numbers("ro_a");
  EXPECT_LT(left.size(), 1'000U);
  EXPECT_EQ(left.back(), 9'050U);
  EXPECT_EQ(thin(kBegin + 99 * kHour), 0U);
}

// It waited long before its first slot.
TEST_P(StoreThinningTest, AnEndedOneWhoseSlotsAreYoungIsLookedAtLater) {
  begin("ro_a");
  live("ro_a", 10'001, 10'500);
  end("ro_a");
  EXPECT_EQ(thin(kBegin + 2 * kHour), 0U);
  EXPECT_EQ(numbers("ro_a").size(), 500U);
  EXPECT_GT(thin(kBegin + 9 * kHour), 440U);
}

TEST_P(StoreThinningTest, ManyRolloutsEachByItself) {
  for (int i = 0; i < 70; ++i) {
    begin(rollout_id(i));
    live(rollout_id(i), 1, 40);
    end(rollout_id(i));
  }
  EXPECT_EQ(thin(kBegin + 9 * kHour), 70U * 35);
  for (int i = 0; i < 70; ++i)
    EXPECT_THAT(numbers(rollout_id(i)), testing::ElementsAre(1, 11, 21, 31, 40)) << i;
}

ROLLWATCH_FOR_EVERY_STORE(StoreThinningTest);

}  // namespace
}  // namespace rollwatch
