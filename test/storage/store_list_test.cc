// Lists of rollouts: filters, order, pages.
#include <gmock/gmock.h>

#include <algorithm>

#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

class StoreListTest : public StoreTest {
 protected:
  void add(int number, const std::function<void(RolloutSpec&)>& change,
           State state = State::kAnalyzing) {
    Commit commit = registration(rollout_id(number));
    change(commit.insert->spec);
    commit.state->state = state;
    record_one(commit);
  }
};

TEST_P(StoreListTest, NewestFirstPageByPage) {
  for (int i : {3, 1, 5, 2, 4}) record_one(registration(rollout_id(i)));
  EXPECT_EQ(listed({}, 2), "ro_00000005 ro_00000004 /ro_00000003 ro_00000002 /ro_00000001 /");
  EXPECT_EQ(listed({}, 5), "ro_00000005 ro_00000004 ro_00000003 ro_00000002 ro_00000001 /");
  EXPECT_EQ(listed({}, 0), "/");
}

TEST_P(StoreListTest, ACursorHoldsWhileRolloutsAreAdded) {
  for (int i : {10, 20, 30}) record_one(registration(rollout_id(i)));
  const auto first = wait(store_->list({}, 2, std::nullopt));
  ASSERT_TRUE(first.next_cursor);
  record_one(registration(rollout_id(40)));  // newer than the page: not shown again
  record_one(registration(rollout_id(15)));  // older: still to come
  const auto second = wait(store_->list({}, 2, first.next_cursor));
  ASSERT_EQ(second.items.size(), 2U);
  EXPECT_EQ(second.items[0].spec.id, rollout_id(15));
  EXPECT_EQ(second.items[1].spec.id, rollout_id(10));
}

TEST_P(StoreListTest, FiltersNarrowTogether) {
  add(1, [](RolloutSpec& spec) { spec.ns = "payments"; });
  add(2, [](RolloutSpec& spec) { spec.service = "cart"; });
  add(3, [](RolloutSpec& spec) { spec.target = "eu-1"; });
  add(
      4, [](RolloutSpec& spec) { spec.target = "eu-1"; }, State::kPromoted);
  add(
      5, [](RolloutSpec&) {}, State::kPaused);

  struct Row {
    std::string name;
    ListFilter filter;
    std::string expected;
  };
  const std::vector<Row> rows = {
      {"nothing",
       {{}, "", "", "", {}},
       "ro_00000005 ro_00000004 ro_00000003 ro_00000002 ro_00000001 /"},
      {"namespace", {{}, "payments", "", "", {}}, "ro_00000001 /"},
      {"service", {{}, "", "cart", "", {}}, "ro_00000002 /"},
      {"target", {{}, "", "", "eu-1", {}}, "ro_00000004 ro_00000003 /"},
      {"place", {{}, "default", "checkout", "eu-1", {}}, "ro_00000004 ro_00000003 /"},
      {"namespaces that are seen", {{}, "", "", "", {}, {"payments", "nowhere"}}, "ro_00000001 /"},
      {"both", {{}, "default", "", "", {}, {"payments"}}, "/"},
      {"one state", {{State::kPaused}, "", "", "", {}}, "ro_00000005 /"},
      {"a final state", {{State::kPromoted}, "", "", "", {}}, "ro_00000004 /"},
      {"final and not",
       {{State::kPaused, State::kPromoted}, "", "", "", {}},
       "ro_00000005 ro_00000004 /"},
      {"state and place",
       {{State::kAnalyzing}, "default", "checkout", "eu-1", {}},
       "ro_00000003 /"},
      {"no such", {{}, "' OR '1'='1", "", "", {}}, "/"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(listed(row.filter, 10), row.expected) << row.name;
    const std::string& expected = row.expected;
    EXPECT_EQ(wait(store_->count(row.filter)), std::count(expected.begin(), expected.end(), '_'))
        << row.name;
  }
}

TEST_P(StoreListTest, TheStateOfAListIsTheLatest) {
  record_one(registration("ro_a"));
  Commit ended = step("ro_a", 1);
  ended.state->state = State::kPromoted;
  ended.state->ended_at = kNow;
  record_one(ended);
  EXPECT_EQ(listed({{State::kPromoted}, "", "", "", {}}, 10), "ro_a /");
  EXPECT_EQ(listed({{State::kWaiting}, "", "", "", {}}, 10), "/");
}

TEST_P(StoreListTest, LabelsMayHoldAnything) {
  const std::vector<std::pair<std::string, std::string>> labels = {
      {"tier", "web"},     {"quote\"", "a\"b'c"},   {"back\\slash", "\\"},
      {"a.b[0]", "$.x"},   {"", "empty name"},      {"empty value", ""},
      {"brace{}", "%_*?"}, {"line\nbreak", "\t\n"}, {"\xc3\xa9", "\xe2\x9c\x93"},
  };
  for (std::size_t i = 0; i < labels.size(); ++i) {
    add(static_cast<int>(i), [&](RolloutSpec& spec) {
      spec.labels = {{labels[i].first, labels[i].second}, {"all", "yes"}};
    });
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    ListFilter filter;
    filter.labels = {{"all", "yes"}, {labels[i].first, labels[i].second}};
    EXPECT_EQ(listed(filter, 10), rollout_id(static_cast<int>(i)) + " /") << labels[i].first;
    filter.labels[labels[i].first] += "x";
    EXPECT_EQ(listed(filter, 10), "/") << labels[i].first;
  }
}

TEST_P(StoreListTest, ACursorWeDidNotGiveIsRefused) {
  for (const char* bad : {"", "x", "r-", "d-1", "r-a b", "r-'; --", "ro_00000001"}) {
    EXPECT_THROW(wait(store_->list({}, 10, bad)), std::invalid_argument) << bad;
  }
  for (const char* bad : {"", "x", "d-", "d-x", "d-1x", "d--1", "r-1", "d-99999999999999999999"}) {
    EXPECT_THROW(wait(store_->deliveries("ro_a", 10, bad)), std::invalid_argument) << bad;
  }
}

TEST_P(StoreListTest, TheLatestOfACandidateInAPlace) {
  add(1, [](RolloutSpec&) {});
  add(2, [](RolloutSpec& spec) { spec.attempt = 3; });
  add(3, [](RolloutSpec& spec) { spec.candidate = "1.25"; });
  add(4, [](RolloutSpec& spec) { spec.target = "eu-1"; });
  const auto latest = wait(store_->latest("default", "checkout", "default", "1.24"));
  ASSERT_TRUE(latest);
  EXPECT_EQ(latest->spec.id, rollout_id(2));
  EXPECT_EQ(latest->spec.attempt, 3);
  EXPECT_FALSE(wait(store_->latest("default", "checkout", "eu-1", "1.25")));
}

TEST_P(StoreListTest, TheLatestOfEachTargetOfAService) {
  const auto in = [](const char* target) {
    return [target](RolloutSpec& spec) { spec.target = target; };
  };
  add(1, in("eu-1"));
  add(2, in("us-1"), State::kPromoted);
  add(3, in("eu-1"), State::kRolledBack);
  add(4, in("ap-1"));
  add(5, [](RolloutSpec& spec) { spec.service = "cart"; });
  add(6, [](RolloutSpec& spec) { spec.ns = "payments"; });
  const auto ids = [this](const char* ns, const char* service, std::size_t limit) {
    std::string text;
    for (const StoredRollout& rollout : wait(store_->latest_per_target(ns, service, limit)))
      text += rollout.spec.target + " " + rollout.spec.id + ", ";
    return text;
  };
  EXPECT_EQ(ids("default", "checkout", 10),
            "ap-1 ro_00000004, eu-1 ro_00000003, us-1 ro_00000002, ");
  EXPECT_EQ(ids("default", "checkout", 2), "ap-1 ro_00000004, eu-1 ro_00000003, ");
  EXPECT_EQ(ids("payments", "cart", 10), "");
}

ROLLWATCH_FOR_EVERY_STORE(StoreListTest);

}  // namespace
}  // namespace rollwatch
