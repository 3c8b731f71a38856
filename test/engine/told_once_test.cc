// Three hundred rollouts on one datasource that gives no answers, with the real outbox and store:
// people are told of the datasource, not of each rollout.
#include <gmock/gmock.h>

#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::UnorderedElementsAre;

constexpr int kMany = 300;

// `together`: the same question for all, so that all are due in the same moment; `apart` and
// `spread`: each its own, `spread` seldom.
constexpr const char* kThreeHundred = R"(
[datasource.default]
url = "http://127.0.0.1:9090"
[datasource.other]
url = "http://127.0.0.1:9091"
[orchestrator.deployer]
url = "http://127.0.0.1:8080/rollouts"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[policy.together]
steps = [ { weight = 5, hold = "12h" } ]
interval = "1m"
[[policy.together.condition]]
name = "errors"
query = 'errors > 0.05'
[policy.spread]
steps = [ { weight = 5, hold = "12h" } ]
interval = "4m"
[[policy.spread.condition]]
name = "errors"
query = 'errors{s="{{service}}"} > 0.05'
[policy.apart]
steps = [ { weight = 5, hold = "12h" } ]
[[policy.apart.condition]]
name = "errors"
query = 'errors{s="{{service}}"} > 0.05'
)";
constexpr const char* kOneChannel = R"(
[notifier.people]
type = "slack"
webhook_url = "https://hooks.slack.example/services/1"
)";
constexpr const char* kTwoChannels = R"(
[notifier.shop]
type = "slack"
webhook_url = "https://hooks.slack.example/services/1"
match = { namespace = "shop" }
[notifier.pay]
type = "slack"
webhook_url = "https://hooks.slack.example/services/2"
match = { namespace = "pay" }
)";

class ToldOnceTest : public testing::Test {
 protected:
  void configure(const std::string& notifiers) { world.configure(kThreeHundred + notifiers); }

  std::string begin(int number, const std::string& policy, const std::string& ns = "default") {
    RolloutSpec spec;
    spec.ns = ns;
    spec.service = "s" + std::to_string(number);
    spec.stable = "1.0";
    spec.candidate = "1.1";
    spec.policy = {policy};
    spec.orchestrator = "deployer";
    const Behaviour good{Behaviour::Kind::kValue, {0.01}};
    world.metrics_are("errors", good);
    world.metrics_are("errors{s=\"" + spec.service + "\"}", good);
    return world.register_rollout(std::move(spec)).rollout->spec.id;
  }
  void begin_many(const std::string& policy, int count) {
    for (int i = 0; i < count; ++i) ids.push_back(begin(i, policy));
    world.advance(10 * kMinute);
    news();
  }

  int paused() {
    int count = 0;
    for (const std::string& id : ids)
      count += world.rollout(id).state.state == State::kPaused ? 1 : 0;
    return count;
  }

  // What people were told since the last call; the first rollout is named by chance.
  std::vector<std::string> news() {
    std::vector<std::string> lines;
    for (; heard < world.told().size(); ++heard) {
      const Message& message = world.told()[heard];
      std::string line = message.notifier + ": " + message.summary;
      const std::string named = world.rollout(message.rollout).spec.service + " 1.1";
      if (const auto at = line.find(named); at != std::string::npos)
        line.replace(at, named.size(), "one");
      lines.push_back(std::move(line));
    }
    return lines;
  }

  World world;
  std::vector<std::string> ids;
  std::size_t heard = 0;
};

const std::string kBegins =
    "people: datasource default gives no answers: the datasource cannot be reached: connection "
    "refused; one waits for it";
std::string still(const std::string& after, int count = kMany) {
  return "people: datasource default still gives no answers after " + after + "; " +
         std::to_string(count) + " rollouts wait for it";
}
std::string ends(const std::string& after, int count = kMany) {
  return "people: datasource default answers again after " + after + "; " + std::to_string(count) +
         " rollouts go on by themselves";
}

TEST_F(ToldOnceTest, ThreeHundredInTheSameMoment) {
  configure(kOneChannel);
  begin_many("together", kMany);
  world.whole_source_is(Behaviour::Kind::kDown);
  world.advance(6 * kMinute);
  EXPECT_EQ(paused(), kMany);
  EXPECT_THAT(news(), ElementsAre(kBegins));
  world.advance(28 * kMinute);
  EXPECT_THAT(news(), IsEmpty());
  world.advance(32 * kMinute);
  EXPECT_THAT(news(), ElementsAre(still("35m"), still("1h5m")));
  world.whole_source_is(std::nullopt);
  world.advance(5 * kMinute);
  EXPECT_EQ(paused(), 0);
  EXPECT_THAT(news(), ElementsAre(ends("1h6m")));
}

// Spread over the interval, as most are, and the process ends whenever it matters.
TEST_F(ToldOnceTest, OneAfterTheOtherAndRestartsInBetween) {
  configure(kOneChannel);
  begin_many("spread", 60);
  world.whole_source_is(Behaviour::Kind::kDown);
  // Some are paused, the others wait another patience after the restart.
  world.advance(10 * kMinute);
  EXPECT_GT(paused(), 0);
  EXPECT_LT(paused(), 60);
  EXPECT_THAT(news(), ElementsAre(kBegins));
  world.restart(kMinute);
  world.advance(13 * kMinute);
  EXPECT_EQ(paused(), 60);
  EXPECT_THAT(news(), IsEmpty());
  world.advance(20 * kMinute);
  EXPECT_THAT(news(), ElementsAre(still("38m", 60)));
  world.restart(kMinute);
  world.advance(20 * kMinute);
  EXPECT_THAT(news(), IsEmpty());
  world.whole_source_is(std::nullopt);
  world.advance(Millis{30'000});
  EXPECT_LT(paused(), 60);
  EXPECT_GT(paused(), 0);
  EXPECT_THAT(news(), IsEmpty());
  world.restart(Millis{1'000});
  world.advance(10 * kMinute);
  EXPECT_EQ(paused(), 0);
  const auto told = news();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0],
              MatchesRegex("people: datasource default answers again after 1h6m; [0-9]+ rollouts "
                           "go on by themselves, [0-9]+ more wait until all their conditions "
                           "pass"));
  // Another time.
  world.whole_source_is(Behaviour::Kind::kDown);
  world.advance(13 * kMinute);
  EXPECT_THAT(news(), ElementsAre(kBegins));
}

TEST_F(ToldOnceTest, EachChannelHearsOfItOnce) {
  configure(kTwoChannels);
  for (int i = 0; i < 10; ++i) ids.push_back(begin(i, "together", "shop"));
  for (int i = 10; i < 15; ++i) ids.push_back(begin(i, "apart", "pay"));
  world.advance(5 * kMinute);
  news();
  world.whole_source_is(Behaviour::Kind::kDown);
  world.advance(6 * kMinute);
  EXPECT_EQ(paused(), 15);
  const std::string down =
      ": datasource default gives no answers: the datasource cannot be "
      "reached: connection refused; ";
  EXPECT_THAT(news(), UnorderedElementsAre("shop" + down + "shop/one waits for it",
                                           "pay" + down + "pay/one waits for it"));
  world.advance(30 * kMinute);
  const std::string still_down = ": datasource default still gives no answers after 35m; ";
  EXPECT_THAT(news(), UnorderedElementsAre("shop" + still_down + "10 rollouts wait for it",
                                           "pay" + still_down + "5 rollouts wait for it"));
  world.whole_source_is(std::nullopt);
  world.advance(2 * kMinute);
  const std::string up = ": datasource default answers again after 36m; ";
  EXPECT_THAT(news(), UnorderedElementsAre("shop" + up + "10 rollouts go on by themselves",
                                           "pay" + up + "5 rollouts go on by themselves"));
}

TEST_F(ToldOnceTest, ASilenceOfTheirOwnQueriesIsToldOfEach) {
  configure(kOneChannel);
  for (int i = 0; i < 3; ++i) ids.push_back(begin(i, "apart"));
  world.advance(5 * kMinute);
  news();
  for (int i = 0; i < 3; ++i)
    world.metrics_are("errors{s=\"s" + std::to_string(i) + "\"}", {Behaviour::Kind::kNoData, {}});
  world.advance(6 * kMinute);
  const std::string each =
      "people: paused: errors gave no answer for 5m: no data: the query found no series";
  EXPECT_THAT(news(), ElementsAre(each, each, each));
}

// The metrics server starts again with nothing in it: it answers, but there is no data yet.
TEST_F(ToldOnceTest, WhoWaitsForDataWhenItIsBackIsToldByItselfAtItsNextReminder) {
  configure(kOneChannel);
  for (int i = 0; i < 3; ++i) ids.push_back(begin(i, "apart"));
  world.advance(5 * kMinute);
  news();
  world.whole_source_is(Behaviour::Kind::kDown);
  world.advance(10 * kMinute);
  EXPECT_THAT(news(), ElementsAre(kBegins));
  world.metrics_are("errors{s=\"s1\"}", {Behaviour::Kind::kNoData, {}});
  world.whole_source_is(std::nullopt);
  world.advance(3 * kMinute);
  EXPECT_THAT(news(),
              ElementsAre("people: datasource default answers again after 11m; 2 rollouts go on by "
                          "themselves, 1 more waits until all its conditions pass"));
  world.advance(28 * kMinute);
  EXPECT_THAT(news(), ElementsAre("people: still waits for a person: errors gave no answer for "
                                  "5m: the datasource cannot be reached: connection refused; by "
                                  "now errors: no data: the query found no series"));
  world.metrics_are("errors{s=\"s1\"}", {Behaviour::Kind::kValue, {0.01}});
  world.advance(kMinute);
  EXPECT_THAT(news(), ElementsAre("people: goes on: every condition passes again"));
}

// A batch that one commit spoils is recorded again, one by one; whichever of them it is, and
// whether the message was to go with it or not.
TEST_F(ToldOnceTest, ABatchThatIsRecordedAgainIsNotToldAgain) {
  configure(kOneChannel);
  begin_many("together", 10);
  for (const std::string& spoiled : {ids.front(), ids[5], ids.back()}) {
    world.whole_source_is(Behaviour::Kind::kDown);
    world.advance(4 * kMinute + Millis{50'000});
    EXPECT_EQ(paused(), 0);
    world.store_refuses(spoiled);
    world.advance(kMinute);
    EXPECT_EQ(paused(), 9);
    EXPECT_THAT(news(), ElementsAre(kBegins));
    world.store_refuses("");
    world.whole_source_is(std::nullopt);
    world.advance(5 * kMinute + Millis{10'000});  // eleven minutes in all: on the same slots again
    EXPECT_EQ(paused(), 0);
    EXPECT_THAT(news(), ElementsAre(ends("6m", 9)));
  }
}

// What could not be recorded was not told: the disk fails as the first of them are paused.
TEST_F(ToldOnceTest, ADiskThatIsFullInBetweenLosesAndRepeatsNothing) {
  configure(kOneChannel);
  begin_many("together", kMany);
  world.whole_source_is(Behaviour::Kind::kDown);
  world.advance(4 * kMinute + Millis{50'000});
  EXPECT_EQ(paused(), 0);
  world.store_refuses(ids[0]);  // each batch with it fails, and is tried one by one
  world.advance(kMinute);
  EXPECT_EQ(paused(), kMany - 1);
  EXPECT_THAT(news(), ElementsAre(kBegins));
  world.store_refuses("");
  world.store_fails(true);
  world.whole_source_is(std::nullopt);
  world.advance(kMinute);
  EXPECT_THAT(news(), IsEmpty());
  world.store_fails(false);
  world.advance(2 * kMinute);
  EXPECT_EQ(paused(), 0);
  const auto told = news();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0], testing::HasSubstr("answers again after"));
  EXPECT_THAT(told[0], testing::HasSubstr("299 rollouts go on by themselves"));
}

const std::string kFrozen =
    "people: everything is frozen by ana: stocktaking; one stands still until that is lifted";

TEST_F(ToldOnceTest, AFreezeOfEverythingIsToldOnceAlsoToThoseRegisteredUnderIt) {
  configure(kOneChannel);
  for (int i = 0; i < 20; ++i) ids.push_back(begin(i, "apart"));
  world.advance(5 * kMinute);
  news();
  world.freeze("", "ana", "stocktaking");
  EXPECT_THAT(news(), ElementsAre(kFrozen));
  for (int i = 20; i < 23; ++i) begin(i, "apart");
  world.restart(kMinute);
  EXPECT_THAT(news(), IsEmpty());
  world.lift_freeze("", "ben");
  EXPECT_THAT(news(), ElementsAre("people: everything is no longer frozen by ana: stocktaking; "
                                  "lifted by ben; 23 rollouts may go on",
                                  "people: started", "people: started", "people: started"));
  world.freeze("default/s1", "ana", "");
  world.freeze("default/s2", "ana", "");
  const std::string stands = " is frozen by ana; one stands still until that is lifted";
  EXPECT_THAT(news(), ElementsAre("people: s1" + stands, "people: s2" + stands));
  world.freeze("", "bob", "holidays");
  news();
  world.lift_freeze("default/s1", "ana");
  EXPECT_THAT(news(),
              ElementsAre("people: s1 is no longer frozen by ana; lifted by ana; one still stands "
                          "still: everything is frozen by bob: holidays"));
  const SysTime gone = world.now() + kMinute;
  world.freeze("default/s1", "ana", "", gone);
  world.freeze("", "bob", "holidays", gone);
  news();
  world.restart(2 * kMinute);
  EXPECT_THAT(news(), UnorderedElementsAre(
                          "people: s1 is no longer frozen by ana; its time was up; one may go on",
                          "people: everything is no longer frozen by bob: holidays; its time was "
                          "up; 22 rollouts may go on"));
}

// Killed between the commit of a freeze and those of its rollouts: the next process freezes them as
// it starts, and by then it must know what people were told.
TEST_F(ToldOnceTest, WhatIsRecordedAtTheStartForgetsNothing) {
  configure(kOneChannel);
  for (int i = 0; i < 2; ++i) ids.push_back(begin(i, "apart"));
  world.advance(5 * kMinute);
  news();
  world.whole_source_is(Behaviour::Kind::kDown);
  world.advance(6 * kMinute);
  EXPECT_THAT(news(), ElementsAre(kBegins));
  world.store_refuses(ids[1]);
  EXPECT_THROW(world.freeze("", "ana", "stocktaking"), StoreError);
  EXPECT_THAT(news(), ElementsAre(kFrozen)) << "with the other one";
  world.restart(Millis{1'000}, [this] { world.store_refuses(""); });
  EXPECT_EQ(world.rollout(ids[1]).state.freeze->text, "everything is frozen by ana: stocktaking");
  EXPECT_THAT(news(), IsEmpty());
  world.advance(30 * kMinute);
  EXPECT_THAT(news(), ElementsAre(still("35m", 2)));
  world.whole_source_is(std::nullopt);
  world.advance(2 * kMinute);
  EXPECT_THAT(news(), ElementsAre(ends("36m", 2)));
}

// Nobody may be told twice because two registrations were recorded at the same time.
TEST_F(ToldOnceTest, SeveralRegisteredUnderAFreezeAtOnce) {
  configure(kOneChannel);
  world.freeze("", "ana", "stocktaking");
  news();
  world.store_hangs(true);
  std::vector<Called<RegisterResult>> registered;
  for (int i = 1; i <= 3; ++i) {
    RolloutSpec spec;
    spec.service = "s" + std::to_string(i);
    spec.stable = "1.0";
    spec.candidate = "1.1";
    spec.policy = {"apart"};
    spec.orchestrator = "deployer";
    registered.emplace_back(world,
                            world.engine().register_rollout(world.registration(std::move(spec))));
  }
  world.store_hangs(false);
  world.advance(kMinute);
  for (const auto& call : registered) EXPECT_EQ(call.value().end, RegisterEnd::kCreated);
  EXPECT_THAT(news(), ElementsAre(kFrozen));
}

TEST_F(ToldOnceTest, WhetherItRecoveredIsTold) {
  configure(kOneChannel);
  const std::string id = begin(0, "apart");
  world.advance(5 * kMinute);
  world.metrics_are("errors{s=\"s0\"}", {Behaviour::Kind::kValue, {0.5}});
  world.advance(2 * kMinute);
  news();
  world.advance(10 * kMinute);
  EXPECT_THAT(news(), ElementsAre("people: rolled back, but errors 0.5 > 0.05 is still bad: "
                                  "probably not this release"));
}

// A datasource that is too slow for most of the questions is not back with the first answer.
TEST_F(ToldOnceTest, AnswersForSomeAreNotTheEndOfIt) {
  configure(kOneChannel);
  for (int i = 0; i < 20; ++i) ids.push_back(begin(i, "apart"));
  world.advance(5 * kMinute);
  news();
  world.whole_source_is(Behaviour::Kind::kDown);
  world.advance(6 * kMinute);
  EXPECT_THAT(news(), ElementsAre(kBegins));
  for (int i = 2; i < 20; ++i)
    world.metrics_are("errors{s=\"s" + std::to_string(i) + "\"}", {Behaviour::Kind::kDown, {}});
  world.whole_source_is(std::nullopt);  // for two of them
  world.advance(10 * kMinute);
  EXPECT_EQ(paused(), 18);
  EXPECT_THAT(news(), IsEmpty());
  for (int i = 2; i < 20; ++i)
    world.metrics_are("errors{s=\"s" + std::to_string(i) + "\"}",
                      {Behaviour::Kind::kValue, {0.01}});
  world.advance(2 * kMinute);
  EXPECT_THAT(news(), ElementsAre(ends("16m", 20)));
}

}  // namespace
}  // namespace rollwatch
