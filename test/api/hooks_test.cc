// What Alertmanager's webhook receiver sends, what becomes of it, and what it is answered.
#include <nlohmann/json.hpp>

#include "analysis/alerts.h"
#include "test/api/api_fixture.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// As Alertmanager 0.25 sends it.
json payload() {
  return json::parse(R"({
    "receiver": "rollwatch", "status": "firing", "version": "4", "truncatedAlerts": 3,
    "groupKey": "{}/{service=\"checkout\"}:{alertname=\"Slow\"}", "externalURL": "http://am:9093",
    "groupLabels": {"alertname": "Slow"}, "commonLabels": {"service": "checkout"},
    "commonAnnotations": {"summary": "it is slow"},
    "alerts": [
      {"status": "firing", "labels": {"alertname": "Slow", "service": "checkout", "severity": "page"},
       "annotations": {"summary": "it is slow", "description": "p99 is 3 s"},
       "startsAt": "2026-01-02T04:03:05.678123456+01:00", "endsAt": "0001-01-01T00:00:00Z",
       "generatorURL": "http://prometheus/graph?g0.expr=slow", "fingerprint": "1a30ba71cca2921f"},
      {"status": "resolved", "labels": {"alertname": "Broken", "service": "checkout"},
       "annotations": {}, "startsAt": "2026-01-02T03:00:00Z", "endsAt": "2026-01-02T03:01:00Z",
       "generatorURL": "", "fingerprint": "2b"}]})");
}

class HooksTest : public ApiTest {
 protected:
  ServerResponse send(const json& body) {
    return ask("POST", "/hooks/alertmanager", body.dump(), {{"content-type", "application/json"}});
  }
};

TEST_F(HooksTest, TheAlertsAreTakenAndCounted) {
  const ServerResponse response = send(payload());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"alerts":2,"truncated":3,"matched":2,"recorded":1})"
                           "\n");
  ASSERT_EQ(service.alerts.size(), 2U);
  const ReceivedAlert& slow = service.alerts[0];
  EXPECT_THAT(slow.labels, ElementsAre(Pair("alertname", "Slow"), Pair("service", "checkout"),
                                       Pair("severity", "page")));
  EXPECT_EQ(slow.change.name, "Slow");
  EXPECT_EQ(slow.change.labels, R"(service="checkout", severity="page")");
  EXPECT_EQ(slow.change.summary, "it is slow");
  EXPECT_EQ(slow.change.generator_url, "http://prometheus/graph?g0.expr=slow");
  EXPECT_EQ(slow.change.fingerprint, "1a30ba71cca2921f");
  EXPECT_EQ(format_time(slow.change.starts_at), "2026-01-02T03:03:05.678Z");
  EXPECT_TRUE(slow.change.firing);
  EXPECT_FALSE(slow.change.ends_at) << "year 1 is no end";
  const AlertChanged& broken = service.alerts[1].change;
  EXPECT_FALSE(broken.firing);
  EXPECT_EQ(format_time(broken.ends_at.value()), "2026-01-02T03:01:00.000Z");
}

TEST_F(HooksTest, WithoutASummaryTheDescriptionSpeaks) {
  json body = payload();
  body["alerts"][0]["annotations"].erase("summary");
  send(body);
  EXPECT_EQ(service.alerts.at(0).change.summary, "p99 is 3 s");
}

// It would send a 5xx again: only the store's absence is one.
TEST_F(HooksTest, WhatNoRepeatMendsIsRefused) {
  struct Row {
    const char* name;
    std::function<void(json&)> spoil;
    const char* problem;
  };
  const Row rows[] = {
      {"another version", [](json& b) { b["version"] = "5"; }, "/version: must be \"4\""},
      {"no version", [](json& b) { b.erase("version"); }, "/version: must be a string"},
      {"no alerts", [](json& b) { b.erase("alerts"); }, "/alerts: must be a list"},
      {"alerts are none", [](json& b) { b["alerts"] = "x"; }, "/alerts: must be a list"},
      {"an alert is none", [](json& b) { b["alerts"][1] = 1; }, "/alerts/1: must be an object"},
      {"another status", [](json& b) { b["alerts"][0]["status"] = "pending"; },
       "/alerts/0/status: must be \"firing\" or \"resolved\""},
      {"no labels", [](json& b) { b["alerts"][0].erase("labels"); },
       "/alerts/0/labels: must be an object of strings"},
      {"a label is a number", [](json& b) { b["alerts"][0]["labels"]["a"] = 1; },
       "/alerts/0/labels/a: must be a string"},
      {"no fingerprint", [](json& b) { b["alerts"][0].erase("fingerprint"); },
       "/alerts/0/fingerprint: must be a string"},
      {"an empty fingerprint", [](json& b) { b["alerts"][0]["fingerprint"] = ""; },
       "/alerts/0/fingerprint: must have 1 to 200 bytes"},
      {"no time", [](json& b) { b["alerts"][0]["startsAt"] = "yesterday"; },
       "/alerts/0/startsAt: must be a time in RFC 3339"},
      {"no end", [](json& b) { b["alerts"][1]["endsAt"] = ""; },
       "/alerts/1/endsAt: must be a time in RFC 3339"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    json body = payload();
    row.spoil(body);
    EXPECT_THAT(problem_of(send(body)), HasSubstr(std::string("422 ") + row.problem));
    EXPECT_TRUE(service.alerts.empty()) << "half of it is not taken";
  }
  EXPECT_EQ(ask("POST", "/hooks/alertmanager", "x").status, 400);
  EXPECT_EQ(ask("GET", "/hooks/alertmanager").status, 405);
}

TEST_F(HooksTest, AStoreThatIsAwayIsToldToComeAgain) {
  service.store_is_away = true;
  const ServerResponse response = send(payload());
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(header(response, "Retry-After"), "5");
}

TEST_F(HooksTest, AreShownAsOneCondition) {
  RolloutView view = sample_rollout("ro_1", R"json({"duration": "5m",
    "alerts": {"match": {"service": "{{service}}", "severity": "page"}, "on_fire": "pause"},
    "condition": [{"name": "e", "query": "up > 1"}]})json");
  view.state.alerts.made().since = kSampleTime;
  service.rollouts["ro_1"] = view;
  json alerts = get("/api/v1/rollouts/ro_1")["conditions"][1];
  EXPECT_EQ(alerts.at("last"), nullptr);
  EXPECT_EQ(alerts.at("verdict"), "passing");
  AlertsState& state = service.rollouts["ro_1"].state.alerts.made();
  state.firing = {{"f", "Slow", "severity=\"page\"", "it is slow", "http://p", kSampleTime, true},
                  {"g", "Old", "", "", "", kSampleTime - Millis{5}, false}};
  state.fired = 2;
  state.resolved = 1;
  state.failed = true;
  state.last_at = kSampleTime;
  state.last_fires = true;
  state.last_text = "alert Slow fires";
  alerts = get("/api/v1/rollouts/ro_1")["conditions"][1];
  EXPECT_EQ(alerts, json::parse(R"json({"name": "alerts", "verdict": "failed", "on_fail": "pause",
    "value": 1, "rule": "service=\"checkout\", severity=\"page\"",
    "last": {"slot": "2026-01-02T03:04:05.678Z", "outcome": "fail", "detail": "alert Slow fires"},
    "counts": {"pass": 0, "fail": 2, "inconclusive": 0, "no_data": 0, "error": 0, "missed": 0},
    "next_slot": null, "resolved": 1,
    "firing": [{"name": "Slow", "labels": "severity=\"page\"", "summary": "it is slow",
                "generator_url": "http://p", "starts_at": "2026-01-02T03:04:05.678Z", "counts": true},
               {"name": "Old", "labels": "", "summary": null, "generator_url": null,
                "starts_at": "2026-01-02T03:04:05.673Z", "counts": false}]})json"));
}

}  // namespace
}  // namespace rollwatch
