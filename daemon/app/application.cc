#include "daemon/app/application.h"

#include <openssl/rand.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

#include "config/loader.h"
#include "daemon/api/views.h"
#include "daemon/app/application_impl.h"
#include "daemon/app/clock_trust.h"
#include "daemon/app/log.h"
#include "daemon/app/memory.h"

namespace rollwatch {
namespace {

// How long a stop waits for requests being answered, and for orders and notifications being sent.
constexpr Millis kServerGrace{5'000};
constexpr Millis kDeliveryGrace{10'000};

// How often history is looked through for what is too old, and how much is deleted before somebody
// looks whether the daemon stops.
constexpr Millis kForgetEvery{60'000};
constexpr Millis kAfterStart{10'000};
constexpr Millis kLookAtMemoryEvery{60'000};
constexpr std::size_t kForgottenAtOnce = 10;
constexpr int kThinnedPieces = 2'000;

// How long a start waits for the first measurement of ingestion delays.
constexpr Millis kFirstLooks{3'000};

constexpr Millis kOpenAgain{1'000};

constexpr Millis kLookAtLoopEvery{1'000};

// Beside connections to the server: the store's, datasources, receivers.
constexpr std::size_t kOtherFiles = 256;

// What people know this process by, among those that share a store.
std::string node_name(const Settings& settings) {
  std::string host(256, '\0');
  if (gethostname(host.data(), host.size() - 1) != 0) host = "localhost";
  host.resize(host.find('\0'));
  const std::size_t colon = settings.server.listen.rfind(':');
  return host + (colon == std::string::npos ? "" : settings.server.listen.substr(colon));
}

sigset_t held_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&signals, number);
  return signals;
}

}  // namespace

std::uint64_t random_bits() {
  std::uint64_t bits = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&bits), sizeof bits) != 1)
    throw std::runtime_error("the system gives no random numbers");
  return bits;
}

double random_share() { return static_cast<double>(random_bits() >> 11U) * 0x1p-53; }

Application::Impl::Impl(Settings settings)
    : settings_(std::make_shared<const Settings>(std::move(settings))),
      deliveries_(io_.get_executor()),
      external_url_(settings_->server.external_url),
      teller_(random_bits),
      backend_(make_backend(io_.get_executor(), clock_, settings_->store, node_name(*settings_),
                            backend_hooks())),
      source_(io_.get_executor(), clock_, datasources_of(*settings_, nodes_),
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
      engine_(io_.get_executor(), clock_, delays_, backend_->store(), backend_->leases(),
              engine_rules(), engine_hooks()),
      outbox_(io_.get_executor(), clock_, backend_->store(), engine_, backend_->leases(),
              random_share,
              {[this](const Delivery& delivery, std::string_view result) {
                 metrics_.on_delivery(delivery, result);
               },
               [this](const Delivery& delivery, Millis latency) {
                 metrics_.on_delivered(delivery, latency);
               }}),
      service_(engine_, backend_->store(), backend_->fleet()),
      feed_(io_.get_executor(), clock_, backend_->store(), event_line,
            {[this](std::string_view reason) { metrics_.on_stream_cut(reason); }}),
      api_(api_context()),
      server_(
          io_.get_executor(), clock_,
          [this](ServerRequest request) { return api_.answer(std::move(request)); },
          [this](std::string_view method, std::string_view route, int status,
                 std::chrono::nanoseconds took) { metrics_.on_http(method, route, status, took); }),
      signals_(io_) {}

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

// Followers of the event stream are never asked to make room: some is kept for others.
void Application::Impl::limit_connections() {
  const auto most = static_cast<std::size_t>(settings_->server.connections);
  server_.limit_connections(most);
  feed_.limit_clients(most / 4 * 3);
}

// "", or why not.
std::string Application::Impl::begin_to_listen() {
  const ServerSettings& server = settings_->server;
  auto tls = server_tls_of(server, clock_);
  if (!tls) return tls.error();
  server_.use_tls(std::move(*tls));
  limit_connections();
  const std::size_t files = allow_many_files();
  if (files < static_cast<std::size_t>(server.connections) + kOtherFiles)
    spdlog::warn("{} connections are allowed, and only {} files may be open (ulimit -n)",
                 server.connections, files);
  const Reach reach = server.tokens.empty() ? Reach::kThisMachine : Reach::kAnybody;
  const auto address = server_.listen(server.listen, reach);
  if (!address) return address.error();
  const std::string url = (server.tls ? "https://" : "http://") + *address;
  if (external_url_.empty()) external_url_ = url;
  spdlog::info("rollwatchd {} listens on {}, store {}", ROLLWATCH_VERSION, url,
               settings_->store.shown);
  return "";
}

awaitable<void> Application::Impl::start() {
  if (const std::string trouble = begin_to_listen(); !trouble.empty()) {
    fail(trouble);
    co_return;
  }
  // Also while the store is not there yet.
  metrics_.on_reload(true, clock_.wall());
  metrics_.on_configuration(settings_->fingerprint);
  configure_delivery();
  delays_.measure(measured_datasources_of(*settings_));
  co_await delays_.first_looks(kFirstLooks);
  if (stopping_) co_return;
  std::string failure;
  try {
    co_await take_part();
    if (stopping_) co_return;
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (!failure.empty()) {
    fail(failure);
    co_return;
  }
  not_ready_.reset();
  spawn(io_.get_executor(), "retention", [this] { return keep_forgetting(); });
  spawn(io_.get_executor(), "memory", [this] { return keep_giving_memory_back(); });
  spawn(io_.get_executor(), "event loop", [this] { return keep_measuring_the_loop(); });
  spdlog::info("ready, watching {} active rollouts", engine_.active().size());
}

// A store that several share may be away for a while when this node starts, as at any other time.
awaitable<void> Application::Impl::take_part() {
  for (bool told = false; !stopping_;) {
    std::string trouble;
    try {
      co_await backend_->open();
      if (stopping_) co_return;
      co_await engine_.load();
      co_await backend_->join();
      co_return;
    } catch (const StoreError& error) {
      if (!backend_->may_be_tried_again()) throw;
      trouble = error.what();
    }
    if (!told) spdlog::error("not ready, tried again every second: {}", trouble);
    told = true;
    not_ready_ = trouble;
    co_await clock_.sleep(kOpenAgain);
  }
}

// Also soon after the start, which needs much for a moment.
awaitable<void> Application::Impl::keep_giving_memory_back() {
  for (co_await clock_.sleep(kAfterStart); !stopping_; co_await clock_.sleep(kLookAtMemoryEvery)) {
    metrics_.forget_ended(clock_.wall());
    give_memory_back();
    let_go_of_code();
  }
}

awaitable<void> Application::Impl::keep_measuring_the_loop() {
  while (!stopping_) {
    const SteadyTime due = clock_.steady() + kLookAtLoopEvery;
    co_await clock_.sleep(kLookAtLoopEvery);
    metrics_.on_loop_delay(clock_.steady() - due);
  }
}

// Deletes the history that is older than store.retention. An error is logged when it begins.
awaitable<void> Application::Impl::keep_forgetting() {
  bool failing = false;
  ClockTrust trust(clock_.wall(), clock_.steady());
  for (co_await clock_.sleep(kForgetEvery); !stopping_; co_await clock_.sleep(kForgetEvery)) {
    if (const auto jump = trust.look(clock_.wall(), clock_.steady()))
      spdlog::warn(
          "the system clock was put {} by {}: no old history is deleted before it has gone "
          "evenly for {}",
          *jump > Millis{0} ? "forward" : "back",
          format_duration(std::chrono::floor<std::chrono::seconds>(abs(*jump))),
          format_duration(ClockTrust::kEvenFor));
    if (!trust.is_trusted()) continue;
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
    if (failure.empty() && settings_->store.thin_after) failure = co_await thin();
    if (!failure.empty() && !failing && !stopping_)
      spdlog::error("old history is not deleted, tried again every minute: {}", failure);
    failing = !failure.empty();
  }
}

awaitable<std::size_t> Application::Impl::forget(SysTime ended_before) {
  std::size_t forgotten = 0;
  std::size_t latest = kForgottenAtOnce;
  while (latest == kForgottenAtOnce && !stopping_) {
    latest = co_await backend_->store().forget(ended_before, kForgottenAtOnce);
    forgotten += latest;
  }
  co_return forgotten;
}

// As much as can be recorded in a minute and more. "", or why it did not work.
awaitable<std::string> Application::Impl::thin() {
  const SysTime before = clock_.wall() - *settings_->store.thin_after;
  std::size_t deleted = 0;
  Store::Thinned latest{0, true};
  try {
    for (int pieces = 0; latest.more && pieces < kThinnedPieces && !stopping_; ++pieces) {
      latest = co_await backend_->store().thin(before);
      deleted += latest.deleted;
    }
  } catch (const StoreError& error) {
    co_return error.what();
  }
  if (deleted > 0)
    spdlog::info("thinned the history before {}: {} evaluations deleted", format_time(before),
                 deleted);
  co_return "";
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
  feed_.stop();
  co_await server_.stop(kServerGrace);
  co_await backend_->leave();
  co_await engine_.stop();
  co_await outbox_.drain(kDeliveryGrace);
  co_await engine_.stop();
  deliveries_.stop();
  backend_->store().close();
  spdlog::info("stopped");
  io_.stop();
}

void Application::Impl::wait_for_signals() {
  signals_.async_wait([this](boost::system::error_code error, int number) {
    if (error) return;
    if (number == SIGHUP) {
      reload();
    } else if (number == SIGUSR1 || number == SIGUSR2) {
      log_details(number == SIGUSR1);
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
    last_reload_ = {clock_.wall(), false, result.lines};
    return result;
  };
  auto loaded = load_config(settings_->file, process_environment());
  if (!loaded) {
    for (const ConfigError& error : loaded.error()) result.lines.push_back(error.text());
    return refused(ReloadEnd::kBadFile);
  }
  result.lines = obstacles(*settings_, *loaded, engine_.active());
  if (!result.lines.empty()) return refused(ReloadEnd::kInUse);
  auto tls = server_tls_of(loaded->server, clock_);
  if (!tls) {
    result.lines.push_back(tls.error());
    return refused(ReloadEnd::kBadFile);
  }

  settings_ = std::make_shared<const Settings>(std::move(loaded).value());
  if (!settings_->server.external_url.empty()) external_url_ = settings_->server.external_url;
  if (*tls) server_.use_tls(std::move(*tls));
  limit_connections();
  source_.reconfigure(datasources_of(*settings_, nodes_));
  delays_.measure(measured_datasources_of(*settings_));
  engine_.delays_changed();
  configure_delivery();
  metrics_.on_reload(true, clock_.wall());
  metrics_.on_configuration(settings_->fingerprint);
  result.lines = settings_->warnings;
  loaded_at_ = clock_.wall();
  last_reload_ = {loaded_at_, true, result.lines};
  spdlog::info(
      "configuration reloaded: {} policies, {} datasources, {} orchestrators, {} notifiers",
      settings_->policies.size(), settings_->datasources.size(), settings_->orchestrators.size(),
      settings_->notifiers.size());
  return result;
}

int Application::Impl::run() {
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) signals_.add(number);
  wait_for_signals();
  const sigset_t held = held_signals();
  pthread_sigmask(SIG_UNBLOCK, &held, nullptr);
  spawn(io_.get_executor(), "start", [this] { return start(); });
  io_.run();
  return exit_code_;
}

Application::Application(Settings settings) : impl_(std::make_unique<Impl>(std::move(settings))) {}
Application::~Application() = default;

// Threads that are started meanwhile never hear of them, and need not.
void Application::hold_signals() {
  const sigset_t held = held_signals();
  pthread_sigmask(SIG_BLOCK, &held, nullptr);
}

int Application::run() { return impl_->run(); }

}  // namespace rollwatch
