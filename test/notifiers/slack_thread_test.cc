// A rollout's thread in Slack: what is called next, what the answers mean, where things are told.
#include "notifiers/slack_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "notifiers/slack.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

RolloutSpec shop() {
  RolloutSpec spec;
  spec.id = "ro_01jg";
  spec.service = "shop";
  spec.candidate = "1.24";
  return spec;
}

Notice notice_about(EventType event, std::string summary) {
  Notice notice;
  notice.event = event;
  notice.by = "engine";
  notice.summary = std::move(summary);
  return notice;
}

Notice rolling_back_now() {
  Notice notice =
      notice_about(EventType::kDecided, "rollback: error-rate 0.083 > 0.05, 3 of the last 3");
  notice.kind = "rollback";
  notice.state = "rolling_back";
  return notice;
}

Standing standing_at(unsigned number) {
  Standing standing;
  standing.number = number;
  standing.state = "analyzing";
  return standing;
}

// One notification played against Slack's answers: each call is told as a line, and answered with
// the next word of `answers`, then "ok".
class Conversation {
 public:
  std::vector<std::string> tell(const Notice& notice, std::optional<Standing> standing,
                                const std::string& id, std::vector<std::string> answers = {},
                                bool is_outdated = false) {
    const RolloutSpec spec = shop();
    const SlackNews news{spec, notice, standing, id, channel, "http://rollwatch", is_outdated};
    SlackProgress progress;
    std::vector<std::string> calls;
    while (const auto call = next_call(thread, news, progress)) {
      const std::string word =
          calls.size() < answers.size() ? answers[calls.size()] : std::string("ok");
      calls.push_back(line(*call));
      bodies.push_back(call->body);
      if (word == "ok") {
        const SlackAnswer answer{true, true, "", "C1", "ts" + std::to_string(++posted_)};
        succeeded(thread, progress, news, call->kind, answer);
      } else if (!goes_on_after(thread, progress, call->kind, fate_of(word))) {
        calls.emplace_back("ends: " + word);
        break;
      }
      if (calls.size() > 6) break;
    }
    return calls;
  }

  std::string channel = "#releases";
  SlackThread thread;
  std::vector<std::string> bodies;

 private:
  static std::string line(const SlackCall& call) {
    const json body = json::parse(call.body);
    std::string line = call.method == "chat.update" ? "edit " : "post ";
    line += body["channel"].get<std::string>();
    if (body.contains("ts")) line += " " + body["ts"].get<std::string>();
    if (body.contains("thread_ts")) line += " below " + body["thread_ts"].get<std::string>();
    if (body.value("reply_broadcast", false)) line += " and in the channel";
    return line;
  }
  int posted_ = 0;
};

const Notice kStartedNotice = notice_about(EventType::kStarted, "started");
const Notice kStep = notice_about(EventType::kStepBegan, "step 2 of 3 began at 25 %");

TEST(SlackThread, OneMessageForARolloutThatGoesWell) {
  Conversation slack;
  EXPECT_THAT(slack.tell(kStartedNotice, standing_at(1), "no_1"), ElementsAre("post #releases"));
  EXPECT_THAT(slack.tell(kStep, standing_at(4), "no_2"),
              ElementsAre("edit C1 ts1", "post C1 below ts1"));
  EXPECT_THAT(slack.tell(notice_about(EventType::kPromoted, "promoted"), standing_at(9), "no_3"),
              ElementsAre("edit C1 ts1"));
}

TEST(SlackThread, OneMoreForARollback) {
  Conversation slack;
  slack.tell(kStartedNotice, standing_at(1), "no_1");
  EXPECT_THAT(slack.tell(rolling_back_now(), standing_at(2), "no_2"),
              ElementsAre("edit C1 ts1", "post C1 below ts1 and in the channel"));
  EXPECT_THAT(
      slack.tell(notice_about(EventType::kRolledBack, "rolled back"), standing_at(3), "no_3"),
      ElementsAre("edit C1 ts1"));
}

TEST(SlackThread, TheFirstMessageIsNotSaidTwiceInTheChannel) {
  Conversation slack;
  EXPECT_THAT(slack.tell(rolling_back_now(), standing_at(2), "no_1"),
              ElementsAre("post #releases", "post C1 below ts1"));
}

TEST(SlackThread, AnOlderStateNeverReplacesANewerOne) {
  Conversation slack;
  slack.tell(kStartedNotice, standing_at(5), "no_1");
  EXPECT_THAT(slack.tell(kStep, standing_at(4), "no_0"), ElementsAre("post C1 below ts1"));
  EXPECT_THAT(slack.tell(kStartedNotice, standing_at(5), "no_2"), ElementsAre());
  EXPECT_EQ(slack.thread.shown, 5U);
}

TEST(SlackThread, AnEditThatANewerOneFollowsIsDropped) {
  Conversation slack;
  slack.tell(kStartedNotice, standing_at(1), "no_1");
  EXPECT_THAT(slack.tell(kStep, standing_at(2), "no_2", {}, true),
              ElementsAre("post C1 below ts1"));
  EXPECT_EQ(slack.thread.shown, 1U);
}

TEST(SlackThread, ARootThatIsGoneIsPostedAgain) {
  for (const char* word : {"message_not_found", "cant_update_message", "edit_window_closed"}) {
    SCOPED_TRACE(word);
    Conversation slack;
    slack.tell(kStartedNotice, standing_at(1), "no_1");
    EXPECT_THAT(slack.tell(kStep, standing_at(2), "no_2", {word}),
                ElementsAre("edit C1 ts1", "post #releases", "post C1 below ts2"));
    EXPECT_THAT(slack.tell(kStep, standing_at(3), "no_3"),
                ElementsAre("edit C1 ts2", "post C1 below ts2"));
  }
  Conversation slack;
  slack.tell(kStartedNotice, standing_at(1), "no_1");
  EXPECT_THAT(
      slack.tell(rolling_back_now(), standing_at(1), "no_2", {"thread_not_found"}),
      ElementsAre("post C1 below ts1 and in the channel", "post #releases", "post C1 below ts2"))
      << "the new root is in the channel already";
}

TEST(SlackThread, AnEditNotToSlacksLikingDoesNotSwallowTheReply) {
  Conversation slack;
  slack.tell(kStartedNotice, standing_at(1), "no_1");
  EXPECT_THAT(slack.tell(rolling_back_now(), standing_at(2), "no_2", {"invalid_blocks"}),
              ElementsAre("edit C1 ts1", "post C1 below ts1 and in the channel"));
  EXPECT_EQ(slack.thread.shown, 1U) << "the next edit says it";
}

TEST(SlackThread, WhatEndsAnAttempt) {
  Conversation slack;
  EXPECT_THAT(slack.tell(kStep, standing_at(1), "no_1", {"not_in_channel"}),
              ElementsAre("post #releases", "ends: not_in_channel"));
  EXPECT_EQ(slack.thread, SlackThread());
  slack.tell(kStartedNotice, standing_at(1), "no_2");
  EXPECT_THAT(slack.tell(kStep, standing_at(2), "no_3", {"internal_error"}),
              ElementsAre("edit C1 ts1", "ends: internal_error"));
  EXPECT_THAT(slack.tell(kStep, standing_at(2), "no_3", {"ok", "invalid_blocks"}),
              ElementsAre("edit C1 ts1", "post C1 below ts1", "ends: invalid_blocks"));
  EXPECT_THAT(slack.tell(kStep, standing_at(2), "no_3"), ElementsAre("post C1 below ts1"))
      << "what was done of it is not done again";
}

TEST(SlackThread, AnotherChannelMeansAnotherRoot) {
  Conversation slack;
  slack.tell(kStartedNotice, standing_at(1), "no_1");
  slack.channel = "#elsewhere";
  EXPECT_THAT(slack.tell(kStep, standing_at(2), "no_2"),
              ElementsAre("post #elsewhere", "post C1 below ts2"));
}

TEST(SlackThread, WhatConcernsManyRolloutsIsInNobodysThread) {
  Conversation slack;
  slack.tell(kStartedNotice, standing_at(1), "no_1");
  Notice silence = notice_about(EventType::kPaused, "datasource default gives no answers");
  silence.subject = "datasource default";
  EXPECT_THAT(slack.tell(silence, std::nullopt, "no_2"), ElementsAre("post #releases"));
  EXPECT_EQ(json::parse(slack.bodies.back())["text"], "datasource default gives no answers");
  EXPECT_EQ(slack.thread.ts, "ts1");
  EXPECT_THAT(slack.tell(kStep, std::nullopt, "no_3"), ElementsAre("post #releases"))
      << "stored when the notifier was a webhook";
}

TEST(SlackThread, ALineInTheThreadStandsAlone) {
  Conversation slack;
  slack.tell(kStartedNotice, standing_at(1), "no_1");
  slack.tell(kStep, standing_at(1), "no_2");
  EXPECT_EQ(json::parse(slack.bodies.back())["text"],
            ":arrow_up: shop 1.24: step 2 of 3 began at 25 %");
  Notice advance = notice_about(EventType::kDecided, "advance: <!channel> & more");
  advance.by = "ana";
  slack.tell(advance, standing_at(1), "no_3");
  EXPECT_EQ(json::parse(slack.bodies.back())["text"],
            ":bust_in_silhouette: shop 1.24: advance: &lt;!channel&gt; &amp; more (ana)");
  Notice paused = notice_about(EventType::kPaused, "paused: pause by ana: lunch");
  paused.by = "ana";
  slack.tell(paused, standing_at(1), "no_4");
  EXPECT_THAT(slack.bodies.back(), Not(HasSubstr("(ana)"))) << "she is named already";
  slack.tell(rolling_back_now(), standing_at(1), "no_5");
  const json broadcast = json::parse(slack.bodies.back());
  EXPECT_EQ(broadcast["text"],
            "shop 1.24: rolling back: error-rate 0.083 &gt; 0.05, 3 of the last 3");
  EXPECT_EQ(broadcast["attachments"][0]["color"], "#e01e5a");
  EXPECT_EQ(broadcast["unfurl_links"], false);
}

TEST(SlackThread, IsRememberedAsText) {
  const SlackThread thread{"#releases", "C1", "1503435956.000247", 7, "no_1"};
  EXPECT_EQ(slack_thread(to_text(thread)), thread);
  EXPECT_EQ(slack_thread(std::nullopt), SlackThread());
  for (const char* text : {"", "{", "[]", "{\"ts\":\"1\"}", "{\"ts\":\"1\",\"shown\":\"x\"}"}) {
    EXPECT_EQ(slack_thread(std::string(text)), SlackThread()) << text;
  }
}

TEST(SlackThread, WhereThingsAreTold) {
  struct Row {
    const char* name;
    Notice notice;
    SlackPlace place;
  };
  const auto with = [](EventType event, const std::function<void(Notice&)>& change) {
    Notice notice = notice_about(event, "");
    change(notice);
    return notice;
  };
  const Row rows[] = {
      {"paused by the engine asks somebody", notice_about(EventType::kPaused, ""),
       SlackPlace::kChannel},
      {"paused by a person", with(EventType::kPaused, [](Notice& n) { n.by = "ana"; }),
       SlackPlace::kThread},
      {"a reminder", notice_about(EventType::kReminder, ""), SlackPlace::kChannel},
      {"a rollback that failed", notice_about(EventType::kRollbackFailed, ""),
       SlackPlace::kChannel},
      {"a rollback that would have been",
       with(EventType::kDecided,
            [](Notice& n) {
              n.kind = "rollback";
              n.state = "analyzing";
            }),
       SlackPlace::kThread},
      {"an approval is asked for", with(EventType::kNote, [](Notice& n) { n.question = "q1"; }),
       SlackPlace::kChannel},
      {"a note", notice_about(EventType::kNote, ""), SlackPlace::kThread},
      {"a failed condition that nothing follows from",
       with(EventType::kConditionFailed, [](Notice& n) { n.is_news = true; }),
       SlackPlace::kChannel},
      {"a failed condition", notice_about(EventType::kConditionFailed, ""), SlackPlace::kThread},
      {"still bad after the rollback", notice_about(EventType::kStillBad, ""),
       SlackPlace::kChannel},
      {"recovered", notice_about(EventType::kRecovered, ""), SlackPlace::kThread},
      {"an order that was refused", notice_about(EventType::kOrderRefused, ""),
       SlackPlace::kThread},
      {"promoted", notice_about(EventType::kPromoted, ""), SlackPlace::kRoot},
  };
  for (const Row& row : rows) EXPECT_EQ(place_of(row.notice), row.place) << row.name;
}

TEST(SlackWords, WhatAnswersMean) {
  struct Row {
    const char* name;
    int status;
    const char* body;
    const char* retry_after;
    ReplyEnd end;
    const char* note;
    int wait_seconds;  // -1: none asked for
  };
  const Row rows[] = {
      {"done", 200, R"({"ok":true,"channel":"C1","ts":"1.2"})", nullptr, ReplyEnd::kDone, "", -1},
      {"no such channel", 200, R"({"ok":false,"error":"channel_not_found"})", nullptr,
       ReplyEnd::kRefused,
       "Slack says channel_not_found: check `channel`; a private one must have the app invited",
       -1},
      {"not invited", 200, R"({"ok":false,"error":"not_in_channel"})", nullptr, ReplyEnd::kRefused,
       "Slack says not_in_channel: invite the app to the channel", -1},
      {"a bad payload", 200, R"({"ok":false,"error":"msg_blocks_too_long"})", nullptr,
       ReplyEnd::kRefused, "Slack says msg_blocks_too_long", -1},
      {"Slack's own trouble", 200, R"({"ok":false,"error":"internal_error"})", nullptr,
       ReplyEnd::kRetry, "Slack says internal_error", -1},
      {"a word nobody knows", 200, R"({"ok":false,"error":"new_word"})", nullptr, ReplyEnd::kRetry,
       "Slack says new_word", -1},
      {"no word", 200, R"({"ok":false})", nullptr, ReplyEnd::kRetry, "Slack says no word for it",
       -1},
      {"too many", 429, R"({"ok":false,"error":"ratelimited"})", "3", ReplyEnd::kRetry,
       "Slack says ratelimited", 3},
      {"too many, for how long?", 429, R"({"ok":false,"error":"ratelimited"})", nullptr,
       ReplyEnd::kRetry, "Slack says ratelimited", 30},
      {"too many, without a word", 429, "slow down", "7", ReplyEnd::kRetry, "", 7},
      {"a gateway", 502, "<html>", nullptr, ReplyEnd::kRetry, "", -1},
      {"somebody else's page", 200, "<html>", nullptr, ReplyEnd::kRefused,
       "answered HTTP 200 with something that is not Slack's", -1},
      {"somebody else's 404", 404, "nginx", nullptr, ReplyEnd::kRefused,
       "refused by something that is not Slack", -1},
      {"elsewhere", 302, "", nullptr, ReplyEnd::kRetry, "redirects are not followed", -1},
      {"JSON that is none of Slack's", 200, R"({"status":"ok"})", nullptr, ReplyEnd::kRefused,
       "answered HTTP 200 with something that is not Slack's", -1},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Reply reply{row.status, row.body, std::nullopt};
    if (row.retry_after != nullptr) reply.retry_after = row.retry_after;
    const Ruling ruling = rule_on_slack_api(reply, SysTime{});
    EXPECT_EQ(ruling.end, row.end);
    EXPECT_EQ(ruling.note, row.note);
    const std::optional<Millis> wait =
        row.wait_seconds < 0 ? std::nullopt
                             : std::optional<Millis>(std::chrono::seconds{row.wait_seconds});
    EXPECT_EQ(ruling.retry_after, wait);
  }
}

// The words of the Web API's pages, each in its class.
TEST(SlackWords, Fates) {
  struct Row {
    SlackFate fate;
    std::vector<const char*> words;
  };
  const Row rows[] = {
      {SlackFate::kConfiguration,
       {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired",
        "missing_scope", "channel_not_found", "not_in_channel", "is_archived",
        "restricted_action"}},
      {SlackFate::kPayload,
       {"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long",
        "too_many_attachments", "no_text"}},
      {SlackFate::kGone, {"message_not_found", "cant_update_message", "edit_window_closed"}},
      {SlackFate::kAgain,
       {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable",
        "request_timeout", "never_heard_of", ""}},
  };
  for (const Row& row : rows)
    for (const char* word : row.words) EXPECT_EQ(fate_of(word), row.fate) << word;
}

}  // namespace
}  // namespace rollwatch
