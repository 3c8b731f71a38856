// Somebody pages through a list while others go on writing: nothing is given twice, and nothing is
// left out of what was there when the first page was asked for.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

using testing::IsSupersetOf;

using Names = std::vector<std::string>;

struct NamedPage {
  Names items;
  std::optional<std::string> next_cursor;
};
using AskPage = std::function<NamedPage(const std::optional<std::string>& cursor)>;

// A list that is read by its pages, with something done before each but the first.
Names all_of(
    const AskPage& ask, const std::function<void(int page)>& between = [](int) {}) {
  Names found;
  std::optional<std::string> cursor;
  for (int page = 0; page == 0 || cursor; ++page) {
    if (page > 0) between(page);
    if (page == 500) ADD_FAILURE() << "it does not end";
    if (page == 500) break;
    NamedPage got = ask(cursor);
    found.insert(found.end(), got.items.begin(), got.items.end());
    cursor = std::move(got.next_cursor);
  }
  return found;
}

class StorePagesTest : public StoreTest {
 protected:
  static constexpr int kLongest = 6;  // pages, after which nothing is added any more

  // What is there before is given once, in its order, whatever happens between the pages.
  static void hold(const AskPage& ask, const std::function<void(int page)>& between) {
    const Names before = all_of(ask);
    const Names given = all_of(ask, between);
    EXPECT_EQ(std::set<std::string>(given.begin(), given.end()).size(), given.size()) << "twice";
    EXPECT_THAT(given, IsSupersetOf(before));
    Names again;
    std::copy_if(given.begin(), given.end(), std::back_inserter(again), [&](const auto& name) {
      return std::find(before.begin(), before.end(), name) != before.end();
    });
    EXPECT_EQ(again, before) << "in their order";
    EXPECT_GT(given.size(), 2U);
  }

  AskPage rollouts(ListFilter filter, std::size_t limit) {
    return [this, filter, limit](const std::optional<std::string>& cursor) {
      const auto page = wait(store_->list(filter, limit, cursor));
      NamedPage names{{}, page.next_cursor};
      for (const StoredRollout& one : page.items) names.items.push_back(one.spec.id);
      return names;
    };
  }
  AskPage evaluations(const std::string& rollout, std::size_t limit) {
    return [this, rollout, limit](const std::optional<std::string>& cursor) {
      const auto after = static_cast<std::uint32_t>(cursor ? std::stoul(*cursor) : 0);
      const auto page = wait(store_->evaluations(rollout, after, limit));
      NamedPage names{{}, page.next_cursor};
      for (const auto& one : page.items) names.items.push_back(std::to_string(one.number));
      return names;
    };
  }
  // As the API pages through events: one more than it shows.
  AskPage events(const std::optional<std::string>& rollout, std::size_t limit,
                 bool decisions_only = false) {
    return [=, this](const std::optional<std::string>& cursor) {
      const std::int64_t after = cursor ? std::stoll(*cursor) : 0;
      auto page = wait(store_->events(rollout, after, limit + 1));
      NamedPage names;
      if (page.size() > limit) {
        page.resize(limit);
        names.next_cursor = std::to_string(page.back().seq);
      }
      for (const StoredEvent& one : page) {
        if (decisions_only && one.event.type != EventType::kDecided) continue;
        names.items.push_back(decisions_only
                                  ? "decision " + std::to_string(one.event.decision.value_or(0))
                                  : std::to_string(one.seq));
      }
      return names;
    };
  }
  AskPage deliveries(const std::string& rollout, std::size_t limit) {
    return [this, rollout, limit](const std::optional<std::string>& cursor) {
      const auto page = wait(store_->deliveries(rollout, limit, cursor));
      NamedPage names{{}, page.next_cursor};
      for (const Delivery& one : page.items) names.items.push_back(one.id);
      return names;
    };
  }

  // One more step of each: an evaluation, an order, and a decision among its events.
  void go_on(const std::vector<std::string>& rollouts, unsigned revision) {
    std::vector<Commit> commits;
    for (const std::string& rollout : rollouts) {
      Commit commit = step(rollout, revision);
      commit.events[0].decision = revision;
      Event other = full_event();
      other.type = EventType::kStarted;
      other.decision.reset();
      commit.events.push_back(other);
      const std::string number = rollout + std::to_string(revision);
      commit.deliveries.push_back(revision % 3 == 0 ? notification("no_" + number)
                                                    : order("ord_" + number));
      commits.push_back(std::move(commit));
    }
    record(std::move(commits));
  }
};

TEST_P(StorePagesTest, RolloutsWhileOthersBeginAndEnd) {
  for (int i = 100; i < 120; ++i) record_one(registration(rollout_id(i), std::to_string(i)));
  int next = 200;
  hold(rollouts({}, 3), [&](int page) {
    if (page > kLongest) return;
    record_one(registration(rollout_id(next), std::to_string(next)));  // newer than all
    ++next;
    record_one(registration(rollout_id(100 - page), "old"));  // an id that sorts below all
    record_one(ending(rollout_id(119 - page % 20), kNow));    // what was given or is to come
  });
}

// Who asks for the active ones is given each that is active all the while, and none that had ended.
TEST_P(StorePagesTest, ActiveOnesWhileSomeOfThemEnd) {
  for (int i = 0; i < 20; ++i) record_one(registration(rollout_id(i), std::to_string(i)));
  ListFilter active;
  active.states = {State::kWaiting};
  Names ended;
  const Names given = all_of(rollouts(active, 4), [&](int page) {
    for (int i = page; i < 20; i += 5) {
      record_one(ending(rollout_id(i), kNow));
      ended.push_back(rollout_id(i));
    }
  });
  Names expected;
  for (int i = 19; i >= 0; --i) expected.push_back(rollout_id(i));
  std::erase_if(expected, [&](const std::string& id) {
    return std::find(ended.begin(), ended.end(), id) != ended.end();
  });
  EXPECT_THAT(given, IsSupersetOf(expected));
  EXPECT_EQ(std::set<std::string>(given.begin(), given.end()).size(), given.size()) << "twice";
  EXPECT_EQ(all_of(rollouts(active, 4)), expected);
}

// More of them than are kept in one place (SQLite moves 64 of a rollout at once).
TEST_P(StorePagesTest, HistoryWhileItGrows) {
  for (const char* id : {"ro_a", "ro_b"}) record_one(registration(id, id));
  unsigned revision = 0;
  const auto write_more = [&](int steps) {
    for (int i = 0; i < steps; ++i) go_on({"ro_a", "ro_b"}, ++revision);
  };
  write_more(50);
  const auto grow = [&](int page) {
    if (page <= kLongest) write_more(4);
  };
  {
    SCOPED_TRACE("evaluations");
    hold(evaluations("ro_a", 7), grow);
  }
  {
    SCOPED_TRACE("events of one");
    hold(events("ro_a", 9), grow);
  }
  {
    SCOPED_TRACE("events of all");
    hold(events(std::nullopt, 31), grow);
  }
  {
    SCOPED_TRACE("decisions");
    hold(events("ro_b", 9, true), grow);
  }
  {
    SCOPED_TRACE("deliveries");
    hold(deliveries("ro_a", 7), grow);
  }
}

TEST_P(StorePagesTest, HistoryThatEndsBetweenTwoPagesAndIsReadByAnotherProcess) {
  record_one(registration("ro_a"));
  for (unsigned i = 1; i <= 30; ++i) go_on({"ro_a"}, i);
  const auto end_it = [&](int page) {
    if (page == 1) record_one(ending("ro_a", kNow));
    reopen();  // a cursor outlives the process that gave it
  };
  hold(evaluations("ro_a", 11), end_it);
  hold(events("ro_a", 11), end_it);
  hold(deliveries("ro_a", 11), end_it);
}

ROLLWATCH_FOR_EVERY_STORE(StorePagesTest);

}  // namespace
}  // namespace rollwatch
