#include "test/scenarios/world.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <filesystem>
#include <limits>
#include <set>
#include <stdexcept>
#include <utility>

#include "config/loader.h"
#include "config/merge.h"
#include "daemon/app/assembly.h"
#include "daemon/storage/sqlite_store.h"

namespace rollwatch {
namespace {

constexpr SysTime kStart{Millis{1'767'323'000'000}};

Answer failed(FailureKind kind, const std::string& message) {
  Answer answer;
  answer.result = QueryFailure{kind, message, 0};
  return answer;
}

Answer answer_of(const Behaviour& behaviour) {
  Answer answer;
  Vector vector;
  switch (behaviour.kind) {
    case Behaviour::Kind::kDown:
      return failed(FailureKind::kUnreachable, "connection refused");
    case Behaviour::Kind::kSlow:
      return failed(FailureKind::kTimeout, "no answer within 10s");
    case Behaviour::Kind::kBadQuery:
      return failed(FailureKind::kBadQuery, "parse error");
    case Behaviour::Kind::kNoData:
      break;
    case Behaviour::Kind::kNan:
      vector.series.push_back({{}, std::numeric_limits<double>::quiet_NaN()});
      break;
    case Behaviour::Kind::kInfinite:
      vector.series.push_back({{}, std::numeric_limits<double>::infinity()});
      break;
    case Behaviour::Kind::kPartial:
      answer.partial = true;
      answer.warnings = {"a store is missing"};
      [[fallthrough]];
    case Behaviour::Kind::kValue:
      for (std::size_t i = 0; i < behaviour.values.size(); ++i) {
        std::vector<Label> labels;
        if (behaviour.values.size() > 1) labels.push_back({"pod", std::to_string(i)});
        vector.series.push_back({std::move(labels), behaviour.values[i]});
      }
  }
  answer.result = std::move(vector);
  answer.raw = std::make_shared<const std::string>("scripted");
  return answer;
}

// Where calls wait until they are let go.
class Gate {
 public:
  awaitable<void> wait() {
    auto turn = std::make_shared<Promise<bool>>(co_await net::this_coro::executor);
    waiting_.push_back(turn);
    co_await turn->get();
  }
  void let_go() {
    for (const auto& turn : std::exchange(waiting_, {})) turn->set(true);
  }

 private:
  std::vector<std::shared_ptr<Promise<bool>>> waiting_;
};

}  // namespace

class World::ScriptedSource : public MetricsSource {
 public:
  ScriptedSource(World& world, net::io_context& io, Clock& clock)
      : world_(world), io_(io), clock_(clock) {}

  void ask(std::vector<Question> questions, Answered answered) override {
    for (std::size_t i = 0; i < questions.size(); ++i) {
      const Behaviour behaviour = behaviour_of(questions[i].query);
      // One that hangs answers when the question's time is up.
      const Millis takes = behaviour.kind == Behaviour::Kind::kSlow ? Millis{10'000} : Millis{0};
      spawn(io_.get_executor(), "scripted answer",
            [&clock = clock_, answered, i, behaviour, takes]() -> awaitable<void> {
              if (takes > Millis{0}) co_await clock.sleep(takes);
              answered(i, answer_of(behaviour));
            });
    }
  }
  awaitable<QueryCheck> check(std::string, std::string query) override {
    if (world_.checks_hang_) co_await held_.wait();
    QueryCheck check;
    const Behaviour behaviour = behaviour_of(query);
    if (behaviour.kind == Behaviour::Kind::kBadQuery) {
      check.verdict = QueryCheck::Verdict::kRefused;
      check.message = "parse error";
    } else if (behaviour.kind == Behaviour::Kind::kDown ||
               behaviour.kind == Behaviour::Kind::kSlow) {
      check.message = "connection refused";
    } else {
      check.verdict = QueryCheck::Verdict::kOk;
    }
    co_return check;
  }
  void let_go() { held_.let_go(); }
  Millis ingestion_delay(const std::string& datasource) const override {
    const auto found = world_.settings_.datasources.find(datasource);
    return found == world_.settings_.datasources.end() ? Millis{0} : found->second.ingestion_delay;
  }

 private:
  Behaviour behaviour_of(const std::string& query) const {
    if (world_.source_) return {*world_.source_, {}};
    const auto found = world_.metrics_.find(query);
    return found == world_.metrics_.end() ? Behaviour{} : found->second;
  }

  World& world_;
  net::io_context& io_;
  Clock& clock_;
  Gate held_;
};

class World::ScriptedDriver : public TargetDriver {
 public:
  ScriptedDriver(World& world, Clock& clock) : world_(world), clock_(clock) {}

  awaitable<Looked> look(const OrderMessage&) override { co_return Looked::kUnknown; }
  awaitable<Looked> confirm(const OrderMessage&) override { co_return Looked::kUnknown; }
  awaitable<SendResult> send(const OrderMessage& order) override {
    if (world_.deployer_hangs_) co_await clock_.sleep(Millis{10'000});
    SendResult result;
    result.attempt.at = clock_.wall();
    const auto answered = [&](SendEnd end, int status) {
      result.end = end;
      result.attempt.status = status;
      if (end != SendEnd::kRetry)
        world_.attempts_.push_back(
            {order.delivery.id, order.delivery.kind, order.delivery.weight, order.delivery.fence});
    };
    switch (world_.deployer_) {
      case Deployer::kAcknowledges:
        answered(SendEnd::kDone, 200);
        break;
      case Deployer::kAccepts:
        answered(SendEnd::kAccepted, 202);
        break;
      case Deployer::kRefuses:
        answered(SendEnd::kRefused, 409);
        result.attempt.answer = "not now";
        break;
      case Deployer::kFails:
        answered(SendEnd::kRetry, 500);
        break;
      case Deployer::kIsDown:
        result.attempt.error = "connection refused";
        break;
    }
    co_return result;
  }

 private:
  World& world_;
  Clock& clock_;
};

// The real store, which also says whether it owes an answer, and fails when the script says so.
class World::WatchedStore : public Store {
 public:
  WatchedStore(World& world, net::any_io_executor io, const std::filesystem::path& path)
      : world_(world), store_(std::move(io), path) {}
  bool owes() const { return out_ > 0; }

  awaitable<std::vector<Recorded>> record(std::vector<Commit> commits, Epoch epoch) override {
    for (const Commit& commit : commits)
      world_.most_evaluations_ = std::max(world_.most_evaluations_, commit.evaluations.size());
    if (world_.store_hangs_) co_await held_.wait();
    if (world_.store_fails_) throw StoreError("the disk is full");
    for (const Commit& commit : commits)
      if (commit.rollout == world_.refused_rollout_) throw StoreError("a constraint failed");
    const Out out(out_);
    co_return co_await store_.record(std::move(commits), epoch);
  }
  awaitable<std::vector<StoredRollout>> active() override {
    const Out out(out_);
    co_return co_await store_.active();
  }
  awaitable<std::vector<Delivery>> open_deliveries() override {
    const Out out(out_);
    co_return co_await store_.open_deliveries();
  }
  awaitable<std::optional<StoredRollout>> rollout(std::string id) override {
    const Out out(out_);
    co_return co_await store_.rollout(std::move(id));
  }
  awaitable<Page<StoredRollout>> list(ListFilter filter, std::size_t limit,
                                      std::optional<std::string> cursor) override {
    const Out out(out_);
    co_return co_await store_.list(std::move(filter), limit, std::move(cursor));
  }
  awaitable<std::optional<StoredRollout>> latest(std::string ns, std::string service,
                                                 std::string target,
                                                 std::string candidate) override {
    const Out out(out_);
    co_return co_await store_.latest(std::move(ns), std::move(service), std::move(target),
                                     std::move(candidate));
  }
  awaitable<Page<StoredEvaluation>> evaluations(std::string id, std::uint32_t after,
                                                std::size_t limit) override {
    const Out out(out_);
    co_return co_await store_.evaluations(std::move(id), after, limit);
  }
  awaitable<std::vector<StoredEvent>> events(std::optional<std::string> id, std::int64_t after,
                                             std::size_t limit) override {
    const Out out(out_);
    co_return co_await store_.events(std::move(id), after, limit);
  }
  awaitable<Page<Delivery>> deliveries(std::string id, std::size_t limit,
                                       std::optional<std::string> cursor) override {
    const Out out(out_);
    co_return co_await store_.deliveries(std::move(id), limit, std::move(cursor));
  }
  awaitable<std::optional<Delivery>> delivery(std::string id) override {
    const Out out(out_);
    co_return co_await store_.delivery(std::move(id));
  }
  awaitable<std::optional<ExplainRecord>> explain(std::string id,
                                                  std::optional<std::string> decision) override {
    const Out out(out_);
    co_return co_await store_.explain(std::move(id), std::move(decision));
  }
  awaitable<std::optional<std::string>> memo(std::string id, std::string target,
                                             std::string key) override {
    const Out out(out_);
    co_return co_await store_.memo(std::move(id), std::move(target), std::move(key));
  }
  awaitable<std::optional<Idempotent>> idempotent(std::string key, SysTime now) override {
    const Out out(out_);
    co_return co_await store_.idempotent(std::move(key), now);
  }
  awaitable<std::size_t> forget(SysTime ended_before, std::size_t limit) override {
    const Out out(out_);
    co_return co_await store_.forget(ended_before, limit);
  }
  void close() override { store_.close(); }
  void let_go() { held_.let_go(); }

 private:
  struct Out {
    explicit Out(int& count) : count(count) { ++count; }
    ~Out() { --count; }
    int& count;
  };

  World& world_;
  SqliteStore store_;
  Gate held_;
  int out_ = 0;
};

struct World::Life {
  Life(World& world, SysTime start)
      : clock(io, start, [this] { run_until_idle(); }),
        source(world, io, clock),
        store(world, io.get_executor(), world.folder_ / "rollwatch.db"),
        engine(io.get_executor(), clock, source, store, rules(world), hooks(world)),
        outbox(io.get_executor(), clock, store, engine, [] { return 0.5; }) {
    Outbox::Drivers drivers;
    for (const auto& [name, settings] : world.settings_.orchestrators)
      drivers.emplace(name, std::make_shared<ScriptedDriver>(world, clock));
    outbox.configure(std::move(drivers), {});
  }
  ~Life() { store.close(); }

  void run_until_idle() {
    do {
      io.restart();
      if (store.owes()) io.run_one();
    } while (io.poll() > 0 || store.owes());
  }

  static EngineRules rules(World& world) {
    EngineRules rules;
    rules.notifications = [](const RolloutSpec&, const Event&) { return std::vector<Delivery>{}; };
    rules.order_deadline = [&world](const std::string& orchestrator, DecisionKind kind) {
      const OrchestratorSettings& s = world.settings_.orchestrators.at(orchestrator);
      return kind == DecisionKind::kRollback ? s.rollback_deadline : s.deadline;
    };
    rules.ack_deadline = [&world](const std::string& orchestrator) {
      return world.settings_.orchestrators.at(orchestrator).ack_deadline;
    };
    rules.decode_plan = plan_of;
    rules.random = [&world] { return world.seed_ += 0x9e3779b97f4a7c15ULL; };
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
      world.not_recorded_.push_back(spec.candidate + ": " + why);
    };
    return hooks;
  }

  net::io_context io;
  ManualClock clock;
  ScriptedSource source;
  WatchedStore store;
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
  life_ = std::make_unique<Life>(*this, kStart);
  life_->engine.start();
  life_->clock.settle();
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

DecideResult World::report(const std::string& rollout, double weight) {
  WeightReported report{weight, now(), "the deployer"};
  auto result = run(life_->engine.report_weight(rollout, std::move(report)));
  life_->clock.settle();
  return result;
}

DecideResult World::acknowledge(const std::string& order, bool done) {
  auto result = run(life_->engine.acknowledge(order, done, ""));
  life_->clock.settle();
  return result;
}

void World::advance(Millis span) { life_->clock.advance(span); }
void World::jump_wall(Millis by) { life_->clock.jump_wall(by); }

void World::restart(Millis down, const std::function<void()>& loading) {
  const SysTime start = now() + down;
  life_.reset();
  life_ = std::make_unique<Life>(*this, start);
  if (loading) loading();
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
std::optional<ExplainRecord> World::explain(const std::string& id) {
  return run(life_->store.explain(id, std::nullopt));
}
SysTime World::now() const { return life_->clock.wall(); }
std::size_t World::sleepers() const { return life_->clock.sleepers(); }
Engine& World::engine() { return life_->engine; }
net::io_context& World::io() { return life_->io; }
void World::settle() { life_->clock.settle(); }
void World::store_hangs(bool hangs) {
  store_hangs_ = hangs;
  if (!hangs) let_commits_go();
}
void World::let_commits_go() { life_->store.let_go(); }
void World::checks_hang(bool hangs) {
  checks_hang_ = hangs;
  if (!hangs) life_->source.let_go();
}

std::vector<DeliveredOrder> World::effects() const {
  std::vector<DeliveredOrder> effects;
  std::set<std::string> seen;
  std::int64_t fence = 0;
  for (const DeliveredOrder& order : attempts_) {
    if (!seen.insert(order.id).second || order.fence < fence) continue;
    fence = order.fence;
    effects.push_back(order);
  }
  return effects;
}

}  // namespace rollwatch
