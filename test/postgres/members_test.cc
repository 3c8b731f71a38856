// Nodes over one database: who has which place, and that nobody writes to what is another's.
#include "daemon/postgres/members.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>

#include "test/postgres/nodes_fixture.h"
#include "test/support/relay.h"

namespace rollwatch {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class MembersTest : public NodesTest {
 protected:
  // Rollouts `first` to `last`, each in a place of its own.
  void register_many(Node& node, int first, int last) { wait(registered(node, first, last)); }
  static awaitable<void> registered(Node& node, int first, int last) {
    std::vector<Commit> commits;
    for (int i = first; i <= last; ++i) {
      Commit commit = registration(rollout_id(i), "t" + std::to_string(i));
      Place where = place(i);
      const auto epoch = co_await node.members.claim(std::move(where));
      EXPECT_TRUE(epoch) << i;
      commit.epoch = epoch.value_or(0);
      commits.push_back(std::move(commit));
    }
    co_await node.store.record(std::move(commits));
  }
  static Place place(int i) {
    return place_of(registration(rollout_id(i), "t" + std::to_string(i)).insert->spec);
  }
  // As the node that believes to have it would.
  Commit step_by(const Node& node, int i, unsigned revision) {
    Commit commit = step(rollout_id(i), revision);
    const auto found = node.has.find(place(i));
    commit.epoch = found == node.has.end() ? 0 : found->second;
    return commit;
  }
  std::size_t sum() const {
    std::size_t all = 0;
    for (const auto& node : nodes_) all += node->has.size();
    return all;
  }
  // Everything has an owner, nothing has two, and nobody has more than a fair share.
  bool is_even(std::size_t busy) const {
    const std::size_t share = (busy + nodes_.size() - 1) / nodes_.size();
    return sum() == busy && std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
             return node->has.size() <= share;
           });
  }
};

TEST_F(MembersTest, WhoRegistersInAFreePlaceHasIt) {
  Node& a = node("a");
  register_at(a, rollout_id(1), "t1");
  EXPECT_THAT(a.sorted_places(), ElementsAre(place(1)));
  EXPECT_EQ(refusal(a, step_by(a, 1, 1)), "");
}

TEST_F(MembersTest, WhatAnotherNodeHasIsNotClaimed) {
  Node& a = node("a");
  register_at(a, rollout_id(1), "t1");
  Node& b = node("b");
  EXPECT_EQ(wait(b.members.claim(place(1))), std::nullopt);
  Commit stolen = step(rollout_id(1), 1);
  stolen.epoch = a.has[place(1)];
  EXPECT_THAT(refusal(b, stolen),
              StartsWith("stale: another node has taken over default checkout"));
  EXPECT_EQ(b.fenced, 1);
  EXPECT_EQ(number("SELECT count(*) FROM evaluations"), 0);
}

TEST_F(MembersTest, TwoThatClaimAtOnceOneGetsIt) {
  Node& a = node("a");
  Node& b = node("b");
  std::vector<std::optional<Epoch>> got;
  for (Node* node : {&a, &b}) {
    spawn(io_.get_executor(), "claim", [node, &got]() -> awaitable<void> {
      got.push_back(co_await node->members.claim(place(1)));
    });
  }
  ASSERT_TRUE(until([&] { return got.size() == 2; }));
  EXPECT_NE(got[0].has_value(), got[1].has_value());
}

TEST_F(MembersTest, WorkSpreadsAsNodesComeAndGoWithoutMovingMoreThanNeeded) {
  constexpr int kRollouts = 60;
  Node& a = node("a");
  register_many(a, 1, kRollouts);
  Node& b = node("b");
  ASSERT_TRUE(until([&] { return is_even(kRollouts); }));
  EXPECT_EQ(b.has.size(), 30U);
  const auto moves = [this] {
    std::uint64_t all = 0;
    for (const auto& node : nodes_) all += node->members.transitions();
    return all;
  };
  const std::uint64_t before = moves();
  Node& c = node("c");
  ASSERT_TRUE(until([&] { return is_even(kRollouts); }));
  EXPECT_EQ(c.has.size(), 20U);
  EXPECT_EQ(moves() - before, 2 * 20U) << "each of its twenty was given once and taken once";
}

// Both look every 95 s, if there is no reason to.
TEST_F(MembersTest, WhatIsLeftInGoodOrderIsTakenAtOnce) {
  Node& a = node("a", Millis{400'000});
  register_many(a, 1, 10);
  Node& b = node("b", Millis{400'000});
  ASSERT_TRUE(until([&] { return is_even(10); }));
  wait(b.members.leave());
  stop(b);
  ASSERT_TRUE(until([&] { return a.has.size() == 10; }));
}

// Each takes its part of what is for all: of a datasource's max_concurrency.
TEST_F(MembersTest, EverybodyKnowsHowManyThereAreAsTheyComeAndGo) {
  Node& a = node("a", Millis{400'000});
  EXPECT_THAT(a.counted, ElementsAre(1U));
  Node& b = node("b", Millis{400'000});
  EXPECT_THAT(b.counted, ElementsAre(2U)) << "known before it can have anything";
  // By being told: a fourth of this lease is longer than it is waited for.
  ASSERT_TRUE(until([&] { return a.counted.back() == 2; }));
  wait(b.members.leave());
  stop(b);
  ASSERT_TRUE(until([&] { return a.counted.back() == 1; }));
  Node& c = node("c", Millis{1'000});
  ASSERT_TRUE(until([&] { return a.counted.back() == 2; }));
  stop(c);  // killed
  EXPECT_TRUE(until([&] { return a.counted.back() == 1; }));
  EXPECT_THAT(a.counted, ElementsAre(1U, 2U, 1U, 2U, 1U));
}

// As the issue has it: within 20 % of even within 30 s, at the default lease, without more moves
// than needed. How long it took is printed, not asserted.
TEST_F(MembersTest, ThreeHundredAtRestSpreadOverThreeNodesAtTheDefaultLease) {
  constexpr int kMany = 300;
  const Millis lease = PgMemberSettings{}.lease;
  std::uint64_t gone = 0;  // moves of nodes that are no more
  const auto moves = [&] {
    std::uint64_t all = gone;
    for (const auto& node : nodes_) all += node->members.transitions();
    return all;
  };
  const auto is_nearly_even = [&] {
    const double even = static_cast<double>(kMany) / static_cast<double>(nodes_.size());
    return sum() == kMany && std::all_of(nodes_.begin(), nodes_.end(), [even](const auto& node) {
             return std::abs(static_cast<double>(node->has.size()) - even) <= 0.2 * even;
           });
  };
  const auto spread = [&](const char* what) {
    const SteadyTime begun = nodes_.front()->clock.steady();
    EXPECT_TRUE(until(is_nearly_even, Millis{120'000})) << what;
    const auto took =
        std::chrono::duration_cast<Millis>(nodes_.front()->clock.steady() - begun).count();
    // What is not even yet goes on.
    EXPECT_TRUE(until([&] { return is_even(kMany); }, Millis{120'000})) << what;
    std::cout << what << ": within 20 % of even after " << took << " ms" << std::endl;
  };
  Node& a = node("a", lease);
  register_many(a, 1, kMany);
  Node& b = node("b", lease);
  spread("a second node joined");
  EXPECT_EQ(moves(), kMany + 2 * 150U) << "claimed once; half of them given once and taken once";
  node("c", lease);
  spread("a third node joined");
  EXPECT_EQ(moves(), kMany + 2 * 150U + 2 * 100U);
  // Killed: its hundred are taken, and nothing else moves.
  gone = b.members.transitions();
  stop(b);
  spread("one was killed (its lease included)");
  EXPECT_EQ(moves(), kMany + 2 * 150U + 2 * 100U + 100U);
}

TEST_F(MembersTest, ADeadNodesPlacesAreTakenAfterItsLease) {
  Node& a = node("a");
  Node& b = node("b");
  register_many(a, 1, 10);
  ASSERT_TRUE(until([&] { return is_even(10); }));
  const Place lost = b.sorted_places().front();
  const Epoch before = b.has[lost];
  stop(b);
  ASSERT_TRUE(until([&] { return a.has.size() == 10; }));
  EXPECT_GT(a.has[lost], before) << "epochs grow";
  EXPECT_EQ(a.why[lost], Cause::kMissedDowntime);
  EXPECT_EQ(number("SELECT count(*) FROM nodes"), 1);
}

TEST_F(MembersTest, ADeadNodesPlacesAreTakenWhenItsLeaseEndsAndNotWhenOneLooksNext) {
  Node& a = node("a", Millis{400'000});  // looks every 95 s, if there is no reason to
  Node& b = node("b", Millis{3'000});
  register_many(a, 1, 10);
  ASSERT_TRUE(until([&] { return is_even(10); }));
  stop(b);
  EXPECT_TRUE(until([&] { return a.has.size() == 10; }));
}

TEST_F(MembersTest, FencesOfOrdersAndEpochsComeFromOneCounter) {
  Node& a = node("a");
  register_at(a, rollout_id(1), "t1");
  Commit first = step_by(a, 1, 1);
  first.deliveries = {order("ord_1", SysTime{})};  // a clock far behind
  std::vector<Commit> commits;
  commits.push_back(first);
  const std::int64_t fence = wait(a.store.record(std::move(commits))).at(0).fences.at(0);
  EXPECT_EQ(fence, static_cast<std::int64_t>(first.epoch) + 1);
  stop(a);
  Node& b = node("b");
  ASSERT_TRUE(until([&] { return b.has.size() == 1; }));
  EXPECT_GT(static_cast<std::int64_t>(b.has[place(1)]), fence);
}

// As a process that was stopped, or swapped out: it neither renews nor knows.
TEST_F(MembersTest, ANodeThatSleptTooLongWritesNothingAndJoinsAnew) {
  Relay relay(postgres().port());
  std::string by_relay = url_;
  by_relay.replace(by_relay.find(":" + std::to_string(postgres().port())),
                   std::to_string(postgres().port()).size() + 1,
                   ":" + std::to_string(relay.port()));
  const std::string direct = std::exchange(url_, by_relay);
  Node& a = node("a");
  url_ = direct;
  register_many(a, 1, 4);
  ASSERT_EQ(a.has.size(), 4U);
  EXPECT_TRUE(a.members.is_sure());

  relay.cut();
  Node& b = node("b");
  ASSERT_TRUE(until([&] { return b.has.size() == 4; })) << "after the lease, though the "
                                                           "connections of a are still open";
  EXPECT_FALSE(a.members.is_sure());
  EXPECT_TRUE(until([&] { return a.has.empty(); }));
  EXPECT_THAT(a.told, Contains(StartsWith("no member: ")));
  EXPECT_THAT(refusal(a, step(rollout_id(1), 1)), HasSubstr("not a member of the system"));

  relay.mend();
  ASSERT_TRUE(until([&] { return is_even(4); }));
  EXPECT_EQ(a.has.size(), 2U) << "a member again, under another number";
  EXPECT_EQ(a.why[a.sorted_places().front()], Cause::kMissedStore);
}

// What was on its way when the connection was cut arrives after another has taken over.
TEST_F(MembersTest, AWriteThatArrivesLateIsRefused) {
  Relay relay(postgres().port());
  std::string by_relay = url_;
  by_relay.replace(by_relay.find(":" + std::to_string(postgres().port())),
                   std::to_string(postgres().port()).size() + 1,
                   ":" + std::to_string(relay.port()));
  const std::string direct = std::exchange(url_, by_relay);
  Node& a = node("a");
  url_ = direct;
  register_at(a, rollout_id(1), "t1");
  relay.cut();
  std::string failure;
  spawn(io_.get_executor(), "late", [&]() -> awaitable<void> {
    std::vector<Commit> commits;
    commits.push_back(step_by(a, 1, 1));
    try {
      co_await a.store.record(std::move(commits));
      failure = "recorded";
    } catch (const StaleLease& error) {
      failure = error.what();
    }
  });
  Node& b = node("b");
  ASSERT_TRUE(until([&] { return b.has.size() == 1; }));
  relay.mend();
  ASSERT_TRUE(until([&] { return !failure.empty(); }));
  EXPECT_THAT(failure, HasSubstr("not a member of the system"));
  EXPECT_EQ(number("SELECT count(*) FROM evaluations"), 0);
  EXPECT_EQ(refusal(b, step_by(b, 1, 1)), "");
}

TEST_F(MembersTest, ADatabaseThatIsRestartedCostsNobodyAPlace) {
  Node& a = node("a", Millis{8'000});
  Node& b = node("b", Millis{8'000});
  register_many(a, 1, 6);
  ASSERT_TRUE(until([&] { return is_even(6); }));
  const auto before = a.has;
  postgres().restart();
  ASSERT_TRUE(until([&] {
    return refusal(a, step_by(a, 1, 1)).empty() || refusal(b, step_by(b, 1, 1)).empty();
  }));
  EXPECT_TRUE(until([&] { return number("SELECT count(*) FROM nodes") == 2; }));
  EXPECT_EQ(a.has, before);
}

TEST_F(MembersTest, WhatCannotBeLoadedIsGivenBack) {
  Node& a = node("a");
  register_at(a, rollout_id(1), "t1");
  Node& b = node("b");
  b.takes_over = false;
  wait(a.members.leave());
  ASSERT_TRUE(until([&] { return std::count(b.told.begin(), b.told.end(), "gained 1") >= 1; }));
  EXPECT_TRUE(until([&] { return std::count(b.told.begin(), b.told.end(), "give up 1") >= 1; }));
  EXPECT_EQ(b.members.held(place(1)), std::nullopt);
  b.takes_over = true;
  EXPECT_TRUE(until([&] { return b.has.size() == 1; })) << "and tried again";
}

// Attempts in flight, or many rollouts to load, took longer than the lease: all that the node had
// was lost, and what was due meanwhile missed.
TEST_F(MembersTest, ALeaseIsKeptHoweverLongItTakesToHandOverOrToTakeOver) {
  Node& a = node("a");
  register_many(a, 1, 4);
  a.is_slow = true;
  Node& b = node("b");
  b.is_slow = true;
  const auto longer_than_a_lease = [this](const std::string& name) {
    const std::string seen =
        "SELECT floor(extract(epoch FROM seen_at) * 1000)::bigint FROM nodes WHERE name = '" +
        name + "'";
    const std::int64_t begun = number(seen);
    return until([&] { return number(seen) > begun + 4'000; });
  };
  ASSERT_TRUE(until([&] { return std::count(a.told.begin(), a.told.end(), "give up 2") == 1; }));
  ASSERT_TRUE(longer_than_a_lease("a"));
  EXPECT_EQ(a.has.size(), 4U);
  EXPECT_TRUE(a.members.is_sure());
  a.is_slow = false;
  ASSERT_TRUE(until([&] { return std::count(b.told.begin(), b.told.end(), "gained 2") == 1; }));
  ASSERT_TRUE(longer_than_a_lease("b"));
  EXPECT_TRUE(b.members.is_sure());
  b.is_slow = false;
  ASSERT_TRUE(until([&] { return is_even(4); }));
  for (const Node* node : {&a, &b})
    EXPECT_THAT(node->told, Not(Contains(StartsWith("no member: "))));
  EXPECT_EQ(number("SELECT count(*) FROM nodes"), 2);
}

// What others said while nobody listened is asked for.
TEST_F(MembersTest, WhoBeginsToListenAnewIsTold) {
  Node& a = node("a", Millis{8'000});
  EXPECT_EQ(a.listens, 1);
  number(
      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'a'"
      " AND pid <> pg_backend_pid()");
  EXPECT_TRUE(until([&] { return a.listens == 2; }));
}

// The time was read for each, and went on in between: an epoch could be one more than the fence,
// and be given once more to the next owner.
TEST_F(MembersTest, EpochAndFenceAreOneNumberHoweverManyAreTaken) {
  // Long leases: a machine that is busy elsewhere for two seconds must not cost one of them its
  // own.
  Node& a = node("a", Millis{20'000});
  register_many(a, 1, 300);
  Node& b = node("b", Millis{20'000});
  ASSERT_TRUE(until([&] { return is_even(300); }));
  EXPECT_EQ(b.has.size(), 150U);
  EXPECT_EQ(number("SELECT count(*) FROM places WHERE epoch <> fence"), 0);
}

// The database was restarted while a node took places over: the table said that they were its own,
// the node did not know, and nobody watched them until it was restarted.
TEST_F(MembersTest, WhatItGotWithoutBeingToldIsNotLeftLying) {
  register_at(node("a", Millis{1'000}), rollout_id(1), "t1");
  Node& b = node("b");
  stop(*nodes_.front());
  // As if the answer to its taking it had been lost.
  number("WITH u AS (UPDATE places SET owner = " + std::to_string(b.members.number()) +
         ", epoch = epoch + 1, fence = fence + 1 RETURNING 1) SELECT count(*) FROM u");
  ASSERT_TRUE(until([&] { return b.has.size() == 1; }));
  EXPECT_EQ(refusal(b, step_by(b, 1, 1)), "") << "under the epoch that it knows";
}

TEST_F(MembersTest, WhatItGotForARegistrationWithoutBeingToldIsNotAnotherNodes) {
  Node& a = node("a");
  number(
      "WITH i AS (INSERT INTO places (namespace, service, target, owner, epoch, fence) VALUES ('" +
      place(1).ns + "', '" + place(1).service + "', '" + place(1).target + "', " +
      std::to_string(a.members.number()) + ", 5, 5) RETURNING 1) SELECT count(*) FROM i");
  EXPECT_TRUE(wait(a.members.claim(place(1))));
  register_at(a, rollout_id(1), "t1");
  EXPECT_EQ(refusal(a, step_by(a, 1, 1)), "");
}

TEST_F(MembersTest, AnOlderProgramStepsAsideWhenTheTablesAreTakenOver) {
  Node& a = node("a");
  register_many(a, 1, 3);
  number(
      "WITH u AS (UPDATE rollwatch_schema SET version = 99, works_with = 99 RETURNING 1)"
      " SELECT count(*) FROM u");
  ASSERT_TRUE(until([&] { return a.has.empty(); }));
  EXPECT_THAT(a.told, Contains("give up 3"));
  ASSERT_TRUE(until([&] { return !a.members.is_member(); }));
  EXPECT_THAT(a.told.back(), HasSubstr("was taken over by a newer rollwatchd (schema 99"));
  EXPECT_EQ(number("SELECT count(*) FROM nodes"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM places WHERE owner IS NOT NULL"), 0);
  // Gone back to: it works again by itself.
  number(
      "WITH u AS (UPDATE rollwatch_schema SET version = 1, works_with = 1 RETURNING 1)"
      " SELECT count(*) FROM u");
  EXPECT_TRUE(until([&] { return a.has.size() == 3; }));
}

TEST_F(MembersTest, EverybodySeesTheNodes) {
  Node& a = node("a");
  node("b");
  register_many(a, 1, 2);
  ASSERT_TRUE(until([&] { return is_even(2); }));
  const auto nodes = wait(a.members.nodes());
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(nodes[0].name, "a");
  EXPECT_TRUE(nodes[0].is_me);
  EXPECT_EQ(nodes[1].name, "b");
  EXPECT_EQ(nodes[0].places, 1U);
  EXPECT_EQ(nodes[1].rollouts, 1U);
  EXPECT_GT(nodes[0].expires_at, nodes[0].seen_at);
}

TEST_F(MembersTest, NodesHearWhatOthersRecorded) {
  Node& a = node("a");
  Node& b = node("b");
  register_at(a, rollout_id(1), "t1");
  EXPECT_EQ(refusal(a, step_by(a, 1, 1)), "");
  EXPECT_TRUE(until(
      [&] { return std::count(b.heard.begin(), b.heard.end(), "moved " + rollout_id(1)) > 0; }));
  wait(a.store.put_freeze({"default", "checkout", "me", "because", kNow, {}, {}, "", ""}));
  EXPECT_TRUE(until([&] { return std::count(b.heard.begin(), b.heard.end(), "freezes") > 0; }));
}

}  // namespace
}  // namespace rollwatch
