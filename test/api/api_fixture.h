// The API over a service that remembers what it was asked and answers what a test says.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <map>
#include <nlohmann/json_fwd.hpp>

#include "analysis/freezes.h"
#include "daemon/api/api.h"
#include "daemon/api/views.h"
#include "test/api/sample_rollout.h"

namespace rollwatch {

// Two clocks that stand still until somebody waits; or for ever, and who waits does so too.
class StillClock : public Clock {
 public:
  SysTime wall() const override { return kSampleTime + passed; }
  SteadyTime steady() const override { return SteadyTime{} + passed; }
  awaitable<void> sleep(Millis span) override {
    if (!for_ever) {
      passed += span;
      co_return;
    }
    const auto executor = co_await net::this_coro::executor;
    Timer never(executor, net::steady_timer::time_point::max());
    co_await never.async_wait();
  }
  Millis passed{0};
  bool for_ever = false;
};

class FakeService : public RolloutService {
 public:
  explicit FakeService(StillClock& clock) : clock_(clock) {}

  // What it knows.
  std::map<std::string, RolloutView> rollouts;
  std::map<std::string, Delivery> known_deliveries;
  std::map<std::string, Store::Idempotent> keys;
  std::vector<StoredEvaluation> all_evaluations;
  std::vector<StoredEvent> all_events;
  std::optional<ExplainRecord> record;
  std::map<std::string, FreezeRecord> freezes;  // by "namespace/service"
  // What it answers.
  RegisterResult register_answer;
  DecideResult decide_answer;
  RedeliverResult redeliver_answer;
  LabelResult label_answer;
  std::optional<std::string> next_cursor;
  bool store_is_away = false;
  bool list_fails = false;
  bool is_uncertain = false;        // whether a decision was recorded
  std::function<void(int)> waited;  // called with the number of the wait, from 1
  // What it was asked.
  std::vector<Registration> registrations;
  std::vector<Via> vias;  // of whatever was registered, decided, reported, acknowledged, frozen
  std::vector<PersonDecided> decisions;
  std::vector<std::optional<unsigned>> revisions;  // that each was for
  std::vector<WeightReported> reports;
  std::vector<ReceivedAlert> alerts;
  std::vector<std::string> alert_namespaces;
  std::vector<std::string> redelivered;   // "ord_1 by ana: words"
  std::vector<std::string> labelled;      // "wrong by ana: words"
  std::vector<std::string> acknowledged;  // "ord_1 done words"
  std::vector<std::string> asked;         // pages: "list limit cursor …"
  std::vector<Millis> waits;
  ListFilter filter;
  ListFilter search_filter;
  DeliveryFilter delivery_filter;

  awaitable<RegisterResult> register_rollout(Registration registration) override {
    vias.push_back(registration.via);
    registrations.push_back(std::move(registration));
    co_return register_answer;
  }
  awaitable<DecideResult> decide(std::string, PersonDecided decision,
                                 std::optional<unsigned> revision) override {
    vias.push_back(decision.via);
    revisions.push_back(revision);
    decisions.push_back(std::move(decision));
    if (is_uncertain) throw StoreError("the disk of secret place", StoreError::Effect::kUnknown);
    co_return decide_answer;
  }
  awaitable<DecideResult> report_weight(std::string, WeightReported report) override {
    vias.push_back(report.via);
    reports.push_back(std::move(report));
    co_return decide_answer;
  }
  awaitable<DecideResult> acknowledge(std::string delivery, bool done, std::string detail,
                                      Via via) override {
    vias.push_back(std::move(via));
    acknowledged.push_back(delivery + (done ? " done " : " refused ") + detail);
    co_return decide_answer;
  }
  awaitable<RedeliverResult> redeliver(std::string delivery, std::string by, std::string reason,
                                       Via via) override {
    vias.push_back(std::move(via));
    redelivered.push_back(delivery + " by " + by + ": " + reason);
    co_return redeliver_answer;
  }
  awaitable<LabelResult> label(std::string, DecisionLabel label, Via via) override {
    vias.push_back(std::move(via));
    labelled.push_back(std::string(label.word()) + " by " + label.by + ": " + label.reason);
    co_return label_answer;
  }
  awaitable<FreezeRecord> freeze(FreezeRecord wanted) override {
    vias.push_back(wanted.via);
    if (store_is_away) throw StoreError("disk I/O error in /var/lib/secret/place");
    wanted.since = kSampleTime;
    freezes[wanted.ns + "/" + wanted.service] = wanted;
    co_return wanted;
  }
  awaitable<std::optional<FreezeRecord>> lift_freeze(FreezeLift lift) override {
    vias.push_back(lift.via);
    const auto found = freezes.find(lift.ns + "/" + lift.service);
    if (found == freezes.end() || found->second.lifted_at) co_return std::nullopt;
    found->second.lifted_at = kSampleTime + Millis(1);
    found->second.lifted_by = lift.by;
    found->second.lift_reason = lift.reason;
    co_return found->second;
  }
  awaitable<AlertsTaken> take_alerts(std::vector<ReceivedAlert> taken,
                                     std::vector<std::string> namespaces) override {
    alert_namespaces = std::move(namespaces);
    if (store_is_away) throw StoreError("disk I/O error in /var/lib/secret/place");
    for (ReceivedAlert& alert : taken) alerts.push_back(std::move(alert));
    co_return AlertsTaken{alerts.size(), alerts.size() / 2};
  }
  FreezeView freeze_of(const std::string& ns, const std::string& name) override {
    FreezeView view;
    const auto found = freezes.find(ns + "/" + name);
    if (found == freezes.end()) return view;
    view.latest = found->second;
    view.in_force = holds(found->second, kSampleTime);
    if (view.in_force) view.text = sentence_of(found->second);
    return view;
  }
  awaitable<std::vector<FreezeRecord>> all_freezes() override {
    std::vector<FreezeRecord> all;
    for (const auto& [name, freeze] : freezes) all.push_back(freeze);
    co_return all;
  }
  awaitable<std::size_t> count_held_by(std::string, std::string) override { co_return 2; }
  awaitable<std::vector<StoredRollout>> latest_per_target(std::string ns, std::string name,
                                                          std::size_t limit) override {
    note("latest of " + ns + "/" + name, limit, std::nullopt);
    if (store_is_away) throw StoreError("disk I/O error in /var/lib/secret/place");
    std::vector<StoredRollout> latest;  // newest first, as ids sort by time
    for (auto it = rollouts.rbegin(); it != rollouts.rend(); ++it)
      if (const RolloutView& view = it->second; view.spec.ns == ns && view.spec.service == name)
        latest.push_back({view.spec, view.document, view.state, view.fence});
    co_return latest;
  }
  awaitable<std::optional<RolloutView>> find(std::string id) override {
    if (store_is_away) throw StoreError("disk I/O error in /var/lib/secret/place");
    const auto found = rollouts.find(id);
    if (found == rollouts.end()) co_return std::nullopt;
    co_return found->second;
  }
  awaitable<Page<RolloutView>> list(ListFilter wanted, std::size_t limit,
                                    std::optional<std::string> cursor) override {
    filter = std::move(wanted);
    if (list_fails) throw StoreError("disk I/O error in /var/lib/secret/place");
    note("list", limit, cursor);
    Page<RolloutView> page;
    for (const auto& [id, view] : rollouts) page.items.push_back(view);
    page.next_cursor = next_cursor;
    co_return page;
  }
  awaitable<void> wait_for_change(std::string, unsigned, Millis limit) override {
    waits.push_back(limit);
    clock_.passed += limit;
    if (waited) waited(static_cast<int>(waits.size()));
    co_return;
  }
  awaitable<Page<StoredEvaluation>> evaluations(std::string, std::uint32_t after,
                                                std::size_t limit) override {
    note("evaluations", limit, std::to_string(after));
    Page<StoredEvaluation> page;
    page.items = all_evaluations;
    page.next_cursor = next_cursor;
    co_return page;
  }
  awaitable<std::vector<StoredEvent>> events(std::string, std::int64_t after,
                                             std::size_t limit) override {
    note("events", limit, std::to_string(after));
    co_return all_events;
  }
  awaitable<Page<Delivery>> deliveries(std::string, std::size_t limit,
                                       std::optional<std::string> cursor) override {
    note("deliveries", limit, cursor);
    Page<Delivery> page;
    for (const auto& [id, delivery] : known_deliveries) page.items.push_back(delivery);
    page.next_cursor = next_cursor;
    co_return page;
  }
  awaitable<std::optional<Delivery>> delivery(std::string id) override {
    const auto found = known_deliveries.find(id);
    if (found == known_deliveries.end()) co_return std::nullopt;
    co_return found->second;
  }
  awaitable<Page<ListedDelivery>> all_deliveries(DeliveryFilter wanted, std::size_t limit,
                                                 std::optional<std::string> cursor) override {
    delivery_filter = std::move(wanted);
    note("all deliveries", limit, cursor);
    Page<ListedDelivery> page;
    for (const auto& [id, delivery] : known_deliveries) {
      const RolloutSpec& spec = rollouts.at(delivery.rollout).spec;
      page.items.push_back({delivery, spec.ns, spec.service, spec.target, spec.candidate});
    }
    page.next_cursor = next_cursor;
    co_return page;
  }
  awaitable<std::size_t> count_deliveries(DeliveryFilter wanted) override {
    std::size_t found = 0;
    for (const auto& [id, delivery] : known_deliveries)
      found += std::ranges::count(wanted.states, delivery.state) > 0 ? 1 : 0;
    co_return found;
  }
  awaitable<Page<RolloutView>> search(RolloutSearch wanted, std::size_t limit,
                                      std::optional<std::string> cursor) override {
    note("search " + wanted.text, limit, cursor);
    search_filter = wanted.filter;
    Page<RolloutView> page;
    for (const auto& [id, view] : rollouts)
      if (std::ranges::count(wanted.filter.states, view.state.state) > 0)
        page.items.push_back(view);
    page.next_cursor = next_cursor;
    if (after_search) after_search();
    co_return page;
  }
  std::function<void()> after_search;
  awaitable<std::size_t> count_found(RolloutSearch wanted) override {
    std::size_t found = 0;
    for (const auto& [id, view] : rollouts)
      found += std::ranges::count(wanted.filter.states, view.state.state) > 0 ? 1 : 0;
    co_return found;
  }
  awaitable<std::int64_t> newest_event() override {
    if (store_is_away) throw StoreError("disk I/O error in /var/lib/secret/place");
    co_return all_events.empty() ? 0 : all_events.back().seq;
  }
  awaitable<std::optional<ExplainRecord>> explain(std::string,
                                                  std::optional<std::string> decision) override {
    if (record && decision && *decision != record->decision) co_return std::nullopt;
    co_return record;
  }
  awaitable<std::optional<Store::Idempotent>> idempotent(std::string key, SysTime) override {
    const auto found = keys.find(key);
    if (found == keys.end()) co_return std::nullopt;
    co_return found->second;
  }

 private:
  void note(const std::string& what, std::size_t limit, const std::optional<std::string>& cursor) {
    if (cursor == "bad") throw std::invalid_argument("cursor");
    asked.push_back(what + " " + std::to_string(limit) + " " + cursor.value_or("-"));
  }
  StillClock& clock_;
};

// A stream that ends at once.
class EmptyBody : public BodySource {
 public:
  awaitable<BodyPiece> next() override { co_return BodyPiece(); }
  void stop() override {}
};

class ApiTest : public testing::Test {
 protected:
  ServerResponse ask(const std::string& method, const std::string& target,
                     const std::string& body = "", Headers headers = {});

  // The body of a GET that must have this status.
  nlohmann::json get(const std::string& target, int status = 200);

  static std::string header(const ServerResponse& response, const std::string& name);

  // "422 /service: is required | /x: …" of a problem document.
  static std::string problem_of(const ServerResponse& response);

  StillClock clock;
  FakeService service{clock};
  std::shared_ptr<const Settings> settings = std::make_shared<const Settings>(sample_settings());
  ReloadResult reload_answer;
  std::optional<std::string> not_ready;
  std::vector<TargetView> targets;
  std::map<std::string, std::string> held;         // by delivery
  std::map<std::string, SendResult> test_answers;  // by notifier
  std::vector<std::string> tests;                  // "notifier by"
  std::vector<std::pair<FeedFilter, std::optional<std::int64_t>>> followed;
  std::optional<FeedRefusal> stream_refusal;
  std::shared_ptr<BodySource> stream = std::make_shared<EmptyBody>();
  std::function<bool()> wanted;
  struct AskedCheck {
    RolloutSpec spec;
    std::shared_ptr<const Plan> plan;
    std::vector<std::string> left_out;
  };
  std::vector<AskedCheck> checks;
  std::vector<CheckedCondition> checked;  // what they are answered with
  // What stable was like; nothing: it was never there.
  std::function<Expected<std::vector<HistorySlot>, std::string>(
      const RolloutSpec&, const Plan&, std::size_t condition, PastTimes times)>
      read_past;
  std::vector<DatasourceView> datasources;
  DaemonView daemon;
  Api api{ApiContext{
      .service = service,
      .clock = clock,
      .settings = [this] { return settings; },
      .reload = [this] { return reload_answer; },
      .not_ready = [this] { return not_ready; },
      .metrics = [] { return std::string("rollwatch_x 1\n"); },
      .external_url = [] { return std::string("http://rollwatch.example.net"); },
      .version = "0.1.0",
      .targets = [this] { return targets; },
      .held_because =
          [this](const std::string& delivery) {
            const auto found = held.find(delivery);
            return found == held.end() ? std::optional<std::string>() : found->second;
          },
      .test_notifier = [this](std::string name,
                              std::string by) -> awaitable<std::optional<SendResult>> {
        tests.push_back(name + " " + by);
        const auto found = test_answers.find(name);
        if (found == test_answers.end()) co_return std::nullopt;
        co_return found->second;
      },
      .follow_events = [this](FeedFilter filter, std::optional<std::int64_t> after,
                              std::string) -> awaitable<FeedOpened> {
        if (service.store_is_away) throw StoreError("disk I/O error in /var/lib/secret");
        followed.emplace_back(std::move(filter), after);
        if (stream_refusal) co_return Unexpected(*stream_refusal);
        co_return stream;
      },
      .check_conditions =
          [this](RolloutSpec spec, std::shared_ptr<const Plan> plan,
                 std::vector<std::string> left_out) -> awaitable<std::vector<CheckedCondition>> {
        checks.push_back({std::move(spec), std::move(plan), std::move(left_out)});
        co_return checked;
      },
      .read_past = [this](std::shared_ptr<const RolloutSpec> spec, std::shared_ptr<const Plan> plan,
                          std::size_t condition, PastTimes times)
          -> awaitable<Expected<std::vector<HistorySlot>, std::string>> {
        co_return read_past(*spec, *plan, condition, times);
      },
      .datasources = [this] { return datasources; },
      .daemon = [this] { return daemon; }}};

 private:
  net::io_context io_;
};

}  // namespace rollwatch
