// From the words of a command line to the request that is sent.
#include "daemon/cli/arguments.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/cli/help.h"
#include "daemon/cli/requests.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

Invocation parsed(const Words& words) {
  auto call = parse_arguments(words);
  if (!call) {
    ADD_FAILURE() << call.error().message;
    return parsed({"help"});
  }
  return std::move(call).value();
}

TEST(Arguments, RefusesWhatItDoesNotUnderstand) {
  struct Row {
    const char* name;
    Words words;
    const char* message;
  };
  const Row rows[] = {
      {"mistyped verb", {"promte", "ro_1"}, "no verb 'promte'; did you mean 'promote'?"},
      {"unknown verb", {"deploy"}, "no verb 'deploy'"},
      {"mistyped flag",
       {"start", "--servce", "x"},
       "start has no flag --servce; did you mean '--service'?"},
      {"unknown flag", {"status", "ro_1", "--colour"}, "status has no flag --colour"},
      {"another verb's flag", {"status", "ro_1", "--reason=x"}, "status has no flag --reason"},
      {"flag of a verb before it",
       {"--sever", "x", "list"},
       "no flag --sever before the verb; did you mean '--server'?"},
      {"short flag", {"list", "-n", "3"}, "no flag '-n'; flags are written --name"},
      {"no id", {"wait"}, "wait needs the ID of a rollout"},
      {"empty id", {"wait", ""}, "ID is empty"},
      {"two ids", {"wait", "ro_1", "ro_2"}, "wait does not take 'ro_2'"},
      {"word for a verb without one", {"list", "ro_1"}, "list does not take 'ro_1'"},
      {"required flag", {"start", "--candidate", "2"}, "start needs --service NAME"},
      {"no value at the end",
       {"wait", "ro_1", "--timeout"},
       "--timeout needs a value: --timeout TIME"},
      {"a flag for a value",
       {"pause", "ro_1", "--reason", "--by", "a"},
       "--reason needs a value: --reason TEXT"},
      {"value for a switch", {"promote", "ro_1", "--yes=1"}, "--yes takes no value"},
      {"empty value", {"pause", "ro_1", "--reason="}, "--reason is empty"},
      {"given twice", {"pause", "ro_1", "--by=a", "--by=b"}, "--by is given twice"},
      {"no duration",
       {"wait", "ro_1", "--timeout", "soon"},
       "--timeout needs a time such as 30s, 5m or 1h30m, not 'soon'"},
      {"no number", {"list", "--limit", "1x"}, "--limit needs a number from 1 on, not '1x'"},
      {"no pair", {"list", "--label", "tier"}, "--label needs NAME=VALUE, not 'tier'"},
      {"pair without a name", {"list", "--label", "=web"}, "--label needs NAME=VALUE, not '=web'"},
      {"no JSON object", {"start", "--analysis", "[1]"}, "--analysis needs a JSON object"},
      {"unknown output",
       {"list", "--output", "yaml"},
       "list cannot answer --output yaml; it knows table and json and jsonl"},
      {"output of other verbs",
       {"status", "ro_1", "--output", "jsonl"},
       "status cannot answer --output jsonl; it knows table and json"},
  };
  for (const Row& row : rows) {
    const auto call = parse_arguments(row.words);
    ASSERT_FALSE(call.has_value()) << row.name;
    EXPECT_EQ(call.error().message, row.message) << row.name;
  }
}

TEST(Arguments, CommonFlagsStandAnywhere) {
  const Invocation call = parsed({"--server=http://h:1", "list", "--output", "json"});
  EXPECT_EQ(call.text("server"), "http://h:1");
  EXPECT_EQ(call.output, Output::kJson);
  EXPECT_EQ(parsed({"wait", "--timeout", "1h30m", "ro_1"}).duration("timeout"),
            std::chrono::minutes(90));
  EXPECT_EQ(parsed({"wait", "--", "--odd-id"}).positional, "--odd-id");
}

TEST(Arguments, HelpNeedsNothingElse) {
  EXPECT_EQ(parsed({}).verb->name, "help");
  EXPECT_TRUE(parsed({"--help"}).wants_help);
  const Invocation call = parsed({"start", "--help"});
  EXPECT_TRUE(call.wants_help);
  EXPECT_EQ(call.verb->name, "start");
  EXPECT_TRUE(parsed({"wait", "-h"}).wants_help);
}

TEST(Arguments, HelpNamesEveryVerbAndFlagOfTheTable) {
  const std::string overview = overview_help();
  for (const Verb& verb : all_verbs()) {
    EXPECT_NE(overview.find(verb.help), std::string::npos) << verb.name;
    const std::string help = verb_help(verb);
    for (const Flag& flag : verb.flags) {
      EXPECT_NE(help.find("--" + std::string(flag.name)), std::string::npos)
          << verb.name << flag.name;
    }
  }
}

TEST(Requests, StartSendsTheFlagsUnderTheJsonFieldsNames) {
  const Request request = start_request(parsed({"start",
                                                "--namespace",
                                                "payments",
                                                "--service",
                                                "checkout",
                                                "--target",
                                                "eu-1",
                                                "--stable",
                                                "1.23",
                                                "--candidate",
                                                "1.24",
                                                "--policy",
                                                "http",
                                                "--policy",
                                                "slo",
                                                "--labels",
                                                "tier=web",
                                                "--labels",
                                                "team=a=b",
                                                "--args",
                                                "path=/pay",
                                                "--links",
                                                "change=https://c",
                                                "--orchestrator",
                                                "deployer",
                                                "--notify",
                                                "releases",
                                                "--by",
                                                "ci@1",
                                                "--attempt",
                                                "2",
                                                "--observe",
                                                "--analysis",
                                                R"({"interval":"15s"})",
                                                "--idempotency-key",
                                                "k1",
                                                "--wait"}),
                                        "anna@host");
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/rollouts");
  EXPECT_EQ(json::parse(request.body), json::parse(R"({
    "namespace": "payments", "service": "checkout", "target": "eu-1", "stable": "1.23",
    "candidate": "1.24", "policy": ["http", "slo"], "labels": {"tier": "web", "team": "a=b"},
    "args": {"path": "/pay"}, "links": {"change": "https://c"}, "orchestrator": "deployer",
    "notify": ["releases"], "by": "ci@1", "attempt": 2, "observe": true,
    "analysis": {"interval": "15s"}})"));
  ASSERT_EQ(request.headers.size(), 1U);
  EXPECT_EQ(request.headers[0], std::pair(std::string("Idempotency-Key"), std::string("k1")));
  EXPECT_TRUE(request.repeatable);
}

TEST(Requests, StartSendsNothingThatWasNotSaid) {
  const Request request = start_request(
      parsed({"start", "--service", "checkout", "--candidate", "1.24", "--policy", "http"}),
      "anna@host");
  EXPECT_EQ(
      json::parse(request.body),
      json::parse(R"({"service":"checkout","candidate":"1.24","policy":"http","by":"anna@host"})"));
  EXPECT_TRUE(request.headers.empty());
  EXPECT_FALSE(request.repeatable);
}

TEST(Requests, ReadsAskTheRightPlaces) {
  struct Row {
    const char* name;
    Request request;
    const char* target;
  };
  const Row rows[] = {
      {"list", list_request(parsed({"list"}), 50, ""), "/rollouts?limit=50"},
      {"list with filters",
       list_request(parsed({"list", "--state", "active", "--namespace=a b", "--label", "tier=web&x",
                            "--label", "team=shop", "--limit", "3"}),
                    3, "c/1"),
       "/rollouts?state=active&namespace=a%20b&label.tier=web%26x&label.team=shop&limit=3&cursor=c%"
       "2F1"},
      {"rollout", rollout_request("ro_1"), "/rollouts/ro_1"},
      {"an id cannot leave its place", rollout_request("../x?y"), "/rollouts/..%2Fx%3Fy"},
      {"first page", page_request("ro_1", "/events", ""), "/rollouts/ro_1/events"},
      {"next page", page_request("ro_1", "/events", "c2"), "/rollouts/ro_1/events?cursor=c2"},
      {"verdict at once", verdict_request("ro_1", "", std::chrono::seconds(30)),
       "/rollouts/ro_1/verdict"},
      {"verdict later", verdict_request("ro_1", "\"7\"", std::chrono::seconds(30)),
       "/rollouts/ro_1/verdict?wait=30s"},
      {"explain", explain_request(parsed({"explain", "ro_1"})), "/rollouts/ro_1/explain"},
      {"explain an earlier one", explain_request(parsed({"explain", "ro_1", "--decision", "d1"})),
       "/rollouts/ro_1/explain?decision=d1"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(row.request.method, "GET") << row.name;
    EXPECT_EQ(row.request.target, row.target) << row.name;
    EXPECT_TRUE(row.request.repeatable) << row.name;
  }
}

TEST(Requests, WaitingTakesLongerThanTheServerWaits) {
  const Request request = verdict_request("ro_1", "\"7\"", std::chrono::seconds(30));
  ASSERT_EQ(request.headers.size(), 1U);
  EXPECT_EQ(request.headers[0].second, "\"7\"");
  EXPECT_GT(request.timeout, std::chrono::seconds(30));
}

TEST(Requests, EveryDecisionIsPostedUnderItsName) {
  for (const char* verb : {"advance", "promote", "pause", "resume", "rollback", "cancel"}) {
    const Request request =
        decision_request(parsed({verb, "ro_1", "--question", "q1"}), "it hurts", "anna@host");
    EXPECT_EQ(request.method, "POST") << verb;
    EXPECT_EQ(request.target, std::string("/rollouts/ro_1/") + verb);
    EXPECT_EQ(json::parse(request.body),
              json::parse(R"({"reason": "it hurts", "by": "anna@host", "question": "q1"})"))
        << verb;
  }
}

// What was to be redelivered was sent to a second server although the first may have done it, and
// the answer told of a conflict.
TEST(Requests, WhatCountsIsNotSentTwice) {
  const std::string who = "anna@host";
  const SysTime now{};
  const std::vector<Request> counting{
      decision_request(parsed({"advance", "ro_1"}), "", who),
      label_request(parsed({"label", "ro_1", "wrong", "--reason", "x"}), who),
      redeliver_request(parsed({"deliveries", "redeliver", "ord_1"}), who),
      notify_test_request(parsed({"notify", "test", "releases"}), who),
      freeze_request(parsed({"freeze", "shop/cart", "--lift"}), "", who, now).value()};
  for (const Request& request : counting) EXPECT_FALSE(request.repeatable) << request.target;
  EXPECT_TRUE(freeze_request(parsed({"freeze", "shop/cart"}), "", who, now)->repeatable)
      << "the second says the same";
}

TEST(Requests, ByOutranksWhoIsLoggedIn) {
  const Request request =
      decision_request(parsed({"pause", "ro_1", "--by", "bot"}), "r", "anna@host");
  EXPECT_EQ(json::parse(request.body).at("by"), "bot");
}

constexpr SysTime kNoon{Millis{1'767'355'200'000}};  // 2026-01-02T12:00:00Z

TEST(Requests, ExtendSaysByHowMuch) {
  const Request request =
      decision_request(parsed({"extend", "ro_1", "--for", "10m", "--question=q1"}), "slow", "ann");
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/rollouts/ro_1/extend");
  EXPECT_EQ(json::parse(request.body),
            json({{"for", "10m"}, {"reason", "slow"}, {"by", "ann"}, {"question", "q1"}}));
  EXPECT_EQ(parse_arguments({"extend", "ro_1"}).error().message, "extend needs --for TIME");
}

TEST(Requests, AFreezeIsPutAndLifted) {
  struct Row {
    Words words;
    const char* request;
    json body;
  };
  const Row rows[] = {
      {{"freeze", "payments/check out"},
       "PUT /services/payments/check%20out/freeze",
       {{"reason", "why"}, {"by", "ann"}}},
      {{"freeze", "checkout", "--by", "ben"},
       "PUT /services/default/checkout/freeze",
       {{"reason", "why"}, {"by", "ben"}}},
      {{"freeze", "a/b/c"}, "PUT /services/a/b%2Fc/freeze", {{"reason", "why"}, {"by", "ann"}}},
      {{"freeze", "--all", "--for", "2h"},
       "PUT /freeze",
       {{"reason", "why"}, {"by", "ann"}, {"until", "2026-01-02T14:00:00.000Z"}}},
      {{"freeze", "--all", "--until", "2026-01-02T18:00:00+01:00"},
       "PUT /freeze",
       {{"reason", "why"}, {"by", "ann"}, {"until", "2026-01-02T17:00:00.000Z"}}},
      {{"freeze", "--lift", "a/b"},
       "DELETE /services/a/b/freeze",
       {{"reason", "why"}, {"by", "ann"}}},
      {{"freeze", "--lift", "--all"}, "DELETE /freeze", {{"reason", "why"}, {"by", "ann"}}},
  };
  for (const Row& row : rows) {
    const auto request = freeze_request(parsed(row.words), "why", "ann", kNoon);
    ASSERT_TRUE(request.has_value()) << request.error();
    EXPECT_EQ(request->method + " " + request->target, row.request);
    EXPECT_EQ(json::parse(request->body), row.body) << row.request;
  }
}

TEST(Requests, AFreezeThatIsNotClearIsRefused) {
  struct Row {
    Words words;
    const char* message;
  };
  const Row rows[] = {
      {{"freeze"}, "freeze needs a NAMESPACE/SERVICE, or --all for everything"},
      {{"freeze", "--lift"}, "freeze needs a NAMESPACE/SERVICE, or --all for everything"},
      {{"freeze", "a/b", "--all"}, "freeze takes 'a/b' or --all, not both"},
      {{"freeze", "/b"}, "'/b' is no NAMESPACE/SERVICE"},
      {{"freeze", "a/"}, "'a/' is no NAMESPACE/SERVICE"},
      {{"freeze", "a/b", "--until=2026-01-02T18:00:00Z", "--for=1h"},
       "freeze takes --until or --for, not both"},
      {{"freeze", "a/b", "--until=tonight"},
       "--until needs a time such as 2026-01-02T18:00:00Z, not 'tonight'"},
      {{"freeze", "a/b", "--lift", "--for=1h"},
       "--lift ends it now: it takes neither --until nor --for"},
  };
  for (const Row& row : rows) {
    const auto request = freeze_request(parsed(row.words), "why", "ann", kNoon);
    ASSERT_FALSE(request.has_value()) << row.message;
    EXPECT_EQ(request.error(), row.message);
  }
}

}  // namespace
}  // namespace rollwatch
