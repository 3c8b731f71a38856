// Deliveries and their fences.
#include <gmock/gmock.h>

#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StoreDeliveryTest : public StoreTest {
 protected:
  // Commits one new delivery for the rollout and gives its fence.
  std::int64_t give(const std::string& rollout, Delivery delivery) {
    Commit commit;
    commit.rollout = rollout;
    commit.deliveries.push_back(std::move(delivery));
    return record_one(commit).fences.at(0);
  }
  void update(const std::string& rollout, const std::string& id, DeliveryState state,
              std::optional<Attempt> attempt) {
    Commit commit;
    commit.rollout = rollout;
    commit.delivery_updates.emplace_back();
    commit.delivery_updates[0].id = id;
    commit.delivery_updates[0].state = state;
    commit.delivery_updates[0].accepted_until =
        kNow + Millis(state == DeliveryState::kAccepted ? 1 : 0);
    commit.delivery_updates[0].attempt = std::move(attempt);
    record_one(commit);
  }
  std::string open() {
    std::string ids;
    for (const Delivery& delivery : wait(store_->open_deliveries())) ids += delivery.id + " ";
    return ids;
  }
};

const std::int64_t kNowFence = kNow.time_since_epoch().count();

TEST_P(StoreDeliveryTest, ADeliveryComesBackWholeWithItsFence) {
  record_one(registration("ro_a"));
  Delivery delivery = order("ord_1");
  delivery.attempts = {full_attempt()};
  const std::int64_t fence = give("ro_a", delivery);
  delivery.rollout = "ro_a";
  delivery.fence = fence;
  EXPECT_EQ(fence, kNowFence);
  EXPECT_EQ(text_of(wait(store_->delivery("ord_1")).value()), text_of(delivery));
}

TEST_P(StoreDeliveryTest, ANotificationHasNoFence) {
  record_one(registration("ro_a"));
  EXPECT_EQ(give("ro_a", notification("no_1")), 0);
  EXPECT_EQ(wait(store_->delivery("no_1"))->cls, DeliveryClass::kNotification);
  EXPECT_EQ(wait(store_->delivery("no_1"))->fence, 0);
}

TEST_P(StoreDeliveryTest, FencesGrowInAPlaceWhoeverOrdersAndOverRestart) {
  record_one(registration("ro_a"));
  record_one(registration("ro_b"));
  record_one(registration("ro_c", "eu-1"));
  EXPECT_EQ(give("ro_a", order("ord_1")), kNowFence);
  EXPECT_EQ(give("ro_b", order("ord_2")), kNowFence + 1) << "same place, same millisecond";
  EXPECT_EQ(give("ro_c", order("ord_3")), kNowFence) << "another target has its own";
  reopen();
  EXPECT_EQ(give("ro_a", order("ord_4", kNow - Millis(60'000))), kNowFence + 2)
      << "the clock went back";
  EXPECT_EQ(give("ro_b", order("ord_5", kNow + Millis(50))), kNowFence + 50) << "the clock went on";
}

TEST_P(StoreDeliveryTest, FencesOfOneCommitAreInItsOrder) {
  record_one(registration("ro_a"));
  Commit commit;
  commit.rollout = "ro_a";
  commit.deliveries = {order("ord_1"), notification("no_1"), order("ord_2")};
  EXPECT_THAT(record_one(commit).fences, ElementsAre(kNowFence, 0, kNowFence + 1));
}

TEST_P(StoreDeliveryTest, AnUpdateChangesTheStateAndAppendsTheAttempt) {
  record_one(registration("ro_a"));
  give("ro_a", order("ord_1"));
  Attempt failed;
  failed.at = kNow;
  failed.error = "connection refused";
  update("ro_a", "ord_1", DeliveryState::kPending, failed);
  update("ro_a", "ord_1", DeliveryState::kAccepted, full_attempt());
  update("ro_a", "ord_1", DeliveryState::kDone, std::nullopt);

  const auto delivery = wait(store_->delivery("ord_1"));
  EXPECT_EQ(delivery->state, DeliveryState::kDone);
  EXPECT_EQ(delivery->accepted_until, kNow);
  ASSERT_EQ(delivery->attempts.size(), 2U);
  EXPECT_EQ(delivery->attempts[0].error, "connection refused");
  EXPECT_FALSE(delivery->attempts[0].status);
  EXPECT_EQ(delivery->attempts[1].status, 503);
}

TEST_P(StoreDeliveryTest, OpenAreThePendingAndTheAcceptedOldestFirst) {
  record_one(registration("ro_a"));
  record_one(registration("ro_b"));
  give("ro_b", order("ord_9"));
  give("ro_a", notification("no_1"));
  give("ro_a", order("ord_1"));
  give("ro_b", order("ord_2"));
  EXPECT_EQ(open(), "ord_9 no_1 ord_1 ord_2 ");
  update("ro_a", "ord_1", DeliveryState::kAccepted, std::nullopt);
  update("ro_b", "ord_9", DeliveryState::kWithdrawn, std::nullopt);
  update("ro_a", "no_1", DeliveryState::kDead, std::nullopt);
  reopen();
  EXPECT_EQ(open(), "ord_1 ord_2 ");
  // A dead one may be tried again.
  update("ro_a", "no_1", DeliveryState::kPending, std::nullopt);
  EXPECT_EQ(open(), "no_1 ord_1 ord_2 ");
}

TEST_P(StoreDeliveryTest, EveryStateComesBack) {
  record_one(registration("ro_a"));
  for (int i = 0; i <= static_cast<int>(DeliveryState::kWithdrawn); ++i) {
    Delivery delivery = order("ord_" + std::to_string(i));
    delivery.state = static_cast<DeliveryState>(i);
    give("ro_a", delivery);
    EXPECT_EQ(wait(store_->delivery(delivery.id))->state, delivery.state) << i;
  }
}

TEST_P(StoreDeliveryTest, DeliveriesOfARolloutGoPageByPage) {
  record_one(registration("ro_a"));
  record_one(registration("ro_b"));
  for (int i = 1; i <= 3; ++i) {
    give("ro_a", order("ord_a" + std::to_string(i)));
    give("ro_b", order("ord_b" + std::to_string(i)));
  }
  const auto first = wait(store_->deliveries("ro_a", 2, std::nullopt));
  ASSERT_TRUE(first.next_cursor);
  give("ro_a", order("ord_a4"));
  const auto second = wait(store_->deliveries("ro_a", 2, first.next_cursor));
  ASSERT_EQ(first.items.size(), 2U);
  ASSERT_EQ(second.items.size(), 2U);
  EXPECT_EQ(first.items[0].id + first.items[1].id + second.items[0].id + second.items[1].id,
            "ord_a1ord_a2ord_a3ord_a4");
  EXPECT_FALSE(second.next_cursor);
}

TEST_P(StoreDeliveryTest, WhatIsSentAgainIsOpenWithANewExpiry) {
  record_one(registration("ro_a"));
  give("ro_a", order("ord_1"));
  update("ro_a", "ord_1", DeliveryState::kDead, full_attempt());
  const Delivery dead = wait(store_->delivery("ord_1")).value();
  EXPECT_EQ(open(), "");
  Commit commit;
  commit.rollout = "ro_a";
  commit.delivery_updates.emplace_back();
  commit.delivery_updates[0].id = "ord_1";
  commit.delivery_updates[0].expires_at = kNow + Millis(1'800'000);
  record_one(commit);
  reopen();
  EXPECT_EQ(open(), "ord_1 ");
  const Delivery again = wait(store_->delivery("ord_1")).value();
  EXPECT_EQ(again.expires_at, kNow + Millis(1'800'000));
  EXPECT_EQ(again.fence, dead.fence);
  EXPECT_EQ(again.attempts.size(), 1U) << "kept";
  update("ro_a", "ord_1", DeliveryState::kDone, full_attempt());
  EXPECT_EQ(wait(store_->delivery("ord_1"))->expires_at, kNow + Millis(1'800'000));
}

ROLLWATCH_FOR_EVERY_STORE(StoreDeliveryTest);

}  // namespace
}  // namespace rollwatch
