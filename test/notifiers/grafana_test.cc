// A rollout's region in Grafana: which request is next, and what it says.
#include "notifiers/grafana.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "notifiers/notifier_notice.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr SysTime kRegionStart{Millis{1'767'323'045'678}};

RolloutSpec annotated_rollout() {
  RolloutSpec spec;
  spec.id = "ro_1";
  spec.service = "checkout";
  spec.candidate = "1.24";
  spec.created_at = kRegionStart - std::chrono::minutes{5};
  return spec;
}

struct Annotator {
  std::string dashboard_uid;
  std::optional<std::int64_t> panel_id;
  std::vector<std::string> tags;
  Region region;
  json body;

  std::string call(const Notice& notice, const std::optional<Standing>& standing) {
    const RolloutSpec spec = annotated_rollout();
    const auto next = next_call(
        region, {spec, notice, standing, "http://rollwatch?a&b", dashboard_uid, panel_id, tags});
    if (!next) return "nothing";
    body = json::parse(next->body);
    if (next->is_region) {
      const auto id = region.id == 0 ? 7 : region.id;
      region = next->region;
      region.id = id;
      EXPECT_EQ(region_in(to_text(region)), region);
    }
    return std::string(next->method) + " " + next->path;
  }

  std::string call(EventType event, const std::string& state, Millis after, unsigned number) {
    Notice notice;
    notice.event = event;
    notice.at = kRegionStart + after;
    notice.summary = "a < b & \"c\"";
    Standing standing;
    standing.number = number;
    standing.state = state;
    return call(notice, standing);
  }
};

TEST(Grafana, ARegionIsOpenedChangedAndClosed) {
  Annotator a;
  EXPECT_EQ(a.call(EventType::kStarted, "analyzing", Millis{0}, 1), "POST /api/annotations");
  EXPECT_EQ(a.body["time"], 1'767'323'045'678);
  EXPECT_FALSE(a.body.contains("timeEnd"));
  EXPECT_FALSE(a.body.contains("dashboardUID"));
  EXPECT_THAT(a.body["tags"].get<std::vector<std::string>>(),
              ElementsAre("rollwatch", "namespace:default", "service:checkout", "target:default",
                          "candidate:1.24", "rollout:ro_1", "state:analyzing"));
  EXPECT_EQ(a.call(EventType::kDecided, "rolling_back", Millis{1000}, 2),
            "PATCH /api/annotations/7");
  EXPECT_FALSE(a.body.contains("timeEnd"));
  EXPECT_EQ(a.call(EventType::kRolledBack, "rolled_back", Millis{2000}, 3),
            "PATCH /api/annotations/7");
  EXPECT_EQ(a.body["timeEnd"], 1'767'323'047'678);
  EXPECT_FALSE(a.body.contains("time"));
  EXPECT_EQ(a.body["tags"].back(), "state:rolled_back");
  EXPECT_EQ(a.call(EventType::kStillBad, "rolled_back", Millis{9000}, 4),
            "PATCH /api/annotations/7");
  EXPECT_FALSE(a.body.contains("timeEnd")) << "it ended when it ended";
}

TEST(Grafana, TheTextIsHtmlThatMeansNothingButItself) {
  Annotator a;
  a.call(EventType::kStarted, "analyzing", Millis{0}, 1);
  EXPECT_EQ(a.body["text"],
            "checkout 1.24: started: a &lt; b &amp; &quot;c&quot;\n"
            "<a href=\"http://rollwatch?a&amp;b/rollouts/ro_1\">rollwatch</a>");
}

TEST(Grafana, OnADashboardAndWithTagsOfOnesOwn) {
  Annotator a;
  a.dashboard_uid = "abc";
  a.panel_id = 3;
  a.tags = {"deploys"};
  a.call(EventType::kStarted, "analyzing", Millis{0}, 1);
  EXPECT_EQ(a.body["dashboardUID"], "abc");
  EXPECT_EQ(a.body["panelId"], 3);
  EXPECT_EQ(a.body["tags"].back(), "deploys");
}

TEST(Grafana, OneThatIsFirstToldAtItsEndIsARegionAllTheSame) {
  Annotator a;
  EXPECT_EQ(a.call(EventType::kRolledBack, "rolled_back", Millis{2000}, 3),
            "POST /api/annotations");
  EXPECT_EQ(a.body["time"], 1'767'323'045'678 - 300'000) << "since it was registered";
  EXPECT_EQ(a.body["timeEnd"], 1'767'323'047'678);
}

TEST(Grafana, OneThatSomebodyDeletedIsWrittenAnewWhole) {
  Annotator a;
  a.call(EventType::kStarted, "analyzing", Millis{0}, 1);
  a.region.id = 0;  // as the sender does after a 404
  EXPECT_EQ(a.call(EventType::kPromoted, "promoted", Millis{2000}, 2), "POST /api/annotations");
  EXPECT_EQ(a.body["time"], 1'767'323'045'678);
  EXPECT_EQ(a.body["timeEnd"], 1'767'323'047'678);
  a.region.id = 0;
  EXPECT_EQ(a.call(EventType::kStillBad, "promoted", Millis{9000}, 3), "POST /api/annotations");
  EXPECT_EQ(a.body["timeEnd"], 1'767'323'047'678) << "and ends where the first one did";
}

TEST(Grafana, WhatIsOlderThanWhatIsShownSaysNothing) {
  Annotator a;
  a.call(EventType::kStarted, "analyzing", Millis{0}, 1);
  a.call(EventType::kPromoted, "promoted", Millis{2000}, 5);
  EXPECT_EQ(a.call(EventType::kDecided, "rolling_back", Millis{1000}, 3), "nothing");
}

TEST(Grafana, WhatConcernsManyIsAPointOfItsOwn) {
  Annotator a;
  Notice silent;
  silent.event = EventType::kPaused;
  silent.at = kRegionStart;
  silent.subject = "datasource default";
  silent.datasource = "default";
  silent.summary = "datasource default gives no answers";
  EXPECT_EQ(a.call(silent, {}), "POST /api/annotations");
  EXPECT_FALSE(a.body.contains("timeEnd"));
  EXPECT_THAT(a.body["tags"].get<std::vector<std::string>>(),
              ElementsAre("rollwatch", "datasource:default"));
  EXPECT_EQ(a.call(test_notice("dashboards", "ana", kRegionStart), {}), "POST /api/annotations");
  EXPECT_THAT(a.body["tags"].get<std::vector<std::string>>(), ElementsAre("rollwatch", "test"));
  EXPECT_THAT(a.body["text"].get<std::string>(), HasSubstr("asked for by ana: nothing has"));
  EXPECT_EQ(a.region, Region{}) << "nobody comes back to it";
}

TEST(Grafana, ReadsItsAnswers) {
  EXPECT_EQ(annotation_id(R"({"message":"Annotation added","id":12})"), 12);
  for (const char* text : {"", "ok", "[1]", "{}", R"({"id":"12"})", R"({"id":0})", R"({"id":-1})"})
    EXPECT_FALSE(annotation_id(text)) << text;
  for (const char* text : {"", "x", "{}", R"({"id":1,"shown":-1,"from":0})", R"({"id":"1"})"})
    EXPECT_EQ(region_in(text), Region{}) << text;
}

}  // namespace
}  // namespace rollwatch
