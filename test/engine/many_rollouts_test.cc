// A thousand rollouts for a virtual hour: every slot has its end. And a hundred twice: to the byte
// the same.
#include <cstdint>
#include <map>

#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

constexpr Millis kHour{3'600'000};
constexpr Millis kEvery{120'000};

constexpr const char* kManyConditions = R"(
[datasource.default]
url = "http://127.0.0.1:9090"
ingestion_delay = "15s"
[orchestrator.deployer]
url = "http://127.0.0.1:8080/rollouts"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[policy.p]
steps = [ { weight = 5, hold = "20m" }, { weight = 50, hold = "2h" } ]
interval = "2m"
[[policy.p.condition]]
name = "errors"
query = 'errors{s="{{service}}"} > 0.05'
[[policy.p.condition]]
name = "latency"
query = 'latency{s="{{service}}"} > 1'
on_fail = "observe"
)";

std::uint64_t fold(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return (hash ^ 0xffU) * 0x100000001b3ULL;
}

struct Played {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  std::size_t evaluations = 0;
  std::size_t gaps = 0;
  std::map<State, int> states;
};

Played play(int rollouts) {
  World world;
  world.configure(kManyConditions);
  std::vector<std::string> ids;
  for (int i = 0; i < rollouts; ++i) {
    const std::string service = "s" + std::to_string(i);
    const auto name = [&service](const char* metric) {
      return metric + std::string("{s=\"") + service + "\"}";
    };
    world.metrics_are(name("latency"), {Behaviour::Kind::kValue, {i % 3 == 0 ? 2.0 : 0.5}});
    Behaviour errors{Behaviour::Kind::kValue, {0.01}};
    if (i % 10 == 1) errors.values = {0.5};
    if (i % 10 == 2) errors = {Behaviour::Kind::kNoData, {}};
    world.metrics_are(name("errors"), errors);
    RolloutSpec spec;
    spec.service = service;
    spec.stable = "1.0";
    spec.candidate = "1.1";
    spec.policy = {"p"};
    spec.orchestrator = "deployer";
    ids.push_back(world.register_rollout(std::move(spec)).rollout->spec.id);
  }
  world.advance(kHour);
  Played played;
  for (const std::string& id : ids) {
    const RolloutState state = world.rollout(id).state;
    ++played.states[state.state];
    played.hash = fold(played.hash, id);
    // What failed is watched after a rollback as well, from the first window that lies after it.
    std::map<std::pair<std::string, bool>, SysTime> next;
    for (const StoredEvaluation& e : world.evaluations(id)) {
      ++played.evaluations;
      const bool afterwards = state.ended_at && e.slot > *state.ended_at + kEvery / 2;
      const auto [expected, first] = next.try_emplace({e.condition, afterwards}, e.slot);
      played.gaps += expected->second == e.slot ? 0 : 1;
      expected->second = e.last_slot + kEvery;
      played.hash = fold(played.hash,
                         e.condition + format_time(e.slot) + format_time(e.evaluated_at) +
                             std::string(name_of(e.judgement.outcome)) + e.judgement.detail.text() +
                             std::to_string(e.judgement.value.value_or(-1)));
    }
    for (const StoredEvent& event : world.events(id))
      played.hash = fold(played.hash, std::to_string(event.seq) + event.event.summary);
  }
  for (const DeliveredOrder& order : world.attempts())
    played.hash = fold(played.hash, order.id + order.kind + std::to_string(order.fence));
  return played;
}

TEST(ManyRollouts, AThousandForAnHour) {
  const Played played = play(1'000);
  EXPECT_EQ(played.gaps, 0U);
  EXPECT_EQ(played.states,
            (std::map<State, int>{
                {State::kAnalyzing, 800}, {State::kPaused, 100}, {State::kRolledBack, 100}}));
  // 58 minutes and two conditions, but for those that were rolled back after three slots.
  EXPECT_GT(played.evaluations, 50'000U);
  EXPECT_LT(played.evaluations, 60'000U);
}

TEST(ManyRollouts, TwiceIsTheSame) {
  const Played first = play(100);
  const Played second = play(100);
  EXPECT_EQ(first.hash, second.hash);
  EXPECT_EQ(first.evaluations, second.evaluations);
  EXPECT_EQ(first.states, second.states);
}

}  // namespace
}  // namespace rollwatch
