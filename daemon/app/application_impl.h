// The inside of the application: what is built, in which order, and how it is wired. application.cc
// has its life, application_wiring.cc what the parts ask of each other.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/api/api.h"
#include "daemon/app/api_side.h"
#include "daemon/app/application.h"
#include "daemon/app/assembly.h"
#include "daemon/app/backend.h"
#include "daemon/delivery/teller.h"
#include "daemon/engine/engine.h"
#include "daemon/feed/event_feed.h"
#include "daemon/http/client.h"
#include "daemon/http/server.h"
#include "daemon/net/system_clock.h"
#include "daemon/prometheus/measured_delays.h"
#include "daemon/prometheus/prometheus_source.h"
#include "daemon/telemetry/metrics.h"

namespace rollwatch {

// From the system, cryptographically; and from [0, 1).
std::uint64_t random_bits();
double random_share();

class Application::Impl {
 public:
  explicit Impl(Settings settings);
  int run();

 private:
  EngineRules engine_rules();
  std::string datasource_url(const std::string& datasource) const;
  DelayHooks delay_hooks();
  EngineHooks engine_hooks();
  ApiContext api_context();
  awaitable<Expected<std::vector<HistorySlot>, std::string>> read_past(
      std::shared_ptr<const RolloutSpec> spec, std::shared_ptr<const Plan> plan,
      std::size_t condition, PastTimes times);
  std::vector<DatasourceView> datasource_views() const;
  DaemonView daemon_view() const;
  std::optional<std::string> not_ready() const;  // why /-/ready is 503
  BackendHooks backend_hooks();
  void configure_delivery();
  awaitable<void> start();
  awaitable<void> take_part();
  awaitable<void> gained(std::optional<std::vector<Lease>> leases, Cause cause);
  awaitable<void> give_up(std::vector<Place> places);
  void lost(const std::vector<Place>& places);
  awaitable<void> read_freezes_again();
  awaitable<std::string> answer_carried(std::string request);
  awaitable<std::optional<ServerResponse>> ask_owner(Place place, const ServerRequest& request);
  awaitable<std::vector<ServerResponse>> ask_others(const ServerRequest& request);
  awaitable<std::vector<NodeView>> nodes();
  awaitable<void> stop();
  awaitable<void> keep_forgetting();
  awaitable<std::size_t> forget(SysTime ended_before);
  awaitable<std::string> thin();
  awaitable<void> keep_giving_memory_back();
  awaitable<void> keep_measuring_the_loop();
  void limit_connections();
  std::string begin_to_listen();
  void fail(const std::string& why);
  void wait_for_signals();
  ReloadResult reload();

  // Constant after construction, in the order they are built and the opposite of that they end.
  net::io_context io_{1};
  SystemClock clock_;
  std::shared_ptr<const Settings> settings_;
  Metrics metrics_{ROLLWATCH_VERSION};
  HttpClient deliveries_;
  std::string external_url_;
  std::size_t nodes_ = 1;  // that share the store, as far as is known
  Teller teller_;
  std::unique_ptr<Backend> backend_;
  PrometheusSource source_;
  MeasuredDelays delays_;
  Engine engine_;
  Outbox outbox_;
  EngineService service_;
  EventFeed feed_;
  Api api_;
  HttpServer server_;
  net::signal_set signals_;

  std::optional<std::string> not_ready_ = "starting";
  SysTime started_at_ = clock_.wall();
  SysTime loaded_at_ = started_at_;  // the configuration that is in force
  std::optional<DaemonView::Reload> last_reload_;
  std::optional<SteadyTime> store_told_;  // when the log last said that a step is not recorded
  bool stopping_ = false;
  int exit_code_ = 0;
};

}  // namespace rollwatch
