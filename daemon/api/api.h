// The HTTP API: from a request to an answer, without a socket. Routes are a table (routes.cc); each
// handler is a function from (context, call) to a response; what a handler cannot accept it throws
// as a Refusal, which becomes the problem document.
//
//   Api api(context);
//   HttpServer server(executor, clock, [&](ServerRequest r) { return api.answer(std::move(r)); },
//   …);
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/settings.h"
#include "daemon/api/access.h"
#include "daemon/api/merged_analyses.h"
#include "daemon/api/rollout_service.h"
#include "daemon/api/seats.h"
#include "daemon/engine/caller.h"
#include "daemon/engine/check_conditions.h"
#include "daemon/engine/nodes.h"
#include "daemon/engine/stable_past.h"
#include "daemon/engine/target_driver.h"
#include "daemon/feed/event_feed.h"
#include "daemon/http/message.h"
#include "daemon/http/problem.h"
#include "daemon/net/clock.h"

namespace rollwatch {

enum class ReloadEnd : unsigned char {
  kDone,
  kBadFile,  // 422: nothing changed
  kInUse,    // 409: it removes something an active rollout needs; nothing changed
};
struct ReloadResult {
  ReloadEnd end = ReloadEnd::kDone;
  std::vector<std::string> lines;  // warnings if done, else what is wrong
};

// Who is sent to, and whether they take it: an orchestrator or a notifier. Its address is a secret.
struct TargetView {
  std::string name;
  std::string kind;                   // "orchestrator", "notifier"
  std::string breaker = "closed";     // "open": probed now and then; "half_open": a probe is out
  std::optional<SysTime> since;       // when it opened
  std::optional<SysTime> next_probe;  // if open
  unsigned failures = 0;              // attempts in a row, until now
  std::string last_error;
  std::size_t open_deliveries = 0;
};

// A datasource as people ask after it.
struct DatasourceView {
  std::string name;
  std::string url;                   // without credentials
  std::vector<std::string> headers;  // names of those that its configuration adds
  std::optional<bool> up;            // nothing: it was not asked yet
  std::optional<SysTime> since, last_answer_at, last_error_at;
  std::string last_error;
  Millis ingestion_delay{0};
  bool measured = false;  // ingestion_delay = "auto"
  int max_concurrency = 0;
  std::size_t in_flight = 0, waiting = 0;
  std::uint64_t queries = 0, failures = 0;
};

// The process, its configuration and its store.
struct DaemonView {
  std::string compiler;
  SysTime started_at{};
  SysTime loaded_at{};  // the configuration that is in force
  struct Reload {
    SysTime at{};
    bool done = false;
    std::vector<std::string> lines;
  };
  std::optional<Reload> last_reload;
  std::string store_kind;  // "sqlite", "postgresql"
  std::optional<std::string> store_trouble;
  std::size_t stream_clients = 0;
};

// What the application lends to the handlers. Everything must outlive the Api.
struct ApiContext {
  RolloutService& service;
  Clock& clock;
  std::function<std::shared_ptr<const Settings>()> settings;
  std::function<ReloadResult()> reload;
  std::function<std::optional<std::string>()> not_ready;  // why not, one line; nullopt: ready
  std::function<std::string()> metrics;                   // text format 0.0.4
  std::function<std::string()> external_url;              // "http://host:port", no slash at the end
  std::string version;
  std::function<std::vector<TargetView>()> targets = [] { return std::vector<TargetView>(); };
  // Why an open delivery is not being tried although it is its turn.
  std::function<std::optional<std::string>(const std::string& delivery)> held_because =
      [](const std::string&) { return std::optional<std::string>(); };
  // What would be sent to an orchestrator for an example of each kind of order; nothing if there is
  // no such orchestrator.
  std::function<std::optional<std::vector<std::pair<std::string, OrderPreview>>>(
      const std::string& name, const RolloutSpec& spec)>
      preview_orders = [](const std::string&, const RolloutSpec&) { return std::nullopt; };
  // Sends a test message to a notifier and says how that ended; nothing if there is no such
  // notifier.
  std::function<awaitable<std::optional<SendResult>>(std::string notifier, std::string by)>
      test_notifier = no_test;
  // The processes that share the store. Throws StoreError.
  std::function<awaitable<std::vector<NodeView>>()> nodes =
      []() -> awaitable<std::vector<NodeView>> { co_return std::vector<NodeView>(); };
  // What the node that has this place answers to that request; nothing if none does.
  std::function<awaitable<std::optional<ServerResponse>>(const Place& place,
                                                         const ServerRequest& request)>
      ask_owner =
          [](const Place&, const ServerRequest&) -> awaitable<std::optional<ServerResponse>> {
    co_return std::nullopt;
  };
  // What all other nodes that share the store answer to it. Throws StoreError if one does not.
  std::function<awaitable<std::vector<ServerResponse>>(const ServerRequest& request)> ask_others =
      [](const ServerRequest&) -> awaitable<std::vector<ServerResponse>> {
    co_return std::vector<ServerResponse>();
  };
  // A client of the event stream (EventFeed::open). Throws StoreError.
  std::function<awaitable<FeedOpened>(FeedFilter filter, std::optional<std::int64_t> after,
                                      std::string who)>
      follow_events = no_stream;
  // Evaluates a plan's conditions now, but for those left out; nothing is recorded of it.
  std::function<awaitable<std::vector<CheckedCondition>>(
      RolloutSpec spec, std::shared_ptr<const Plan> plan, std::vector<std::string> left_out)>
      check_conditions = no_check;
  // What stable was like.
  ReadPast read_past = no_past;

  std::function<std::vector<DatasourceView>()> datasources = [] {
    return std::vector<DatasourceView>();
  };
  std::function<DaemonView()> daemon = [] { return DaemonView(); };

  static awaitable<std::vector<CheckedCondition>> no_check(RolloutSpec, std::shared_ptr<const Plan>,
                                                           std::vector<std::string>) {
    co_return std::vector<CheckedCondition>();
  }
  static awaitable<Expected<std::vector<HistorySlot>, std::string>> no_past(
      std::shared_ptr<const RolloutSpec>, std::shared_ptr<const Plan>, std::size_t, PastTimes) {
    co_return std::vector<HistorySlot>();
  }
  static awaitable<FeedOpened> no_stream(FeedFilter, std::optional<std::int64_t>, std::string) {
    co_return Unexpected(FeedRefusal());
  }
  static awaitable<std::optional<SendResult>> no_test(std::string, std::string) {
    co_return std::nullopt;
  }
  std::shared_ptr<MergedAnalyses> merged_analyses = std::make_shared<MergedAnalyses>();
  // They cost the datasources, and the store, more than other calls do.
  Seats checks{8};
  Seats exports{4};
  Seats calibrations{2};
};

// One request on its way to a handler.
struct Call {
  ServerRequest request;
  Caller caller;
  std::map<std::string, std::string, std::less<>> parameters;  // of the path: {"id", "ro_…"}

  const std::string& parameter(std::string_view name) const {
    return parameters.find(name)->second;
  }
  // The trace that the request belongs to (W3C Trace Context); "" if it has none, or no good one.
  std::string traceparent() const;
};

// Thrown by a handler: the request is refused with this problem.
struct Refusal {
  Problem problem;
};

using ApiHandler = awaitable<ServerResponse> (*)(const ApiContext&, Call&);

struct Route {
  std::string_view method;
  std::string_view pattern;  // "/api/v1/rollouts/{id}": also the route's name in metrics
  Scope scope;
  ApiHandler handler;
};

std::span<const Route> api_routes();

// What the table says about a path.
struct RouteMatch {
  const Route* route = nullptr;  // null: see `allowed`
  std::vector<std::string>
      allowed;               // methods of the path, HEAD and OPTIONS included; empty: no such path
  std::string_view pattern;  // of the path, whatever the method
  std::map<std::string, std::string, std::less<>> parameters;
};
RouteMatch match_route(std::span<const Route> routes, std::string_view method,
                       const std::vector<std::string>& segments);

class Api {
 public:
  explicit Api(ApiContext context, std::span<const Route> routes = api_routes());

  // Throws nothing but what is a bug. Names the route in the response.
  awaitable<ServerResponse> answer(ServerRequest request);

 private:
  Expected<Caller, ServerResponse> admit(const ServerRequest& request, const RouteMatch& match,
                                         const ServerSettings& server);
  std::function<bool()> still_admitted(const Caller& caller, const ServerSettings& then) const;
  awaitable<ServerResponse> dispatch(ServerRequest request, Caller caller, const RouteMatch& match);
  awaitable<ServerResponse> answer_admitted(const ServerRequest& request, const Caller& caller,
                                            const RouteMatch& match);
  awaitable<std::optional<ServerResponse>> answer_of_owner(const std::string& line, Place place,
                                                           const ServerRequest& request);

  const ApiContext context_;
  Access access_;
  const std::span<const Route> routes_;
};

}  // namespace rollwatch
