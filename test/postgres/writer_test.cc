// Recording through failures: what took effect is said to have, and nothing takes effect twice.
#include "daemon/postgres/writer.h"

#include <algorithm>

#include "test/postgres/nodes_fixture.h"
#include "test/support/relay.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PgWriterTest : public NodesTest {
 protected:
  PgWriterTest() : relay_(postgres().port()) {
    std::string by_relay = url_;
    const std::string port = ":" + std::to_string(postgres().port());
    by_relay.replace(by_relay.find(port), port.size(), ":" + std::to_string(relay_.port()));
    const std::string direct = std::exchange(url_, by_relay);
    node_ = &node("a", Millis{10'000});
    url_ = direct;
    register_at(*node_, rollout_id(1), "t1");
  }

  Commit next(unsigned revision) {
    Commit commit = step(rollout_id(1), revision);
    commit.epoch = node_->has.begin()->second;
    return commit;
  }
  // Hands it over; what becomes of it is in `results_`.
  void record(Commit commit) {
    spawn(io_.get_executor(), "record",
          [this, commit = std::move(commit), at = results_.size()]() -> awaitable<void> {
            std::vector<Commit> commits;
            commits.push_back(commit);
            std::string result;
            try {
              const auto recorded = co_await node_->store.record(std::move(commits));
              for (const std::int64_t seq : recorded.at(0).event_seqs)
                result += "event " + std::to_string(seq) + " ";
              for (const std::int64_t fence : recorded.at(0).fences)
                result += fence > 0 ? "fence" : "no fence";
            } catch (const StoreError& error) {
              result =
                  (error.is_uncertain() ? "unknown: " : "nothing: ") + std::string(error.what());
            }
            results_[at] = result;
          });
    results_.emplace_back();
  }
  bool answered() {
    return until([&] {
      return std::none_of(results_.begin(), results_.end(),
                          [](const std::string& result) { return result.empty(); });
    });
  }

  Relay relay_;
  Node* node_ = nullptr;
  std::vector<std::string> results_;
};

TEST_F(PgWriterTest, ACommitWhoseAnswerWasLostIsFoundOut) {
  relay_.cut_answers();
  Commit commit = next(1);
  commit.deliveries = {order("ord_1"), notification("no_1")};
  record(std::move(commit));
  ASSERT_TRUE(until([&] { return number("SELECT count(*) FROM evaluations") == 1; }));
  EXPECT_EQ(results_[0], "") << "it is there, and nobody knows";
  relay_.mend();
  relay_.hang_up();
  ASSERT_TRUE(answered());
  EXPECT_EQ(results_[0], "event 1 fenceno fence");
  record(next(2));
  ASSERT_TRUE(answered());
  EXPECT_EQ(results_[1], "event 2 ");
}

// A node that loses its lease while a commit is out cannot find out any more, and must not say that
// nothing was done.
TEST_F(PgWriterTest, OfACommitThatWasOutWhenTheLeaseWasLostNobodyKnows) {
  relay_.cut_answers();
  record(next(1));
  ASSERT_TRUE(until([&] { return number("SELECT count(*) FROM evaluations") == 1; }));
  record(next(2));
  node_->store.writer().resign();
  ASSERT_TRUE(answered());
  EXPECT_THAT(results_[0], HasSubstr("unknown: this node is not a member"));
  EXPECT_THAT(results_[1], HasSubstr("nothing: this node is not a member"));
}

TEST_F(PgWriterTest, ACommitThatNeverArrivedIsMadeOnce) {
  relay_.cut();
  record(next(1));
  ASSERT_FALSE(until([&] { return !results_[0].empty(); }, Millis{200}));
  relay_.hang_up();
  relay_.mend();
  ASSERT_TRUE(answered());
  EXPECT_EQ(results_[0], "event 1 ");
  EXPECT_EQ(number("SELECT count(*) FROM evaluations"), 1);
}

TEST_F(PgWriterTest, AServerThatIsAwayIsSaidAtOnceAndComesBackByItself) {
  const std::string again = "SELECT count(*) FROM evaluations";
  relay_.hang_up();
  relay_.cut();
  record(next(1));
  relay_.hang_up();
  // It is not known whether it took effect, so it is found out when the way is free again.
  relay_.mend();
  ASSERT_TRUE(answered());
  EXPECT_EQ(results_[0], "event 1 ");
  EXPECT_EQ(number(again), 1);
}

// A transaction that hangs in the middle, its client cut off, holds nobody up for longer than that
// client is a member.
TEST_F(PgWriterTest, AnAbandonedTransactionDoesNotHoldUpItsSuccessor) {
  PgConnection stuck(io_.get_executor(), {url_});
  const std::string me = std::to_string(node_->members.number());
  wait(
      stuck.execute("BEGIN; UPDATE nodes SET pid = pg_backend_pid(), started_at = (SELECT"
                    " backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()) WHERE"
                    " number = " +
                    me));
  Node& b = node("b", Millis{1'000});
  PgConnection other(io_.get_executor(), {url_});
  // The node's own next session ends what is left of the one before.
  wait(
      other.execute("SELECT rollwatch_end_session(a.pid, a.backend_start) FROM pg_stat_activity a,"
                    " pg_locks l WHERE l.pid = a.pid AND l.relation = 'nodes'::regclass AND"
                    " a.pid <> pg_backend_pid()"));
  EXPECT_EQ(wait(b.members.nodes()).size(), 2U);
  EXPECT_THROW(wait(stuck.execute("COMMIT")), PgError);
}

TEST_F(PgWriterTest, EventsOfSeveralNodesAreOneRowOfNumbers) {
  Node& b = node("b", Millis{10'000});
  register_at(b, rollout_id(2), "t2");
  // Who follows meanwhile is given each once, in order: what it sees has seen all before it.
  std::vector<std::int64_t> followed;
  spawn(io_.get_executor(), "follower", [&]() -> awaitable<void> {
    for (std::int64_t after = 0; after < 40;) {
      const EventStretch stretch = co_await b.store.event_stretch(after, 7);
      for (const StreamedEvent& event : stretch.items) followed.push_back(event.stored.seq);
      after = stretch.up_to;
    }
  });
  for (unsigned revision = 1; revision <= 20; ++revision) {
    record(next(revision));
    spawn(io_.get_executor(), "b", [&b, revision]() -> awaitable<void> {
      Commit commit = step(rollout_id(2), revision);
      commit.epoch = b.has.begin()->second;
      std::vector<Commit> commits;
      commits.push_back(std::move(commit));
      co_await b.store.record(std::move(commits));
    });
  }
  ASSERT_TRUE(answered());
  ASSERT_TRUE(until([&] { return number("SELECT count(*) FROM events") == 40; }));
  EXPECT_EQ(number("SELECT max(seq) FROM events"), 40);
  EXPECT_EQ(number("SELECT count(DISTINCT seq) FROM events"), 40) << "no number is left out";
  ASSERT_TRUE(until([&] { return !followed.empty() && followed.back() == 40; }));
  ASSERT_EQ(followed.size(), 40U);
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(followed[i], static_cast<std::int64_t>(i) + 1);
}

TEST_F(PgWriterTest, ManyCommitsAreFewTransactions) {
  for (unsigned revision = 1; revision <= 200; ++revision) record(next(revision));
  ASSERT_TRUE(answered());
  EXPECT_LT(node_->store.writer().transactions(), 20U);
  EXPECT_EQ(number("SELECT count(*) FROM evaluations"), 200);
}

}  // namespace
}  // namespace rollwatch
