// Which alerts a rollout has, when they begin, go on and end, and what is said in them.
#include "notifiers/alertmanager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "notifiers/notifier_notice.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr SysTime kAlertNow{Millis{1'767'323'045'678}};

RolloutSpec alerting_rollout() {
  RolloutSpec spec;
  spec.id = "ro_1";
  spec.ns = "payments";
  spec.service = "checkout";
  spec.target = "eu-1";
  spec.candidate = "1.24";
  spec.by = "ci";
  spec.labels = {{"tier", "web"}, {"service", "mine"}, {"9-lives", "cat"}, {"none", ""}};
  spec.links = {{"change", "https://git.example.net/c/1"}};
  return spec;
}

// A rollout told to Alertmanager, one event after the other. Each is told as a line:
// "fire RollwatchNeedsDecision", "end RollwatchNeedsDecision", both, or "nothing".
class Telling {
 public:
  std::vector<std::string> events;
  std::vector<std::string> story;
  json last;  // the alerts of the latest post

  void tell(EventType event, const std::string& state, const std::string& question = "",
            std::optional<unsigned> number = {}) {
    Notice notice;
    notice.event = event;
    notice.at = now;
    notice.by = "engine";
    notice.state = state;
    notice.question = question;
    notice.summary = "because";
    if (event == EventType::kDecided) notice.kind = "rollback";
    Standing standing;
    standing.number = number.value_or(++number_);
    standing.state = state;
    standing.question = question;
    tell(notice, standing);
  }

  void tell(const Notice& notice, const std::optional<Standing>& standing) {
    const RolloutSpec spec = alerting_rollout();
    const auto post = alerts_of(open_, {spec, notice, standing, "http://rollwatch", events, now});
    if (!post) return story.emplace_back("nothing"), void();
    last = json::parse(post->body);
    std::string line;
    for (const json& alert : last) {
      const auto ends = parse_time(alert["endsAt"].get<std::string>()).value();
      EXPECT_LE(parse_time(alert["startsAt"].get<std::string>()).value(), ends)
          << "Alertmanager refuses it otherwise";
      line += (line.empty() ? "" : ", ") + std::string(ends > now ? "fire " : "end ") +
              alert["labels"]["alertname"].get<std::string>();
    }
    story.push_back(line);
    open_ = open_alert(to_text(post->open));  // as the next process reads it
    EXPECT_EQ(open_, post->open);
  }

  SysTime now = kAlertNow;

 private:
  OpenAlert open_;
  unsigned number_ = 0;
};

TEST(Alertmanager, EveryAlertBeginsGoesOnAndEnds) {
  Telling telling;
  telling.tell(EventType::kStarted, "analyzing");
  telling.tell(EventType::kPaused, "paused", "q1");
  telling.now += std::chrono::minutes{30};
  telling.tell(EventType::kReminder, "paused", "q1");
  telling.tell(EventType::kResumed, "analyzing");
  telling.tell(EventType::kDecided, "rolling_back");
  telling.tell(EventType::kReminder, "rolling_back");
  telling.tell(EventType::kRollbackFailed, "rollback_failed");
  EXPECT_THAT(telling.story,
              ElementsAre("nothing", "fire RollwatchNeedsDecision", "fire RollwatchNeedsDecision",
                          "end RollwatchNeedsDecision", "fire RollwatchRollingBack",
                          "fire RollwatchRollingBack",
                          "end RollwatchRollingBack, fire RollwatchRollbackFailed"));
}

TEST(Alertmanager, ARollbackThatHelpsNothing) {
  Telling telling;
  telling.tell(EventType::kDecided, "rolling_back");
  telling.tell(EventType::kRolledBack, "rolled_back");
  telling.tell(EventType::kStillBad, "rolled_back");
  telling.tell(EventType::kNote, "rolled_back");
  telling.tell(EventType::kRecovered, "rolled_back");
  EXPECT_THAT(telling.story, ElementsAre("fire RollwatchRollingBack", "end RollwatchRollingBack",
                                         "fire RollwatchStillBad", "fire RollwatchStillBad",
                                         "end RollwatchStillBad"));
}

TEST(Alertmanager, AnApprovalToStartWaitsForAPerson) {
  Telling telling;
  telling.tell(EventType::kNote, "waiting", "q1");
  telling.tell(EventType::kStarted, "analyzing");
  EXPECT_THAT(telling.story,
              ElementsAre("fire RollwatchNeedsDecision", "end RollwatchNeedsDecision"));
}

// Whatever ends the rollout ends its alert.
TEST(Alertmanager, EveryEndIsAnEnd) {
  for (const EventType end : {EventType::kPromoted, EventType::kSoaking, EventType::kCancelled,
                              EventType::kSuperseded, EventType::kStepBegan}) {
    Telling telling;
    telling.tell(EventType::kPaused, "paused", "q1");
    telling.tell(
        end, std::string(name_of(end)) == "step_began" ? "analyzing" : std::string(name_of(end)));
    EXPECT_THAT(telling.story,
                ElementsAre("fire RollwatchNeedsDecision", "end RollwatchNeedsDecision"))
        << name_of(end);
  }
}

// Three hundred rollouts that wait for one datasource are one alert; what else happens to one of
// them does not make it another.
TEST(Alertmanager, APauseThatIsToldOfItsDatasourceIsNoAlertOfTheRollout) {
  Telling telling;
  telling.tell(EventType::kSoaking, "paused", "q1");
  EXPECT_THAT(telling.story, ElementsAre("nothing"));
}

TEST(Alertmanager, WhatIsOlderThanWhatWasToldSaysNothing) {
  Telling telling;
  telling.tell(EventType::kPaused, "paused", "q1", 5);
  telling.tell(EventType::kResumed, "analyzing", "", 9);
  telling.tell(EventType::kReminder, "paused", "q1", 7);
  EXPECT_THAT(telling.story,
              ElementsAre("fire RollwatchNeedsDecision", "end RollwatchNeedsDecision", "nothing"));
}

TEST(Alertmanager, EventsSayWhatMayBegin) {
  Telling telling;
  telling.events = {"rollback_failed", "paused"};
  telling.tell(EventType::kPaused, "paused", "q1");
  telling.tell(EventType::kDecided, "rolling_back");
  telling.tell(EventType::kRollbackFailed, "rollback_failed");
  EXPECT_THAT(telling.story,
              ElementsAre("fire RollwatchNeedsDecision", "end RollwatchNeedsDecision",
                          "fire RollwatchRollbackFailed"));
}

TEST(Alertmanager, LabelsStayAndTheTextMoves) {
  Telling telling;
  telling.tell(EventType::kPaused, "paused", "q1");
  const json first = telling.last[0];
  EXPECT_EQ(first["labels"], json({{"alertname", "RollwatchNeedsDecision"},
                                   {"severity", "warning"},
                                   {"generator", "rollwatch"},
                                   {"namespace", "payments"},
                                   {"service", "checkout"},
                                   {"target", "eu-1"},
                                   {"candidate", "1.24"},
                                   {"rollout", "ro_1"},
                                   {"tier", "web"},
                                   {"__lives", "cat"}}))
      << "the rollout's labels do not replace ours, and an empty one is none";
  EXPECT_EQ(first["annotations"]["summary"], "payments/checkout 1.24 → eu-1: paused: because");
  EXPECT_EQ(first["annotations"]["answer"],
            "rollwatch resume ro_1 to go on, rollwatch rollback ro_1 to go back");
  EXPECT_EQ(first["annotations"]["link_change"], "https://git.example.net/c/1");
  EXPECT_EQ(first["generatorURL"], "http://rollwatch/rollouts/ro_1");
  EXPECT_EQ(first["startsAt"], format_time(kAlertNow));
  EXPECT_EQ(first["endsAt"], format_time(kAlertNow + kAlertLife));

  telling.now += std::chrono::minutes{30};
  telling.tell(EventType::kReminder, "paused", "q1");
  const json second = telling.last[0];
  EXPECT_EQ(second["labels"], first["labels"]);
  EXPECT_EQ(second["startsAt"], first["startsAt"]);
  EXPECT_EQ(second["endsAt"], format_time(telling.now + kAlertLife));

  telling.now += std::chrono::minutes{1};
  telling.tell(EventType::kResumed, "analyzing");
  EXPECT_EQ(telling.last[0]["labels"], first["labels"]);
  EXPECT_EQ(telling.last[0]["endsAt"], format_time(telling.now));
}

// Put off by each reminder, which comes after half an hour.
TEST(Alertmanager, AnAlertOutlivesTwoRemindersThatGetLost) {
  EXPECT_GT(kAlertLife, 2 * std::chrono::minutes{30});
  Telling telling;
  telling.tell(EventType::kRollbackFailed, "rollback_failed");
  EXPECT_EQ(telling.last[0]["endsAt"], format_time(telling.now + kFailedRollbackAlertLife));
  EXPECT_GT(kFailedRollbackAlertLife, 2 * std::chrono::minutes{5});
}

Notice shared_news(EventType event, SysTime at) {
  Notice notice;
  notice.event = event;
  notice.at = at;
  notice.subject = "datasource default";
  notice.datasource = "default";
  notice.summary = "datasource default gives no answers";
  return notice;
}

TEST(Alertmanager, ADatasourceIsOneAlertForAllOfItsRollouts) {
  Telling telling;
  telling.tell(shared_news(EventType::kPaused, telling.now), {});
  EXPECT_EQ(telling.last[0]["labels"], json({{"alertname", "RollwatchDatasourceSilent"},
                                             {"severity", "warning"},
                                             {"generator", "rollwatch"},
                                             {"datasource", "default"}}));
  telling.tell(shared_news(EventType::kReminder, telling.now), {});
  telling.tell(shared_news(EventType::kResumed, telling.now), {});
  telling.events = {"rollback_failed"};
  telling.tell(shared_news(EventType::kPaused, telling.now), {});
  EXPECT_THAT(telling.story,
              ElementsAre("fire RollwatchDatasourceSilent", "fire RollwatchDatasourceSilent",
                          "end RollwatchDatasourceSilent", "nothing"));
}

TEST(Alertmanager, NotifiersAndTestsAreToldWhateverIsAskedFor) {
  Telling telling;
  telling.events = {"still_bad"};
  const NotifierTrouble trouble{telling.now, "connection refused", false};
  telling.tell(trouble_begins("releases", trouble, telling.now), {});
  EXPECT_EQ(telling.last[0]["labels"]["notifier"], "releases");
  telling.tell(trouble_ends("releases", trouble, telling.now), {});
  telling.tell(test_notice("oncall", "ana", telling.now), {});
  EXPECT_EQ(telling.last[0]["labels"]["severity"], "none") << "it pages nobody";
  EXPECT_EQ(telling.last[0]["endsAt"], format_time(telling.now + kTestAlertLife));
  EXPECT_THAT(telling.last[0]["annotations"]["summary"].get<std::string>(),
              HasSubstr("nothing has happened"));
  EXPECT_THAT(telling.story, ElementsAre("fire RollwatchNotifierFails",
                                         "end RollwatchNotifierFails", "fire RollwatchTest"));
}

// A freeze is somebody's own doing.
TEST(Alertmanager, AFreezeIsNoAlert) {
  Telling telling;
  Notice frozen;
  frozen.event = EventType::kFrozen;
  frozen.subject = "checkout is frozen";
  telling.tell(frozen, {});
  EXPECT_THAT(telling.story, ElementsAre("nothing"));
}

// In place of a notifier that shows no standing: what the notice itself says.
TEST(Alertmanager, WithoutAStandingTheNoticeSpeaksForTheRollout) {
  Telling telling;
  Notice paused;
  paused.event = EventType::kPaused;
  paused.at = telling.now;
  paused.state = "paused";
  telling.tell(paused, {});
  EXPECT_THAT(telling.story, ElementsAre("fire RollwatchNeedsDecision"));
}

TEST(Alertmanager, AMemoThatIsNoneIsNone) {
  for (const char* text : {"", "nonsense", "[]", "{}", R"({"shown":-1,"alert":"","since":""})",
                           R"({"shown":1,"alert":"x","since":"yesterday"})"})
    EXPECT_EQ(open_alert(text), OpenAlert{}) << text;
  const auto other = open_alert(R"({"shown":3,"alert":"Gone","since":"2026-01-02T03:04:05Z"})");
  EXPECT_EQ(other.name, "") << "an alert of another version";
}

}  // namespace
}  // namespace rollwatch
