// What views over everything ask: rollouts found by a text, deliveries of all rollouts.
#include <gmock/gmock.h>

#include "daemon/engine/fleet_store.h"
#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

class StoreFleetTest : public StoreTest {
 protected:
  FleetStore& fleet() { return dynamic_cast<FleetStore&>(*store_); }

  // In a namespace, of a service and a candidate of its own.
  void registered(const std::string& id, const std::string& ns, const std::string& service,
                  const std::string& candidate, const std::string& target = "default") {
    Commit commit = registration(id, target);
    commit.insert->spec.ns = ns;
    commit.insert->spec.service = service;
    commit.insert->spec.candidate = candidate;
    record_one(std::move(commit));
  }
  void give(const std::string& rollout, Delivery delivery, DeliveryState state) {
    delivery.state = state;
    Commit commit;
    commit.rollout = rollout;
    commit.deliveries.push_back(std::move(delivery));
    record_one(std::move(commit));
  }

  // "ro_2 ro_1", pages divided by "/".
  std::string found(const RolloutSearch& search, std::size_t limit = 50) {
    std::string ids;
    std::optional<std::string> cursor;
    do {
      const auto page = wait(fleet().search(search, limit, cursor));
      for (const std::string& id : page.items)
        ids += (ids.empty() || ids.ends_with('/') ? "" : " ") + id;
      cursor = page.next_cursor;
      if (cursor) ids += "/";
    } while (cursor);
    return ids;
  }
  std::string listed(const DeliveryFilter& filter, std::size_t limit = 50) {
    std::string ids;
    std::optional<std::string> cursor;
    std::size_t count = 0;
    do {
      const auto page = wait(fleet().all_deliveries(filter, limit, cursor));
      for (const ListedDelivery& one : page.items)
        ids += (ids.empty() || ids.ends_with('/') ? "" : " ") + one.delivery.id;
      count += page.items.size();
      cursor = page.next_cursor;
      if (cursor) ids += "/";
    } while (cursor);
    EXPECT_EQ(wait(fleet().count_deliveries(filter)), count);
    return ids;
  }
};

TEST_P(StoreFleetTest, ATextIsFoundWhereverItStands) {
  registered("ro_1", "payments", "checkout", "1.24");
  registered("ro_2", "shop", "Cart_api", "2.0", "eu-1");
  registered("ro_3", "shop", "search", "100%", "us-1");
  reopen();
  const struct Row {
    const char* text;
    const char* found;
  } rows[] = {
      {"", "ro_3 ro_2 ro_1"}, {"check", "ro_1"},   {"PAY", "ro_1"},  {"cart", "ro_2"},
      {"shop", "ro_3 ro_2"},  {"-1", "ro_3 ro_2"}, {"1.24", "ro_1"}, {"%", "ro_3"},
      {"_", "ro_2"},          {"\\", ""},          {"nothing", ""},  {"1_24", ""},
      {"'; DROP", ""},
  };
  for (const Row& row : rows) {
    RolloutSearch search;
    search.text = row.text;
    EXPECT_EQ(found(search), row.found) << row.text;
    const std::string all = row.found;
    EXPECT_EQ(wait(fleet().count_found(search)),
              all.empty() ? 0 : static_cast<std::size_t>(std::ranges::count(all, ' ')) + 1)
        << row.text;
  }
}

TEST_P(StoreFleetTest, WhatIsFoundCanBeNarrowedAndGoesPageByPage) {
  registered("ro_1", "payments", "checkout", "1.24");
  registered("ro_2", "payments", "checkout", "1.25");
  registered("ro_3", "shop", "checkout", "1.26");
  record_one(ending("ro_1", kNow));
  RolloutSearch search;
  search.text = "checkout";
  EXPECT_EQ(found(search, 1), "ro_3/ro_2/ro_1");
  EXPECT_EQ(found(search, 2), "ro_3 ro_2/ro_1");
  search.filter.visible = {"payments"};
  EXPECT_EQ(found(search), "ro_2 ro_1");
  search.filter.ns = "shop";
  EXPECT_EQ(found(search), "");
  search.filter = {};
  search.filter.states = {State::kWaiting, State::kAnalyzing};
  search.text = "1.2";
  EXPECT_EQ(found(search), "ro_3 ro_2");
  EXPECT_THROW(wait(fleet().search(search, 5, "nonsense")), std::invalid_argument);
}

TEST_P(StoreFleetTest, DeliveriesOfAllRolloutsComeNewestFirstWithWhoseTheyAre) {
  registered("ro_1", "payments", "checkout", "1.24", "eu-1");
  registered("ro_2", "shop", "cart", "2.0");
  give("ro_1", order("ord_1"), DeliveryState::kDone);
  give("ro_2", notification("no_1"), DeliveryState::kDead);
  give("ro_1", order("ord_2"), DeliveryState::kRefused);
  give("ro_2", order("ord_3"), DeliveryState::kPending);
  reopen();
  EXPECT_EQ(listed({}), "ord_3 ord_2 no_1 ord_1");
  EXPECT_EQ(listed({}, 3), "ord_3 ord_2 no_1/ord_1");
  EXPECT_EQ(listed({}, 1), "ord_3/ord_2/no_1/ord_1");
  const auto page = wait(fleet().all_deliveries({}, 2, std::nullopt));
  const ListedDelivery& one = page.items.at(1);
  EXPECT_EQ(one.ns + "/" + one.service + "@" + one.place_target + " " + one.candidate,
            "payments/checkout@eu-1 1.24");
  EXPECT_EQ(text_of(one.delivery), text_of(wait(store_->delivery("ord_2")).value()));
  EXPECT_THROW(wait(fleet().all_deliveries({}, 2, "r-1")), std::invalid_argument);
}

TEST_P(StoreFleetTest, DeliveriesAreNarrowed) {
  registered("ro_1", "payments", "checkout", "1.24");
  registered("ro_2", "shop", "cart", "2.0");
  int number = 0;
  for (const char* rollout : {"ro_1", "ro_2"})
    for (int i = 0; i <= static_cast<int>(DeliveryState::kWithdrawn); ++i) {
      Delivery delivery = order("ord_" + std::to_string(++number));
      delivery.target = i % 2 == 0 ? "even" : "odd";
      give(rollout, delivery, static_cast<DeliveryState>(i));
    }
  give("ro_2", notification("no_1"), DeliveryState::kDead);
  DeliveryFilter filter;
  filter.states = {DeliveryState::kDead, DeliveryState::kRefused};
  EXPECT_EQ(listed(filter), "no_1 ord_11 ord_10 ord_5 ord_4");
  EXPECT_EQ(listed(filter, 2), "no_1 ord_11/ord_10 ord_5/ord_4");
  filter.cls = DeliveryClass::kNotification;
  EXPECT_EQ(listed(filter), "no_1");
  filter = {};
  filter.states = {DeliveryState::kPending, DeliveryState::kAccepted};
  EXPECT_EQ(listed(filter), "ord_8 ord_7 ord_2 ord_1");
  filter.states = {DeliveryState::kPending, DeliveryState::kDead};
  filter.receiver = "even";
  EXPECT_EQ(listed(filter), "ord_11 ord_7 ord_5 ord_1");
  filter.ns = "payments";
  EXPECT_EQ(listed(filter), "ord_5 ord_1");
  filter.service = "cart";
  EXPECT_EQ(listed(filter), "");
  filter = {};
  filter.visible = {"payments", "nowhere"};
  filter.cls = DeliveryClass::kOrder;
  EXPECT_EQ(listed(filter), "ord_6 ord_5 ord_4 ord_3 ord_2 ord_1");
}

ROLLWATCH_FOR_EVERY_STORE(StoreFleetTest);

}  // namespace
}  // namespace rollwatch
