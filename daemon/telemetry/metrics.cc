#include "daemon/telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <unordered_map>

#include "daemon/telemetry/process_metrics.h"
#include "daemon/telemetry/rollout_series.h"

namespace rollwatch {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;
using prometheus::Registry;
using Buckets = Histogram::BucketBoundaries;

const Buckets kLateness{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
const Buckets kQuery{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
const Buckets kDelivery{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 1800, 3600};
const Buckets kLoop{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5};
// A rollout takes minutes or hours.
const Buckets kRollout{60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400};
const Buckets kCommit{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5};
// Most take milliseconds; a call that waits takes minutes. Few, for each route has its own.
const Buckets kHttp{0.005, 0.025, 0.1, 0.5, 1, 5, 30, 300};

prometheus::Family<Counter>& counters(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
prometheus::Family<Gauge>& gauges(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
prometheus::Family<Histogram>& histograms(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

// A client may send any word as its method; each would be a series.
std::string bounded_method(std::string_view method) {
  constexpr std::array<std::string_view, 7> kKnown{"GET",    "HEAD",  "POST",   "PUT",
                                                   "DELETE", "PATCH", "OPTIONS"};
  return std::string(std::ranges::find(kKnown, method) == kKnown.end() ? "OTHER" : method);
}

// Against the verdict of that moment: on although it was bad or not known, back although it was
// good.
bool overrides(DecisionKind kind, Verdict verdict) {
  switch (kind) {
    case DecisionKind::kAdvance:
    case DecisionKind::kPromote:
    case DecisionKind::kResume:
      return verdict == Verdict::kFailing || verdict == Verdict::kFailed ||
             verdict == Verdict::kUnknown;
    case DecisionKind::kRollback:
    case DecisionKind::kCancel:
      return verdict == Verdict::kPassing || verdict == Verdict::kPassed;
    case DecisionKind::kPause:
    case DecisionKind::kExtend:
      return false;
  }
  return false;
}

// One gauge for each name that there is now; those of others go.
template <class Reading, class Number>
void set_all(prometheus::Family<Gauge>& family, std::map<std::string, Gauge*>& gauges,
             const char* label, const std::map<std::string, Reading>& readings, Number number) {
  std::erase_if(gauges, [&](const auto& one) {
    if (readings.contains(one.first)) return false;
    family.Remove(one.second);
    return true;
  });
  for (const auto& [name, reading] : readings) {
    Gauge*& gauge = gauges[name];
    if (gauge == nullptr) gauge = &family.Add({{label, name}});
    gauge->Set(number(reading));
  }
}

}  // namespace

class Metrics::Impl {
 public:
  Registry registry;
  RolloutSeries rollouts;
  prometheus::Family<Counter>& evaluations =
      counters(registry, "rollwatch_evaluations_total", "Slots of conditions by how they ended.");
  prometheus::Family<Counter>& missed = counters(registry, "rollwatch_evaluations_missed_total",
                                                 "Slots that were never asked, by reason.");
  // Those that are counted with every slot, by what they are called here: looking one up by its
  // labels costs more than judging an answer.
  std::unordered_map<std::string, std::array<Counter*, kOutcomeCount>> evaluations_of;
  struct QueriesOf {
    Histogram* duration = nullptr;
    std::map<std::string, Counter*, std::less<>> by_result;
  };
  std::unordered_map<std::string, QueriesOf> queries_of;
  prometheus::Family<Counter>& conditions =
      counters(registry, "rollwatch_condition_evaluations_total",
               "Slots by policy and condition, and by how they ended.");
  std::unordered_map<std::string, std::array<Counter*, kOutcomeCount>> slots_of;
  Histogram& lateness = histograms(registry, "rollwatch_evaluation_lateness_seconds",
                                   "How long after its slot a question was asked.")
                            .Add({}, kLateness);
  prometheus::Family<Counter>& queries =
      counters(registry, "rollwatch_queries_total", "Queries sent to datasources, by result.");
  prometheus::Family<Histogram>& query_duration = histograms(
      registry, "rollwatch_query_duration_seconds", "Time until a query was answered or failed.");
  prometheus::Family<Counter>& kept_apart =
      counters(registry, "rollwatch_shared_queries_given_up_total",
               "Queries that rollouts asked together and, after such an answer, ask one by one for "
               "a while.");
  prometheus::Family<Gauge>& up = gauges(registry, "rollwatch_datasource_up",
                                         "Whether the datasource answers: 1, or 0 if not.");
  prometheus::Family<Gauge>& delay =
      gauges(registry, "rollwatch_datasource_ingestion_delay_seconds",
             "A slot is evaluated for its time minus this; with \"auto\" as measured.");
  std::map<std::string, Gauge*> delays;  // those of `delay`, by datasource
  prometheus::Family<Gauge>& in_flight =
      gauges(registry, "rollwatch_datasource_queries_in_flight",
             "Queries that the datasource is being asked now; at most its max_concurrency.");
  std::map<std::string, Gauge*> in_flights;
  prometheus::Family<Gauge>& waiting =
      gauges(registry, "rollwatch_datasource_queries_waiting",
             "Queries that wait for others to be answered, because of max_concurrency.");
  std::map<std::string, Gauge*> waitings;
  prometheus::Family<Counter>& decisions = counters(
      registry, "rollwatch_decisions_total", "Decisions by kind, and by the engine or a person.");
  prometheus::Family<Counter>& overridden = counters(
      registry, "rollwatch_overridden_decisions_total",
      "Decisions of people against the verdict of that moment: on although it was failing, failed "
      "or unknown, back although it was passing or passed.");
  prometheus::Family<Counter>& labelled =
      counters(registry, "rollwatch_labelled_decisions_total",
               "Rollbacks and promotions that somebody labelled right or wrong afterwards.");
  prometheus::Family<Histogram>& durations =
      histograms(registry, "rollwatch_rollout_duration_seconds",
                 "Time from a rollout's registration to its end, by how it ended.");
  std::map<State, Histogram*> duration_of;
  Gauge& freezes =
      gauges(registry, "rollwatch_freezes", "Freezes in force: services, and everything as one.")
          .Add({});
  prometheus::Family<Counter>& deliveries =
      counters(registry, "rollwatch_deliveries_total",
               "Attempts and ends of orders and notifications, by result.");
  Histogram& delivery_latency =
      histograms(registry, "rollwatch_delivery_latency_seconds",
                 "Time from a decision or event until its message was taken.")
          .Add({}, kDelivery);
  prometheus::Family<Gauge>& pending =
      gauges(registry, "rollwatch_outbox_pending",
             "Messages waiting to be sent, and orders waiting to be acknowledged.");
  Gauge& oldest = gauges(registry, "rollwatch_outbox_oldest_age_seconds",
                         "Age of the oldest message waiting to be sent; 0 if none is.")
                      .Add({});
  prometheus::Family<Gauge>& dead = gauges(
      registry, "rollwatch_dead_letters", "Messages given up since the daemon started, by target.");
  prometheus::Family<Gauge>& last_success =
      gauges(registry, "rollwatch_target_last_success_timestamp_seconds",
             "When a target last took a message.");
  prometheus::Family<Gauge>& breaker =
      gauges(registry, "rollwatch_target_breaker_open",
             "Whether a target keeps failing and is probed: 1; 0 if it takes what it is sent.");
  std::map<std::string, Gauge*> breakers;  // those of `breaker`, by target
  Histogram& commit =
      histograms(registry, "rollwatch_store_commit_seconds", "Time a commit took to be on disk.")
          .Add({}, kCommit);
  Counter& not_recorded =
      counters(registry, "rollwatch_store_failures_total",
               "Tries to record a step of a rollout that the store did not take.")
          .Add({});
  Histogram& loop = histograms(registry, "rollwatch_event_loop_delay_seconds",
                               "How much later than asked for the event loop came back to a timer.")
                        .Add({}, kLoop);
  Gauge& ready = gauges(registry, "rollwatch_ready",
                        "Whether the daemon is ready, as /-/ready says: 1, or 0 if not.")
                     .Add({});
  Gauge& clock = gauges(registry, "rollwatch_clock_timestamp_seconds",
                        "The daemon's clock when it was asked; beside the time of the scrape it "
                        "shows how far the two are apart.")
                     .Add({});
  Gauge& nodes =
      gauges(registry, "rollwatch_nodes",
             "Daemons that share the store, as this one sees them; 0 while it is none of "
             "them.")
          .Add({});
  Gauge& leases = gauges(registry, "rollwatch_leases",
                         "Places (service and target) whose rollouts this daemon watches, where "
                         "several share the store.")
                      .Add({});
  Counter& lease_transitions = counters(registry, "rollwatch_lease_transitions_total",
                                        "Places this daemon took over, gave back or lost.")
                                   .Add({});
  Counter& fenced_writes =
      counters(registry, "rollwatch_fenced_writes_total",
               "Writes the store refused because another daemon has the place by now.")
          .Add({});
  Gauge& stream_clients = gauges(registry, "rollwatch_event_stream_clients",
                                 "Clients that follow the event stream of this daemon.")
                              .Add({});
  prometheus::Family<Counter>& stream_cuts =
      counters(registry, "rollwatch_event_stream_cuts_total",
               "Clients of the event stream that were cut, by reason.");
  prometheus::Family<Counter>& http = counters(registry, "rollwatch_http_requests_total",
                                               "Requests answered, by route and status.");
  prometheus::Family<Histogram>& http_duration = histograms(
      registry, "rollwatch_http_request_duration_seconds",
      "Time from a request until it was answered, by route; of a stream until it began.");
  Gauge& reload_ok = gauges(registry, "rollwatch_config_last_reload_successful",
                            "Whether the configuration was taken over when it was last loaded.")
                         .Add({});
  Gauge& reload_time = gauges(registry, "rollwatch_config_last_reload_success_timestamp_seconds",
                              "When the configuration was last taken over.")
                           .Add({});
  Gauge& config_hash =
      gauges(registry, "rollwatch_config_hash",
             "A number made from the text of the configuration files in force; daemons with the "
             "same files have the same.")
          .Add({});
};

Metrics::Metrics(const std::string& version) : impl_(std::make_unique<Impl>()) {
  gauges(impl_->registry, "rollwatch_build_info", "The running version; always 1.")
      .Add({{"version", version}, {"compiler", __VERSION__}})
      .Set(1);
  for (const Cause cause :
       {Cause::kMissedLate, Cause::kMissedOverlap, Cause::kMissedStore, Cause::kMissedDowntime,
        Cause::kMissedClockJump, Cause::kMissedEnded, Cause::kMissedDelay})
    impl_->missed.Add({{"reason", std::string(name_of(cause))}});
  for (const DecisionKind kind :
       {DecisionKind::kAdvance, DecisionKind::kPromote, DecisionKind::kPause, DecisionKind::kResume,
        DecisionKind::kRollback})
    for (const char* by : {"engine", "person"})
      impl_->decisions.Add({{"kind", std::string(name_of(kind))}, {"by", by}});
  for (const char* kind : {"cancel", "extend", "freeze"})
    impl_->decisions.Add({{"kind", kind}, {"by", "person"}});
  for (const char* kind : {"promote", "rollback"})
    for (const char* label : {"right", "wrong"})
      impl_->labelled.Add({{"kind", kind}, {"label", label}});
  for (const State end : {State::kPromoted, State::kRolledBack, State::kRollbackFailed,
                          State::kCancelled, State::kSuperseded})
    impl_->duration_of[end] =
        &impl_->durations.Add({{"outcome", std::string(name_of(end))}}, kRollout);
  for (const char* reason : {"slow", "gap"}) impl_->stream_cuts.Add({{"reason", reason}});
}
Metrics::~Metrics() = default;

void Metrics::on_evaluated(const std::string& datasource, Outcome outcome, std::uint32_t slots,
                           Cause cause) {
  Counter*& counter = impl_->evaluations_of[datasource][static_cast<std::size_t>(outcome)];
  if (counter == nullptr)
    counter = &impl_->evaluations.Add(
        {{"datasource", datasource}, {"outcome", std::string(name_of(outcome))}});
  counter->Increment(slots);
  if (outcome == Outcome::kMissed)
    impl_->missed.Add({{"reason", std::string(name_of(cause))}}).Increment(slots);
}

void Metrics::on_condition(const std::vector<std::string>& policies, const std::string& condition,
                           Outcome outcome, std::uint32_t slots) {
  std::string key;
  for (const std::string& policy : policies) key += (key.empty() ? "" : ",") + policy;
  const std::size_t policy_ends = key.size();
  key += '\n';
  key += condition;
  auto found = impl_->slots_of.find(key);
  if (found == impl_->slots_of.end()) {
    if (impl_->slots_of.size() >= kMostConditions) key = "other\nother";
    found = impl_->slots_of.try_emplace(key).first;
  }
  Counter*& counter = found->second[static_cast<std::size_t>(outcome)];
  if (counter == nullptr) {
    const std::string& name = found->first;
    const bool is_other = name == "other\nother";
    counter = &impl_->conditions.Add({{"policy", is_other ? "other" : name.substr(0, policy_ends)},
                                      {"condition", is_other ? "other" : condition},
                                      {"outcome", std::string(name_of(outcome))}});
  }
  counter->Increment(slots);
}

void Metrics::on_late(Millis late) {
  impl_->lateness.Observe(std::max(0.0, std::chrono::duration_cast<Seconds>(late).count()));
}

void Metrics::on_kept_apart(const std::string& datasource, std::string_view result) {
  impl_->kept_apart.Add({{"datasource", datasource}, {"result", std::string(result)}}).Increment();
}

void Metrics::on_ended(const RolloutView& view) {
  impl_->rollouts.ended(view);
  const RolloutState& state = view.state;
  // What moves once more after its end has ended before.
  const auto of = impl_->duration_of.find(state.state);
  if (of == impl_->duration_of.end() || state.ended_at != state.updated_at) return;
  const Seconds took = *state.ended_at - view.spec.created_at;
  of->second->Observe(std::max(0.0, took.count()));
}

void Metrics::forget_ended(SysTime now) { impl_->rollouts.forget_ended(now); }

void Metrics::on_decision(const Decision& decision, Verdict before) {
  if (decision.would_have) return;
  // People's names are in the history; as a label they would be without bound.
  const char* by = decision.by == "engine" ? "engine" : "person";
  const std::string kind(name_of(decision.kind));
  impl_->decisions.Add({{"kind", kind}, {"by", by}}).Increment();
  if (decision.by != "engine" && overrides(decision.kind, before))
    impl_->overridden.Add({{"kind", kind}, {"verdict", std::string(name_of(before))}}).Increment();
}

void Metrics::on_labelled(DecisionKind kind, const DecisionLabel& label) {
  impl_->labelled.Add({{"kind", std::string(name_of(kind))}, {"label", std::string(label.word())}})
      .Increment();
}

// Only people freeze.
void Metrics::on_freeze(const FreezeRecord& freeze) {
  if (!freeze.lifted_at) impl_->decisions.Add({{"kind", "freeze"}, {"by", "person"}}).Increment();
}

void Metrics::on_freezes(std::size_t in_force) {
  impl_->freezes.Set(static_cast<double>(in_force));
}

void Metrics::on_query(const std::string& datasource, std::string_view result, Seconds took) {
  Impl::QueriesOf& of = impl_->queries_of[datasource];
  if (of.duration == nullptr)
    of.duration = &impl_->query_duration.Add({{"datasource", datasource}}, kQuery);
  auto counter = of.by_result.find(result);
  if (counter == of.by_result.end()) {
    Counter& made =
        impl_->queries.Add({{"datasource", datasource}, {"result", std::string(result)}});
    counter = of.by_result.emplace(result, &made).first;
  }
  counter->second->Increment();
  of.duration->Observe(took.count());
}

void Metrics::on_datasource(const std::string& datasource, bool up) {
  impl_->up.Add({{"datasource", datasource}}).Set(up ? 1 : 0);
}

void Metrics::on_ingestion_delays(const std::map<std::string, Millis>& delays) {
  set_all(impl_->delay, impl_->delays, "datasource", delays,
          [](Millis delay) { return Seconds(delay).count(); });
}

void Metrics::on_queries_now(const std::map<std::string, QueriesReading>& queries) {
  set_all(impl_->in_flight, impl_->in_flights, "datasource", queries,
          [](const QueriesReading& now) { return static_cast<double>(now.in_flight); });
  set_all(impl_->waiting, impl_->waitings, "datasource", queries,
          [](const QueriesReading& now) { return static_cast<double>(now.waiting); });
}

void Metrics::on_breakers(const std::map<std::string, bool>& open) {
  set_all(impl_->breaker, impl_->breakers, "target", open, [](bool is) { return is ? 1.0 : 0.0; });
}

void Metrics::on_targets(const std::vector<std::string>& names) {
  for (const std::string& name : names) impl_->dead.Add({{"target", name}});
}

void Metrics::on_delivery(const Delivery& delivery, std::string_view result) {
  impl_->deliveries
      .Add({{"target", delivery.target}, {"kind", delivery.kind}, {"result", std::string(result)}})
      .Increment();
  const bool refused_for_good = result == "refused" && delivery.cls == DeliveryClass::kNotification;
  if (result == "expired" || result == "given_up" || refused_for_good)
    impl_->dead.Add({{"target", delivery.target}}).Increment();
}

void Metrics::on_delivered(const Delivery& delivery, Seconds latency) {
  const Seconds at = delivery.created_at.time_since_epoch() + latency;
  impl_->last_success.Add({{"target", delivery.target}}).Set(at.count());
  impl_->delivery_latency.Observe(std::max(0.0, latency.count()));
}

void Metrics::on_outbox(const OutboxReading& reading) {
  const auto set = [this](const char* kind, std::size_t count) {
    impl_->pending.Add({{"kind", kind}}).Set(static_cast<double>(count));
  };
  set("order", reading.orders);
  set("accepted_order", reading.accepted);
  set("notification", reading.notifications);
  impl_->oldest.Set(Seconds(reading.oldest_age).count());
}

void Metrics::on_loop_delay(Seconds delay) { impl_->loop.Observe(std::max(0.0, delay.count())); }

void Metrics::on_ready(bool ready) { impl_->ready.Set(ready ? 1 : 0); }

void Metrics::on_commit(Seconds took) { impl_->commit.Observe(took.count()); }

void Metrics::on_not_recorded() { impl_->not_recorded.Increment(); }

void Metrics::on_nodes(const NodesReading& reading) {
  impl_->nodes.Set(static_cast<double>(reading.nodes));
  impl_->leases.Set(static_cast<double>(reading.leases));
  const auto advance = [](Counter& counter, std::uint64_t to) {
    counter.Increment(std::max(0.0, static_cast<double>(to) - counter.Value()));
  };
  advance(impl_->lease_transitions, reading.lease_transitions);
  advance(impl_->fenced_writes, reading.fenced_writes);
}

void Metrics::on_stream_clients(std::size_t clients) {
  impl_->stream_clients.Set(static_cast<double>(clients));
}

void Metrics::on_stream_cut(std::string_view reason) {
  impl_->stream_cuts.Add({{"reason", std::string(reason)}}).Increment();
}

void Metrics::on_http(std::string_view method, std::string_view route, int status, Seconds took) {
  const std::string name = route.empty() ? "none" : std::string(route);
  impl_->http
      .Add({{"method", bounded_method(method)}, {"route", name}, {"code", std::to_string(status)}})
      .Increment();
  impl_->http_duration.Add({{"route", name}}, kHttp).Observe(took.count());
}

void Metrics::on_reload(bool successful, SysTime now) {
  impl_->reload_ok.Set(successful ? 1 : 0);
  if (successful) impl_->reload_time.Set(Seconds(now.time_since_epoch()).count());
}

void Metrics::on_configuration(std::uint64_t fingerprint) {
  impl_->config_hash.Set(static_cast<double>(fingerprint));
}

std::string Metrics::text(SysTime now, const std::function<void(const Engine::Look&)>& active) {
  impl_->clock.Set(Seconds(now.time_since_epoch()).count());
  auto families = impl_->registry.Collect();
  std::erase_if(families,
                [](const prometheus::MetricFamily& family) { return family.metric.empty(); });
  std::ranges::move(process_metrics(), std::back_inserter(families));
  std::string text = prometheus::TextSerializer().Serialize(families);
  impl_->rollouts.append_to(text, now, active);
  return text;
}

}  // namespace rollwatch
