// Places that the outbox is given, gives up or loses, and leases that may have run out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/delivery/outbox_fixture.h"

namespace rollwatch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class OutboxPlaces : public OutboxTest {
 protected:
  static Place here() { return {"default", "checkout", "default"}; }
  void give_up() {
    given_up_ = false;
    spawn(io.get_executor(), "give up", [this]() -> awaitable<void> {
      std::vector<Place> places{here()};
      co_await outbox->give_up(std::move(places));
      given_up_ = true;
    });
    clock.settle();
  }
  void lose() {
    outbox->lose({here()});
    clock.settle();
  }
  void take_up(Place place) {
    spawn(io.get_executor(), "take up", [this, place]() -> awaitable<void> {
      std::vector<Place> places{place};
      co_await outbox->take_up(std::move(places));
    });
    clock.settle();
  }
  std::size_t open() {
    const OutboxStats stats = outbox->stats();
    return stats.orders + stats.accepted + stats.notifications;
  }

  bool given_up_ = false;
};

TEST_F(OutboxPlaces, WhatIsGivenUpIsLeftInTheStoreForTheNext) {
  deployer.otherwise.status = 500;
  slack.otherwise.status = 500;
  order(1, "advance");
  notification("no_1");
  give_up();
  EXPECT_TRUE(given_up_) << "nothing was out";
  order(2, "promote");
  EXPECT_EQ(open(), 0U);
  story();
  pass(hours{2});
  EXPECT_THAT(story(), IsEmpty());
  EXPECT_EQ(state_of(1), DeliveryState::kPending) << "not even expired";
  EXPECT_EQ(state_of(2), DeliveryState::kPending);

  take_up({"default", "elsewhere", "default"});
  EXPECT_EQ(open(), 0U) << "not of the places that were asked for";
  take_up(here());
  EXPECT_THAT(story(), ElementsAre("+2h  checkout 1.24: paused: no_1 → 500", "+2h  expired 1",
                                   "+2h  expired 2"));
}

TEST_F(OutboxPlaces, AnAttemptInFlightIsRecordedBeforeThePlaceIsGivenUp) {
  ScriptedAnswer slow;
  slow.takes = seconds{4};
  deployer.script({slow});
  order(1, "advance");
  give_up();
  EXPECT_FALSE(given_up_);
  pass(seconds{3});
  EXPECT_FALSE(given_up_);
  pass(seconds{1});
  EXPECT_TRUE(given_up_);
  EXPECT_EQ(state_of(1), DeliveryState::kDone);
}

TEST_F(OutboxPlaces, AFailedOneIsNotMadeAgainHere) {
  ScriptedAnswer slow(500);
  slow.takes = seconds{4};
  deployer.script({slow});
  order(1, "advance");
  give_up();
  pass(minutes{1});
  EXPECT_TRUE(given_up_);
  EXPECT_THAT(story(), ElementsAre("+0s  advance 1, attempt 1 → 500", "+4s  recorded pending"));
  EXPECT_EQ(open(), 0U);
}

TEST_F(OutboxPlaces, OneThatHangsIsNotWaitedForForEver) {
  ScriptedAnswer slow;
  slow.takes = minutes{5};
  deployer.script({slow});
  order(1, "rollback");
  give_up();
  pass(Millis{9'999});
  EXPECT_FALSE(given_up_);
  pass(Millis{1});
  EXPECT_TRUE(given_up_);
  story();
  pass(minutes{10});
  EXPECT_THAT(story(), IsEmpty()) << "its end is thrown away";
  EXPECT_EQ(state_of(1), DeliveryState::kPending);
}

TEST_F(OutboxPlaces, WhatIsLostWhileAnAttemptIsOutIsNotRecorded) {
  for (const bool is_order : {true, false}) {
    SCOPED_TRACE(is_order ? "order" : "notification");
    ScriptedAnswer slow;
    slow.takes = seconds{4};
    const std::string id = is_order ? id_of(1) : "no_1";
    if (is_order) {
      deployer.script({slow});
      order(1, "advance");
    } else {
      slack.script({slow});
      notification("no_1");
    }
    lose();
    EXPECT_EQ(open(), 0U);
    pass(minutes{1});
    EXPECT_EQ(store.deliveries_by_id.at(id).state, DeliveryState::kPending);
    EXPECT_THAT(store.deliveries_by_id.at(id).attempts, IsEmpty());
    take_up(here());
    EXPECT_EQ(store.deliveries_by_id.at(id).state, DeliveryState::kDone) << "made again";
    EXPECT_THAT(store.deliveries_by_id.at(id).attempts, SizeIs(1));
  }
}

// Taken up anew while the old attempt is out: it does not hold the new one up, and its end is not
// taken for the new one's.
TEST_F(OutboxPlaces, LostAndHadAgainWhileAnAttemptIsOut) {
  ScriptedAnswer slow(409);
  slow.takes = seconds{4};
  deployer.script({slow});
  order(1, "advance");
  lose();
  leases.epoch = 8;
  take_up(here());
  EXPECT_EQ(state_of(1), DeliveryState::kDone);
  pass(minutes{1});
  EXPECT_EQ(state_of(1), DeliveryState::kDone);
  EXPECT_THAT(store.deliveries_by_id.at(id_of(1)).attempts, SizeIs(1));
}

TEST_F(OutboxPlaces, NothingIsSentWhileTheLeaseMayHaveRunOut) {
  leases.sure = false;
  order(1, "rollback");
  notification("no_1");
  pass(minutes{3});
  EXPECT_THAT(story(), IsEmpty());
  EXPECT_EQ(open(), 2U);
  leases.sure = true;
  pass(Outbox::kLookWhenUnsure);
  EXPECT_EQ(state_of(1), DeliveryState::kDone);
  EXPECT_EQ(store.deliveries_by_id.at("no_1").state, DeliveryState::kDone);
  EXPECT_THAT(story(), SizeIs(3));
}

TEST_F(OutboxPlaces, AndExpiresAllTheSame) {
  leases.sure = false;
  order(1, "advance");
  pass(minutes{6});
  EXPECT_THAT(story(), ElementsAre("+5m  expired 1"));
}

TEST_F(OutboxPlaces, WhatTheStoreRefusesIsDropped) {
  notification("no_0");
  story();
  store.stale = 1;
  deployer.otherwise.status = 500;
  order(1, "advance");
  notification("no_1");
  EXPECT_THAT(leases.refusals, ElementsAre(here()));
  EXPECT_EQ(open(), 0U);
  story();
  pass(hours{1});
  EXPECT_THAT(story(), IsEmpty());
  EXPECT_EQ(store.deliveries_by_id.at("no_1").state, DeliveryState::kPending);
}

TEST_F(OutboxPlaces, WhatTheEngineRefusesToRecordIsDropped) {
  ScriptedAnswer slow;
  slow.takes = seconds{4};
  deployer.script({slow});
  order(1, "advance");
  order(2, "promote");
  leases.epoch = 8;  // a new one that the outbox was not told of
  pass(seconds{4});
  EXPECT_THAT(story(),
              ElementsAre("+0s  advance 1, attempt 1 → 200", "+4s  refused: another node has it"));
  EXPECT_THAT(leases.refusals, IsEmpty()) << "the one that is held now was not refused";
  EXPECT_EQ(open(), 0U);
}

TEST_F(OutboxPlaces, WhatIsReadUnderOneLeaseIsNotSentUnderTheNext) {
  order(1, "advance");
  story();
  lose();
  store.deliveries_by_id.at(id_of(1)).state = DeliveryState::kPending;
  spawn(io.get_executor(), "take up", [this]() -> awaitable<void> {
    std::vector<Place> places{here()};
    co_await outbox->take_up(std::move(places));
  });
  store.before_reads = [this] { leases.epoch = 8; };
  clock.settle();
  EXPECT_THAT(story(), IsEmpty());
  EXPECT_EQ(open(), 0U);
}

}  // namespace
}  // namespace rollwatch
