// Alerts as a condition: what counts, what is decided, what is kept and what is said.
#include <gmock/gmock.h>

#include "analysis/alerts.h"
#include "test/analysis/rollout_fixture.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;
using testing::Not;

Rollout with_alerts(OnFail on_fire, Plan plan = error_rate(),
                    const std::string& orchestrator = "deployer") {
  watches_alerts(plan, on_fire);
  return Rollout(std::move(plan), orchestrator);
}

Plan that_soaks() {
  Plan plan = error_rate();
  plan.soak = duration("1h");
  return plan;
}

std::string told_last(const Rollout& r, EventType type) {
  for (auto event = r.events.rbegin(); event != r.events.rend(); ++event)
    if (event->type == type) return event->summary;
  return "";
}

TEST(AdvanceAlertsTest, WhatFollows) {
  struct Row {
    const char* name;
    OnFail on_fire;
    const char* story;
    const char* ends;
    const char* decided;
  };
  const Row rows[] = {
      {"rolls back", OnFail::kRollback, "begin ack pass alert",
       "rolling_back step 0 (5 %) failed, out: rollback 0 %", "advance rollback"},
      {"before there is any answer", OnFail::kRollback, "begin ack alert",
       "rolling_back step 0 (5 %) failed, out: rollback 0 %", "advance rollback"},
      {"while the next order is out", OnFail::kRollback, "begin ack pass*4 alert",
       "rolling_back step 0 (5 %) failed, out: rollback 0 %", "advance advance rollback"},
      {"while paused", OnFail::kRollback, "begin ack pass pause ack alert",
       "rolling_back step 0 (5 %) failed, out: rollback 0 %", "advance pause(alice) rollback"},
      {"frozen", OnFail::kRollback, "begin ack pass freeze alert",
       "rolling_back step 0 (5 %) failed, out: rollback 0 %", "advance rollback"},
      {"one from before", OnFail::kRollback, "begin ack pass old-alert",
       "analyzing step 0 (5 %) passing", "advance"},
      {"one that came before the first step", OnFail::kRollback, "alert begin alert ack same-alert",
       "analyzing step 0 (5 %) pending", "advance"},
      {"one from before holds nothing back", OnFail::kRollback, "begin ack old-alert pass*4",
       "analyzing step 0 (5 %) passing, out: advance 25 %", "advance advance"},
      {"one from before, fired anew", OnFail::kRollback, "begin ack old-alert pass alert",
       "rolling_back step 0 (5 %) failed, out: rollback 0 %", "advance rollback"},
      {"nothing undoes a rollback", OnFail::kRollback, "begin ack pass alert resolved other-alert",
       "rolling_back step 0 (5 %) failed, out: rollback 0 %", "advance rollback"},
      {"after a person's promote", OnFail::kRollback, "begin ack pass promote alert",
       "promoting step 0 (5 %) pending, out: promote 100 %",
       "advance promote(alice) would-have-rollback"},
      {"pauses", OnFail::kPause, "begin ack pass alert",
       "paused step 0 (5 %) failed, asks: alert_fires, out: pause 5 %", "advance pause"},
      {"told again", OnFail::kPause, "begin ack pass alert same-alert same-alert",
       "paused step 0 (5 %) failed, asks: alert_fires, out: pause 5 %", "advance pause"},
      {"another one", OnFail::kPause, "begin ack pass alert other-alert",
       "paused step 0 (5 %) failed, asks: alert_fires, out: pause 5 %", "advance pause"},
      {"resolved lifts nothing", OnFail::kPause, "begin ack pass alert resolved pass*5",
       "paused step 0 (5 %) passing, asks: alert_fires, out: pause 5 %", "advance pause"},
      {"resumed, and told again", OnFail::kPause, "begin ack pass alert ack resume ack same-alert",
       "analyzing step 0 (5 %) failing", "advance pause resume(alice)"},
      {"resumed, it still holds back", OnFail::kPause, "begin ack pass alert ack resume ack pass*9",
       "analyzing step 0 (5 %) failing", "advance pause resume(alice)"},
      {"resumed and resolved, it goes on", OnFail::kPause,
       "begin ack pass alert ack resume ack pass*6 resolved pass",
       "analyzing step 0 (5 %) passing, out: advance 25 %", "advance pause resume(alice) advance"},
      {"resumed, and another one", OnFail::kPause,
       "begin ack pass alert ack resume ack other-alert",
       "paused step 0 (5 %) failed, asks: alert_fires, out: pause 5 %",
       "advance pause resume(alice) pause"},
      {"resumed, and fired anew", OnFail::kPause,
       "begin ack pass alert ack resume ack pass resolved alert",
       "paused step 0 (5 %) failed, asks: alert_fires, out: pause 5 %",
       "advance pause resume(alice) pause"},
      {"a person goes on all the same", OnFail::kPause, "begin ack pass alert ack advance ack",
       "analyzing step 1 (25 %) failing", "advance pause advance(alice)"},
      {"behind a person's question", OnFail::kPause, "begin ack pass pause ack alert",
       "paused step 0 (5 %) failed, asks: person_paused", "advance pause(alice)"},
      {"observed", OnFail::kObserve, "begin ack pass alert", "analyzing step 0 (5 %) passing",
       "advance would-have-rollback"},
      {"observed, and held back by nothing", OnFail::kObserve, "begin ack alert pass*4",
       "analyzing step 0 (5 %) passing, out: advance 25 %", "advance would-have-rollback advance"},
      {"never known", OnFail::kPause, "begin ack pass resolved", "analyzing step 0 (5 %) passing",
       "advance"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.name) + ": " + row.story);
    Rollout r = with_alerts(row.on_fire);
    r.play(row.story);
    EXPECT_EQ(r.show(), row.ends);
    EXPECT_EQ(r.decided(), row.decided);
  }
}

TEST(AdvanceAlertsTest, InTheSoakAPauseOnlyTells) {
  Rollout r = with_alerts(OnFail::kPause, that_soaks());
  r.play("begin ack pass*4 ack pass*5 ack pass alert");
  EXPECT_EQ(r.show(), "soaking step 1 (100 %) failed");
  EXPECT_EQ(told_last(r, EventType::kConditionFailed),
            "alert Slow{severity=\"page\"} fires: 5 % fail");
  ASSERT_EQ(r.last.events.front().type, EventType::kConditionFailed);
  EXPECT_TRUE(r.last.events.front().is_news) << "no other event says it";
  r.play("resolved");
  EXPECT_EQ(r.state.verdict, Verdict::kPassing);

  Rollout back = with_alerts(OnFail::kRollback, that_soaks());
  back.play("begin ack pass*4 ack pass*5 ack pass alert");
  EXPECT_EQ(back.show(), "rolling_back step 1 (100 %) failed, out: rollback 0 %");
}

TEST(AdvanceAlertsTest, TheDecisionNamesTheAlert) {
  Rollout r = with_alerts(OnFail::kRollback);
  r.play("begin ack pass alert");
  EXPECT_EQ(r.state.reason, "alert Slow{severity=\"page\"} fires: 5 % fail");
  EXPECT_TRUE(r.decisions.back().by_alerts);
  EXPECT_FALSE(r.decisions.back().condition);
  for (const Event& event : r.last.events) {
    const bool is_about_it =
        event.type == EventType::kDecided || event.type == EventType::kConditionFailed;
    EXPECT_EQ(event.condition, is_about_it ? kAlertsName : "") << event.summary;
  }
  ASSERT_EQ(r.state.alerts->firing.size(), 1U);
  EXPECT_EQ(r.state.alerts->firing[0].generator_url, "http://prometheus/graph?g0.expr=up");
}

TEST(AdvanceAlertsTest, WhatDecidesNothingIsRecordedAllTheSame) {
  Rollout r = with_alerts(OnFail::kRollback);
  r.play("begin ack pass old-alert");
  EXPECT_THAT(told_last(r, EventType::kNote),
              HasSubstr("alert Slow{severity=\"page\"} fires: 5 % fail; it fires since before this "
                        "rollout began, and decides nothing"));
  r.play("resolved");
  EXPECT_EQ(told_last(r, EventType::kNote), "alert Slow{severity=\"page\"} is resolved");
  const std::size_t events = r.events.size();
  r.play("resolved");
  EXPECT_EQ(r.events.size(), events) << "told again, it is nothing new";
}

// Pairs of Alertmanager tell things twice and out of order.
TEST(AdvanceAlertsTest, WhatComesLateChangesNothing) {
  Rollout r = with_alerts(OnFail::kPause);
  r.play("begin ack pass alert ack resume ack");
  AlertChanged late;
  late.fingerprint = late.name = "Slow";
  late.starts_at = r.now - std::chrono::minutes{10};
  r.happens(late);
  EXPECT_FALSE(r.last.changed()) << "an earlier beginning of what fires";
  late.firing = false;
  late.ends_at = late.starts_at + std::chrono::minutes{5};
  r.happens(late);
  EXPECT_FALSE(r.last.changed()) << "the end of the time before";
  late.ends_at = r.now;
  r.happens(late);
  EXPECT_TRUE(r.last.changed());
  EXPECT_TRUE(r.state.alerts->firing.empty());
}

TEST(AdvanceAlertsTest, OnlySoManyAreKeptAndOneThatCountsFindsRoom) {
  Rollout r = with_alerts(OnFail::kPause);
  r.play("begin ack pass");
  for (int i = 0; i < 50; ++i) r.alert("old" + std::to_string(i), true, std::chrono::hours{1});
  EXPECT_EQ(r.state.alerts->firing.size(), kMostFiringAlerts);
  EXPECT_EQ(r.state.state, State::kAnalyzing);
  for (int i = 0; i < 50; ++i) r.alert("new" + std::to_string(i));
  EXPECT_EQ(r.state.alerts->firing.size(), kMostFiringAlerts);
  EXPECT_TRUE(r.state.alerts->firing.front().counts);
  EXPECT_EQ(r.show(), "paused step 0 (5 %) failed, asks: alert_fires, out: pause 5 %");
}

TEST(AdvanceAlertsTest, WithoutConditionsItHoldsTheStepUntilItIsResolved) {
  Plan plan = error_rate();
  plan.conditions.clear();
  Rollout r = with_alerts(OnFail::kPause, std::move(plan));
  r.play("begin ack alert ack resume ack wait=10m");
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) failing");
  r.play("resolved wait=1s");
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) pending, out: advance 25 %");
}

// Rule 1: that nothing fires is no evidence.
TEST(AdvanceAlertsTest, AreNoEvidence) {
  Plan plan = error_rate();
  plan.conditions.clear();
  Rollout r = with_alerts(OnFail::kRollback, std::move(plan));
  r.play("begin ack alert");
  EXPECT_EQ(r.state.state, State::kRollingBack);
  Plan quiet = error_rate();
  quiet.conditions.clear();
  Rollout q = with_alerts(OnFail::kRollback, std::move(quiet));
  q.play("begin ack wait=30s ack wait=30s");
  EXPECT_EQ(q.show(), "paused step 1 (25 %) pending, asks: nothing_measured, out: pause 25 %");
}

TEST(AdvanceAlertsTest, AreNobodysWithoutTheKey) {
  Rollout r(error_rate());
  r.play("begin ack pass alert");
  EXPECT_FALSE(r.last.changed());
  EXPECT_TRUE(r.state.alerts->firing.empty());
}

TEST(AdvanceAlertsTest, AreOursByTheirLabels) {
  Plan plan = error_rate();
  plan.alerts = AlertsPlan{{{"service", promql::parse_text_template("{{service}}").value()},
                            {"severity", promql::parse_text_template("page").value()}},
                           OnFail::kRollback};
  RolloutSpec spec;
  spec.service = "checkout";
  struct Row {
    const char* name;
    std::map<std::string, std::string> labels;
    bool matches;
  };
  const Row rows[] = {
      {"ours", {{"service", "checkout"}, {"severity", "page"}, {"more", "x"}}, true},
      {"another's", {{"service", "cart"}, {"severity", "page"}}, false},
      {"a label is missing", {{"service", "checkout"}}, false},
      {"exactly", {{"service", "checkout2"}, {"severity", "page"}}, false},
      {"no pattern", {{"service", "check.*"}, {"severity", "page"}}, false},
      {"none", {}, false},
      {"one that we sent ourselves",
       {{"service", "checkout"}, {"severity", "page"}, {"generator", "rollwatch"}},
       false},
      {"of somebody else's generator",
       {{"service", "checkout"}, {"severity", "page"}, {"generator", "x"}},
       true},
  };
  const auto wanted = alert_labels(plan, spec);
  for (const Row& row : rows)
    EXPECT_EQ(alert_matches(wanted.value(), row.labels), row.matches) << row.name;
  EXPECT_EQ(alerts_rule(plan, spec), R"(service="checkout", severity="page")");

  plan.alerts->match.push_back({"zone", promql::parse_text_template("{{args.zone}}").value()});
  EXPECT_FALSE(alert_labels(plan, spec)) << "a value it does not have";
  plan.alerts.reset();
  EXPECT_FALSE(alert_labels(plan, spec)) << "without the key";
}

}  // namespace
}  // namespace rollwatch
