#include "test/scenarios/world.h"

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

struct World::Life {
  Life(World& world, SysTime start)
      : clock(io, start, [this] { run_until_idle(); }),
        source(world.script_, io, clock),
        store(world.script_, io.get_executor(), world.folder_ / "rollwatch.db"),
        teller(random_of(world)),
        engine(io.get_executor(), clock, source, store, rules(world), hooks(world)),
        outbox(io.get_executor(), clock, store, engine, [] { return 0.5; }) {
    Outbox::Drivers drivers;
    for (const auto& [name, settings] : world.settings_.orchestrators)
      drivers.emplace(name, std::make_shared<ScriptedDeployer>(world.script_, clock));
    Outbox::Senders senders;
    for (const auto& [name, settings] : world.settings_.notifiers)
      senders.emplace(name, std::make_shared<ScriptedPeople>(world.script_, clock));
    outbox.configure(std::move(drivers), std::move(senders));
    teller.configure(routes_of(world.settings_));
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
  EngineRules rules(World& world) {
    EngineRules rules;
    rules.recall = [this](std::vector<RolloutView> active) {
      return teller.load(store, std::move(active));
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
    rules.random = random_of(world);
    rules.datasource_url = [](const std::string&) { return std::string("http://metrics.example"); };
    return rules;
  }
  EngineHooks hooks(World& world) {
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

  net::io_context io;
  ManualClock clock;
  ScriptedSource source;
  WatchedStore store;
  Teller teller;
  Engine engine;
  Outbox outbox;
};

World::World() = default;
World::~World() = default;

void World::configure(const std::string& toml) {
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
  auto result = run(life_->engine.register_rollout(registration(std::move(spec), attempt)));
  life_->clock.settle();
  return result;
}

DecideResult World::decide(const std::string& rollout, PersonDecided decision) {
  auto result = run(life_->engine.decide(rollout, std::move(decision)));
  life_->clock.settle();
  return result;
}

DecideResult World::report(const std::string& rollout, double weight, Millis ago) {
  WeightReported report{weight, now() - ago, "the deployer"};
  auto result = run(life_->engine.report_weight(rollout, std::move(report)));
  life_->clock.settle();
  return result;
}

DecideResult World::acknowledge(const std::string& order, bool done) {
  auto result = run(life_->engine.acknowledge(order, done, ""));
  life_->clock.settle();
  return result;
}

RedeliverResult World::redeliver(const std::string& delivery, const std::string& reason) {
  auto result = run(life_->engine.redeliver(delivery, "ana", reason));
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
  auto result = run(life_->engine.freeze(std::move(wanted)));
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
  const auto lifted = run(life_->engine.lift_freeze(std::move(lift)));
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

// As Application::start().
void World::begin_life() {
  run([](Life& life) -> awaitable<bool> {
    co_await life.engine.load();
    co_await life.outbox.start(0);
    co_return true;
  }(*life_));
  life_->engine.start();
  life_->clock.settle();
}

RolloutView World::rollout(const std::string& id) { return run(life_->engine.find(id)).value(); }

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
Engine& World::engine() { return life_->engine; }
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
