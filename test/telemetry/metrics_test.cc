#include "daemon/telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <sstream>

#include "daemon/telemetry/rollout_series.h"
#include "test/api/sample_rollout.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;
using testing::Not;

RolloutView rollout(const std::string& id, const std::string& service = "checkout") {
  static const RolloutView kSample = sample_rollout();
  RolloutView view = kSample;
  view.spec.id = id;
  view.spec.service = service;
  return view;
}

void judge(RolloutView& view, std::optional<double> value) {
  Judgement judged;
  judged.outcome = value ? Outcome::kPass : Outcome::kNoData;
  judged.value = value;
  view.state.conditions[0].last = judged;
}

class MetricsTest : public testing::Test {
 protected:
  // The lines of one family or series, without help and type.
  std::string lines(const std::string& prefix) {
    std::istringstream all(text());
    std::string found;
    for (std::string line; std::getline(all, line);)
      if (line.starts_with(prefix)) found += line + "\n";
    return found;
  }

  std::size_t series() { return series_of(""); }

  std::size_t series_of(const std::string& prefix) {
    std::istringstream all(text());
    std::size_t count = 0;
    for (std::string line; std::getline(all, line);)
      if (!line.starts_with('#') && line.starts_with(prefix)) ++count;
    return count;
  }

  std::string text() {
    return metrics.text(now, [this](const Engine::Look& look) {
      for (const auto& [id, view] : active) look(view.spec, *view.plan, view.state);
    });
  }

  void watch(const RolloutView& view) { active.insert_or_assign(view.spec.id, view); }

  void end(RolloutView view, State state) {
    active.erase(view.spec.id);
    view.state.state = state;
    view.state.ended_at = now;
    metrics.on_ended(view);
  }

  // Something of everything.
  void feed_all() {
    for (const Outcome outcome : {Outcome::kPass, Outcome::kFail, Outcome::kNoData})
      metrics.on_evaluated("default", outcome, 1, Cause::kWithinLimit);
    metrics.on_evaluated("default", Outcome::kMissed, 7, Cause::kMissedDowntime);
    metrics.on_condition({"http"}, "error-rate", Outcome::kPass, 3);
    metrics.on_late(Millis(40));
    metrics.on_loop_delay(Millis(2));
    metrics.on_ready(true);
    metrics.on_query("default", "success", Millis(20));
    metrics.on_datasource("default", true);
    metrics.on_kept_apart("default", "too_large");
    metrics.on_ingestion_delays({{"default", Millis(92'000)}});
    Decision decision;
    decision.kind = DecisionKind::kRollback;
    decision.by = "engine";
    metrics.on_decision(decision, Verdict::kFailed);
    decision.by = "ann";
    metrics.on_decision(decision, Verdict::kPassing);
    metrics.on_labelled(DecisionKind::kRollback, {false, "ann", "the load test", now});
    metrics.on_freezes(1);
    Delivery delivery;
    delivery.target = "deployer";
    delivery.kind = "rollback";
    metrics.on_delivery(delivery, "done");
    metrics.on_delivered(delivery, Millis(1500));
    metrics.on_delivery(delivery, "expired");
    OutboxReading outbox;
    outbox.orders = 2;
    outbox.oldest_age = Millis(2500);
    metrics.on_outbox(outbox);
    metrics.on_commit(Millis(3));
    metrics.on_not_recorded();
    metrics.on_queries_now({{"default", {3, 1}}});
    metrics.on_configuration(0xfedcba987654);
    metrics.on_http("GET", "/api/v1/rollouts/{id}", 200, Millis(12));
    metrics.on_stream_clients(3);
    metrics.on_stream_cut("slow");
    metrics.on_reload(true, now);
    RolloutView view = rollout("ro_1");
    judge(view, 0.0125);
    watch(view);
  }

  void pass(Millis span) { now += span; }

  SysTime now = kSampleTime;
  std::map<std::string, RolloutView> active;
  Metrics metrics{"0.1.0"};
};

TEST_F(MetricsTest, PromtoolHasNothingToSay) {
  feed_all();
  FILE* promtool = ::popen("promtool check metrics", "w");
  ASSERT_NE(promtool, nullptr);
  const std::string shown = text();
  std::fwrite(shown.data(), 1, shown.size(), promtool);
  const int status = ::pclose(promtool);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << shown;
}

TEST_F(MetricsTest, EveryPromisedMetricIsThere) {
  feed_all();
  for (const char* series :
       {"rollwatch_evaluations_total{datasource=\"default\",outcome=\"fail\"} 1",
        "rollwatch_evaluations_total{datasource=\"default\",outcome=\"missed\"} 7",
        "rollwatch_evaluations_missed_total{reason=\"downtime\"} 7",
        "rollwatch_evaluation_lateness_seconds_bucket{le=\"0.05\"} 1",
        "rollwatch_query_duration_seconds_count{datasource=\"default\"} 1",
        "rollwatch_queries_total{datasource=\"default\",result=\"success\"} 1",
        "rollwatch_datasource_up{datasource=\"default\"} 1",
        "rollwatch_shared_queries_given_up_total{datasource=\"default\",result=\"too_large\"} 1",
        "rollwatch_decisions_total{by=\"engine\",kind=\"rollback\"} 1",
        "rollwatch_overridden_decisions_total{kind=\"rollback\",verdict=\"passing\"} 1",
        "rollwatch_condition_evaluations_total{condition=\"error-rate\",outcome=\"pass\","
        "policy=\"http\"} 3",
        "rollwatch_labelled_decisions_total{kind=\"rollback\",label=\"wrong\"} 1",
        "rollwatch_labelled_decisions_total{kind=\"promote\",label=\"right\"} 0",
        "rollwatch_datasource_queries_in_flight{datasource=\"default\"} 3",
        "rollwatch_datasource_queries_waiting{datasource=\"default\"} 1",
        "rollwatch_store_failures_total 1",
        "rollwatch_target_last_success_timestamp_seconds{target=\"deployer\"} 1.5",
        "rollwatch_http_request_duration_seconds_bucket{route=\"/api/v1/rollouts/"
        "{id}\",le=\"0.025\"}"
        " 1",
        "rollwatch_config_hash 280223976814164",
        "rollwatch_event_loop_delay_seconds_bucket{le=\"0.0025\"} 1",
        "rollwatch_ready 1",
        "rollwatch_clock_timestamp_seconds 1767323045.678",
        "rollwatch_rollout_duration_seconds_count{outcome=\"rolled_back\"} 0",
        "rollwatch_rollout_state{namespace=\"payments\",rollout=\"ro_1\",service=\"checkout\","
        "target=\"eu-1\"} 1",
        "rollwatch_rollout_started_timestamp_seconds{namespace=\"payments\",rollout=\"ro_1\","
        "service=\"checkout\",target=\"eu-1\"} ",
        "rollwatch_deliveries_total{kind=\"rollback\",result=\"done\",target=\"deployer\"} 1",
        "rollwatch_delivery_latency_seconds_sum 1.5",
        "rollwatch_outbox_pending{kind=\"order\"} 2",
        "rollwatch_outbox_oldest_age_seconds 2.5",
        "rollwatch_dead_letters{target=\"deployer\"} 1",
        "rollwatch_http_requests_total{code=\"200\",method=\"GET\",route=\"/api/v1/rollouts/"
        "{id}\"} 1",
        "rollwatch_event_stream_clients 3",
        "rollwatch_event_stream_cuts_total{reason=\"gap\"} 0",
        "rollwatch_event_stream_cuts_total{reason=\"slow\"} 1",
        "rollwatch_config_last_reload_successful 1",
        "rollwatch_config_last_reload_success_timestamp_seconds 1767323045.678",
        "rollwatch_rollouts{state=\"analyzing\"} 1",
        "rollwatch_rollouts{state=\"rolling_back\"} 0",
        "rollwatch_rollout_info{candidate=\"1.24\",namespace=\"payments\",policy=\"http,slow\","
        "rollout=\"ro_1\","
        "service=\"checkout\",stable=\"1.23\",target=\"eu-1\"} 1",
        "rollwatch_rollout_weight{namespace=\"payments\",rollout=\"ro_1\",service=\"checkout\","
        "target=\"eu-1\"} 5",
        "rollwatch_condition_value{condition=\"error-rate\",namespace=\"payments\",rollout=\"ro_"
        "1\",service=\"checkout\"} 0.0125",
        "rollwatch_condition_threshold{condition=\"error-rate\",namespace=\"payments\",rollout="
        "\"ro_1\",service=\"checkout\"} 0.05",
        "rollwatch_condition_verdict{condition=\"alerts\",namespace=\"payments\",rollout=\"ro_1\","
        "service=\"checkout\"} 0",
        "rollwatch_store_commit_seconds_count 1",
        "rollwatch_build_info{",
        "process_resident_memory_bytes ",
        "process_open_fds ",
        "process_cpu_seconds_total ",
        "process_start_time_seconds "}) {
    EXPECT_THAT(text(), HasSubstr(series));
  }
}

TEST_F(MetricsTest, SeriesComeAndGoWithTheirRollouts) {
  const std::size_t before = series();
  for (int i = 0; i < 500; ++i) {
    RolloutView view = rollout("ro_" + std::to_string(i));
    judge(view, 0.01);
    watch(view);
  }
  EXPECT_EQ(series(),
            before + 500 * 8);  // info, weight, state, start, two verdicts, a value, a limit
  EXPECT_EQ(lines("rollwatch_rollouts{state=\"analyzing\"}"),
            "rollwatch_rollouts{state=\"analyzing\"} 500\n");
  for (int i = 0; i < 500; ++i) end(rollout("ro_" + std::to_string(i)), State::kPromoted);
  EXPECT_EQ(lines("rollwatch_rollouts{state=\"analyzing\"}"),
            "rollwatch_rollouts{state=\"analyzing\"} 0\n");
  pass(Millis(59'000));
  EXPECT_EQ(series(), before);
}

TEST_F(MetricsTest, TheEndIsStillSeenByTheNextScrape) {
  watch(rollout("ro_1"));
  end(rollout("ro_1"), State::kRolledBack);
  pass(Millis(30'000));
  EXPECT_THAT(text(), HasSubstr("rollout=\"ro_1\""));
  pass(Millis(30'000));
  EXPECT_THAT(text(), Not(HasSubstr("rollout=\"ro_1\"")));
}

// They stayed for ever where nobody scraped.
TEST(RolloutSeriesTest, WhatHasEndedIsLetGoOfWithoutAScrape) {
  RolloutSeries all;
  RolloutView view = rollout("ro_1");
  view.state.state = State::kPromoted;
  view.state.ended_at = view.state.updated_at;
  all.ended(view);
  all.forget_ended(*view.state.ended_at + Millis(30'000));
  EXPECT_EQ(all.kept_ended(), 1U);
  all.forget_ended(*view.state.ended_at + Millis(60'000));
  EXPECT_EQ(all.kept_ended(), 0U);
}

// A rollback is watched after its end, for its recovery: not as an active one.
TEST_F(MetricsTest, AnEndedOneThatIsWatchedStillIsGoneAsWell) {
  end(rollout("ro_1"), State::kRolledBack);
  RolloutView recovering = rollout("ro_1");
  recovering.state.state = State::kRolledBack;
  watch(recovering);
  EXPECT_THAT(lines("rollwatch_rollout_weight"), HasSubstr("ro_1"));
  EXPECT_EQ(series_of("rollwatch_rollout_weight"), 1U);
  pass(Millis(59'000));
  EXPECT_EQ(lines("rollwatch_rollout_weight"), "");
}

TEST_F(MetricsTest, AClockSetBackKeepsNothing) {
  watch(rollout("ro_1"));
  end(rollout("ro_1"), State::kPromoted);
  pass(Millis(-3'600'000));
  EXPECT_THAT(text(), Not(HasSubstr("rollout=\"ro_1\"")));
}

TEST_F(MetricsTest, AnEndedRolloutDoesNotComeBack) {
  end(rollout("ro_1"), State::kRollbackFailed);
  pass(Millis(60'000));
  RolloutView reminded = rollout("ro_1");
  reminded.state.state = State::kRollbackFailed;
  reminded.state.ended_at = now - Millis(60'000);
  metrics.on_ended(reminded);
  EXPECT_THAT(text(), Not(HasSubstr("rollout=\"ro_1\"")));
}

TEST_F(MetricsTest, NoValueIsNoSeries) {
  RolloutView view = rollout("ro_1");
  judge(view, 0.01);
  watch(view);
  EXPECT_THAT(lines("rollwatch_condition_value{"), HasSubstr("0.01"));
  judge(view, std::nullopt);
  watch(view);
  EXPECT_EQ(lines("rollwatch_condition_value{"), "");
  judge(view, 0.02);
  watch(view);
  EXPECT_THAT(lines("rollwatch_condition_value{"), HasSubstr("0.02"));
}

TEST_F(MetricsTest, LabelsAreQuoted) {
  watch(rollout("ro_1", "a\"b\\c\nd{}"));
  EXPECT_THAT(lines("rollwatch_rollout_weight"), HasSubstr("service=\"a\\\"b\\\\c\\nd{}\""));
}

TEST_F(MetricsTest, DeadLettersAreThoseThatNobodyWillSendAgain) {
  Delivery delivery;
  delivery.target = "deployer";
  delivery.kind = "advance";
  metrics.on_targets({"deployer"});
  for (const char* result : {"done", "accepted", "refused", "retry", "withdrawn", "acknowledged"})
    metrics.on_delivery(delivery, result);
  EXPECT_EQ(lines("rollwatch_dead_letters"), "rollwatch_dead_letters{target=\"deployer\"} 0\n");
  metrics.on_delivery(delivery, "expired");
  metrics.on_delivery(delivery, "given_up");
  EXPECT_EQ(lines("rollwatch_dead_letters"), "rollwatch_dead_letters{target=\"deployer\"} 2\n");
}

// An alert on increase() or delta() does not see the first event of a series that begins with it.
TEST_F(MetricsTest, WhatIsAlertedOnBeginsAtZero) {
  metrics.on_targets({"deployer", "releases"});
  EXPECT_THAT(lines("rollwatch_dead_letters"), AllOf(HasSubstr("{target=\"deployer\"} 0\n"),
                                                     HasSubstr("{target=\"releases\"} 0\n")));
  for (const char* reason : {"late", "overlap", "store", "downtime", "clock_jump", "delay"})
    EXPECT_THAT(lines("rollwatch_evaluations_missed_total"),
                HasSubstr("{reason=\"" + std::string(reason) + "\"} 0\n"));
  for (const char* kind : {"by=\"engine\",kind=\"rollback\"", "by=\"person\",kind=\"freeze\""})
    EXPECT_THAT(lines("rollwatch_decisions_total"), HasSubstr("{" + std::string(kind) + "} 0\n"));
  EXPECT_THAT(lines("rollwatch_rollout_duration_seconds_count"),
              HasSubstr("{outcome=\"rollback_failed\"} 0\n"));
  Delivery delivery;
  delivery.target = "releases";
  metrics.on_delivery(delivery, "given_up");
  metrics.on_targets({"deployer", "releases"});  // a reload
  EXPECT_THAT(lines("rollwatch_dead_letters"), HasSubstr("{target=\"releases\"} 1\n"));
}

TEST_F(MetricsTest, ABreakerIsThatOfAConfiguredTarget) {
  metrics.on_breakers({{"deployer", true}, {"releases", false}});
  EXPECT_THAT(
      lines("rollwatch_target_breaker_open"),
      AllOf(HasSubstr("{target=\"deployer\"} 1\n"), HasSubstr("{target=\"releases\"} 0\n")));
  metrics.on_breakers({{"releases", false}});
  EXPECT_EQ(lines("rollwatch_target_breaker_open"),
            "rollwatch_target_breaker_open{target=\"releases\"} 0\n");
}

TEST_F(MetricsTest, ADatasourceIsUpOrDown) {
  metrics.on_datasource("default", true);
  metrics.on_datasource("default", false);
  EXPECT_EQ(lines("rollwatch_datasource_up"),
            "rollwatch_datasource_up{datasource=\"default\"} 0\n");
}

TEST_F(MetricsTest, WhatClientsSendMakesNoSeriesOfItsOwn) {
  for (int i = 0; i < 100; ++i) metrics.on_http("METHOD" + std::to_string(i), "", 404, Millis(1));
  EXPECT_EQ(lines("rollwatch_http_requests_total"),
            "rollwatch_http_requests_total{code=\"404\",method=\"OTHER\",route=\"none\"} 100\n");
}

TEST_F(MetricsTest, DecisionsOfPeopleHaveNoNames) {
  Decision decision;
  decision.kind = DecisionKind::kPromote;
  decision.by = "ann";
  metrics.on_decision(decision, Verdict::kPassing);
  decision.by = "engine";
  decision.would_have = true;
  metrics.on_decision(decision, Verdict::kFailed);
  EXPECT_THAT(lines("rollwatch_decisions_total"),
              AllOf(HasSubstr("{by=\"person\",kind=\"promote\"} 1\n"), Not(HasSubstr("ann"))));
  EXPECT_THAT(lines("rollwatch_decisions_total{by=\"engine\""), Not(HasSubstr(" 1\n")));
}

// Only people override, and only what they decide about: to go on, or to go back.
TEST_F(MetricsTest, WhatAPersonDecidesAgainstTheVerdictIsCounted) {
  struct Row {
    const char* name;
    DecisionKind kind;
    const char* by;
    Verdict before;
    bool counts;
  };
  for (const Row& row : {
           Row{"on although it fails", DecisionKind::kPromote, "ann", Verdict::kFailing, true},
           Row{"on although it failed", DecisionKind::kAdvance, "ann", Verdict::kFailed, true},
           Row{"on without answers", DecisionKind::kResume, "ann", Verdict::kUnknown, true},
           Row{"on as it passes", DecisionKind::kPromote, "ann", Verdict::kPassing, false},
           Row{"on before anything is known", DecisionKind::kPromote, "ann", Verdict::kPending,
               false},
           Row{"back although it passes", DecisionKind::kRollback, "ann", Verdict::kPassing, true},
           Row{"given up although it passed", DecisionKind::kCancel, "ann", Verdict::kPassed, true},
           Row{"back as it fails", DecisionKind::kRollback, "ann", Verdict::kFailing, false},
           Row{"the engine goes back", DecisionKind::kRollback, "engine", Verdict::kPassing, false},
           Row{"more time", DecisionKind::kExtend, "ann", Verdict::kFailing, false},
           Row{"stand still", DecisionKind::kPause, "ann", Verdict::kFailing, false},
       }) {
    Metrics counting("0.1.0");
    Decision decision;
    decision.kind = row.kind;
    decision.by = row.by;
    counting.on_decision(decision, row.before);
    const std::string shown = counting.text(now, [](const Engine::Look&) {});
    EXPECT_EQ(shown.find("rollwatch_overridden_decisions_total{") != std::string::npos, row.counts)
        << row.name;
  }
}

// A request may bring conditions of its own.
TEST_F(MetricsTest, ConditionsOfRequestsAreBounded) {
  const std::size_t before = series();
  for (std::size_t i = 0; i < 3 * Metrics::kMostConditions; ++i)
    metrics.on_condition({"http", "slow"}, "c" + std::to_string(i), Outcome::kNoData, 2);
  EXPECT_EQ(series(), before + Metrics::kMostConditions + 1);
  EXPECT_THAT(
      lines("rollwatch_condition_evaluations_total"),
      AllOf(HasSubstr("{condition=\"c0\",outcome=\"no_data\",policy=\"http,slow\"} 2\n"),
            HasSubstr("{condition=\"other\",outcome=\"no_data\",policy=\"other\"} 2000\n")));
}

TEST_F(MetricsTest, ARolloutEndsOnce) {
  RolloutView view = rollout("ro_1");
  view.spec.created_at = now - Millis(200'000);
  view.state.updated_at = now;
  end(view, State::kRolledBack);
  view.state.ended_at = now;
  view.state.state = State::kRolledBack;
  view.state.updated_at = now + Millis(60'000);  // it has recovered
  metrics.on_ended(view);
  EXPECT_THAT(lines("rollwatch_rollout_duration_seconds"),
              AllOf(HasSubstr("_bucket{outcome=\"rolled_back\",le=\"120\"} 0\n"),
                    HasSubstr("_bucket{outcome=\"rolled_back\",le=\"300\"} 1\n"),
                    HasSubstr("_sum{outcome=\"rolled_back\"} 200\n"),
                    HasSubstr("_count{outcome=\"promoted\"} 0\n")));
}

TEST_F(MetricsTest, FreezesAreCountedWhenTheyAreGiven) {
  FreezeRecord freeze;
  freeze.by = "ann";
  metrics.on_freeze(freeze);
  freeze.lifted_at = now;
  metrics.on_freeze(freeze);
  EXPECT_THAT(lines("rollwatch_decisions_total"), HasSubstr("{by=\"person\",kind=\"freeze\"} 1\n"));
  EXPECT_EQ(lines("rollwatch_freezes"), "rollwatch_freezes 0\n");
  metrics.on_freezes(3);
  EXPECT_EQ(lines("rollwatch_freezes"), "rollwatch_freezes 3\n");
}

TEST_F(MetricsTest, AnEmptyOutboxIsZero) {
  OutboxReading outbox;
  outbox.notifications = 1;
  outbox.oldest_age = Millis(1000);
  metrics.on_outbox(outbox);
  metrics.on_outbox({});
  EXPECT_THAT(lines("rollwatch_outbox"), AllOf(HasSubstr("{kind=\"notification\"} 0\n"),
                                               HasSubstr("{kind=\"accepted_order\"} 0\n"),
                                               HasSubstr("oldest_age_seconds 0\n")));
}

TEST_F(MetricsTest, AFailedReloadKeepsTheTimeOfTheLastGoodOne) {
  metrics.on_reload(true, now);
  pass(Millis(60'000));
  metrics.on_reload(false, now);
  EXPECT_EQ(lines("rollwatch_config_last_reload"),
            "rollwatch_config_last_reload_successful 0\n"
            "rollwatch_config_last_reload_success_timestamp_seconds 1767323045.678\n");
}

}  // namespace
}  // namespace rollwatch
