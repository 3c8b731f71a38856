#include "test/scenarios/world.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <utility>

#include "config/loader.h"
#include "config/merge.h"
#include "daemon/app/assembly.h"
#include "daemon/delivery/teller.h"
#include "test/scenarios/scripted_receivers.h"
#include "test/scenarios/scripted_source.h"
#include "test/scenarios/watched_store.h"

namespace rollwatch {
namespace {

constexpr SysTime kStart{Millis{1'767'323'000'000}};

}  // namespace

// A process as far as it is not the world around it.
struct World::Node {
  Node(World& world, Life& life, std::size_t number);

  awaitable<void> take(Lease lease) {
    std::vector<Place> places{lease.place};
    std::vector<Lease> leases;
    leases.push_back(std::move(lease));
    co_await engine.take_over(std::move(leases));
    co_await outbox.take_up(places);
    engine.watch(places, Cause::kMissedDowntime);
  }
  awaitable<void> give_up(Place place) {
    std::vector<Place> places;
    places.push_back(std::move(place));
    co_await outbox.give_up(places);
    co_await engine.give_up(places);
    shared->release(places.front());
  }
  void drop(const Place& place) {
    engine.lose({place});
    outbox.lose({place});
  }

  EngineRules rules(World& world, Life& life);
  EngineHooks hooks(World& world);

  std::unique_ptr<Leases> leases;
  ScriptedLeases* shared = nullptr;  // the same, if there are several nodes
  Teller teller;
  Engine engine;
  Outbox outbox;
};

struct World::Life {
  Life(World& world, SysTime start)
      : clock(io, start, [this] { run_until_idle(); }),
        source(world.script_, io, clock),
        store(world.script_, io.get_executor(), world.folder_ / "rollwatch.db") {
    for (std::size_t i = 0; i < world.nodes_; ++i)
      nodes.push_back(std::make_unique<Node>(world, *this, i));
  }
  ~Life() { store.close(); }

  void run_until_idle() {
    do {
      io.restart();
      if (store.owes()) io.run_one();
    } while (io.poll() > 0 || store.owes());
  }

  static std::function<std::uint64_t()> random_of(World& world) {
    return [&world] { return world.seed_ += 0x9e3779b97f4a7c15ULL; };
  }

  net::io_context io;
  ManualClock clock;
  ScriptedSource source;
  WatchedStore store;
  std::vector<std::unique_ptr<Node>> nodes;
};

World::Node::Node(World& world, Life& life, std::size_t number)
    : teller(Life::random_of(world)),
      engine(
          life.io.get_executor(), life.clock, life.source, life.store,
          [&]() -> Leases& {
            if (world.nodes_ == 1) {
              leases = std::make_unique<SoleNode>();
            } else {
              auto several = std::make_unique<ScriptedLeases>(
                  world.script_.places, number,
                  [this](Lease lease) { return take(std::move(lease)); },
                  [this](const Place& place) { drop(place); });
              shared = several.get();
              leases = std::move(several);
            }
            return *leases;
          }(),
          rules(world, life), hooks(world)),
      outbox(life.io.get_executor(), life.clock, life.store, engine, *leases, [] { return 0.5; }) {
  Outbox::Drivers drivers;
  for (const auto& [name, settings] : world.settings_.orchestrators)
    drivers.emplace(name, std::make_shared<ScriptedDeployer>(world.script_, life.clock));
  Outbox::Senders senders;
  for (const auto& [name, settings] : world.settings_.notifiers)
    senders.emplace(name, std::make_shared<ScriptedPeople>(world.script_, life.clock));
  outbox.configure(std::move(drivers), std::move(senders));
  teller.configure(routes_of(world.settings_));
  teller.count_nodes(world.nodes_);
}

EngineRules World::Node::rules(World& world, Life& life) {
  EngineRules rules;
  rules.recall = [this, &life](std::vector<RolloutView> active) {
    return teller.load(life.store, std::move(active));
  };
  rules.tell = [this](const std::vector<TakenStep>& steps, const Freezes& freezes) {
    return teller.tell(steps, freezes);
  };
  rules.order_deadline = [&world](const std::string& orchestrator, DecisionKind kind) {
    const OrchestratorSettings& s = world.settings_.orchestrators.at(orchestrator);
    return kind == DecisionKind::kRollback ? s.rollback_deadline : s.deadline;
  };
  rules.ack_deadline = [&world](const std::string& orchestrator) {
    return world.settings_.orchestrators.at(orchestrator).ack_deadline;
  };
  rules.decode_plan = plan_of;
  rules.random = Life::random_of(world);
  rules.linger = world.script_.linger;
  rules.datasource_url = [](const std::string&) { return std::string("http://metrics.example"); };
  return rules;
}
EngineHooks World::Node::hooks(World& world) {
  EngineHooks hooks;
  hooks.deliver = [this](const Delivery& delivery, const RolloutSpec& spec) {
    outbox.add(delivery, spec);
  };
  hooks.withdraw = [this](const std::string& id) { outbox.withdraw(id); };
  hooks.settled = [this](const std::string& id, DeliveryState state) {
    outbox.acknowledged(id, state);
  };
  hooks.not_recorded = [&world](const RolloutSpec& spec, const std::string& why) {
    world.script_.not_recorded.push_back(spec.candidate + ": " + why);
  };
  return hooks;
}

World::World() = default;
World::~World() = default;

void World::configure(const std::string& toml, std::size_t nodes) {
  nodes_ = nodes;
  script_.is_shared = nodes > 1;
  Environment environment;
  environment.variable = [](const std::string&) { return std::nullopt; };
  environment.read_file = [&toml](const std::string&) -> Expected<FileText, std::string> {
    return FileText{toml, false};
  };
  environment.list_folder =
      [](const std::string&) -> Expected<std::vector<std::string>, std::string> {
    return std::vector<std::string>{};
  };
  environment.working_folder = folder_.path().string();
  auto loaded = load_config("scenario.toml", environment);
  if (!loaded) throw std::runtime_error(loaded.error().front().text());
  settings_ = std::move(loaded).value();
  for (const auto& [name, datasource] : settings_.datasources)
    script_.ingestion_delays[name] = datasource.ingestion_delay;
  life_ = std::make_unique<Life>(*this, kStart);
  begin_life();
}

void World::metrics_are(const std::string& query, Behaviour behaviour) {
  const SysTime from = life_ ? now() : kStart;
  script_.metrics[query].emplace_back(from, std::move(behaviour));
}

Registration World::registration(RolloutSpec spec, std::optional<int> attempt) {
  auto merged = merge_analysis(settings_, spec.ns, spec.service, spec.policy, nullptr);
  if (!merged) throw std::runtime_error(merged.error().front().text());
  Registration registration;
  registration.spec = std::move(spec);
  registration.attempt = attempt;
  registration.document = {merged->version, merged->analysis, merged->sources};
  registration.plan = std::make_shared<const Plan>(merged->plan);
  return registration;
}

RegisterResult World::register_rollout(RolloutSpec spec, std::optional<int> attempt) {
  Engine& engine = node_of(place_of(spec)).engine;
  auto result = run(engine.register_rollout(registration(std::move(spec), attempt)));
  life_->clock.settle();
  return result;
}

DecideResult World::decide(const std::string& rollout, PersonDecided decision) {
  auto result = run(node_of(rollout).engine.decide(rollout, std::move(decision)));
  life_->clock.settle();
  return result;
}

DecideResult World::report(const std::string& rollout, double weight, Millis ago) {
  WeightReported report{weight, now() - ago, "the deployer"};
  auto result = run(node_of(rollout).engine.report_weight(rollout, std::move(report)));
  life_->clock.settle();
  return result;
}

DecideResult World::acknowledge(const std::string& order, bool done) {
  const std::size_t dash = order.rfind('-');
  const bool is_one = dash != std::string::npos && dash > 4;
  Engine& engine = node_of(is_one ? "ro_" + order.substr(4, dash - 4) : "").engine;
  auto result = run(engine.acknowledge(order, done, ""));
  life_->clock.settle();
  return result;
}

RedeliverResult World::redeliver(const std::string& delivery, const std::string& reason) {
  const std::size_t dash = delivery.rfind('-');
  const bool is_one = dash != std::string::npos && dash > 4;
  Engine& engine = node_of(is_one ? "ro_" + delivery.substr(4, dash - 4) : "").engine;
  auto result = run(engine.redeliver(delivery, "ana", reason));
  life_->clock.settle();
  return result;
}

FreezeRecord World::freeze(const std::string& service, const std::string& by,
                           const std::string& reason, std::optional<SysTime> until) {
  const std::size_t slash = service.find('/');
  FreezeRecord wanted;
  if (!service.empty()) {
    wanted.ns = service.substr(0, slash);
    wanted.service = service.substr(slash + 1);
  }
  wanted.by = by;
  wanted.reason = reason;
  wanted.until = until;
  wanted.via = {by + "'s token", "192.0.2.7"};
  auto result = run(engine().freeze(std::move(wanted)));
  tell_nodes_of_freezes();
  life_->clock.settle();
  return result;
}

bool World::lift_freeze(const std::string& service, const std::string& by) {
  const std::size_t slash = service.find('/');
  FreezeLift lift;
  if (!service.empty()) {
    lift.ns = service.substr(0, slash);
    lift.service = service.substr(slash + 1);
  }
  lift.by = by;
  lift.via = {by + "'s token", "192.0.2.8"};
  const auto lifted = run(engine().lift_freeze(std::move(lift)));
  tell_nodes_of_freezes();
  life_->clock.settle();
  return lifted.has_value();
}

void World::advance(Millis span) { life_->clock.advance(span); }
void World::jump_wall(Millis by) { life_->clock.jump_wall(by); }

void World::restart(Millis down, const std::function<void()>& loading) {
  const SysTime start = now() + down;
  life_.reset();
  life_ = std::make_unique<Life>(*this, start);
  if (loading) loading();
  begin_life();
}

// As Application::start(); of several nodes each takes some of what is active.
void World::begin_life() {
  script_.places.free_all();
  for (const auto& node : life_->nodes) {
    run([](Node& one) -> awaitable<bool> {
      co_await one.engine.load();
      if (one.shared != nullptr) {
        one.engine.watch(std::vector<Place>{}, Cause::kMissedDowntime);
        co_return true;
      }
      co_await one.engine.take_over(std::nullopt);
      co_await one.outbox.take_up(std::nullopt);
      one.engine.watch(std::nullopt, Cause::kMissedDowntime);
      co_return true;
    }(*node));
  }
  if (nodes_ > 1) {
    std::set<Place> places;
    for (const StoredRollout& rollout : run(life_->store.active(std::nullopt)))
      places.insert(place_of(rollout.spec));
    for (const Delivery& open : run(life_->store.open_deliveries(std::nullopt)))
      places.insert(place_of(run(life_->store.rollout(open.rollout))->spec));
    std::size_t next = 0;
    for (const Place& place : places) seize(place, next++ % nodes_);
  }
  life_->clock.settle();
}

void World::tell_nodes_of_freezes() {
  for (std::size_t i = 1; i < nodes_; ++i)
    run([](Engine& engine) -> awaitable<bool> {
      co_await engine.freezes_changed();
      co_return true;
    }(engine(i)));
}

// ---- Several nodes

World::Node& World::node_of(const Place& place) {
  return *life_->nodes.at(owner(place).value_or(0));
}
World::Node& World::node_of(const std::string& rollout) {
  if (nodes_ == 1) return *life_->nodes.front();
  const auto stored = run(life_->store.rollout(rollout));
  return stored ? node_of(place_of(stored->spec)) : *life_->nodes.front();
}
Outbox& World::outbox(std::size_t node) { return life_->nodes.at(node)->outbox; }
ScriptedLeases& World::leases(std::size_t node) { return *life_->nodes.at(node)->shared; }
Place World::place(const std::string& service) {
  RolloutSpec spec;
  spec.service = service;
  return place_of(spec);
}
std::optional<std::size_t> World::owner(const Place& place) const {
  const auto owner = script_.places.owner(place);
  return owner ? std::optional(owner->node) : std::nullopt;
}

bool World::play(const std::string& name, std::function<awaitable<void>()> work) {
  const auto done = std::make_shared<bool>(false);
  spawn(io().get_executor(), name, [done, work = std::move(work)]() -> awaitable<void> {
    co_await work();
    *done = true;
  });
  settle();
  return *done;
}

bool World::hand_over(const Place& place, std::size_t to) {
  Node& from = node_of(place);
  Node& next = *life_->nodes.at(to);
  return play("hand over", [&from, &next, place]() -> awaitable<void> {
    co_await from.give_up(place);
    co_await next.shared->seize(place);
  });
}

bool World::seize(const Place& place, std::size_t to) {
  settle();  // what the store is at is on disk before the place changes hands
  Node& next = *life_->nodes.at(to);
  return play("seize", [&next, place]() -> awaitable<void> { co_await next.shared->seize(place); });
}

void World::lose(const Place& place) {
  settle();
  Node& node = node_of(place);
  script_.places.free(place);
  node.shared->lose(place);
}

RolloutView World::rollout(const std::string& id) {
  return run(node_of(id).engine.find(id)).value();
}

std::vector<StoredEvaluation> World::evaluations(const std::string& id) {
  return run(life_->store.evaluations(id, 0, 100'000)).items;
}
std::vector<StoredEvent> World::events(const std::string& id) {
  return run(life_->store.events(id, 0, 100'000));
}
std::vector<Delivery> World::deliveries(const std::string& id) {
  return run(life_->store.deliveries(id, 100'000, std::nullopt)).items;
}
std::optional<ExplainRecord> World::explain(const std::string& id,
                                            std::optional<std::string> decision) {
  return run(life_->store.explain(id, std::move(decision)));
}
SysTime World::now() const { return life_->clock.wall(); }
std::size_t World::sleepers() const { return life_->clock.sleepers(); }
Engine& World::engine(std::size_t node) { return life_->nodes.at(node)->engine; }
net::io_context& World::io() { return life_->io; }
void World::settle() { life_->clock.settle(); }
void World::store_hangs(bool hangs) {
  script_.store_hangs = hangs;
  if (!hangs) let_commits_go();
}
void World::let_commits_go() { life_->store.let_go(); }
void World::checks_hang(bool hangs) {
  script_.checks_hang = hangs;
  if (!hangs) life_->source.let_checks_go();
}

std::vector<DeliveredOrder> World::effects() const {
  std::vector<DeliveredOrder> effects;
  std::set<std::string> seen;
  std::int64_t fence = 0;
  for (const DeliveredOrder& order : script_.attempts) {
    if (order.refused || order.fence < fence || !seen.insert(order.id).second) continue;
    fence = order.fence;
    effects.push_back(order);
  }
  return effects;
}

}  // namespace rollwatch
