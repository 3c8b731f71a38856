#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/delivery/outbox_fixture.h"

namespace rollwatch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class OutboxNotifications : public OutboxTest {
 protected:
  DeliveryState state_of(const std::string& id) { return store.deliveries_by_id.at(id).state; }
};

TEST_F(OutboxNotifications, IsSentAndRecorded) {
  notification("no_1");
  EXPECT_THAT(story(), ElementsAre("+0s  checkout 1.24: paused: no_1 → 200"));
  EXPECT_EQ(state_of("no_1"), DeliveryState::kDone);
  EXPECT_EQ(store.deliveries_by_id.at("no_1").attempts.at(0).answer, "ok");
  EXPECT_THAT(counted, ElementsAre("slack paused done", "slack paused after 0s"));
  EXPECT_EQ(outbox->stats().notifications, 0U);
}

TEST_F(OutboxNotifications, IsDeadAtOnceWhenSlackHasAWordForIt) {
  slack.script({{404, "no_service"}});
  notification("no_1");
  EXPECT_EQ(state_of("no_1"), DeliveryState::kDead);
  EXPECT_EQ(store.deliveries_by_id.at("no_1").attempts.at(0).error, "refused: no_service");
  EXPECT_EQ(store.deliveries_by_id.at("no_1").attempts.at(0).status, 404);
  story();
  pass(hours{24});
  EXPECT_THAT(story(), IsEmpty());
  EXPECT_THAT(counted, ElementsAre("slack paused refused"));
}

TEST_F(OutboxNotifications, IsTriedForSevenHoursAndThenDead) {
  slack.otherwise = {500, "rollup_error"};
  notification("no_1");
  pass(hours{24});
  const std::string failed = "checkout 1.24: paused: no_1 → 500";
  EXPECT_THAT(story(), ElementsAre("+0s  " + failed, "+5s  " + failed, "+35s  " + failed,
                                   "+2m35s  " + failed, "+12m35s  " + failed,
                                   "+1h12m35s  " + failed, "+7h12m35s  " + failed));
  EXPECT_EQ(state_of("no_1"), DeliveryState::kDead);
  EXPECT_THAT(store.deliveries_by_id.at("no_1").attempts, SizeIs(7));
  EXPECT_EQ(counted.back(), "slack paused given_up");
}

TEST_F(OutboxNotifications, TooManyRequestsParkTheDestination) {
  slack.script({{429, "rate_limited", {}, "60"}});
  notification("no_1");
  notification("no_2");
  pass(minutes{2});
  EXPECT_THAT(story(), ElementsAre("+0s  checkout 1.24: paused: no_1 → 429",
                                   "+1m  checkout 1.24: paused: no_1 → 200",
                                   "+1m  checkout 1.24: paused: no_2 → 200"))
      << "what came later is not sent into the limit either";
}

TEST_F(OutboxNotifications, OneAtATimeToSlackInOrder) {
  slack.otherwise.takes = seconds{2};
  for (const char* id : {"no_1", "no_2", "no_3"}) notification(id);
  pass(seconds{10});
  EXPECT_THAT(story(), ElementsAre("+0s  checkout 1.24: paused: no_1 → 200",
                                   "+2s  checkout 1.24: paused: no_2 → 200",
                                   "+4s  checkout 1.24: paused: no_3 → 200"));
}

TEST_F(OutboxNotifications, ASlowSlackDelaysNoOrder) {
  slack.otherwise.takes = seconds{10};
  for (int i = 0; i < 100; ++i) notification("no_" + std::to_string(i));
  story();
  order(1, "rollback");
  EXPECT_THAT(story(), ElementsAre("+0s  rollback 1, attempt 1 → 200", "+0s  recorded done"));
}

TEST_F(OutboxNotifications, ADeliveredOneIsNotSentTwiceForTheStoresSake) {
  store.failures = 2;
  notification("no_1");
  EXPECT_EQ(state_of("no_1"), DeliveryState::kPending);
  pass(minutes{1});
  EXPECT_THAT(story(), ElementsAre("+0s  checkout 1.24: paused: no_1 → 200"));
  EXPECT_EQ(state_of("no_1"), DeliveryState::kDone);
}

TEST_F(OutboxNotifications, NoSuchNotifierSaysSo) {
  notification("no_1", "paused", "gone");
  EXPECT_EQ(store.deliveries_by_id.at("no_1").attempts.at(0).error,
            "no notifier named gone is configured");
  EXPECT_EQ(state_of("no_1"), DeliveryState::kPending);
  pass(hours{8});
  EXPECT_EQ(state_of("no_1"), DeliveryState::kDead);
}

TEST_F(OutboxNotifications, OldNewsIsNotTold) {
  slack.otherwise.takes = hours{25};  // nothing else moves meanwhile
  notification("no_1");
  notification("no_2");
  pass(hours{25});
  EXPECT_EQ(state_of("no_2"), DeliveryState::kDead);
  EXPECT_THAT(counted, Contains("slack paused expired"));
}

}  // namespace
}  // namespace rollwatch
