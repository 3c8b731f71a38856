// Forgetting: which rollouts, how many, and what of them.
#include <gmock/gmock.h>

#include "analysis/state_codec.h"
#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr SysTime kEnd = kNow;
constexpr SysTime kLater = kNow + Millis(1);

class StoreRetentionTest : public StoreTest {
 protected:
  std::size_t forget(SysTime ended_before, std::size_t limit = 100) {
    return wait(store_->forget(ended_before, limit));
  }
  std::string all() { return listed({}, 1'000); }

  // A rollout with something in every table, all of its deliveries settled.
  void live(const std::string& id, SysTime ended_at) {
    record_one(registration(id));
    record_one(rich_step(id));
    record_one(ending(id, ended_at));
  }
  static Commit rich_step(const std::string& id) {
    Commit commit = step(id, 1);
    commit.deliveries = {settled(order("ord_" + id)), settled(notification("no_" + id))};
    commit.explains = {{"dec_" + id, kNow, R"({"a":1})"}};
    commit.memos = {{"releases", "ts", "17.1"}};
    commit.idempotency = IdempotencyRecord{"key-" + id, "abc", kNow};
    return commit;
  }
  static Delivery settled(Delivery delivery) {
    delivery.state = DeliveryState::kDone;
    delivery.attempts = {full_attempt(), full_attempt()};
    return delivery;
  }
  void set_delivery(const std::string& rollout, const std::string& id, DeliveryState state) {
    Commit commit;
    commit.rollout = rollout;
    commit.delivery_updates.emplace_back();
    commit.delivery_updates[0].id = id;
    commit.delivery_updates[0].state = state;
    record_one(commit);
  }
  // Every answer about one rollout, as text; "" if each of them is "not there".
  std::string all_of(const std::string& id) {
    std::string text;
    if (const auto found = wait(store_->rollout(id)))
      text += text_of(found->spec) + encode_state(found->state) + found->document->analysis;
    if (const auto found = wait(store_->latest("default", "checkout", "default", "1.24")))
      text += found->spec.id == id ? "latest" : "";
    for (const auto& one : wait(store_->evaluations(id, 0, 10)).items) text += text_of(one);
    for (const auto& one : wait(store_->events(id, 0, 10))) text += text_of(one.event);
    for (const auto& one : wait(store_->events(std::nullopt, 0, 100)))
      text += one.rollout == id ? std::to_string(one.seq) : "";
    for (const auto& one : wait(store_->deliveries(id, 10, std::nullopt)).items)
      text += text_of(one);
    for (const char* prefix : {"ord_", "no_"}) {
      if (const auto found = wait(store_->delivery(prefix + id))) text += text_of(*found);
    }
    if (const auto found = wait(store_->explain(id, std::nullopt))) text += found->bundle;
    if (const auto found = wait(store_->memo(id, "releases", "ts"))) text += *found;
    if (const auto found = wait(store_->idempotent("key-" + id, kNow))) text += found->rollout;
    return text;
  }
};

TEST_P(StoreRetentionTest, OnlyThoseThatEndedBeforeThatMomentAreForgotten) {
  record_one(registration("ro_a"));
  record_one(registration("ro_b"));
  record_one(step("ro_b", 1));
  live("ro_c", kEnd - Millis(1));
  live("ro_d", kEnd);
  live("ro_e", kEnd + Millis(1));

  struct Row {
    std::string name;
    SysTime ended_before;
    std::size_t forgotten;
    std::string left;
  };
  const std::vector<Row> rows = {
      {"before all", kEnd - Millis(1), 0, "ro_e ro_d ro_c ro_b ro_a /"},
      {"one had ended", kEnd, 1, "ro_e ro_d ro_b ro_a /"},
      {"nothing new", kEnd, 0, "ro_e ro_d ro_b ro_a /"},
      {"a millisecond on", kEnd + Millis(1), 1, "ro_e ro_b ro_a /"},
      {"whatever ended", kEnd + std::chrono::years(100), 1, "ro_b ro_a /"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(forget(row.ended_before), row.forgotten) << row.name;
    EXPECT_EQ(all(), row.left) << row.name;
  }
  EXPECT_THAT(wait(store_->active(std::nullopt)), SizeIs(2));
}

TEST_P(StoreRetentionTest, AtMostSoManyTheLongestEndedFirst) {
  live("ro_a", kEnd);
  live("ro_b", kEnd - Millis(20));
  live("ro_c", kEnd - Millis(10));
  EXPECT_EQ(forget(kLater, 0), 0U);
  EXPECT_EQ(forget(kLater, 1), 1U);
  EXPECT_EQ(all(), "ro_c ro_a /");
  EXPECT_EQ(forget(kLater, 2), 2U);
  EXPECT_EQ(all(), "/");
}

TEST_P(StoreRetentionTest, WhatIsSharedOutlivesTheRolloutItWasWrittenWith) {
  live("ro_a", kEnd);
  Commit commit;
  commit.rollout = "ro_a";
  commit.memos = {{"", "told", "everybody", true}};
  record_one(commit);
  EXPECT_EQ(forget(kLater), 1U);
  EXPECT_EQ(wait(store_->memo("", "", "told")), "everybody");
}

TEST_P(StoreRetentionTest, ManyAtOnce) {
  std::vector<Commit> commits;
  for (int i = 0; i < 130; ++i) {
    commits.push_back(registration(rollout_id(i)));
    commits.push_back(ending(rollout_id(i), kEnd));
  }
  record(std::move(commits));
  EXPECT_EQ(forget(kLater, 120), 120U);
  EXPECT_EQ(forget(kLater, 120), 10U);
}

TEST_P(StoreRetentionTest, NothingOfItIsLeftAndOthersAreUntouched) {
  live("ro_a", kEnd);
  live("ro_b", kLater);
  const std::string before = all_of("ro_b");
  EXPECT_NE(all_of("ro_a"), "");
  EXPECT_EQ(forget(kLater), 1U);
  EXPECT_EQ(all_of("ro_a"), "");
  EXPECT_EQ(all_of("ro_b"), before);
  reopen();
  EXPECT_EQ(all_of("ro_a"), "");
  EXPECT_EQ(all_of("ro_b"), before);
}

TEST_P(StoreRetentionTest, WhatWasForgottenCanBeRegisteredAgain) {
  live("ro_a", kEnd);
  const std::string before = all_of("ro_a");
  EXPECT_EQ(forget(kLater), 1U);
  EXPECT_FALSE(wait(store_->latest("default", "checkout", "default", "1.24")))
      << "its attempts are counted from the start";
  live("ro_a", kEnd);
  EXPECT_NE(all_of("ro_a"), "");
  EXPECT_THAT(wait(store_->evaluations("ro_a", 0, 10)).items, SizeIs(1));
  EXPECT_THAT(wait(store_->delivery("ord_ro_a"))->attempts, SizeIs(2));
}

TEST_P(StoreRetentionTest, ACommitForAForgottenOneIsRefused) {
  live("ro_a", kEnd);
  EXPECT_EQ(forget(kLater), 1U);
  EXPECT_NE(refusal(list_of(step("ro_a", 2))), "");
}

TEST_P(StoreRetentionTest, OneWithAnOpenDeliveryStays) {
  for (const DeliveryState open : {DeliveryState::kPending, DeliveryState::kAccepted}) {
    const std::string name(name_of(open));
    live("ro_a", kEnd);
    set_delivery("ro_a", "no_ro_a", open);
    EXPECT_EQ(forget(kLater), 0U) << name;
    EXPECT_NE(all_of("ro_a"), "") << name;
    set_delivery("ro_a", "no_ro_a", DeliveryState::kDead);
    EXPECT_EQ(forget(kLater), 1U) << name;
  }
}

TEST_P(StoreRetentionTest, FencesOfItsPlaceGoOnGrowing) {
  live("ro_a", kEnd);
  const std::int64_t fence = wait(store_->rollout("ro_a"))->fence;
  EXPECT_EQ(forget(kLater), 1U);
  reopen();
  record_one(registration("ro_b"));
  Commit commit;
  commit.rollout = "ro_b";
  commit.deliveries = {order("ord_b", kNow - Millis(60'000))};
  EXPECT_THAT(record_one(commit).fences, ElementsAre(fence + 1)) << "though the clock went back";
}

TEST_P(StoreRetentionTest, NoEventNumberIsGivenAgain) {
  live("ro_a", kEnd);
  const std::int64_t last = wait(store_->events(std::nullopt, 0, 100)).back().seq;
  EXPECT_EQ(forget(kLater), 1U);
  EXPECT_THAT(wait(store_->events(std::nullopt, 0, 100)), IsEmpty());
  reopen();
  record_one(registration("ro_b"));
  EXPECT_THAT(record_one(step("ro_b", 1)).event_seqs, ElementsAre(last + 1));
}

// "3 5 / 5 of 5, deleted 2": what there is, how far it was looked, and how far the log reaches.
TEST_P(StoreRetentionTest, TheLogSaysWhereItIsWholeFrom) {
  const auto log = [this](std::int64_t after, std::size_t limit) {
    const EventStretch stretch = wait(store_->event_stretch(after, limit));
    std::string text;
    for (const StreamedEvent& event : stretch.items)
      text += std::to_string(event.stored.seq) + event.stored.rollout.substr(2) + " ";
    return text + "/ " + std::to_string(stretch.up_to) + " of " + std::to_string(stretch.newest) +
           ", deleted " + std::to_string(stretch.deleted);
  };
  EXPECT_EQ(log(0, 10), "/ 0 of 0, deleted 0") << "an empty store";
  live("ro_a", kEnd);
  record_one(registration("ro_b"));
  record_one(step("ro_b", 1));
  live("ro_c", kLater);
  record_one(step("ro_b", 2));
  EXPECT_EQ(log(0, 10), "1_a 2_b 3_c 4_b / 4 of 4, deleted 0");

  struct Row {
    const char* name;
    std::int64_t after;
    std::size_t limit;
    const char* log;
  };
  const Row rows[] = {
      {"a page", 0, 2, "1_a 2_b / 2 of 4, deleted 0"},
      {"the next one", 2, 2, "3_c 4_b / 4 of 4, deleted 0"},
      {"nothing more", 4, 2, "/ 4 of 4, deleted 0"},
      {"from beyond", 9, 2, "/ 9 of 4, deleted 0"},
      {"no events asked for", 1, 0, "/ 1 of 4, deleted 0"},
  };
  for (const Row& row : rows) EXPECT_EQ(log(row.after, row.limit), row.log) << row.name;
  const StreamedEvent event = wait(store_->event_stretch(3, 1)).items.at(0);
  EXPECT_EQ(event.ns + "/" + event.service, "default/checkout");
  EXPECT_EQ(text_of(event.stored.event), text_of(wait(store_->events("ro_b", 3, 1)).at(0).event));

  EXPECT_EQ(forget(kLater), 1U);
  EXPECT_EQ(log(0, 10), "2_b 3_c 4_b / 4 of 4, deleted 1");
  EXPECT_EQ(forget(kLater + Millis(1)), 1U);
  EXPECT_EQ(log(0, 2), "2_b 4_b / 4 of 4, deleted 3") << "a hole between what others have";
  reopen();
  EXPECT_EQ(log(4, 2), "/ 4 of 4, deleted 3");
  record_one(ending("ro_b", kEnd));
  EXPECT_EQ(forget(kLater), 1U);
  EXPECT_EQ(log(0, 2), "/ 4 of 4, deleted 4") << "everything is gone";
  live("ro_d", kEnd);
  EXPECT_EQ(log(0, 2), "5_d / 5 of 5, deleted 4");
}

TEST_P(StoreRetentionTest, AnAnalysisStaysAsLongAsOneRolloutHasIt) {
  const auto with = [](const std::string& id, const std::string& analysis) {
    Commit commit = registration(id);
    commit.insert->document = std::make_shared<PlanDocument>(PlanDocument{1, analysis, "{}"});
    return commit;
  };
  for (const char* id : {"ro_a", "ro_b"}) record_one(with(id, "shared"));
  record_one(ending("ro_a", kEnd));
  EXPECT_EQ(forget(kLater), 1U);
  const auto held = wait(store_->rollout("ro_b"));
  EXPECT_EQ(held->document->analysis, "shared");

  record_one(ending("ro_b", kEnd));
  EXPECT_EQ(forget(kLater), 1U);
  record_one(with("ro_c", "another"));
  EXPECT_EQ(wait(store_->rollout("ro_c"))->document->analysis, "another")
      << "and not what somebody still holds of the deleted one";
}

// Thousands of rows are many transactions, and a commit that comes meanwhile does not wait for all.
TEST_P(StoreRetentionTest, OtherCommitsGetInBetween) {
  constexpr std::uint32_t kEvaluations = 30'000;
  live("ro_a", kEnd);
  Commit many;
  many.rollout = "ro_a";
  for (std::uint32_t i = 2; i <= kEvaluations; ++i) many.evaluations.push_back(full_evaluation(i));
  record_one(many);

  std::string order_of_ends;
  spawn(io_.get_executor(), "forget", [&]() -> awaitable<void> {
    const std::size_t forgotten = co_await store_->forget(kLater, 1);
    order_of_ends += "forgot " + std::to_string(forgotten) + " ";
  });
  spawn(io_.get_executor(), "record", [&]() -> awaitable<void> {
    std::vector<Commit> commits;
    commits.push_back(registration("ro_b"));
    co_await store_->record(std::move(commits));
    order_of_ends += "recorded ";
  });
  io_.restart();
  io_.run();
  EXPECT_EQ(order_of_ends, "recorded forgot 1 ");
  EXPECT_EQ(all_of("ro_a"), "");
  EXPECT_EQ(all(), "ro_b /");
}

ROLLWATCH_FOR_EVERY_STORE(StoreRetentionTest);

}  // namespace
}  // namespace rollwatch
