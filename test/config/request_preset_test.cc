// [orchestrator.NAME] with preset = "request": every key with a wrong type and a wrong value, what
// keys do to each other, and what a whole one becomes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/config/key_table.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr const char* kText = "must be a string in quotes, not ";
constexpr const char* kTable = "must be a table, not ";
constexpr const char* kMissingFile =
    "the file /etc/rw/nowhere cannot be read: no such file or directory";
constexpr const char* kRollback = "rollback = { url = 'http://h/{{service}}' }\n";

std::string request_preset(const std::string& more) {
  return "[orchestrator.o]\npreset = 'request'\nadvance = 'none'\npromote = 'none'\n" + more;
}

TEST(RequestPreset, EveryKey) {
  const char* wrong_kind = "must be a table with method, url and body, or \"none\"";
  expect_every_key_refused(
      {"orchestrator.o",
       "[orchestrator.o]",
       "",
       {{"preset", "'request'"},
        {"advance", "'none'"},
        {"promote", "'none'"},
        {"rollback", "{ url = 'http://h/' }"}}},
      {{"advance", "1", kTable, "'nothing'", wrong_kind},
       {"promote", "1", kTable, "'nothing'", wrong_kind},
       {"rollback", "1", kTable, "'none'", "a rollback that does nothing would be called done"},
       {"pause", "1", kTable, "'nothing'", wrong_kind},
       {"resume", "1", kTable, "'nothing'", wrong_kind},
       {"headers", "1", kTable, "{ X = @'{{x}}' }",
        "there is no variable {{x}}; there are: namespace"},
       {"bearer_token_file", "1", kText, "'nowhere'", kMissingFile},
       {"tls", "1", kTable, "{ ca_file = @'nowhere' }", kMissingFile},
       {"look", "1", kTable, "{ url = 'http://h/x' }",
        "looks for nothing; give it only_if, or an order already"},
       {"allow_addresses", "'169.254.10.5'", "must be a list: allow_addresses = [",
        "[@'169.254.10']", "must hold addresses such as \"169.254.10.5\""},
       {"timeout", "10", "must be a duration in quotes", "'1ms'", "must be at least \"10ms\""},
       {"deadline", "300", "must be a duration in quotes", "'soon'", "not \"soon\""},
       {"rollback_deadline", "true", "must be a duration in quotes", "'8d'",
        "must be at most \"7d\""},
       {"ack_deadline", "[]", "must be a duration in quotes", "'500ms'", "must be at least \"1s\""},
       {"preset", "1", "must be \"webhook\" or \"request\", not ", "'requests'",
        "did you mean \"request\"?"}});
}

TEST(RequestPreset, EveryKeyOfARequest) {
  const std::string before =
      request_preset("look = { url = 'http://h/x', only_if = { '/a' = 1 } }\n");
  expect_every_key_refused(
      {"orchestrator.o.rollback", "[orchestrator.o.rollback]", before},
      {{"method", "1", "must be \"POST\", \"PUT\"", "'post'", "did you mean \"POST\"?"},
       {"url", "1", kText, "'http://{{target}}/x'", "may hold variables only behind the host"},
       {"url_file", "1", kText, "'nowhere'", kMissingFile},
       {"headers", "1", kTable, "{ X = @'{{x}}' }", "there is no variable {{x}}"},
       {"body", "1", "must be a table, a list, or a string of JSON, not ",
        "{ a = [{ b = @'{{servce}}' }] }", "there is no variable {{servce}}"},
       {"already", "1", kTable, "{ @status = 1 }", "must be a JSON pointer into the answer"},
       {"done", "404", "must be a list: done = [409], not ", "[200, @99]",
        "must be HTTP statuses, from 200 to 599"},
       {"refused", "404", "must be a list", "[@'404']", "must be HTTP statuses"},
       {"retry", "404", "must be a list", "[@600]", "must be HTTP statuses"},
       {"wait_for_ack", "1", "must be true or false", nullptr, nullptr}});
}

TEST(RequestPreset, EveryKeyOfALook) {
  expect_every_key_refused(
      {"orchestrator.o.look",
       "[orchestrator.o.look]",
       request_preset(kRollback),
       {{"only_if", "{ '/a' = 1 }"}}},
      {{"url", "1", kText, "'h/x'", "must be a URL that begins with http:// or https://"},
       {"url_file", "1", kText, "'nowhere'", kMissingFile},
       {"only_if", "1", kTable, "{ '/a' = @[1] }", "must be a string, a number or true or false"}});
}

TEST(RequestPreset, WhatDoesNotFitTogether) {
  const struct {
    const char* name;
    std::string text;
    const char* error;
  } rows[] = {
      {"no rollback", request_preset(""),
       "missing key \"rollback\"; give [orchestrator.o.rollback] with method, url and body"},
      {"no advance",
       "[orchestrator.o]\npreset = 'request'\npromote = 'none'\n" + std::string(kRollback),
       "missing key \"advance\"; give [orchestrator.o.advance] with method, url and body, or "
       "\"none\""},
      {"a secret that signs nothing", request_preset(kRollback) + "secret = 'x'\n",
       "orchestrator.o.secret"},
      {"already without a look",
       request_preset("rollback = { url = 'http://h/', already = { '/a' = 1 } }\n"),
       "has already, and nothing is read that could show it; give [orchestrator.o.look] with a "
       "url"},
      {"two authorizations",
       request_preset(std::string(kRollback) +
                      "bearer_token_file = 'token'\nheaders = { authorization = 'x' }\n"),
       "give it or an Authorization header, not both"},
      {"body that is no JSON", request_preset("rollback = { url = 'http://h/', body = '{' }\n"),
       "must be a table, or a string of JSON: "},
      {"body with a date",
       request_preset("rollback = { url = 'http://h/', body = { at = 2026-01-01 } }\n"),
       "must not hold a date"},
      {"template in JSON text",
       request_preset("rollback = { url = 'http://h/', body = '{\"a\":\"{{b}}\"}' }\n"),
       "there is no variable {{b}}"},
      {"empty already",
       request_preset("look = { url = 'http://h/', only_if = {} }\n" + std::string(kRollback)),
       "must say what is to be seen"},
  };
  for (const auto& row : rows) {
    ConfigInMemory config(row.text);
    config.files["token"] = "t\n";
    EXPECT_THAT(config.errors(), HasSubstr(row.error)) << row.name;
  }
}

TEST(RequestPreset, AWholeOne) {
  ConfigInMemory config(R"(
[orchestrator.argo]
preset = "request"
bearer_token_file = "token"
headers = { X-Tenant = "t1", X-Order = "{{order}}" }
tls = { ca_file = "ca.pem" }
timeout = "3s"
advance = "none"

[orchestrator.argo.promote]
method = "PATCH"
url = "https://h/{{namespace}}/{{labels.name}}"
headers = { X-Order = "mine" }
body = '{"status":{"promoteFull":true,"pauseConditions":null}}'
done = [404]

[orchestrator.argo.rollback]
url = "${HOOK}"
body = { status = { abort = true, by = "{{by}}", weight = "{{weight}}" } }
already = { "/status/abort" = true }
wait_for_ack = true

[orchestrator.argo.look]
url = "https://h/{{labels.name}}"
only_if = { "/spec/version" = "{{candidate}}" }
)");
  config.variables["HOOK"] = "https://h/secret?x={{args.x}}";
  config.files["token"] = "t\n";
  config.files["ca.pem"] = "-----BEGIN CERTIFICATE-----\n";
  ASSERT_EQ(config.errors(), "");
  const Settings settings = *config.load();
  const OrchestratorSettings& argo = settings.orchestrators.at("argo");
  EXPECT_EQ(argo.preset, "request");
  EXPECT_EQ(argo.bearer_token_file, "/etc/rw/token");
  EXPECT_EQ(argo.tls.ca_file, "/etc/rw/ca.pem");
  EXPECT_EQ(argo.timeout, Millis{3000});
  EXPECT_THAT(argo.variables, ElementsAre("args.x", "by", "candidate", "labels.name", "namespace",
                                          "order", "weight"));
  ASSERT_EQ(argo.requests.size(), 2U);
  const RequestShape& promote = argo.requests.at("promote");
  EXPECT_EQ(promote.method, "PATCH");
  EXPECT_EQ(promote.body, R"({"status":{"promoteFull":true,"pauseConditions":null}})");
  EXPECT_THAT(promote.done, ElementsAre(404));
  EXPECT_FALSE(promote.url_is_secret);
  std::map<std::string, std::string> headers;
  for (const auto& [name, value] : promote.headers) headers[name] = value.reveal();
  EXPECT_THAT(headers, ElementsAre(Pair("X-Order", "mine"), Pair("X-Tenant", "t1")));
  const RequestShape& rollback = argo.requests.at("rollback");
  EXPECT_EQ(rollback.method, "POST");
  EXPECT_EQ(rollback.url.reveal(), "https://h/secret?x={{args.x}}");
  EXPECT_TRUE(rollback.url_is_secret);
  EXPECT_EQ(rollback.body, R"({"status":{"abort":true,"by":"{{by}}","weight":"{{weight}}"}})");
  EXPECT_EQ(rollback.already, R"({"/status/abort":true})");
  EXPECT_TRUE(rollback.wait_for_ack);
  EXPECT_EQ(argo.look->only_if, R"({"/spec/version":"{{candidate}}"})");
}

}  // namespace
}  // namespace rollwatch
