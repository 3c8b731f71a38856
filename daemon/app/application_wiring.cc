#include <spdlog/spdlog.h>

#include <algorithm>

#include "analysis/freezes.h"
#include "daemon/api/carried.h"
#include "daemon/app/application_impl.h"
#include "daemon/engine/stable_past.h"

namespace rollwatch {
namespace {

// How often the log says that the store takes no commits, while it does not.
constexpr Millis kTellOfStoreEvery{60'000};
// A commit costs the same for one answer as for fifty. Answers that decide nothing wait this long
// for others; what is decided does not wait.
constexpr Millis kLinger{50};

// "" if there is none.
std::string trace_id_in(const std::string& traceparent) {
  constexpr std::size_t kTraceAt = 3;  // "00-TRACE-PARENT-01"
  constexpr std::size_t kTraceLength = 32;
  return traceparent.size() > kTraceAt + kTraceLength ? traceparent.substr(kTraceAt, kTraceLength)
                                                      : "";
}

// What else a decision is found by: its id, the trace of the call that registered the rollout, and
// that of the call it came with.
std::string found_by(const Event& event, const RolloutSpec& spec, const std::string& call) {
  if (event.type != EventType::kDecided || !event.decision) return "";
  std::string words = " [" + decision_id(spec, *event.decision);
  const std::string registered = trace_id_in(spec.traceparent);
  const std::string called = trace_id_in(call);
  if (!registered.empty()) words += ", trace " + registered;
  if (!called.empty() && called != registered) words += ", call's trace " + called;
  return words + "]";
}

}  // namespace

EngineRules Application::Impl::engine_rules() {
  EngineRules rules;
  rules.linger = kLinger;
  rules.recall = [this](std::vector<RolloutView> active) {
    return teller_.load(backend_->store(), std::move(active));
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
    return datasource_url(datasource);
  };
  teller_.show_graphs_of(rules.datasource_url);
  return rules;
}

std::string Application::Impl::datasource_url(const std::string& datasource) const {
  const auto found = settings_->datasources.find(datasource);
  return found != settings_->datasources.end() ? without_credentials(found->second.url)
                                               : std::string();
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
  hooks.event = [this](const StoredEvent& event, const RolloutSpec& spec,
                       const std::string& traceparent) {
    feed_.wake();
    // One line for each thing that happened to a rollout; never one per evaluation.
    const auto level =
        event.event.type == EventType::kVerdict || event.event.type == EventType::kNote
            ? spdlog::level::debug
            : spdlog::level::info;
    spdlog::log(level, "{} {}/{}@{} {}: {}{}", spec.id, spec.ns, spec.service, spec.target,
                name_of(event.event.type), event.event.summary,
                found_by(event.event, spec, traceparent));
  };
  hooks.deliver = [this](const Delivery& delivery, const RolloutSpec& spec) {
    outbox_.add(delivery, spec);
  };
  hooks.withdraw = [this](const std::string& delivery) { outbox_.withdraw(delivery); };
  hooks.settled = [this](const std::string& delivery, DeliveryState state) {
    outbox_.acknowledged(delivery, state);
  };
  hooks.ended = [this](const RolloutView& view) { metrics_.on_ended(view); };
  hooks.evaluated = [this](const RolloutSpec& spec, const ConditionPlan& condition, Outcome outcome,
                           std::uint32_t slots, Cause cause) {
    metrics_.on_evaluated(condition.datasource, outcome, slots, cause);
    metrics_.on_condition(spec.policy, condition.name, outcome, slots);
  };
  hooks.late = [this](Millis late) { metrics_.on_late(late); };
  hooks.kept_apart = [this](const RolloutSpec& spec, const ConditionPlan& condition,
                            const Answer& answer, Millis how_long) {
    const auto* failure = std::get_if<QueryFailure>(&answer.result);
    const bool is_known = failure != nullptr || answer.partial;
    const std::string result(is_known ? result_word(answer) : "unusable");
    std::string why;
    if (failure != nullptr) why = failure->message;
    if (answer.partial && !answer.warnings.empty()) why = answer.warnings.front();
    spdlog::warn(
        "datasource {}: what rollouts ask together for condition {} of {}/{} got no answer that "
        "could be divided ({}{}{}); for {} each asks its own question",
        condition.datasource, condition.name, spec.ns, spec.service, result,
        why.empty() ? "" : ": ", why, format_duration(how_long));
    metrics_.on_kept_apart(condition.datasource, result);
  };
  hooks.decided = [this](const Decision& decision, Verdict before) {
    metrics_.on_decision(decision, before);
  };
  hooks.labelled = [this](DecisionKind kind, const DecisionLabel& label) {
    metrics_.on_labelled(kind, label);
  };
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
    metrics_.on_not_recorded();
    // It is tried again every second, and a store that is away is so for every rollout.
    const SteadyTime now = clock_.steady();
    if (store_told_ && now - *store_told_ < kTellOfStoreEvery) return;
    store_told_ = now;
    spdlog::error("{} {}/{}@{} is not recorded, tried again every second: {}", spec.id, spec.ns,
                  spec.service, spec.target, why);
  };
  hooks.left_out = [](const std::string& why) { spdlog::warn("left out of a list: {}", why); };
  return hooks;
}

ApiContext Application::Impl::api_context() {
  return {service_,
          clock_,
          [this] { return settings_; },
          [this] { return reload(); },
          [this] { return not_ready(); },
          [this] {
            const OutboxStats outbox = outbox_.stats();
            std::map<std::string, Millis> delays;
            std::map<std::string, QueriesReading> queries;
            for (const auto& [name, datasource] : settings_->datasources) {
              delays[name] = delays_.ingestion_delay(name);
              const DatasourceReading reading = source_.reading(name);
              queries[name] = {reading.in_flight, reading.waiting};
            }
            metrics_.on_ingestion_delays(delays);
            metrics_.on_queries_now(queries);
            metrics_.on_outbox(
                {outbox.orders, outbox.accepted, outbox.notifications, outbox.oldest_age});
            metrics_.on_breakers(open_breakers_of(outbox_.targets()));
            metrics_.on_freezes(engine_.freezes_in_force());
            metrics_.on_nodes(backend_->reading());
            metrics_.on_stream_clients(feed_.clients());
            metrics_.on_ready(!not_ready());
            return metrics_.text(
                clock_.wall(), [this](const Engine::Look& look) { engine_.for_each_active(look); });
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
          },
          [this] { return nodes(); },
          [this](const Place& place, const ServerRequest& request) {
            return ask_owner(place, request);
          },
          [this](const ServerRequest& request) { return ask_others(request); },
          [this](FeedFilter filter, std::optional<std::int64_t> after, std::string who) {
            return feed_.open(std::move(filter), after, std::move(who));
          },
          [this](RolloutSpec spec, std::shared_ptr<const Plan> plan,
                 std::vector<std::string> left_out) {
            CheckSurroundings around{delays_, clock_, [this](const std::string& datasource) {
                                       return datasource_url(datasource);
                                     }};
            return check_conditions(std::move(spec), std::move(plan), std::move(left_out),
                                    std::move(around));
          },
          [this](std::shared_ptr<const RolloutSpec> spec, std::shared_ptr<const Plan> plan,
                 std::size_t condition, PastTimes times) {
            return read_past(std::move(spec), std::move(plan), condition, times);
          },
          [this] { return datasource_views(); },
          [this] { return daemon_view(); }};
}

awaitable<Expected<std::vector<HistorySlot>, std::string>> Application::Impl::read_past(
    std::shared_ptr<const RolloutSpec> spec, std::shared_ptr<const Plan> plan,
    std::size_t condition, PastTimes times) {
  const QuestionPlace place{0, plan->steps.empty() ? std::nullopt : plan->steps.front().weight};
  co_return co_await stable_past(delays_, *spec, plan->conditions[condition], place, times);
}

std::vector<DatasourceView> Application::Impl::datasource_views() const {
  std::vector<DatasourceView> views;
  for (const auto& [name, datasource] : settings_->datasources) {
    const DatasourceReading reading = source_.reading(name);
    DatasourceView& view = views.emplace_back();
    view.name = name;
    view.url = without_credentials(datasource.url);
    view.headers = source_.header_names(name);
    view.up = reading.up;
    view.since = reading.since;
    view.last_answer_at = reading.last_answer_at;
    view.last_error_at = reading.last_error_at;
    view.last_error = reading.last_error;
    view.ingestion_delay = delays_.ingestion_delay(name);
    view.measured = datasource.measures_ingestion_delay;
    view.max_concurrency = datasource.max_concurrency;
    view.in_flight = reading.in_flight;
    view.waiting = reading.waiting;
    view.queries = reading.queries;
    view.failures = reading.failures;
  }
  return views;
}

DaemonView Application::Impl::daemon_view() const {
  DaemonView view;
  view.compiler = "gcc " __VERSION__;
  view.started_at = started_at_;
  view.loaded_at = loaded_at_;
  view.last_reload = last_reload_;
  view.store_kind = settings_->store.path.empty() ? "postgresql" : "sqlite";
  view.store_trouble = engine_.store_trouble();
  if (!view.store_trouble) view.store_trouble = backend_->trouble();
  view.stream_clients = feed_.clients();
  return view;
}

std::optional<std::string> Application::Impl::not_ready() const {
  if (not_ready_) return not_ready_;
  if (const auto trouble = engine_.store_trouble()) return "the store is away: " + *trouble;
  return backend_->trouble();
}

BackendHooks Application::Impl::backend_hooks() {
  BackendHooks hooks;
  hooks.gained = [this](std::optional<std::vector<Lease>> leases, Cause cause) {
    return gained(std::move(leases), cause);
  };
  hooks.give_up = [this](std::vector<Place> places) { return give_up(std::move(places)); };
  hooks.lost = [this](const std::vector<Place>& places) { lost(places); };
  hooks.moved = [this](const std::string& rollout) {
    engine_.changed_elsewhere(rollout);
    feed_.wake();
  };
  hooks.freezes_changed = [this] {
    spawn(io_.get_executor(), "freezes of another node", [this] { return read_freezes_again(); });
  };
  hooks.answer = [this](std::string request) { return answer_carried(std::move(request)); };
  hooks.nodes_changed = [this](std::size_t nodes) {
    nodes_ = std::max<std::size_t>(nodes, 1);
    teller_.count_nodes(nodes_);
    source_.reconfigure(datasources_of(*settings_, nodes_));
  };
  return hooks;
}

// ---- Places

awaitable<void> Application::Impl::gained(std::optional<std::vector<Lease>> leases, Cause cause) {
  std::optional<std::vector<Place>> places;
  if (leases) {
    places.emplace();
    for (const Lease& lease : *leases) places->push_back(lease.place);
  }
  co_await engine_.take_over(leases);
  std::string failure;
  try {
    std::optional<std::vector<Place>> copy = places;
    co_await outbox_.take_up(std::move(copy));
  } catch (const StoreError& error) {
    failure = error.what();
  }
  if (!failure.empty()) {
    if (places) lost(*places);
    throw StoreError(failure);
  }
  engine_.watch(places, cause);
}

awaitable<void> Application::Impl::give_up(std::vector<Place> places) {
  std::vector<Place> copy = places;
  co_await outbox_.give_up(std::move(copy));
  co_await engine_.give_up(std::move(places));
}

void Application::Impl::lost(const std::vector<Place>& places) {
  engine_.lose(places);
  outbox_.lose(places);
}

// ---- Other nodes

awaitable<void> Application::Impl::read_freezes_again() {
  constexpr Millis kAgain{1'000};
  for (bool done = false; !done && !stopping_;) {
    try {
      co_await engine_.freezes_changed();
      done = true;
    } catch (const StoreError& error) {
      spdlog::warn("freezes could not be read again: {}", error.what());
    }
    if (!done) co_await clock_.sleep(kAgain);
  }
}

awaitable<std::string> Application::Impl::answer_carried(std::string request) {
  std::optional<ServerRequest> read;
  std::string failure;
  try {
    read = read_request_text(request);
  } catch (const std::runtime_error& error) {
    failure = error.what();
  }
  if (!read) co_return response_text(problem_response(Problem{500, failure}));
  co_return response_text(co_await api_.answer(std::move(*read)));
}

awaitable<std::optional<ServerResponse>> Application::Impl::ask_owner(
    Place place, const ServerRequest& request) {
  std::string text = request_text(request);
  const auto answer = co_await backend_->ask_owner(std::move(place), std::move(text));
  if (!answer) co_return std::nullopt;
  try {
    co_return read_response_text(*answer);
  } catch (const std::runtime_error& error) {
    throw StoreError(error.what());
  }
}

awaitable<std::vector<ServerResponse>> Application::Impl::ask_others(const ServerRequest& request) {
  std::string text = request_text(request);
  std::vector<ServerResponse> answers;
  for (const std::string& answer : co_await backend_->ask_others(std::move(text))) {
    try {
      answers.push_back(read_response_text(answer));
    } catch (const std::runtime_error& error) {
      throw StoreError(error.what());
    }
  }
  co_return answers;
}

// One that shares its store with nobody knows best itself what it has.
awaitable<std::vector<NodeView>> Application::Impl::nodes() {
  std::vector<NodeView> all = co_await backend_->nodes();
  for (NodeView& node : all)
    if (node.is_me && node.number == 0) node.rollouts = engine_.active().size();
  co_return all;
}

}  // namespace rollwatch
