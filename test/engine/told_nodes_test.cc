// What concerns rollouts of several nodes is told once, whichever node speaks.
#include <gmock/gmock.h>

#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kOnePolicy = R"(
[datasource.default]
url = "http://127.0.0.1:9090"
[orchestrator.deployer]
url = "http://127.0.0.1:8080/rollouts"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[notifier.people]
type = "slack"
webhook_url = "https://hooks.slack.example/services/1"
[policy.apart]
steps = [ { weight = 5, hold = "12h" } ]
[[policy.apart.condition]]
name = "errors"
query = 'errors{s="{{service}}"} > 0.05'
)";

class ToldByNodes : public testing::Test {
 protected:
  ToldByNodes() { world.configure(kOnePolicy, 2); }

  // On that node.
  std::string begin(const std::string& service, std::size_t node,
                    const std::string& candidate = "1.1") {
    RolloutSpec spec;
    spec.service = service;
    spec.stable = "1.0";
    spec.candidate = candidate;
    spec.policy = {"apart"};
    spec.orchestrator = "deployer";
    answers(service, true);
    const std::string id = world.register_rollout(std::move(spec)).rollout->spec.id;
    if (world.owner(World::place(service)) != node) {
      EXPECT_TRUE(world.hand_over(World::place(service), node));
    }
    return id;
  }
  void answers(const std::string& service, bool does) {
    const Behaviour good{Behaviour::Kind::kValue, {0.01}};
    const Behaviour down{Behaviour::Kind::kDown, {}};
    world.metrics_are("errors{s=\"" + service + "\"}", does ? good : down);
  }
  // Of the datasource, since the last call.
  std::vector<std::string> news() {
    std::vector<std::string> lines;
    for (; heard < world.told().size(); ++heard)
      if (const Message& message = world.told()[heard];
          message.summary.find("datasource default") != std::string::npos)
        lines.push_back(message.summary);
    return lines;
  }
  static PersonDecided person() {
    return {DecisionKind::kRollback, "ana", "because", std::nullopt};
  }

  World world;
  std::size_t heard = 0;
};

// Whoever asked the first node for it.
TEST_F(ToldByNodes, AFreezeComesWithTheTokenOfWhoeverSaidSo) {
  const std::string ids[] = {begin("s0", 0), begin("s1", 1)};
  const auto said = [&](EventType type) {
    std::vector<Via> vias;
    for (const std::string& id : ids)
      for (const StoredEvent& event : world.events(id))
        if (event.event.type == type) vias.push_back(event.event.via);
    return vias;
  };
  world.freeze("", "ana", "stocktaking");
  const Via ana("ana's token", "192.0.2.7"), ben("ben's token", "192.0.2.8");
  EXPECT_THAT(said(EventType::kFrozen), ElementsAre(ana, ana));
  EXPECT_TRUE(world.lift_freeze("", "ben"));
  EXPECT_THAT(said(EventType::kThawed), ElementsAre(ben, ben));
}

const auto kGoesQuiet = HasSubstr("gives no answers");
const auto kEnds = HasSubstr("answers again");

TEST_F(ToldByNodes, ItBeginsAndEndsOnceForAllOfThem) {
  begin("s0", 0);
  begin("s1", 1);
  begin("s2", 1);
  world.advance(5 * kMinute);
  news();
  world.whole_source_is(Behaviour::Kind::kDown);
  world.advance(10 * kMinute);
  EXPECT_THAT(news(), ElementsAre(kGoesQuiet));
  world.whole_source_is(std::nullopt);
  world.advance(10 * kMinute);
  EXPECT_THAT(news(), ElementsAre(kEnds));
  world.whole_source_is(Behaviour::Kind::kDown);
  world.advance(10 * kMinute);
  EXPECT_THAT(news(), ElementsAre(kGoesQuiet)) << "and the next time again";
}

// The node that speaks has nobody left who waits, but the other one has.
TEST_F(ToldByNodes, ThatNobodyOfOneNodeWaitsAnyMoreIsNotTheEnd) {
  const std::string gone = begin("s0", 0);
  begin("s1", 1);
  world.advance(5 * kMinute);
  news();
  world.whole_source_is(Behaviour::Kind::kDown);
  world.advance(10 * kMinute);
  EXPECT_THAT(news(), ElementsAre(kGoesQuiet));
  world.decide(gone, person());
  world.advance(5 * kMinute);
  EXPECT_THAT(news(), IsEmpty());
  world.whole_source_is(std::nullopt);
  world.advance(5 * kMinute);
  EXPECT_THAT(news(), ElementsAre(kEnds));
}

// A node with nobody who waits (any more) gets its answers, from a datasource that is too slow for
// the others.
TEST_F(ToldByNodes, AnswersForAnotherNodeAreNotTheEnd) {
  const std::string gone = begin("s0", 0);
  begin("s1", 1);
  begin("s2", 0);
  world.advance(5 * kMinute);
  news();
  answers("s0", false);
  answers("s1", false);
  world.advance(8 * kMinute);
  EXPECT_THAT(news(), ElementsAre(kGoesQuiet));
  world.decide(gone, person());
  world.advance(20 * kMinute);
  EXPECT_THAT(news(), IsEmpty());
  answers("s1", true);
  world.advance(5 * kMinute);
  EXPECT_THAT(news(), ElementsAre(kEnds));
}

// Its node had not heard that the silence was over, took the next one for the same, and told nobody
// of it for half an hour.
TEST_F(ToldByNodes, WhatTheOtherNodeSaidOfItsEndIsKnown) {
  const std::string first = begin("s0", 0);
  const std::string second = begin("s1", 1);
  world.advance(5 * kMinute);
  news();
  world.whole_source_is(Behaviour::Kind::kDown);
  world.advance(7 * kMinute);
  EXPECT_THAT(news(), ElementsAre(kGoesQuiet));
  world.decide(second, person());  // so that its node has nothing to say of the end
  world.whole_source_is(std::nullopt);
  world.advance(3 * kMinute);
  EXPECT_THAT(news(), ElementsAre(kEnds));
  world.decide(first, person());
  begin("s1", 1, "1.2");
  world.advance(3 * kMinute);
  world.whole_source_is(Behaviour::Kind::kDown);
  world.advance(7 * kMinute);
  EXPECT_THAT(news(), ElementsAre(kGoesQuiet));
}

}  // namespace
}  // namespace rollwatch
