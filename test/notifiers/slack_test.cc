#include "notifiers/slack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace rollwatch {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

RolloutSpec checkout_to_eu() {
  RolloutSpec spec;
  spec.id = "ro_01jg";
  spec.ns = "payments";
  spec.service = "checkout";
  spec.target = "eu-1";
  spec.stable = "1.23";
  spec.candidate = "1.24";
  spec.policy = {"http"};
  spec.by = "ci@pipeline/812";
  return spec;
}

Notice rolling_back() {
  Notice notice;
  notice.event = EventType::kDecided;
  notice.kind = "rollback";
  notice.state = "rolling_back";
  notice.at = SysTime{Millis{1'767'323'045'678}};
  notice.weight = 25;
  notice.summary = "rollback: error-rate 0.083 > 0.05, 3 of the last 3";
  notice.by = "engine";
  notice.condition = "error-rate";
  notice.value = 0.083;
  notice.rule = "> 0.05";
  notice.decision = "de_01jg-4";
  return notice;
}

json render(const RolloutSpec& spec, const Notice& notice) {
  return json::parse(slack_message(spec, notice, "http://rollwatch.example.net"));
}

TEST(Slack, ARollbackInFull) {
  EXPECT_EQ(
      slack_message(checkout_to_eu(), rolling_back(), "http://rollwatch.example.net"),
      R"j({"text":"payments/checkout 1.24 → eu-1: rolling back: error-rate 0.083 &gt; 0.05, 3 of the last 3",)j"
      R"j("unfurl_links":false,"unfurl_media":false,"attachments":[{"color":"#e01e5a",)j"
      R"j("fallback":"payments/checkout 1.24 → eu-1: rolling back: error-rate 0.083 &gt; 0.05, 3 of the last 3","blocks":[)j"
      R"j({"type":"section","text":{"type":"mrkdwn","text":"*payments/checkout* `1.24` → *eu-1*\n)j"
      R"j(:rewind: *rolling back*: error-rate 0.083 &gt; 0.05, 3 of the last 3"}},)j"
      R"j({"type":"section","fields":[{"type":"mrkdwn","text":"*Condition*\nerror-rate"},)j"
      R"j({"type":"mrkdwn","text":"*Value (limit)*\n0.083 (&gt; 0.05)"},{"type":"mrkdwn","text":"*Share of 1.24*\n25 %"}]},)j"
      R"j({"type":"section","text":{"type":"mrkdwn","text":"<http://rollwatch.example.net/rollouts/ro_01jg|Rollout> · )j"
      R"j(<http://rollwatch.example.net/api/v1/rollouts/ro_01jg/explain?decision=de_01jg-4|Why>"}},)j"
      R"j({"type":"context","elements":[{"type":"mrkdwn","text":"`ro_01jg` · started by ci@pipeline/812 · policy `http` · )j"
      R"j(2026-01-02T03:04:05.678Z"}]}]}]})j");
}

TEST(Slack, TheTextStandsAlone) {
  struct Row {
    const char* name;
    EventType event;
    const char* summary;
    const char* text;
    const char* color;
  };
  const Row rows[] = {
      {"started", EventType::kStarted, "", "checkout 1.24: started", "#3b82f6"},
      {"paused", EventType::kPaused, "error-rate gave no answer for 5m",
       "checkout 1.24: paused: error-rate gave no answer for 5m", "#ecb22e"},
      {"the word is not said twice", EventType::kPaused, "Paused by alice: lunch",
       "checkout 1.24: Paused by alice: lunch", "#ecb22e"},
      {"promoted", EventType::kPromoted, "", "checkout 1.24: promoted", "#2eb67d"},
      {"rolled back", EventType::kRolledBack, "", "checkout 1.24: rolled back", "#e01e5a"},
      {"rollback failed", EventType::kRollbackFailed, "refused: fence is behind",
       "checkout 1.24: rollback failed: refused: fence is behind", "#e01e5a"},
      {"cancelled", EventType::kCancelled, "", "checkout 1.24: cancelled", "#6b7280"},
      {"superseded", EventType::kSuperseded, "by 1.25", "checkout 1.24: superseded: by 1.25",
       "#6b7280"},
      {"reminder", EventType::kReminder, "still paused", "checkout 1.24: reminder: still paused",
       "#ecb22e"},
      {"extended", EventType::kExtended, "the soak lasts 10m longer",
       "checkout 1.24: extended: the soak lasts 10m longer", "#3b82f6"},
      {"not ready", EventType::kReady, "not ready within 10m: 2 of 3 (attempt 1 of 2)",
       "checkout 1.24: not ready within 10m: 2 of 3 (attempt 1 of 2)", "#ecb22e"},
      {"ready", EventType::kReady, "ready: 3 of 3", "checkout 1.24: ready: 3 of 3", "#3b82f6"},
      {"looks again", EventType::kReady, "looks again whether it is ready",
       "checkout 1.24: ready: looks again whether it is ready", "#3b82f6"},
      {"recovered", EventType::kRecovered, "recovered after the rollback: error-rate 0.01",
       "checkout 1.24: recovered after the rollback: error-rate 0.01", "#2eb67d"},
      {"still bad", EventType::kStillBad,
       "rolled back, but error-rate 0.09 > 0.05 is still bad: probably not this release",
       "checkout 1.24: still bad: rolled back, but error-rate 0.09 &gt; 0.05 is still bad: "
       "probably not this release",
       "#ecb22e"},
      {"condition failed", EventType::kConditionFailed, "error-rate 0.09 > 0.05",
       "checkout 1.24: condition failed: error-rate 0.09 &gt; 0.05", "#e01e5a"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    RolloutSpec spec = checkout_to_eu();
    spec.ns = "default";
    spec.target = "default";
    Notice notice;
    notice.event = row.event;
    notice.summary = row.summary;
    const json message = render(spec, notice);
    EXPECT_EQ(message["text"], row.text);
    EXPECT_EQ(message["attachments"][0]["fallback"], row.text);
    EXPECT_EQ(message["attachments"][0]["color"], row.color);
  }
}

TEST(Slack, WhereAPersonIsWaitedForItSaysWhatToDo) {
  Notice notice;
  notice.event = EventType::kPaused;
  notice.state = "paused";
  notice.question = "q1";
  EXPECT_THAT(render(checkout_to_eu(), notice).dump(),
              HasSubstr("`rollwatch resume ro_01jg` to go on"));
  notice.event = EventType::kReminder;
  notice.question = "";  // of a rollback that is not acknowledged
  EXPECT_THAT(render(checkout_to_eu(), notice).dump(), Not(HasSubstr("rollwatch resume")));
}

TEST(Slack, APersonIsNamedWithTheirWords) {
  Notice notice = rolling_back();
  notice.by = "alice";
  notice.reason = "customers <complain> & rightly so";
  const std::string message = render(checkout_to_eu(), notice).dump();
  EXPECT_THAT(message, HasSubstr("*By*\\nalice"));
  EXPECT_THAT(message, HasSubstr("*Their words*\\ncustomers &lt;complain&gt; &amp; rightly so"));
}

TEST(Slack, NobodyIsPagedByAName) {
  RolloutSpec spec = checkout_to_eu();
  spec.service = "<!channel>\n`x`";
  spec.candidate = "`<@U1>`";
  spec.target = "<!here>";
  spec.by = "<!everyone>";
  spec.links = {{"a|b<!channel>", "https://h/?a=1&b=<!channel>|x y"},
                {"script", "javascript:alert(1)"}};
  Notice notice = rolling_back();
  notice.summary = "<!channel>";
  notice.condition = "<!subteam^S1>";
  notice.rule = "<#C1>";
  const std::string message = slack_message(spec, notice, "http://h");
  EXPECT_THAT(message, Not(HasSubstr("<!")));
  EXPECT_THAT(message, Not(HasSubstr("<@")));
  EXPECT_THAT(message, Not(HasSubstr("<#")));
  EXPECT_THAT(message, Not(HasSubstr("javascript")));
  EXPECT_THAT(message,
              HasSubstr("<https://h/?a=1&amp;b=%3C!channel%3E%7Cx%20y|a/b&lt;!channel&gt;>"));
  EXPECT_THAT(message, HasSubstr("`'&lt;@U1&gt;'`")) << "a backtick does not end the code span";
}

// Slack refuses a whole message for one text that is too long.
TEST(Slack, StaysWithinSlacksLimitsWhateverItIsGiven) {
  std::string endless;
  for (int i = 0; i < 30'000; ++i) endless += "&\u00e4";
  RolloutSpec spec = checkout_to_eu();
  spec.ns = spec.service = spec.target = spec.candidate = spec.by = endless;
  spec.policy = {endless, endless, endless, endless, endless, endless,
                 endless, endless, endless, endless, endless, endless};
  for (int i = 0; i < 100; ++i)
    spec.links["link" + std::to_string(i)] = "https://h/" + std::string(350, 'x');
  spec.links["a"] = "https://h/" + endless;
  Notice notice = rolling_back();
  notice.summary = notice.reason = notice.condition = notice.rule = notice.by = endless;
  notice.question = "q1";
  const json message = render(spec, notice);

  const auto length = [](const json& text) {
    std::size_t count = 0;
    for (const char c : text.get<std::string>())
      count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    return count;
  };
  EXPECT_LE(length(message["text"]), 4000U);
  std::size_t together = 0;
  for (const json& block : message["attachments"][0]["blocks"]) {
    if (block.contains("text")) {
      EXPECT_LE(length(block["text"]["text"]), 3000U);
      together += length(block["text"]["text"]);
    }
    if (block.contains("fields")) {
      EXPECT_LE(block["fields"].size(), 10U);
      for (const json& field : block["fields"]) {
        EXPECT_LE(length(field["text"]), 2000U);
        together += length(field["text"]);
      }
    }
    if (block.contains("elements")) {
      EXPECT_LE(length(block["elements"][0]["text"]), 2000U);
      together += length(block["elements"][0]["text"]);
    }
  }
  EXPECT_LE(together, 13'000U);
  EXPECT_THAT(message.dump(), HasSubstr("http://rollwatch.example.net/rollouts/ro_01jg|Rollout"))
      << "the links survive";
  EXPECT_THAT(message["text"].get<std::string>(), HasSubstr("\u2026"));
}

TEST(Slack, WhatConcernsManyRolloutsIsAboutNoneOfThem) {
  Notice notice;
  notice.event = EventType::kPaused;
  notice.at = SysTime{Millis{1'767'323'045'678}};
  notice.subject = "datasource default";
  notice.datasource = "default";
  notice.summary =
      "datasource default gives no answers: it says <!channel> & more; checkout 1.24 waits for it";
  EXPECT_EQ(
      slack_message(checkout_to_eu(), notice, "http://rollwatch.example.net"),
      R"j({"text":"datasource default gives no answers: it says &lt;!channel&gt; &amp; more; checkout 1.24 waits for it",)j"
      R"j("unfurl_links":false,"unfurl_media":false,"attachments":[{"color":"#ecb22e",)j"
      R"j("fallback":"datasource default gives no answers: it says &lt;!channel&gt; &amp; more; checkout 1.24 waits for it",)j"
      R"j("blocks":[{"type":"section","text":{"type":"mrkdwn","text":":warning: *datasource default* gives no answers: )j"
      R"j(it says &lt;!channel&gt; &amp; more; checkout 1.24 waits for it"}},)j"
      R"j({"type":"section","text":{"type":"mrkdwn","text":"<http://rollwatch.example.net/?state=active|Rollouts>"}},)j"
      R"j({"type":"context","elements":[{"type":"mrkdwn","text":"2026-01-02T03:04:05.678Z"}]}]}]})j");
  struct Row {
    EventType event;
    const char* datasource;
    const char* emoji;
    const char* color;
  };
  const Row rows[] = {
      {EventType::kNote, "default", ":warning:", "#ecb22e"},
      {EventType::kReminder, "default", ":bell:", "#ecb22e"},
      {EventType::kResumed, "default", ":white_check_mark:", "#2eb67d"},
      {EventType::kFrozen, "", ":snowflake:", "#ecb22e"},
      {EventType::kThawed, "", ":sunny:", "#3b82f6"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(name_of(row.event));
    notice.event = row.event;
    notice.datasource = row.datasource;
    const json message = render(checkout_to_eu(), notice)["attachments"][0];
    EXPECT_EQ(message["color"], row.color);
    EXPECT_THAT(message["blocks"][0]["text"]["text"].get<std::string>(),
                HasSubstr(std::string(row.emoji) + " *datasource default* gives"));
  }
  notice.subject = "<!here>";  // not how the sentence begins
  EXPECT_THAT(render(checkout_to_eu(), notice)["attachments"][0]["blocks"][0]["text"]["text"],
              ":sunny: " + std::string(render(checkout_to_eu(), notice)["text"]));
}

TEST(Slack, AFreezeOfAServiceLinksToItsRollouts) {
  RolloutSpec spec = checkout_to_eu();
  spec.ns = "pay & ship";
  spec.service = "check=out";
  Notice notice;
  notice.event = EventType::kFrozen;
  const auto link_of = [&](const char* subject) {
    notice.subject = subject;
    notice.summary = notice.subject + " by ana; all of it stands still";
    return render(spec, notice)["attachments"][0]["blocks"][1]["text"]["text"].get<std::string>();
  };
  const std::string all = "<http://rollwatch.example.net/?state=active";
  EXPECT_EQ(link_of("pay & ship/check=out is frozen"),
            all + "&amp;namespace=pay%20%26%20ship&amp;service=check%3Dout|Rollouts>");
  EXPECT_EQ(link_of("everything is frozen"), all + "|Rollouts>");
  notice.event = EventType::kThawed;
  EXPECT_THAT(link_of("pay & ship/check=out is no longer frozen"), HasSubstr("service="));
}

}  // namespace
}  // namespace rollwatch
