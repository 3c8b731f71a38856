// What Argo Rollouts' analysis and Flagger do, and what we do instead.
#include "test/scenarios/peers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "notifiers/classify.h"
#include "test/scenarios/scenario.h"
#include "test/scenarios/world.h"

namespace rollwatch {
namespace {

// Nothing is watched after a rollback, so that slots can be counted.
constexpr const char* kBefore = R"(policy
  steps = [ { weight = 5, hold = "2m" }, { weight = 25, hold = "2m" } ]
  recovery = "0s"
condition errors
)";

std::string whole_story(const PeerRow& row) {
  const std::string story = row.story;
  const bool asks_otherwise = story.starts_with("\n  query =");
  return kBefore + std::string(asks_otherwise ? "" : "  query = 'errors > 0.05'") + story;
}

class Peers : public testing::TestWithParam<PeerRow> {};

TEST_P(Peers, WhatWeDoInstead) {
  const PeerRow& row = GetParam();
  const auto difference = play_scenario(row.name, whole_story(row));
  EXPECT_FALSE(difference.has_value()) << "they: " << row.they << "\nwe: " << row.we << "\n"
                                       << *difference;
}

std::string name_of_row(const testing::TestParamInfo<PeerRow>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Answers, Peers, testing::ValuesIn(peers_answers()), name_of_row);
INSTANTIATE_TEST_SUITE_P(Conduct, Peers, testing::ValuesIn(peers_conduct()), name_of_row);
INSTANTIATE_TEST_SUITE_P(Lack, Peers, testing::ValuesIn(peers_lack()), name_of_row);
INSTANTIATE_TEST_SUITE_P(Say, Peers, testing::ValuesIn(peers_say()), name_of_row);

// They: no jitter and no phases, so that after a start everything is asked at once.
// We: each question has its place on the grid, and a restart changes none of them.
TEST(PeersConduct, flagger_ticks_all_at_once_after_a_start) {
  World world;
  world.configure(R"(
[datasource.default]
url = "http://127.0.0.1:9090"
[policy.p]
steps = [ { weight = 5, hold = "1h" } ]
[[policy.p.condition]]
name = "errors"
query = 'errors{target="{{target}}"} > 0.05'
)");
  for (int i = 0; i < 30; ++i) {
    RolloutSpec spec;
    spec.service = "checkout";
    spec.target = "t" + std::to_string(i);
    spec.stable = "1.23";
    spec.candidate = "1.24";
    spec.policy = {"p"};
    const RegisterResult result = world.register_rollout(std::move(spec));
    ASSERT_EQ(result.end, RegisterEnd::kCreated);
    world.report(result.rollout->spec.id, 5);
  }
  const auto places = [&world](std::size_t from) {
    std::set<std::int64_t> found;
    for (std::size_t i = from; i < world.asked().size(); ++i)
      found.insert(world.asked()[i].at.time_since_epoch().count() % 30'000);
    return found;
  };
  world.advance(Millis{120'000});
  const std::set<std::int64_t> before = places(0);
  EXPECT_GE(before.size(), 25U);  // two may share a place by chance
  const std::size_t asked = world.asked().size();
  world.restart(Millis{7'000});
  EXPECT_EQ(world.asked().size(), asked) << "nothing is asked because of the restart";
  world.advance(Millis{60'000});
  EXPECT_EQ(places(asked), before);
}

// They: nothing tells a repeat from a new call.
// We: every attempt of an order is the same message, before and after a crash, and the next order
// is another one, with a larger fence.
TEST(PeersLack, calls_that_can_be_told_from_repeats) {
  World world;
  world.configure(R"(
[datasource.default]
url = "http://127.0.0.1:9090"
[orchestrator.deployer]
url = "http://127.0.0.1:8080/rollouts"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[policy.p]
steps = [ { weight = 5, hold = "1h" } ]
)");
  RolloutSpec spec;
  spec.service = "checkout";
  spec.stable = "1.23";
  spec.candidate = "1.24";
  spec.policy = {"p"};
  spec.orchestrator = "deployer";
  world.deployer_is(Deployer::kFails);
  const std::string id = world.register_rollout(spec).rollout->spec.id;
  world.store_fails(true);
  world.deployer_is(Deployer::kAcknowledges);
  world.advance(Millis{2'000});  // its answer is not on disk when the process is killed
  world.store_fails(false);
  world.restart(Millis{30'000});
  world.advance(Millis{60'000});
  world.decide(id, {DecisionKind::kRollback, "ana", "because", std::nullopt});
  const auto& attempts = world.attempts();
  ASSERT_GE(attempts.size(), 3U);
  const DeliveredOrder& first = attempts.front();
  for (std::size_t i = 0; i + 1 < attempts.size(); ++i) {
    EXPECT_EQ(attempts[i].id, first.id);
    EXPECT_EQ(attempts[i].fence, first.fence);
    EXPECT_EQ(attempts[i].payload, first.payload);
  }
  EXPECT_EQ(attempts.back().kind, "rollback");
  EXPECT_NE(attempts.back().id, first.id);
  EXPECT_GT(attempts.back().fence, first.fence);
}

// They: any answer above 202 closes, so that "204 No Content" does, though a page says "any 2xx".
// We: any 2xx means done, but 202, which means later.
TEST(PeersSay, flagger_204_closes) {
  struct Row {
    int status;
    ReplyEnd end;
  };
  const Row rows[] = {{200, ReplyEnd::kDone}, {201, ReplyEnd::kDone}, {202, ReplyEnd::kAccepted},
                      {203, ReplyEnd::kDone}, {204, ReplyEnd::kDone}, {299, ReplyEnd::kDone}};
  for (const Row& row : rows) {
    Reply reply;
    reply.status = row.status;
    EXPECT_EQ(rule_on_order(reply, SysTime{}).end, row.end) << row.status;
  }
}

}  // namespace
}  // namespace rollwatch
