// Whole daemons to which anything may happen, from printed seeds: rollouts in two places, metrics
// and deployers with moods, a disk that fails or hangs, kills, people; and the same with two nodes,
// between which places go to and fro, in good order or not. Checked is what only the whole shows;
// what one rollout does is proven in test/analysis/advance_random_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "test/scenarios/world.h"

namespace rollwatch {
namespace {

constexpr const char* kConfiguration = R"(
[datasource.default]
url = "http://127.0.0.1:9090"
[orchestrator.deployer]
url = "http://127.0.0.1:8080/rollouts"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
deadline = "2m"
rollback_deadline = "4m"
ack_deadline = "3m"
[notifier.people]
type = "slack"
webhook_url = "https://hooks.slack.example/services/1"
events = ["order_refused", "order_expired", "paused", "rollback_failed"]
[policy.p]
steps = [ { weight = 5, hold = "40s" }, { weight = 50, hold = "40s" } ]
soak = "2m"
patience = "1m"
recovery = "1m"
[[policy.p.condition]]
name = "errors"
query = 'errors > 0.05'
interval = "10s"
[[policy.p.condition]]
name = "latency"
query = 'latency > 0.5'
interval = "15s"
on_fail = "pause"
)";

constexpr unsigned kSeeds = 100;
constexpr int kHappenings = 40;
constexpr Millis kSecond{1'000};

struct Counts {
  int attempts = 0, repeats = 0, decisions = 0, dead = 0, refused = 0, withdrawn = 0;
  int rolled_back = 0, promoted = 0, missed = 0;
  int handed_over = 0, seized = 0, lost = 0, refused_writes = 0;
};

class RandomWorld {
 public:
  explicit RandomWorld(unsigned seed, std::size_t nodes = 1) : dice_(seed), nodes_(nodes) {
    world_.linger_is(pick({Millis{0}, Millis{25}, Millis{3'000}}));
    world_.configure(kConfiguration, nodes);
    metrics_are_good();
    add();
  }

  void play() {
    for (int i = 0; i < kHappenings && !testing::Test::HasFailure(); ++i) {
      SCOPED_TRACE("happening " + std::to_string(i));
      happens();
      expect_attempts_are_on_disk();
    }
    comes_to_rest();
    expect_attempts_are_on_disk();
  }

  void expect_kept(Counts& counts) {
    for (const std::string& id : rollouts_) {
      SCOPED_TRACE(id);
      expect_explained(id, counts);
      expect_slots_in_a_row(id, counts);
      expect_deliveries_ended(id, counts);
      const State state = world_.rollout(id).state.state;
      if (state == State::kRolledBack) ++counts.rolled_back;
      if (state == State::kPromoted) ++counts.promoted;
    }
    expect_fences_rise();
    counts.attempts += static_cast<int>(world_.attempts().size());
    counts.repeats += static_cast<int>(world_.attempts().size() - ids_.size());
    counts.handed_over += handed_over_;
    counts.seized += seized_;
    counts.lost += lost_;
    EXPECT_LE(told_to_try_again_, seized_);
    for (std::size_t i = 0; nodes_ > 1 && i < nodes_; ++i)
      counts.refused_writes += static_cast<int>(world_.leases(i).refusals.size());
  }

 private:
  int roll(int sides) { return static_cast<int>(dice_() % static_cast<unsigned>(sides)); }
  bool one_in(int n) { return roll(n) == 0; }
  template <class T>
  T pick(std::initializer_list<T> from) {
    return from.begin()[roll(static_cast<int>(from.size()))];
  }

  // ---- What happens

  void metrics_are_good() {
    world_.metrics_are("errors", {Behaviour::Kind::kValue, {0.01}});
    world_.metrics_are("latency", {Behaviour::Kind::kValue, {0.1}});
  }

  void add() {
    RolloutSpec spec;
    spec.service = pick({"checkout", "checkout", "search"});
    spec.stable = "1.0";
    spec.candidate = "1." + std::to_string(++candidates_);
    spec.policy = {"p"};
    spec.orchestrator = one_in(6) ? "" : "deployer";
    spec.by = "ci";
    const RegisterResult result = world_.register_rollout(spec);
    if (result.rollout) rollouts_.push_back(result.rollout->spec.id);
  }

  // Callers wait until the disk takes something again (test/engine/store_away_test.cc), so nobody
  // calls while it does not.
  void happens() {
    if (nodes_ > 1 && one_in(4)) return moves();
    const int what = roll(20);
    const bool is_call = what == 0 || (what >= 7 && what <= 11);
    if (is_call && store_fails_) return world_.advance(5 * kSecond);
    // A node that does not know yet that it has lost a place may be the one that is asked.
    try {
      happens(what);
    } catch (const StoreError&) {
      if (nodes_ == 1) throw;
      ++told_to_try_again_;
    }
  }

  void happens(int what) {
    switch (what) {
      case 0:
        return add();
      case 1:
        return world_.deployer_is(pick({Deployer::kAcknowledges, Deployer::kAccepts,
                                        Deployer::kRefuses, Deployer::kFails, Deployer::kIsDown}));
      case 2:
        return world_.deployer_hangs(one_in(2));
      case 3:
        return world_.whole_source_is(pick<std::optional<Behaviour::Kind>>(
            {std::nullopt, std::nullopt, Behaviour::Kind::kDown, Behaviour::Kind::kSlow,
             Behaviour::Kind::kHttpError}));
      case 4:
        return world_.metrics_are(pick({"errors", "latency"}),
                                  {Behaviour::Kind::kValue, {pick({0.01, 0.01, 0.9})}});
      case 5:
        return one_in(2) ? store(one_in(3)) : dies_before_its_answer_is_recorded();
      case 6:
        if (one_in(2)) return world_.restart(pick({kSecond, 20 * kSecond, 150 * kSecond}));
        return hangs();
      case 7:
        return acknowledge();
      case 8:
        if (one_in(2)) return world_.jump_wall(100 * kSecond);
        if (one_in(2)) return void(world_.freeze("default/checkout", "ana", "stocktaking"));
        return void(world_.lift_freeze("default/checkout", "ana"));
      case 9:
      case 10:
        return person();
      case 11:
        return void(world_.report(any(), pick({0.0, 5.0, 50.0, 100.0})));
      default:
        return world_.advance(pick({5, 20, 45, 90}) * kSecond);
    }
  }

  const std::string& any() { return rollouts_[dice_() % rollouts_.size()]; }

  void person() {
    PersonDecided decided{
        pick({DecisionKind::kAdvance, DecisionKind::kPromote, DecisionKind::kPause,
              DecisionKind::kResume, DecisionKind::kResume, DecisionKind::kResume,
              DecisionKind::kRollback, DecisionKind::kCancel, DecisionKind::kExtend}),
        "ana", "because", std::nullopt};
    decided.span = 20 * kSecond;
    world_.decide(any(), decided);
  }

  void acknowledge() {
    for (const Delivery& d : world_.deliveries(any()))
      if (d.state == DeliveryState::kAccepted) world_.acknowledge(d.id, !one_in(4));
  }

  void store(bool fails) {
    world_.store_fails(fails);
    // It is tried again.
    if (std::exchange(store_fails_, fails) && !fails) world_.advance(5 * kSecond);
  }

  // The deployer has taken an order, and only it knows: it gets the order once more.
  void dies_before_its_answer_is_recorded() {
    world_.deployer_is(Deployer::kFails);
    world_.advance(10 * kSecond);
    world_.store_fails(true);
    world_.deployer_is(Deployer::kAcknowledges);
    world_.advance(20 * kSecond);
    world_.store_fails(store_fails_);
    world_.restart(kSecond);
  }

  Place some_place() { return World::place(pick({"checkout", "checkout", "search"})); }

  // A place goes from one node to the other.
  void moves() {
    const Place place = some_place();
    const auto from = world_.owner(place);
    if (!from) return void(world_.seize(place, dice_() % nodes_));
    if (one_in(2)) return taken_away(place);
    ++handed_over_;
    const std::size_t to = 1 - *from;
    bool done = world_.hand_over(place, to);
    // An attempt that is out is waited for, and calls wait for the hand-over.
    for (int i = 0; !done && i < 30; ++i) {
      world_.advance(kSecond);
      done = world_.owner(place) == to;
    }
    EXPECT_TRUE(done) << "it is not handed over";
  }

  // Without being asked: by its own clock it has lost it, or knows of nothing.
  void taken_away(const Place& place) {
    const auto from = world_.owner(place);
    if (!from) return;
    if (one_in(2)) {
      ++lost_;
      return world_.lose(place);
    }
    ++seized_;
    world_.leases(*from).sure = one_in(2);
    world_.seize(place, 1 - *from);
    world_.leases(*from).sure = true;
  }

  // While nothing comes on disk, nothing new goes out.
  void hangs() {
    world_.store_hangs(true);
    world_.advance(pick({10, 40}) * kSecond);
    if (nodes_ > 1 && one_in(2)) taken_away(some_place());
    world_.settle();
    expect_attempts_are_on_disk();
    world_.store_hangs(false);
    world_.settle();
  }

  // Everything works again; by the end of the last deadline every delivery has ended.
  void comes_to_rest() {
    store(false);
    world_.deployer_hangs(false);
    world_.whole_source_is(std::nullopt);
    world_.deployer_is(Deployer::kAcknowledges);
    for (const char* service : {"checkout", "search"})
      if (nodes_ > 1 && !world_.owner(World::place(service)))
        world_.seize(World::place(service), dice_() % nodes_);
    world_.lift_freeze("default/checkout", "ana");
    metrics_are_good();
    world_.advance(300 * kSecond);
  }

  // ---- What must hold

  std::optional<Delivery> delivery(const std::string& id) {
    for (const std::string& rollout : rollouts_) {
      if (id.find(id_body(rollout)) == std::string::npos) continue;
      for (Delivery& d : world_.deliveries(rollout))
        if (d.id == id) return std::move(d);
    }
    return std::nullopt;
  }

  // Also a repeat is the very order that was recorded.
  void expect_attempts_are_on_disk() {
    for (; attempts_seen_ < world_.attempts().size(); ++attempts_seen_) {
      const DeliveredOrder attempt = world_.attempts()[attempts_seen_];
      const auto stored = delivery(attempt.id);
      ASSERT_TRUE(stored) << attempt.kind << " went out and is not on disk: " << attempt.id;
      EXPECT_EQ(stored->kind, attempt.kind);
      EXPECT_EQ(stored->weight, attempt.weight);
      EXPECT_EQ(stored->fence, attempt.fence);
      EXPECT_EQ(stored->payload, attempt.payload);
      ids_.insert(attempt.id);
    }
  }

  void expect_explained(const std::string& id, Counts& counts) {
    const RolloutView view = world_.rollout(id);
    for (unsigned n = 1; n <= view.state.decisions_made; ++n) {
      const auto bundle = world_.explain(id, decision_id(view.spec, n));
      ASSERT_TRUE(bundle) << "decision " << n << " cannot be explained";
      EXPECT_NE(bundle->bundle.find(bundle->decision), std::string::npos);
      EXPECT_NE(bundle->bundle.find("\"siblings\""), std::string::npos);
      ++counts.decisions;
    }
  }

  // Every slot from the first to the last is in the history once; only what begins the watching
  // anew may leave some out, which were never due.
  void expect_slots_in_a_row(const std::string& id, Counts& counts) {
    const RolloutView view = world_.rollout(id);
    const std::vector<StoredEvent> events = world_.events(id);
    const auto begins_anew = [&events](SysTime from, SysTime to) {
      return std::any_of(events.begin(), events.end(), [from, to](const StoredEvent& e) {
        const bool anew = e.event.type == EventType::kStepBegan ||
                          e.event.type == EventType::kRolledBack ||
                          (e.event.type == EventType::kResumed && e.event.by != "engine");
        return anew && e.event.at >= from && e.event.at <= to;
      });
    };
    const auto all = world_.evaluations(id);
    for (std::size_t i = 0; i < view.plan->conditions.size(); ++i) {
      const ConditionPlan& condition = view.plan->conditions[i];
      std::uint32_t slots = 0;
      std::optional<SysTime> last;
      for (const StoredEvaluation& e : all) {
        if (e.condition != condition.name) continue;
        slots += e.slots;
        counts.missed += e.judgement.outcome == Outcome::kMissed ? 1 : 0;
        EXPECT_EQ(e.last_slot, e.slot + (e.slots - 1) * condition.interval);
        if (last) {
          EXPECT_GT(e.slot, *last) << "a slot is there twice";
          EXPECT_TRUE(e.slot == *last + condition.interval || begins_anew(*last, e.slot))
              << condition.name << ": slots are lost between " << format_time(*last) << " and "
              << format_time(e.slot) << dump(id, *last, e.slot);
        }
        last = e.last_slot;
      }
      const auto end = end_of_watching(view, events);
      EXPECT_TRUE(!last || !end || *last + condition.interval > *end || begins_anew(*last, *end))
          << condition.name << ": slots are lost between " << format_time(*last) << " and the end, "
          << format_time(*end) << dump(id, *last, *end);
      std::uint32_t of_state = 0;
      for (const std::uint32_t n : view.state.conditions[i].counts) of_state += n;
      EXPECT_EQ(slots, of_state) << condition.name;
    }
  }

  // When it went back or ended; none if it is still watched, or was watched once more after that.
  static std::optional<SysTime> end_of_watching(const RolloutView& view,
                                                const std::vector<StoredEvent>& events) {
    std::optional<SysTime> end = view.state.ended_at;
    for (const StoredEvent& e : events) {
      if (e.event.type == EventType::kDecided && e.event.kind == DecisionKind::kRollback)
        end = e.event.at;
    }
    for (const ConditionState& c : view.state.conditions)
      if (c.failed) return std::nullopt;
    return end;
  }

  std::string dump(const std::string& id, SysTime from, SysTime to) {
    std::string text;
    for (const StoredEvent& e : world_.events(id))
      if (e.event.at >= from - 60 * kSecond && e.event.at <= to + 30 * kSecond)
        text += "\n  " + format_time(e.event.at) + " " + std::string(name_of(e.event.type)) + " " +
                e.event.summary;
    return text;
  }

  bool was_told(const std::string& id, EventType type) {
    const auto& told = world_.told();
    return std::any_of(told.begin(), told.end(), [&](const Message& m) {
      return m.rollout == id && m.kind == name_of(type);
    });
  }

  // Acknowledged, refused, withdrawn, or dead with someone told; a rollback is never withdrawn, and
  // nothing follows it.
  void expect_deliveries_ended(const std::string& id, Counts& counts) {
    const RolloutView view = world_.rollout(id);
    std::optional<unsigned> rollback;
    for (const Delivery& d : world_.deliveries(id)) {
      SCOPED_TRACE(d.kind + " " + d.id);
      EXPECT_FALSE(is_open(d.state)) << "never ended";
      if (d.cls != DeliveryClass::kOrder) continue;
      counts.withdrawn += d.state == DeliveryState::kWithdrawn ? 1 : 0;
      if (d.kind == "rollback") {
        EXPECT_NE(d.state, DeliveryState::kWithdrawn);
        rollback = d.number;
      }
      if (d.state == DeliveryState::kDead) {
        ++counts.dead;
        EXPECT_TRUE(was_told(id, EventType::kOrderExpired));
      }
      if (d.state == DeliveryState::kRefused) {
        ++counts.refused;
        EXPECT_TRUE(was_told(id, EventType::kOrderRefused));
      }
    }
    if (!rollback) return;
    EXPECT_EQ(view.state.orders_given, *rollback) << "an order after the rollback";
    EXPECT_TRUE(view.state.state == State::kRolledBack ||
                view.state.state == State::kRollbackFailed)
        << name_of(view.state.state);
  }

  // In one place they rise with the orders of a rollout, and from one rollout to the next.
  void expect_fences_rise() {
    std::map<std::string, std::int64_t> latest;  // of a service
    std::vector<std::string> ids = rollouts_;
    std::sort(ids.begin(), ids.end());
    for (const std::string& id : ids) {
      std::vector<Delivery> orders = world_.deliveries(id);
      std::erase_if(orders, [](const Delivery& d) { return d.cls != DeliveryClass::kOrder; });
      std::sort(orders.begin(), orders.end(),
                [](const Delivery& a, const Delivery& b) { return a.number < b.number; });
      std::int64_t& fence = latest[world_.rollout(id).spec.service];
      for (const Delivery& d : orders) {
        EXPECT_GT(d.fence, fence) << d.id;
        fence = d.fence;
      }
    }
  }

  std::mt19937 dice_;
  std::size_t nodes_;
  World world_;
  std::vector<std::string> rollouts_;
  int candidates_ = 0;
  bool store_fails_ = false;
  int handed_over_ = 0, seized_ = 0, lost_ = 0, told_to_try_again_ = 0;
  std::size_t attempts_seen_ = 0;
  std::set<std::string> ids_;  // of orders that reached the deployer
};

TEST(RandomWorlds, NothingIsActedOnUnrecordedAndNothingIsLost) {
  Counts counts;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomWorld world(seed);
    world.play();
    if (!HasFailure()) world.expect_kept(counts);
    if (HasFailure()) return;
  }
  // What never happens proves nothing.
  const std::pair<const char*, int> happened[] = {
      {"attempts", counts.attempts},       {"repeats", counts.repeats},
      {"decisions", counts.decisions},     {"dead orders", counts.dead},
      {"refused orders", counts.refused},  {"withdrawn orders", counts.withdrawn},
      {"rolled back", counts.rolled_back}, {"promoted", counts.promoted},
      {"missed slots", counts.missed},
  };
  for (const auto& [what, times] : happened) EXPECT_GT(times, 4) << what;
}

TEST(RandomWorlds, NothingIsLostOrDoneTwiceBetweenTwoNodes) {
  Counts counts;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomWorld world(seed, 2);
    world.play();
    if (!HasFailure()) world.expect_kept(counts);
    if (HasFailure()) return;
  }
  const std::pair<const char*, int> happened[] = {
      {"attempts", counts.attempts},
      {"repeats", counts.repeats},
      {"rolled back", counts.rolled_back},
      {"promoted", counts.promoted},
      {"missed slots", counts.missed},
      {"places handed over", counts.handed_over},
      {"places seized", counts.seized},
      {"places lost", counts.lost},
      {"writes refused", counts.refused_writes},
  };
  for (const auto& [what, times] : happened) EXPECT_GT(times, 4) << what;
}

}  // namespace
}  // namespace rollwatch
