// What a person has sent again is the same delivery, also while an attempt of its first life is
// out.
#include <gmock/gmock.h>

#include "test/delivery/outbox_fixture.h"

namespace rollwatch {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::SizeIs;

using OutboxAgain = OutboxTest;

// A person has a rollback sent again that a call had refused while its attempt hung: the attempt in
// flight ends first, and if it did not carry the order out the order goes out again.
TEST_F(OutboxAgain, SentAgainWhileTheOldAttemptIsOutGoesAfterIt) {
  deployer.script({{500, "", seconds{2}}});
  order(1, "rollback");
  store.deliveries_by_id.at(id_of(1)).state = DeliveryState::kRefused;
  outbox->acknowledged(id_of(1), DeliveryState::kRefused);
  send_again(1);
  EXPECT_THAT(requests, SizeIs(1));
  pass(seconds{2});
  EXPECT_THAT(requests, SizeIs(2));
  EXPECT_EQ(state_of(1), DeliveryState::kDone);
  pass(hours{1});
  EXPECT_THAT(requests, SizeIs(2));
}

TEST_F(OutboxAgain, SentAgainWhileTheOldAttemptCarriesItOutGoesOutOnce) {
  deployer.script({{200, "", seconds{2}}});
  order(1, "rollback");
  store.deliveries_by_id.at(id_of(1)).state = DeliveryState::kRefused;
  outbox->acknowledged(id_of(1), DeliveryState::kRefused);
  send_again(1);
  pass(hours{1});
  EXPECT_THAT(requests, SizeIs(1));
  EXPECT_EQ(state_of(1), DeliveryState::kDone);
}

TEST_F(OutboxAgain, SentAgainAndWithdrawnIsNotSent) {
  deployer.script({{500, "", seconds{2}}});
  order(1, "rollback");
  store.deliveries_by_id.at(id_of(1)).state = DeliveryState::kRefused;
  outbox->acknowledged(id_of(1), DeliveryState::kRefused);
  send_again(1);
  withdraw(1);
  pass(hours{1});
  EXPECT_THAT(requests, SizeIs(1));
}

TEST_F(OutboxAgain, SentAgainAfterItsEndIsTheSameOrderWithTheNextAttempt) {
  deployer.otherwise.status = 409;
  order(1, "rollback");
  ASSERT_EQ(state_of(1), DeliveryState::kRefused);
  deployer.otherwise.status = 200;
  pass(hours{1});
  story();
  send_again(1);
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_EQ(state_of(1), DeliveryState::kDone);
  EXPECT_EQ(story().front(), "+1h  rollback 1, attempt 2 → 200");
}

}  // namespace
}  // namespace rollwatch
