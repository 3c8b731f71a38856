// A newer rollout of the same place takes it from the older one when it leaves `waiting`: every
// state of the older one, with everything that can keep the newer one waiting.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "analysis/state_codec.h"
#include "test/scenarios/world.h"

namespace rollwatch {
namespace {

constexpr Millis kOneMinute{60'000};
constexpr const char* kPairs = R"(
[datasource.default]
url = "http://127.0.0.1:9090"
[orchestrator.deployer]
url = "http://127.0.0.1:8080/rollouts"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[defaults]
steps = [ { weight = 5, hold = "5m" }, { weight = 50, hold = "5m" } ]
[[policy.plain.condition]]
name = "errors"
query = 'errors > 0.05'
[policy.soaked]
soak = "6h"
[[policy.soaked.condition]]
name = "errors"
query = 'errors > 0.05'
[policy.approved]
approve = "start"
[policy.ready]
ready = { query = 'up', at_least = 3, timeout = "10m" }
)";

class Place {
 public:
  Place() {
    world.configure(kPairs);
    world.metrics_are("errors", {Behaviour::Kind::kValue, {0.01}});
    world.metrics_are("up", {Behaviour::Kind::kValue, {2}});
  }

  std::string add(const std::string& candidate, const std::string& policy) {
    RolloutSpec spec;
    spec.service = "checkout";
    spec.stable = "1.0";
    spec.candidate = candidate;
    spec.policy = {policy};
    spec.orchestrator = "deployer";
    spec.by = "ci";
    return world.register_rollout(spec).rollout->spec.id;
  }
  void decide(const std::string& id, DecisionKind kind) {
    const auto result = world.decide(id, {kind, "ana", "because", std::nullopt});
    EXPECT_TRUE(result.end == DecideEnd::kDone) << result.why;
  }
  void acknowledge_rollback(const std::string& id) {
    for (const Delivery& d : world.deliveries(id))
      if (d.kind == "rollback" && is_open(d.state)) world.acknowledge(d.id, true);
  }
  State state(const std::string& id) { return world.rollout(id).state.state; }

  World world;
};

struct Older {
  State state;
  std::string (*come)(Place&);  // there, and its id
  State ends;                   // when a newer one has begun
};

std::string begun(Place& p, std::initializer_list<DecisionKind> then,
                  const std::string& policy = "plain") {
  const std::string id = p.add("1.1", policy);
  for (const DecisionKind kind : then) p.decide(id, kind);
  return id;
}

std::string begun_and(Place& p, Deployer then_it, DecisionKind kind) {
  const std::string id = p.add("1.1", "plain");
  p.world.deployer_is(then_it);
  p.decide(id, kind);
  p.world.deployer_is(Deployer::kAcknowledges);
  return id;
}

using enum DecisionKind;
const Older kOlder[] = {
    {State::kWaiting, [](Place& p) { return p.add("1.1", "approved"); }, State::kSuperseded},
    {State::kAnalyzing, [](Place& p) { return begun(p, {}); }, State::kSuperseded},
    {State::kPaused, [](Place& p) { return begun(p, {kPause}); }, State::kSuperseded},
    {State::kPromoting, [](Place& p) { return begun_and(p, Deployer::kAccepts, kPromote); },
     State::kSuperseded},
    {State::kSoaking, [](Place& p) { return begun(p, {kPromote}, "soaked"); }, State::kPromoted},
    {State::kRollingBack, [](Place& p) { return begun_and(p, Deployer::kAccepts, kRollback); },
     State::kRolledBack},
    {State::kPromoted, [](Place& p) { return begun(p, {kPromote}); }, State::kPromoted},
    {State::kRolledBack, [](Place& p) { return begun(p, {kRollback}); }, State::kRolledBack},
    {State::kRollbackFailed, [](Place& p) { return begun_and(p, Deployer::kRefuses, kRollback); },
     State::kRollbackFailed},
    {State::kCancelled, [](Place& p) { return begun(p, {kCancel}); }, State::kCancelled},
    {State::kSuperseded,
     [](Place& p) {
       const std::string id = p.add("1.1", "plain");
       p.decide(p.add("1.15", "plain"), kCancel);
       return id;
     },
     State::kSuperseded},
};

struct Newer {
  const char* waits;
  std::string (*come)(Place&);
  void (*lift)(Place&, const std::string&);  // what keeps it waiting, but for a rollback
  bool of_itself = true;                     // it waits also where nothing else does
};

const Newer kNewer[] = {
    {"for an approval", [](Place& p) { return p.add("1.2", "approved"); },
     [](Place& p, const std::string& id) { p.decide(id, kResume); }},
    {"until it is ready", [](Place& p) { return p.add("1.2", "ready"); },
     [](Place& p, const std::string&) {
       p.world.metrics_are("up", {Behaviour::Kind::kValue, {3}});
       p.world.advance(kOneMinute);
     }},
    {"frozen",
     [](Place& p) {
       p.world.freeze("default/checkout", "ana", "stocktaking");
       return p.add("1.2", "plain");
     },
     [](Place& p, const std::string&) { p.world.lift_freeze("default/checkout", "ana"); }},
    {"paused before its beginning",
     [](Place& p) {
       p.world.metrics_are("up", {Behaviour::Kind::kNoData, {}});
       const std::string id = p.add("1.2", "ready");
       p.world.advance(11 * kOneMinute);
       return id;
     },
     [](Place& p, const std::string& id) { p.decide(id, kAdvance); }},
    {"for nothing but a rollback", [](Place& p) { return p.add("1.2", "plain"); },
     [](Place&, const std::string&) {}, false},
};

bool is_watched(State state) {
  return state == State::kAnalyzing || state == State::kPaused || state == State::kPromoting ||
         state == State::kSoaking;
}

// Until the newer one begins the older one stays what it is: watched, and not going on.
void expect_held(Place& p, const std::string& older, const std::string& newer, State state) {
  const RolloutView before = p.world.rollout(older);
  const std::size_t slots = p.world.evaluations(older).size();
  p.world.advance(8 * kOneMinute);  // its hold is over by then
  const RolloutView held = p.world.rollout(older);
  EXPECT_EQ(held.state.state, state);
  EXPECT_EQ(held.state.step, before.state.step);
  EXPECT_EQ(held.state.newer_waits, is_watched(state));
  EXPECT_EQ(p.world.evaluations(older).size() > slots, is_watched(state));
  const State waits = p.state(newer);
  EXPECT_TRUE(waits == State::kWaiting || waits == State::kPaused) << name_of(waits);
  EXPECT_EQ(p.world.rollout(newer).state.orders_given, 0U);
}

// The newer one has the place: nothing of the older one is still on its way, and its fence is
// behind.
void expect_taken(Place& p, const std::string& older, const std::string& newer, State ends) {
  EXPECT_EQ(p.state(newer), State::kAnalyzing) << p.world.rollout(newer).state.reason;
  EXPECT_EQ(name_of(p.state(older)), name_of(ends));
  for (const Delivery& d : p.world.deliveries(older)) EXPECT_FALSE(is_open(d.state)) << d.kind;
  EXPECT_GT(p.world.rollout(newer).fence, p.world.rollout(older).fence);
  ASSERT_FALSE(p.world.effects().empty());
  const DeliveredOrder last = p.world.effects().back();
  EXPECT_EQ(last.kind, "advance");
  EXPECT_EQ(last.fence, p.world.rollout(newer).fence);
}

TEST(Supersession, InEveryStateOfBoth) {
  std::set<State> states;
  for (const Older& older : kOlder) {
    states.insert(older.state);
    for (const Newer& newer : kNewer) {
      SCOPED_TRACE(std::string(name_of(older.state)) + ", and a newer one that waits " +
                   newer.waits);
      Place p;
      const std::string first = older.come(p);
      ASSERT_EQ(name_of(p.state(first)), name_of(older.state));
      const std::string second = newer.come(p);
      const bool behind = older.state == State::kRollingBack;
      if (newer.of_itself || behind) expect_held(p, first, second, older.state);
      newer.lift(p, second);
      if (behind) {  // one that is rolling back is waited for, whatever else was lifted
        EXPECT_EQ(p.state(second), State::kWaiting);
        EXPECT_EQ(p.state(first), State::kRollingBack);
        p.acknowledge_rollback(first);
      }
      expect_taken(p, first, second, older.ends);
    }
  }
  for (int i = 0; is_known(static_cast<State>(i)); ++i)
    EXPECT_TRUE(states.contains(static_cast<State>(i))) << name_of(static_cast<State>(i));
}

}  // namespace
}  // namespace rollwatch
