// [notifier.NAME]: what each type takes, what its keys do to each other, and what is said about
// every way to get them wrong. Each key by itself is in section_keys_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/loader.h"
#include "test/config/config_support.h"

namespace rollwatch {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct NotifierRow {
  const char* name;
  const char* text;   // the line in question is the last one
  const char* place;  // "line:column: key"
  const char* message;
};

void expect_notifier_refused(const NotifierRow& row) {
  SCOPED_TRACE(row.name);
  ConfigInMemory config(row.text);
  config.files["secret"] = kGoodSecret;
  EXPECT_THAT(config.errors(), HasSubstr("rollwatch.toml:" + std::string(row.place) + ": "));
  EXPECT_THAT(config.errors(), HasSubstr(row.message));
}

TEST(Notifiers, BadNotifier) {
#define SLACK "[notifier.n]\ntype = 'slack'\nwebhook_url = 'https://h/x'\n"
  const NotifierRow rows[] = {
      {"no type", "[notifier.n]", "1:1: notifier.n",
       "missing key \"type\"; write type = \"slack\", \"webhook\""},
      {"no address", "[notifier.n]\ntype = 'slack'", "1:1: notifier.n",
       "missing key \"token_file\"; give the file that holds the bot token of a Slack app"},
      {"no channel", "[notifier.n]\ntype = 'slack'\ntoken_file = 'secret'", "1:1: notifier.n",
       "missing key \"channel\"; give the channel to post to"},
      {"token and webhook", SLACK "token_file = 'secret'\nchannel = '#x'",
       "3:15: notifier.n.webhook_url", "not both"},
      {"a webhook's channel", SLACK "channel = '#x'", "4:11: notifier.n.channel",
       "belongs to token_file; a webhook's place is chosen in Slack"},
      {"a webhook's API", SLACK "api_url = 'https://h'", "4:11: notifier.n.api_url",
       "belongs to token_file"},
      {"channel with a space", SLACK "channel = '#a b'", "4:11: notifier.n.channel",
       "must be \"#\" and a channel's name"},
      {"bad address", "[notifier.n]\ntype = 'slack'\nwebhook_url_file = 'secret'",
       "3:20: notifier.n.webhook_url_file", "begins with http://"},
      {"no events", SLACK "events = []", "4:10: notifier.n.events", "at least one event"},
      {"event type", SLACK "events = [1]", "4:11: notifier.n.events",
       "there is no event 1; there are registered, started"},
      {"unknown fallback",
       SLACK "fallback = 'm'\n[notifier.mail]\ntype = 'slack'\n"
             "webhook_url = 'https://h/y'",
       "4:12: notifier.n.fallback", "there is no notifier \"m\"; there are mail"},
      {"no other notifier", SLACK "fallback = 'mail'", "4:12: notifier.n.fallback",
       "there is no notifier \"mail\"; add [notifier.mail]"},
      {"itself", SLACK "fallback = 'n'", "4:12: notifier.n.fallback",
       "leads back to itself (n → n); one of them must have no fallback"},
  };
  for (const NotifierRow& row : rows) expect_notifier_refused(row);
#undef SLACK
}

TEST(Notifiers, BadNotifiersOfOtherTypes) {
#define HOOK "[notifier.n]\ntype = 'webhook'\nurl = 'https://h/x'\n"
#define AM "[notifier.n]\ntype = 'alertmanager'\nurl = 'http://h:9093'\n"
#define GRAFANA "[notifier.n]\ntype = 'grafana'\nurl = 'https://g'\n"
  const NotifierRow rows[] = {
      {"webhook without address", "[notifier.n]\ntype = 'webhook'", "1:1: notifier.n",
       "missing key \"url\"; give the address notifications are posted to"},
      {"webhook without key", HOOK, "1:1: notifier.n",
       "missing key \"secret_file\"; notifications are signed"},
      {"a key of Slack's", HOOK "channel = '#x'", "4:1: notifier.n.channel", "unknown key"},
      {"alertmanager without address", "[notifier.n]\ntype = 'alertmanager'", "1:1: notifier.n",
       "missing key \"url\"; give the address of Alertmanager"},
      {"a query", "[notifier.n]\ntype = 'alertmanager'\nurl = 'http://h?a=b'",
       "3:7: notifier.n.url", ""},
      {"two ways to log in",
       AM "bearer_token = 'a'\nbasic_auth = { username = 'u', password = 'p' }",
       "4:16: notifier.n.bearer_token",
       "give one of bearer_token_file, basic_auth and an Authorization header"},
      {"a header that logs in",
       AM "headers = { Authorization = 'x' }\nbasic_auth = { username = 'u', password = 'p' }",
       "5:14: notifier.n.basic_auth", "give one of"},
      {"grafana without token", GRAFANA, "1:1: notifier.n",
       "missing key \"token_file\"; give the file that holds the token of a service account"},
      {"panel of no dashboard", GRAFANA "token = 'glsa_x'\npanel_id = 3",
       "5:12: notifier.n.panel_id", "is of a dashboard; give dashboard_uid too"},
      {"tag", GRAFANA "token = 'glsa_x'\ntags = [1]", "5:9: notifier.n.tags", "must hold strings"},
  };
  for (const NotifierRow& row : rows) expect_notifier_refused(row);
#undef HOOK
#undef AM
#undef GRAFANA
}

TEST(Notifiers, AFallbackMustNotLeadBack) {
  const auto notifier = [](const std::string& name, const std::string& fallback) {
    return "[notifier." + name + "]\ntype = 'slack'\nwebhook_url = 'https://h/x'\n" +
           (fallback.empty() ? "" : "fallback = '" + fallback + "'\n");
  };
  const std::string circle =
      ConfigInMemory(notifier("a", "b") + notifier("b", "c") + notifier("c", "a")).errors();
  for (const char* way : {"(a → b → c → a)", "(b → c → a → b)", "(c → a → b → c)"})
    EXPECT_NE(circle.find(way), std::string::npos) << way << " in " << circle;
  const std::string tail = ConfigInMemory(notifier("a", "b") + notifier("b", "b")).errors();
  EXPECT_NE(tail.find("notifier.b.fallback: leads back to itself (b → b)"), std::string::npos);
  EXPECT_EQ(tail.find("notifier.a.fallback"), std::string::npos) << tail;

  const auto good =
      ConfigInMemory(notifier("a", "b") + notifier("b", "c") + notifier("c", "")).load();
  ASSERT_TRUE(good) << ConfigInMemory::text_of(good.error());
  EXPECT_EQ(good->notifiers.at("a").fallback, "b");
  EXPECT_FALSE(good->notifiers.at("a").is_fallback);
  EXPECT_TRUE(good->notifiers.at("b").is_fallback);
  EXPECT_TRUE(good->notifiers.at("c").is_fallback);
  const auto own =
      ConfigInMemory(notifier("a", "b") + notifier("b", "") + "match = { namespace = 'x' }\n")
          .load();
  ASSERT_TRUE(own);
  EXPECT_FALSE(own->notifiers.at("b").is_fallback) << "it has rollouts of its own";
}

TEST(Notifiers, NotifiersOfEveryType) {
  ConfigInMemory config(R"(
[notifier.hook]
type = "webhook"
url_file = "hook.url"
secret_file = "hook.secret"
old_secret = "@"
format = "cloudevents"
timeout = "2s"
fallback = "oncall"
events = ["rolled_back"]
[notifier.oncall]
type = "alertmanager"
url = "http://127.0.0.1:9093/alertmanager/"
headers = { X-Scope-OrgID = "tenant" }
basic_auth = { username = "u", password = "p" }
events = ["rolling_back"]
match = { "label.tier" = "web" }
[notifier.dashboards]
type = "grafana"
url = "https://grafana.example.net"
token_file = "grafana.token"
dashboard_uid = "abc-1"
panel_id = 3
tags = ["deploys"]
tls = { insecure_skip_verify = true }
)");
  config.files[kMainFile].replace(config.files[kMainFile].find('@'), 1, kGoodSecret);
  config.files["hook.url"] = "https://hooks.example.net/a?b=c\n";
  config.files["hook.secret"] = std::string(kGoodSecret) + "\n";
  config.files["grafana.token"] = "glsa_1\n";
  const auto settings = config.load();
  ASSERT_TRUE(settings) << ConfigInMemory::text_of(settings.error());
  const NotifierSettings& hook = settings->notifiers.at("hook");
  EXPECT_EQ(hook.type, "webhook");
  EXPECT_EQ(hook.url.reveal(), "https://hooks.example.net/a?b=c");
  EXPECT_EQ(hook.secret.reveal(), kGoodSecret);
  EXPECT_EQ(hook.old_secret->reveal(), kGoodSecret);
  EXPECT_TRUE(hook.cloud_events);
  EXPECT_EQ(hook.timeout, 2s);
  EXPECT_EQ(hook.fallback, "oncall");
  const NotifierSettings& oncall = settings->notifiers.at("oncall");
  EXPECT_EQ(oncall.url.reveal(), "http://127.0.0.1:9093/alertmanager");
  EXPECT_EQ(oncall.headers.at("X-Scope-OrgID").reveal(), "tenant");
  EXPECT_EQ(oncall.basic_auth->password.reveal(), "p");
  EXPECT_EQ(oncall.timeout, 10s);
  EXPECT_THAT(oncall.events, testing::ElementsAre("rolling_back"));
  const NotifierSettings& grafana = settings->notifiers.at("dashboards");
  EXPECT_EQ(grafana.token.reveal(), "glsa_1");
  EXPECT_EQ(grafana.dashboard_uid, "abc-1");
  EXPECT_EQ(grafana.panel_id, 3);
  EXPECT_THAT(grafana.tags, testing::ElementsAre("deploys"));
  EXPECT_TRUE(grafana.tls.insecure_skip_verify);
}

}  // namespace
}  // namespace rollwatch
