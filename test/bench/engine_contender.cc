#include "test/bench/engine_contender.h"

#include <algorithm>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "config/loader.h"
#include "config/merge.h"
#include "daemon/app/assembly.h"
#include "daemon/delivery/outbox.h"
#include "daemon/engine/engine.h"
#include "daemon/http/client.h"
#include "daemon/net/system_clock.h"
#include "daemon/storage/sqlite_store.h"
#include "test/support/process.h"
#include "test/support/run.h"

namespace rollwatch::bench {
namespace {

// The benchmark's policy has no conditions, so nobody asks.
class NoMetrics : public MetricsSource {
 public:
  void ask(std::vector<Question>, Answered) override {
    throw std::logic_error("a rollout without conditions asked something");
  }
  awaitable<QueryCheck> check(std::string, std::string) override { co_return QueryCheck(); }
  Millis ingestion_delay(const std::string&) const override { return Millis{0}; }
};

Settings settings_of(const TempDir& folder, int receiver_port) {
  const std::string file = (folder / "rollwatch.toml").string();
  write_file(file, rollwatch_configuration(receiver_port));
  auto loaded = load_config(file, process_environment());
  if (!loaded) throw std::runtime_error(loaded.error().front().text());
  return std::move(loaded).value();
}

}  // namespace

class EngineContender::Impl {
 public:
  explicit Impl(WebhookReceiver& receiver)
      : receiver_(receiver),
        settings_(settings_of(folder_, receiver.port())),
        http_(io_.get_executor()),
        store_(io_.get_executor(), folder_ / "rollwatch.db"),
        engine_(io_.get_executor(), clock_, metrics_, store_, rules(), hooks()),
        outbox_(io_.get_executor(), clock_, store_, engine_, [] { return 0.5; }) {
    const HttpSend send = [this](HttpRequest request) { return http_.send(std::move(request)); };
    outbox_.configure(drivers_of(settings_, send, clock_, {"http://127.0.0.1", "rollwatch/bench"}),
                      {});
    run<bool>(io_, [this]() -> awaitable<bool> {
      co_await engine_.load();
      co_await outbox_.start(0);
      co_return true;
    });
    engine_.start();
  }

  ~Impl() {
    run<bool>(io_, [this]() -> awaitable<bool> {
      co_await engine_.stop();
      co_await outbox_.drain(Millis{1000});
      co_return true;
    });
    http_.stop();
    store_.close();
  }

  void prepare(const std::vector<std::string>& services) {
    for (const std::string& service : services) {
      const RegisterResult result = run<RegisterResult>(
          io_, [this, &service] { return engine_.register_rollout(registration(service)); });
      if (result.end != RegisterEnd::kCreated) throw std::runtime_error("registration refused");
    }
    settle();
  }

  std::vector<Latencies> fire(const std::vector<std::string>& services) {
    std::vector<ReceivedAlert> alerts;
    for (const std::string& service : services) {
      ReceivedAlert alert;
      alert.labels = {{"alertname", "Slow"}, {"service", service}};
      alert.change.fingerprint = service;
      alert.change.name = "Slow";
      alert.change.starts_at = clock_.wall();
      alerts.push_back(std::move(alert));
    }
    receiver_.expect(services.size());
    const AlertsTaken taken =
        run<AlertsTaken>(io_, [this, &alerts] { return engine_.take_alerts(std::move(alerts)); });
    if (taken.recorded != services.size())
      throw std::runtime_error("not every alert found its rollout");
    run_until(io_, [&] { return receiver_.complete(); });
    settle();
    Latencies handed{"rollwatch, commit handed to the store", {}};
    Latencies on_disk{"rollwatch, commit on disk", {}};
    for (const std::string& service : services) {
      const Instant arrival = receiver_.arrival(service);
      const Ordered& ordered = ordered_.at(service);
      handed.milliseconds.push_back(milliseconds(ordered.handed, arrival));
      on_disk.milliseconds.push_back(milliseconds(ordered.on_disk, arrival));
    }
    return {std::move(handed), std::move(on_disk)};
  }

 private:
  struct Ordered {
    Instant handed, on_disk;
  };

  EngineRules rules() {
    EngineRules rules;
    rules.order_deadline = [](const std::string&, DecisionKind) { return Millis{300'000}; };
    rules.ack_deadline = [](const std::string&) { return Millis{300'000}; };
    rules.decode_plan = plan_of;
    rules.random = [this] { return seed_ += 0x9e3779b97f4a7c15ULL; };
    rules.datasource_url = [](const std::string&) { return std::string(); };
    return rules;
  }

  EngineHooks hooks() {
    EngineHooks hooks;
    // Called before what the commit holds is handed on.
    hooks.committed = [this](std::chrono::nanoseconds took) {
      commit_.on_disk = clock_.steady();
      commit_.handed = commit_.on_disk - took;
    };
    hooks.deliver = [this](const Delivery& delivery, const RolloutSpec& spec) {
      if (delivery.kind == "rollback") ordered_[spec.service] = commit_;
      outbox_.add(delivery, spec);
    };
    hooks.withdraw = [this](const std::string& id) { outbox_.withdraw(id); };
    hooks.settled = [this](const std::string& id, DeliveryState state) {
      outbox_.acknowledged(id, state);
    };
    return hooks;
  }

  Registration registration(const std::string& service) {
    auto merged = merge_analysis(settings_, "default", service, {"bench"}, nullptr);
    if (!merged) throw std::runtime_error(merged.error().front().text());
    Registration registration;
    registration.spec.service = service;
    registration.spec.stable = "1.0";
    registration.spec.candidate = "1.1";
    registration.spec.policy = {"bench"};
    registration.spec.orchestrator = "deployer";
    registration.spec.by = "bench";
    registration.document = {merged->version, merged->analysis, merged->sources};
    registration.plan = std::make_shared<const Plan>(merged->plan);
    return registration;
  }

  // Every order is acknowledged, and that is recorded.
  void settle() {
    run_until(io_, [this] {
      const OutboxStats stats = outbox_.stats();
      return stats.orders + stats.accepted == 0;
    });
  }

  WebhookReceiver& receiver_;
  TempDir folder_;
  Settings settings_;
  net::io_context io_{1};
  SystemClock clock_;
  NoMetrics metrics_;
  HttpClient http_;
  SqliteStore store_;
  std::uint64_t seed_ = 1;
  Ordered commit_;
  std::unordered_map<std::string, Ordered> ordered_;  // by service
  Engine engine_;
  Outbox outbox_;
};

EngineContender::EngineContender(WebhookReceiver& receiver)
    : impl_(std::make_unique<Impl>(receiver)) {}
EngineContender::~EngineContender() = default;

void EngineContender::prepare(const std::vector<std::string>& services) {
  impl_->prepare(services);
}

std::vector<Latencies> EngineContender::fire(const std::vector<std::string>& services) {
  return impl_->fire(services);
}

}  // namespace rollwatch::bench
