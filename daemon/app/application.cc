#include "daemon/app/application.h"

#include <openssl/rand.h>
#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <stdexcept>

#include "analysis/freezes.h"
#include "config/loader.h"
#include "daemon/api/api.h"
#include "daemon/app/assembly.h"
#include "daemon/delivery/teller.h"
#include "daemon/engine/engine.h"
#include "daemon/http/client.h"
#include "daemon/http/server.h"
#include "daemon/net/system_clock.h"
#include "daemon/prometheus/measured_delays.h"
#include "daemon/prometheus/prometheus_source.h"
#include "daemon/storage/sqlite_store.h"
#include "daemon/telemetry/metrics.h"

namespace rollwatch {
namespace {

// How long a stop waits for requests being answered, and for orders and notifications being sent.
constexpr Millis kServerGrace{5'000};
constexpr Millis kDeliveryGrace{10'000};

// How often history is looked through for what is too old, and how much is deleted before somebody
// looks whether the daemon stops.
constexpr Millis kForgetEvery{60'000};
constexpr std::size_t kForgottenAtOnce = 10;

// How long a start waits for the first measurement of ingestion delays.
constexpr Millis kFirstLooks{3'000};

// How often the log says that the store takes no commits, while it does not.
constexpr Millis kTellOfStoreEvery{60'000};

std::uint64_t random_bits() {
  std::uint64_t bits = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&bits), sizeof bits) != 1)
    throw std::runtime_error("the system gives no random numbers");
  return bits;
}

// From [0, 1).
double random_share() { return static_cast<double>(random_bits() >> 11U) * 0x1p-53; }

}  // namespace

class Application::Impl {
 public:
  explicit Impl(Settings settings);
  int run();

 private:
  EngineRules engine_rules();
  DelayHooks delay_hooks();
  EngineHooks engine_hooks();
  ApiContext api_context();
  void configure_delivery();
  awaitable<void> start();
  awaitable<void> stop();
  awaitable<void> keep_forgetting();
  awaitable<std::size_t> forget(SysTime ended_before);
  void fail(const std::string& why);
  void wait_for_signals();
  ReloadResult reload();

  // Constant after construction, in the order they are built and the opposite of that they end.
  net::io_context io_{1};
  SystemClock clock_;
  std::shared_ptr<const Settings> settings_;
  Metrics metrics_{ROLLWATCH_VERSION};
  HttpClient queries_;
  HttpClient deliveries_;
  std::string external_url_;
  Teller teller_;
  SqliteStore store_;
  PrometheusSource source_;
  MeasuredDelays delays_;
  Engine engine_;
  Outbox outbox_;
  EngineService service_;
  Api api_;
  HttpServer server_;
  net::signal_set signals_;

  std::optional<std::string> not_ready_ = "starting";
  std::optional<SteadyTime> store_told_;  // when the log last said that a step is not recorded
  bool stopping_ = false;
  int exit_code_ = 0;
};

Application::Impl::Impl(Settings settings)
    : settings_(std::make_shared<const Settings>(std::move(settings))),
      queries_(io_.get_executor()),
      deliveries_(io_.get_executor()),
      external_url_(settings_->server.external_url),
      teller_(random_bits),
      store_(io_.get_executor(), settings_->store.path),
      source_(io_.get_executor(), queries_, clock_, datasources_of(*settings_),
              {[this](const std::string& datasource, std::string_view result, Millis duration) {
                 metrics_.on_query(datasource, result, duration);
               },
               [this](const std::string& datasource, bool up) {
                 metrics_.on_datasource(datasource, up);
                 if (up)
                   spdlog::info("datasource {} answers", datasource);
                 else
                   spdlog::warn("datasource {} does not answer", datasource);
               }}),
      delays_(io_.get_executor(), clock_, source_, random_share, delay_hooks()),
      engine_(io_.get_executor(), clock_, delays_, store_, engine_rules(), engine_hooks()),
      outbox_(io_.get_executor(), clock_, store_, engine_, random_share,
              {[this](const Delivery& delivery, std::string_view result) {
                 metrics_.on_delivery(delivery, result);
               },
               [this](const Delivery& delivery, Millis latency) {
                 metrics_.on_delivered(delivery, latency);
               }}),
      service_(engine_, store_),
      api_(api_context()),
      server_(
          io_.get_executor(), clock_,
          [this](ServerRequest request) { return api_.answer(std::move(request)); },
          [this](std::string_view method, std::string_view route, int status) {
            metrics_.on_http(method, route, status);
          }),
      signals_(io_) {}

EngineRules Application::Impl::engine_rules() {
  EngineRules rules;
  rules.recall = [this](std::vector<RolloutView> active) {
    return teller_.load(store_, std::move(active));
  };
  rules.tell = [this](const std::vector<TakenStep>& steps, const Freezes& freezes) {
    return teller_.tell(steps, freezes);
  };
  rules.order_deadline = [this](const std::string& orchestrator, DecisionKind kind) {
    const auto found = settings_->orchestrators.find(orchestrator);
    const OrchestratorSettings& s =
        found != settings_->orchestrators.end() ? found->second : OrchestratorSettings{};
    return kind == DecisionKind::kRollback ? s.rollback_deadline : s.deadline;
  };
  rules.ack_deadline = [this](const std::string& orchestrator) {
    const auto found = settings_->orchestrators.find(orchestrator);
    return found != settings_->orchestrators.end() ? found->second.ack_deadline
                                                   : OrchestratorSettings{}.ack_deadline;
  };
  rules.decode_plan = plan_of;
  rules.random = random_bits;
  rules.datasource_url = [this](const std::string& datasource) {
    const auto found = settings_->datasources.find(datasource);
    return found != settings_->datasources.end() ? without_credentials(found->second.url)
                                                 : std::string();
  };
  teller_.show_graphs_of(rules.datasource_url);
  return rules;
}

DelayHooks Application::Impl::delay_hooks() {
  DelayHooks hooks;
  hooks.changed = [this](const std::string& datasource, Millis before, Millis after) {
    const auto level = after > before ? spdlog::level::info : spdlog::level::debug;
    spdlog::log(level, "datasource {}: ingestion_delay is measured as {}, was {}", datasource,
                format_duration(after), format_duration(before));
    engine_.delays_changed();
  };
  hooks.nothing_to_measure = [this](const std::string& datasource) {
    spdlog::warn(
        "datasource {}: ingestion_delay = \"auto\" needs series of \"up\" that are older than 10m, "
        "and there are none; it stays at {}",
        datasource, format_duration(delays_.ingestion_delay(datasource)));
  };
  return hooks;
}

EngineHooks Application::Impl::engine_hooks() {
  EngineHooks hooks;
  hooks.event = [](const StoredEvent& event, const RolloutSpec& spec) {
    // One line for each thing that happened to a rollout; never one per evaluation.
    const auto level =
        event.event.type == EventType::kVerdict || event.event.type == EventType::kNote
            ? spdlog::level::debug
            : spdlog::level::info;
    spdlog::log(level, "{} {}/{}@{} {}: {}", spec.id, spec.ns, spec.service, spec.target,
                name_of(event.event.type), event.event.summary);
  };
  hooks.deliver = [this](const Delivery& delivery, const RolloutSpec& spec) {
    outbox_.add(delivery, spec);
  };
  hooks.withdraw = [this](const std::string& delivery) { outbox_.withdraw(delivery); };
  hooks.settled = [this](const std::string& delivery, DeliveryState state) {
    outbox_.acknowledged(delivery, state);
  };
  hooks.changed = [this](const RolloutView& view) { metrics_.on_changed(view, clock_.wall()); };
  hooks.evaluated = [this](const std::string& datasource, Outcome outcome, std::uint32_t slots,
                           Cause cause) {
    metrics_.on_evaluated(datasource, outcome, slots, cause);
  };
  hooks.late = [this](Millis late) { metrics_.on_late(late); };
  hooks.decided = [this](const Decision& decision) { metrics_.on_decision(decision); };
  hooks.freeze = [this](const FreezeRecord& freeze) {
    const std::string what =
        freeze.service.empty() ? "everything" : freeze.ns + "/" + freeze.service;
    if (freeze.lifted_at)
      spdlog::info("{}: the freeze is lifted by {}{}", what, freeze.lifted_by,
                   freeze.lift_reason.empty() ? "" : ": " + freeze.lift_reason);
    else
      spdlog::info("{}: {}{}", what, sentence_of(freeze),
                   freeze.until ? ", until " + format_time(*freeze.until) : "");
    metrics_.on_freeze(freeze);
  };
  hooks.committed = [this](std::chrono::nanoseconds took) { metrics_.on_commit(took); };
  hooks.not_recorded = [this](const RolloutSpec& spec, const std::string& why) {
    // It is tried again every second, and a store that is away is so for every rollout.
    const SteadyTime now = clock_.steady();
    if (store_told_ && now - *store_told_ < kTellOfStoreEvery) return;
    store_told_ = now;
    spdlog::error("{} {}/{}@{} is not recorded, tried again every second: {}", spec.id, spec.ns,
                  spec.service, spec.target, why);
  };
  return hooks;
}

ApiContext Application::Impl::api_context() {
  return {service_,
          clock_,
          [this] { return settings_; },
          [this] { return reload(); },
          [this]() -> std::optional<std::string> {
            if (not_ready_) return not_ready_;
            if (const auto trouble = engine_.store_trouble())
              return "the store is away: " + *trouble;
            return std::nullopt;
          },
          [this] {
            const OutboxStats outbox = outbox_.stats();
            std::map<std::string, Millis> delays;
            for (const auto& [name, datasource] : settings_->datasources)
              delays[name] = delays_.ingestion_delay(name);
            metrics_.on_ingestion_delays(delays);
            metrics_.on_outbox(
                {outbox.orders, outbox.accepted, outbox.notifications, outbox.oldest_age});
            metrics_.on_breakers(open_breakers_of(outbox_.targets()));
            metrics_.on_freezes(engine_.freezes_in_force());
            return metrics_.text(clock_.wall());
          },
          [this] { return external_url_; },
          ROLLWATCH_VERSION,
          [this] { return target_views_of(outbox_.targets()); },
          [this](const std::string& delivery) { return outbox_.held_because(delivery); },
          [this](const std::string& orchestrator, const RolloutSpec& spec) {
            return outbox_.preview(orchestrator, spec);
          },
          [this](std::string notifier, std::string by) {
            return outbox_.test(std::move(notifier), std::move(by));
          }};
}

void Application::Impl::configure_delivery() {
  const HttpSend http = [this](HttpRequest request) {
    return deliveries_.send(std::move(request));
  };
  const Originator originator{external_url_, "rollwatch/" ROLLWATCH_VERSION};
  outbox_.configure(drivers_of(*settings_, http, clock_, originator),
                    senders_of(*settings_, http, clock_, originator), fallbacks_of(*settings_));
  teller_.configure(routes_of(*settings_));
  metrics_.on_targets(targets_of(*settings_));
}

awaitable<void> Application::Impl::start() {
  const auto address = server_.listen(settings_->server.listen);
  if (!address) {
    fail(address.error());
    co_return;
  }
  if (external_url_.empty()) external_url_ = "http://" + *address;
  spdlog::info("rollwatchd {} listens on http://{}, store {}", ROLLWATCH_VERSION, *address,
               settings_->store.path);
  configure_delivery();
  delays_.measure(measured_datasources_of(*settings_));
  co_await delays_.first_looks(kFirstLooks);
  if (stopping_) co_return;
  std::string failure;
  try {
    co_await engine_.load();
    co_await outbox_.start(0);
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (!failure.empty()) {
    fail(failure);
    co_return;
  }
  engine_.start();
  for (const RolloutView& view : engine_.active()) metrics_.on_changed(view, clock_.wall());
  metrics_.on_reload(true, clock_.wall());
  not_ready_.reset();
  spawn(io_.get_executor(), "retention", [this] { return keep_forgetting(); });
  spdlog::info("ready, watching {} active rollouts", engine_.active().size());
}

// Deletes the history that is older than store.retention. An error is logged when it begins.
awaitable<void> Application::Impl::keep_forgetting() {
  bool failing = false;
  for (co_await clock_.sleep(kForgetEvery); !stopping_; co_await clock_.sleep(kForgetEvery)) {
    const SysTime ended_before = clock_.wall() - settings_->store.retention;
    std::string failure;
    try {
      const std::size_t forgotten = co_await forget(ended_before);
      if (forgotten > 0)
        spdlog::info("deleted {} rollouts that ended before {}", forgotten,
                     format_time(ended_before));
    } catch (const StoreError& error) {
      failure = error.what();
    }
    if (!failure.empty() && !failing && !stopping_)
      spdlog::error("old history is not deleted, tried again every minute: {}", failure);
    failing = !failure.empty();
  }
}

awaitable<std::size_t> Application::Impl::forget(SysTime ended_before) {
  std::size_t forgotten = 0;
  std::size_t latest = kForgottenAtOnce;
  while (latest == kForgottenAtOnce && !stopping_) {
    latest = co_await store_.forget(ended_before, kForgottenAtOnce);
    forgotten += latest;
  }
  co_return forgotten;
}

void Application::Impl::fail(const std::string& why) {
  spdlog::error("cannot start: {}", why);
  exit_code_ = 1;
  spawn(io_.get_executor(), "stop", [this] { return stop(); });
}

awaitable<void> Application::Impl::stop() {
  if (stopping_) co_return;
  stopping_ = true;
  not_ready_ = "stopping";
  delays_.stop();
  co_await server_.stop(kServerGrace);
  co_await engine_.stop();
  co_await outbox_.drain(kDeliveryGrace);
  co_await engine_.stop();
  queries_.stop();
  deliveries_.stop();
  store_.close();
  spdlog::info("stopped");
  io_.stop();
}

void Application::Impl::wait_for_signals() {
  signals_.async_wait([this](boost::system::error_code error, int number) {
    if (error) return;
    if (number == SIGHUP) {
      reload();
    } else if (stopping_) {
      spdlog::warn("asked to stop a second time: ending at once");
      io_.stop();
    } else {
      spdlog::info("asked to stop: finishing what is in flight");
      spawn(io_.get_executor(), "stop", [this] { return stop(); });
    }
    wait_for_signals();
  });
}

// All or nothing: a bad file, or one that takes away what a rollout needs, changes nothing.
ReloadResult Application::Impl::reload() {
  ReloadResult result;
  const auto refused = [&](ReloadEnd end) {
    result.end = end;
    for (const std::string& line : result.lines) spdlog::error("reload refused: {}", line);
    metrics_.on_reload(false, clock_.wall());
    return result;
  };
  auto loaded = load_config(settings_->file, process_environment());
  if (!loaded) {
    for (const ConfigError& error : loaded.error()) result.lines.push_back(error.text());
    return refused(ReloadEnd::kBadFile);
  }
  result.lines = obstacles(*settings_, *loaded, engine_.active());
  if (!result.lines.empty()) return refused(ReloadEnd::kInUse);

  settings_ = std::make_shared<const Settings>(std::move(loaded).value());
  if (!settings_->server.external_url.empty()) external_url_ = settings_->server.external_url;
  source_.reconfigure(datasources_of(*settings_));
  delays_.measure(measured_datasources_of(*settings_));
  engine_.delays_changed();
  configure_delivery();
  metrics_.on_reload(true, clock_.wall());
  result.lines = settings_->warnings;
  spdlog::info(
      "configuration reloaded: {} policies, {} datasources, {} orchestrators, {} notifiers",
      settings_->policies.size(), settings_->datasources.size(), settings_->orchestrators.size(),
      settings_->notifiers.size());
  return result;
}

int Application::Impl::run() {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) signals_.add(number);
  wait_for_signals();
  spawn(io_.get_executor(), "start", [this] { return start(); });
  io_.run();
  return exit_code_;
}

Application::Application(Settings settings) : impl_(std::make_unique<Impl>(std::move(settings))) {}
Application::~Application() = default;
int Application::run() { return impl_->run(); }

}  // namespace rollwatch
