// What several nodes ask of a store they share: what is to be done in some places, and shared memos
// that nobody writes over unseen. Leases themselves are refused by the stores that have several.
#include <gmock/gmock.h>

#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StorePlacesTest : public StoreTest {
 protected:
  static Place place(const std::string& target) {
    return place_of(registration("ro_x", target).insert->spec);
  }
  std::vector<std::string> active(std::vector<Place> places) {
    std::vector<std::string> ids;
    for (const StoredRollout& rollout : wait(store_->active(std::move(places))))
      ids.push_back(rollout.spec.id);
    return ids;
  }
  std::vector<std::string> open(std::vector<Place> places) {
    std::vector<std::string> ids;
    for (const Delivery& delivery : wait(store_->open_deliveries(std::move(places))))
      ids.push_back(delivery.id);
    return ids;
  }
  static Commit telling(const std::string& rollout, Memo memo) {
    Commit commit;
    commit.rollout = rollout;
    commit.memos.push_back(std::move(memo));
    return commit;
  }
  bool is_out_of_date(std::vector<Commit> commits) {
    try {
      record(std::move(commits));
      return false;
    } catch (const OutOfDate&) {
      return true;
    }
  }
  std::optional<std::string> told() { return wait(store_->memo("", "", "told")); }
};

TEST_P(StorePlacesTest, ActiveRolloutsAreThoseOfThePlacesAskedFor) {
  record_one(registration("ro_a", "eu"));
  record_one(registration("ro_b", "us"));
  record_one(registration("ro_c", "eu"));
  record_one(registration("ro_d", "ap"));
  record_one(ending("ro_c", kNow));
  EXPECT_THAT(active({place("eu")}), ElementsAre("ro_a")) << "what has ended is not active";
  EXPECT_THAT(active({place("ap"), place("eu")}), ElementsAre("ro_a", "ro_d"));
  EXPECT_THAT(active({place("nowhere")}), IsEmpty());
  EXPECT_THAT(active({}), IsEmpty()) << "of no place is not of all";
  Place other = place("eu");
  other.ns += "2";
  EXPECT_THAT(active({other}), IsEmpty());

  const auto one = wait(store_->active(std::vector<Place>{place("us")}));
  const auto same = wait(store_->rollout("ro_b"));
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(text_of(one[0].spec), text_of(same->spec));
  EXPECT_EQ(one[0].state.revision, same->state.revision);
  EXPECT_EQ(one[0].document->analysis, same->document->analysis);
}

TEST_P(StorePlacesTest, OpenDeliveriesAreThoseOfThePlacesAskedForAlsoOfWhatHasEnded) {
  record_one(registration("ro_a", "eu"));
  record_one(registration("ro_b", "us"));
  Commit of_a;
  of_a.rollout = "ro_a";
  of_a.deliveries = {order("ord_1"), notification("no_1")};
  Commit of_b;
  of_b.rollout = "ro_b";
  of_b.deliveries = {order("ord_2")};
  record(list_of(of_b));
  record(list_of(of_a));
  record_one(ending("ro_a", kNow));
  EXPECT_THAT(open({place("eu")}), ElementsAre("ord_1", "no_1"));
  EXPECT_THAT(open({place("eu"), place("us")}), ElementsAre("ord_2", "ord_1", "no_1"))
      << "oldest first over all of them";
  EXPECT_THAT(open({}), IsEmpty());
  Commit done;
  done.rollout = "ro_a";
  done.delivery_updates.push_back({"ord_1", DeliveryState::kDone, SysTime{}, std::nullopt});
  record_one(done);
  EXPECT_THAT(open({place("eu")}), ElementsAre("no_1"));
}

TEST_P(StorePlacesTest, ASharedMemoIsRefusedIfSomethingElseIsThereByNow) {
  record_one(registration("ro_a"));
  EXPECT_TRUE(is_out_of_date(list_of(telling("ro_a", {"", "told", "2", true, "1"}))))
      << "there is none yet";
  EXPECT_FALSE(told());
  EXPECT_FALSE(is_out_of_date(list_of(telling("ro_a", {"", "told", "1", true, ""}))));
  EXPECT_TRUE(is_out_of_date(list_of(telling("ro_a", {"", "told", "mine", true, ""}))));
  EXPECT_EQ(told(), "1");
  EXPECT_FALSE(is_out_of_date(list_of(telling("ro_a", {"", "told", "2", true, "1"}))));
  EXPECT_EQ(told(), "2");
  EXPECT_FALSE(is_out_of_date(list_of(telling("ro_a", {"", "told", "own", false, "?"}))))
      << "one of a rollout is its node's alone";
}

TEST_P(StorePlacesTest, ABatchSeesItsOwnMemosAndIsRefusedWhole) {
  record_one(registration("ro_a"));
  record_one(registration("ro_b"));
  std::vector<Commit> chain{telling("ro_a", {"", "told", "1", true, ""}),
                            telling("ro_b", {"", "told", "2", true, "1"})};
  EXPECT_FALSE(is_out_of_date(chain));
  EXPECT_EQ(told(), "2");

  Commit with_order;
  with_order.rollout = "ro_a";
  with_order.deliveries = {order("ord_1")};
  std::vector<Commit> late{with_order, telling("ro_b", {"", "told", "3", true, "1"})};
  EXPECT_TRUE(is_out_of_date(late));
  EXPECT_FALSE(wait(store_->delivery("ord_1"))) << "nothing of the batch is on disk";
  EXPECT_EQ(told(), "2");
}

ROLLWATCH_FOR_EVERY_STORE(StorePlacesTest);

}  // namespace
}  // namespace rollwatch
