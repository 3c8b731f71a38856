// The body of a notification for programs, as docs/notifications.md describes it.
#include "notifiers/webhook_notice.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "notifiers/notifier_notice.h"

namespace rollwatch {
namespace {

using nlohmann::json;

constexpr SysTime kHookAt{Millis{1'767'323'045'678}};

RolloutSpec hooked_rollout() {
  RolloutSpec spec;
  spec.id = "ro_1";
  spec.ns = "payments";
  spec.service = "checkout";
  spec.stable = "1.23";
  spec.candidate = "1.24";
  spec.labels = {{"tier", "web"}};
  spec.links = {{"change", "https://git.example.net/c/1"}};
  return spec;
}

Notice hooked_pause() {
  Notice notice;
  notice.event = EventType::kPaused;
  notice.at = kHookAt;
  notice.state = "paused";
  notice.step = 1;
  notice.weight = 25;
  notice.summary = "paused: it takes too long";
  notice.by = "engine";
  notice.condition = "error-rate";
  notice.value = 0.083;
  notice.rule = "> 0.05";
  notice.kind = "pause";
  notice.decision = "dec_1";
  notice.question = "q1";
  return notice;
}

TEST(WebhookNotice, SaysWhatHappenedToARollout) {
  const RolloutSpec spec = hooked_rollout();
  const Notice notice = hooked_pause();
  EXPECT_EQ(json::parse(notice_body({spec, notice, "no_1", "http://rollwatch"})), json::parse(R"({
    "type": "rollout.paused", "timestamp": "2026-01-02T03:04:05.678Z",
    "data": {
      "event": {"id": "no_1", "type": "paused", "at": "2026-01-02T03:04:05.678Z",
                "decision": "pause", "question": "q1"},
      "rollout": {"id": "ro_1", "namespace": "payments", "service": "checkout",
                  "target": "default", "stable": "1.23", "candidate": "1.24", "attempt": 1,
                  "state": "paused", "step": 1, "weight": 25, "labels": {"tier": "web"},
                  "links": {"change": "https://git.example.net/c/1"},
                  "url": "http://rollwatch/rollouts/ro_1"},
      "subject": null,
      "reason": {"summary": "paused: it takes too long", "condition": "error-rate",
                 "value": 0.083, "rule": "> 0.05", "by": "engine", "words": null,
                 "explain_url": "http://rollwatch/api/v1/rollouts/ro_1/explain?decision=dec_1"}}})"));
}

TEST(WebhookNotice, WhatIsNotKnownIsNull) {
  RolloutSpec spec = hooked_rollout();
  spec.stable.clear();
  Notice notice;
  notice.event = EventType::kStarted;
  notice.value = std::numeric_limits<double>::infinity();
  const json data = json::parse(notice_body({spec, notice, "no_1", "http://r"}))["data"];
  EXPECT_TRUE(data["rollout"]["stable"].is_null());
  EXPECT_TRUE(data["rollout"]["weight"].is_null());
  for (const char* key : {"condition", "value", "rule", "words", "explain_url"})
    EXPECT_TRUE(data["reason"][key].is_null()) << key;
}

TEST(WebhookNotice, WhatConcernsManySaysWhatItIsAbout) {
  const RolloutSpec spec = hooked_rollout();
  Notice silent;
  silent.event = EventType::kReminder;
  silent.subject = "datasource default";
  silent.datasource = "default";
  Notice frozen;
  frozen.event = EventType::kFrozen;
  frozen.subject = "payments/checkout is frozen";
  Notice all = frozen;
  all.event = EventType::kThawed;
  all.subject = "everything is no longer frozen";
  struct Row {
    Notice notice;
    const char* type;
    json subject;
    const char* cloud_subject;
  };
  const Row rows[] = {
      {silent,
       "datasource.reminder",
       {{"kind", "datasource"}, {"name", "default"}},
       "datasource/default"},
      {frozen,
       "freeze.frozen",
       {{"kind", "freeze"}, {"name", "payments/checkout"}},
       "freeze/payments/checkout"},
      {all, "freeze.thawed", {{"kind", "freeze"}, {"name", nullptr}}, "freeze"},
      {trouble_begins("releases", {}, kHookAt),
       "notifier.note",
       {{"kind", "notifier"}, {"name", "releases"}},
       "notifier/releases"},
      {test_notice("hook", "ana", kHookAt),
       "rollwatch.test",
       {{"kind", "notifier"}, {"name", "hook"}},
       "notifier/hook"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.type);
    const WebhookNotice news{spec, row.notice, "no_1", "http://r"};
    const json body = json::parse(notice_body(news));
    EXPECT_EQ(body["type"], row.type);
    EXPECT_EQ(body["data"]["subject"], row.subject);
    EXPECT_TRUE(body["data"]["rollout"].is_null()) << "of which nothing is said";
    EXPECT_EQ(json::parse(notice_cloud_event(news))["subject"], row.cloud_subject);
  }
}

TEST(WebhookNotice, AsACloudEvent) {
  const RolloutSpec spec = hooked_rollout();
  const Notice notice = hooked_pause();
  const WebhookNotice news{spec, notice, "no_1", "https://rw.example.net/x"};
  const json event = json::parse(notice_cloud_event(news));
  EXPECT_EQ(event["specversion"], "1.0");
  EXPECT_EQ(event["id"], "no_1");
  EXPECT_EQ(event["source"], "/rollwatch/rw.example.net");
  EXPECT_EQ(event["type"], "io.rollwatch.rollout.paused.v1");
  EXPECT_EQ(event["time"], "2026-01-02T03:04:05.678Z");
  EXPECT_EQ(event["subject"], "payments/ro_1");
  EXPECT_EQ(event["datacontenttype"], "application/json");
  EXPECT_EQ(event["data"], json::parse(notice_body(news))["data"]);
}

}  // namespace
}  // namespace rollwatch
