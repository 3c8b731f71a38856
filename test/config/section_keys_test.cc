// Every key of [server], [store], a datasource, an orchestrator and each type of notifier: a wrong
// type, a wrong value, a misspelt neighbour. What keys do to each other is in loader_test.cc.
#include <gtest/gtest.h>

#include "test/config/key_table.h"

namespace rollwatch {
namespace {

constexpr const char* kNoString = "must be a string in quotes, not ";
constexpr const char* kEmpty = "must not be empty; give a value or leave the key out";
constexpr const char* kNoDuration =
    "must be a duration in quotes, such as \"30s\", \"5m\" or \"1h30m\", not ";
constexpr const char* kNoTable = "must be a table, not ";
constexpr const char* kNoFile =
    "the file /etc/rw/nowhere cannot be read: no such file or directory; give a file that "
    "rollwatchd may read";
constexpr const char* kNoUrl = "must be a URL that begins with http:// or https://";
constexpr const char* kNoAddresses = "must be a list: allow_addresses = [\"169.254.10.5\"], not ";
constexpr const char* kSecretForm =
    "must be \"whsec_\" and the base64 of 24 to 64 random bytes; make one with: echo "
    "\"whsec_$(openssl rand -base64 32)\"";
constexpr const char* kOneLine = "must hold one line without control characters";
constexpr const char* kShortest = "must be at least \"10ms\", not \"1ms\"";
constexpr const char* kNoOrigins =
    "must be a list: cors_origins = [\"https://deploys.example.net\"], not ";
constexpr const char* kDatasourceLines = "[datasource.d]\nurl = 'http://h'\n";
constexpr const char* kNotifierLines =
    "[notifier.n]\ntype = 'slack'\nwebhook_url = 'https://h/x'\n";

TEST(SectionKeys, Server) {
  expect_every_key_refused(
      {"server", "[server]"},
      {{"listen", "9797", kNoString, "'localhost'",
        "must be an address and a port, such as \"127.0.0.1:9797\" or \"[::1]:9797\""},
       {"external_url", "true", kNoString, "'rw.example.net'", kNoUrl},
       {"tls", "true", kNoTable, "{ cert_file = @'nowhere' }", kNoFile},
       {"token", "1", "must be a list: write [[server.token]] above each token's keys, not ",
        "[@1]", "must be a table, not a whole number"},
       {"cors_origins", "'x'", kNoOrigins, "[@'*']", "must name each site: \"*\" would let"},
       {"connections", "'8'", "must be a whole number from 16 to 100000, not a string", "8",
        "must be a whole number from 16 to 100000, not 8"},
       {"rate", "'8'", "must be a whole number from 1 to 1000000, not a string", "0",
        "must be a whole number from 1 to 1000000, not 0"}});
}

TEST(SectionKeys, ServerTls) {
  expect_every_key_refused(
      {"server.tls", "[server.tls]"},
      {{"cert_file", "1", kNoString, "'nowhere'", kNoFile},
       {"key_file", "1", kNoString, "'nowhere'", kNoFile},
       {"client_ca_file", "1", kNoString, "'nowhere'", kNoFile},
       {"client_names", "'x'", "must be a list: client_names = [\"ci.example.net\"], not ", "[@'']",
        "must hold names as they stand in the certificates, not "}});
}

TEST(SectionKeys, Token) {
  expect_every_key_refused(
      {"server.token", "[[server.token]]"},
      {{"name", "1", kNoString, "'a b'", "is no name; use letters, digits"},
       {"sha256", "1", kNoString, "'abc'", "must be the token's SHA-256 as 64 lower-case hex"},
       {"scopes", "'read'", "must be a list: scopes = [\"read\", \"register\"], not ",
        "['read', @'reed']", "\"reed\" is no scope: did you mean \"read\"?"},
       {"namespaces", "'a'", "must be a list: namespaces = [\"payments\"], not ", "[@'a/b']",
        "must hold namespaces, without a slash, not \"a/b\""}});
}

TEST(SectionKeys, Store) {
  expect_every_key_refused(
      {"store", "[store]"},
      {{"url", "['sqlite:x']", kNoString, "'/var/x.db'",
        "must be \"sqlite:\" and the path of a file, such as \"sqlite:/var/lib/rollwatch/"},
       {"url_file", "1", kNoString, "'nowhere'", kNoFile},
       {"retention", "90", kNoDuration, "'1m'", "must be at least \"1h\", not \"1m\""},
       {"thin_after", "7", kNoDuration, "'1m'",
        "must be at least \"1h\", not \"1m\"; or write \"never\" to keep every evaluation"},
       {"lease", "10", kNoDuration, "'1s'", "must be at least \"2s\", not \"1s\""}});
}

TEST(SectionKeys, Datasource) {
  expect_every_key_refused(
      {"datasource.d", "[datasource.d]", "", {{"url", "'http://h'"}}},
      {{"url", "9090", kNoString, "'h:9090'", kNoUrl},
       {"timeout", "10", kNoDuration, "'1h'", "must be at most \"10m\", not \"1h\""},
       {"max_concurrency", "'8'", "must be a whole number from 1 to 1000, not a string", "0",
        "must be a whole number from 1 to 1000, not 0"},
       {"ingestion_delay", "15", kNoDuration, "'2h'", "must be at most \"1h\", not \"2h\""},
       {"headers", "'a: b'", kNoTable, "{ 'X Y' = @'b' }",
        "is no header name; use letters, digits and '-'"},
       {"bearer_token", "1", kNoString, "\"a\\nb\"",
        "must hold one line without control characters"},
       {"bearer_token_file", "1", kNoString, "'nowhere'", kNoFile},
       {"basic_auth", "'u:p'", kNoTable, "{ password = 'p' }",
        "missing key \"username\"; give the name to log in with"},
       {"tls", "true", kNoTable, "{ ca_file = @'nowhere' }", kNoFile}});
}

TEST(SectionKeys, BasicAuth) {
  expect_every_key_refused(
      {"datasource.d.basic_auth", "[datasource.d.basic_auth]", kDatasourceLines},
      {{"username", "1", kNoString, "'a:b'", "must not contain a colon, which ends it"},
       {"password", "1", kNoString, "''", kEmpty},
       {"password_file", "1", kNoString, "'nowhere'", kNoFile}});
}

TEST(SectionKeys, Tls) {
  expect_every_key_refused(
      {"datasource.d.tls", "[datasource.d.tls]", kDatasourceLines},
      {{"ca_file", "1", kNoString, "'nowhere'", kNoFile},
       {"cert_file", "1", kNoString, "'nowhere'", kNoFile},
       {"key_file", "1", kNoString, "'nowhere'", kNoFile},
       {"insecure_skip_verify", "1", "must be true or false, not ", nullptr, nullptr}});
}

TEST(SectionKeys, Orchestrator) {
  expect_every_key_refused(
      {"orchestrator.d", "[orchestrator.d]"},
      {{"url", "8080", kNoString, "'h:8080'", kNoUrl},
       {"url_file", "1", kNoString, "'nowhere'", kNoFile},
       {"secret", "1", kNoString, "'whsec_x'", kSecretForm},
       {"secret_file", "1", kNoString, "'nowhere'", kNoFile},
       {"old_secret", "1", kNoString, "'whsec_x'", kSecretForm},
       {"old_secret_file", "1", kNoString, "'nowhere'", kNoFile},
       {"format", "1", "must be \"standard\" or \"cloudevents\", not ", "'cloudevent'",
        "not \"cloudevent\": did you mean \"cloudevents\"?"},
       {"allow_addresses", "'169.254.10.5'", kNoAddresses, "[@'169.254.10']",
        "must hold addresses such as \"169.254.10.5\" or \"fe80::1\", not \"169.254.10\""},
       {"timeout", "10", kNoDuration, "'1ms'", "must be at least \"10ms\", not \"1ms\""},
       {"deadline", "300", kNoDuration, "'soon'", "not \"soon\""},
       {"rollback_deadline", "true", kNoDuration, "'8d'", "must be at most \"7d\", not \"8d\""},
       {"ack_deadline", "[]", kNoDuration, "'500ms'", "must be at least \"1s\", not \"500ms\""},
       {"preset", "1", "must be \"webhook\" or \"request\", not ", "'webhok'",
        "did you mean \"webhook\"?"}});
}

// What every type has.
std::vector<KeyRow> with_common_rows(std::vector<KeyRow> rows, const char* bad_event,
                                     const char* says_of_event) {
  const KeyRow common[] = {
      {"type", "1", "must be \"slack\", \"webhook\", \"alertmanager\" or \"grafana\", not ",
       "'slak'", "not \"slak\": did you mean \"slack\"?"},
      {"allow_addresses", "true", kNoAddresses, "[@'metadata']",
       "must hold addresses such as \"169.254.10.5\" or \"fe80::1\", not \"metadata\""},
      {"fallback", "1", kNoString, "'nobody'", "there is no notifier \"nobody\""},
      {"match", "'payments'", kNoTable, "{ @servce = 'x' }", "did you mean \"service\"?"},
      {"events", "'paused'", "must be a list: events = [\"paused\", \"rolled_back\"], not ",
       bad_event, says_of_event}};
  rows.insert(rows.end(), std::begin(common), std::end(common));
  return rows;
}
std::vector<KeyRow> with_common_rows(std::vector<KeyRow> rows) {
  return with_common_rows(std::move(rows), "[@'pased']",
                          "there is no event \"pased\": did you mean \"paused\"?");
}

FileTable notifier_of(const char* type) {
  return {"notifier.n", "[notifier.n]", "", {{"type", type}}};
}

TEST(SectionKeys, SlackNotifier) {
  expect_every_key_refused(
      notifier_of("'slack'"),
      with_common_rows(
          {{"webhook_url", "1", kNoString, "'hooks.example.net'", kNoUrl},
           {"webhook_url_file", "1", kNoString, "'nowhere'", kNoFile},
           {"token", "1", kNoString, "\"a\\nb\"", kOneLine},
           {"token_file", "1", kNoString, "'nowhere'", kNoFile},
           {"api_url", "1", kNoString, "'slack.example.net'", kNoUrl},
           {"channel", "1", kNoString, "'releases'",
            "must be \"#\" and a channel's name, or its id, such as \"C0123456789\""}}));
}

TEST(SectionKeys, WebhookNotifier) {
  expect_every_key_refused(
      notifier_of("'webhook'"),
      with_common_rows({{"url", "1", kNoString, "'h/x'", kNoUrl},
                        {"url_file", "1", kNoString, "'nowhere'", kNoFile},
                        {"secret", "1", kNoString, "'whsec_x'", kSecretForm},
                        {"secret_file", "1", kNoString, "'nowhere'", kNoFile},
                        {"old_secret", "1", kNoString, "'whsec_x'", kSecretForm},
                        {"old_secret_file", "1", kNoString, "'nowhere'", kNoFile},
                        {"format", "1", "must be \"standard\" or \"cloudevents\", not ",
                         "'cloudevent'", "did you mean \"cloudevents\"?"},
                        {"tls", "true", kNoTable, "{ ca_file = @'nowhere' }", kNoFile},
                        {"timeout", "10", kNoDuration, "'1ms'", kShortest}}));
}

TEST(SectionKeys, AlertmanagerNotifier) {
  expect_every_key_refused(
      notifier_of("'alertmanager'"),
      with_common_rows({{"url", "9093", kNoString, "'http://h:9093/api/v2/alerts'",
                         "must be the address of Alertmanager itself; /api/v2/alerts is appended"},
                        {"url_file", "1", kNoString, "'nowhere'", kNoFile},
                        {"headers", "'a: b'", kNoTable, "{ 'X Y' = @'b' }",
                         "is no header name; use letters, digits and '-'"},
                        {"bearer_token", "1", kNoString, "\"a\\nb\"", kOneLine},
                        {"bearer_token_file", "1", kNoString, "'nowhere'", kNoFile},
                        {"basic_auth", "'u:p'", kNoTable, "{ password = 'p' }",
                         "missing key \"username\"; give the name to log in with"},
                        {"tls", "true", kNoTable, "{ ca_file = @'nowhere' }", kNoFile},
                        {"timeout", "10", kNoDuration, "'1ms'", kShortest}},
                       "[@'promoted']",
                       "there is no alert of \"promoted\"; there are paused, rolling_back, "
                       "rollback_failed, still_bad"));
}

TEST(SectionKeys, GrafanaNotifier) {
  expect_every_key_refused(
      notifier_of("'grafana'"),
      with_common_rows(
          {{"url", "3000", kNoString, "'https://g/api/annotations'",
            "must be the address of Grafana itself; /api/annotations is appended to it"},
           {"url_file", "1", kNoString, "'nowhere'", kNoFile},
           {"token", "1", kNoString, "\"a\\nb\"", kOneLine},
           {"token_file", "1", kNoString, "'nowhere'", kNoFile},
           {"dashboard_uid", "1", kNoString, "'a/b'", "must be the dashboard's uid, as in"},
           {"panel_id", "'3'", "must be a whole number from 1 to 1000000000, not a string", "0",
            "must be a whole number from 1 to 1000000000, not 0"},
           {"tags", "'deploys'", "must be a list: tags = [\"deploys\"], not ", "[@'']",
            "must hold strings of 1 to 100 bytes, not "},
           {"tls", "true", kNoTable, "{ ca_file = @'nowhere' }", kNoFile},
           {"timeout", "10", kNoDuration, "'11m'", "must be at most \"10m\", not \"11m\""}}));
}

TEST(SectionKeys, Match) {
  expect_every_key_refused({"notifier.n.match", "[notifier.n.match]", kNotifierLines},
                           {{"namespace", "1", kNoString, "''", kEmpty},
                            {"service", "1", kNoString, "''", kEmpty},
                            {"target", "1", kNoString, "''", kEmpty},
                            {"label", "'web'", kNoTable, "{ tier = @'' }", kEmpty}});
}

// Whose keys are names of their own.
TEST(SectionKeys, TablesOfNames) {
  struct Row {
    const char* text;
    std::vector<std::string> said;
  };
  const Row rows[] = {
      {"[datasource.d]\nurl = 'http://h'\nheaders.X = 1",
       {"3:13: datasource.d.headers.X: ", kNoString}},
      {"[datasource.d]\nurl = 'http://h'\nheaders.X = \"a\\nb\"",
       {"3:13: datasource.d.headers.X: ", "must be one line without control characters"}},
      {"[notifier.n]\ntype = 'slack'\nwebhook_url = 'https://h'\nmatch.label.tier = 1",
       {"4:20: notifier.n.match.label.tier: ", kNoString}},
      {"[notifier.n]\ntype = 'slack'\nwebhook_url = 'https://h'\nmatch.'label.tier' = 1",
       {"4:22: notifier.n.match.\"label.tier\": ", kNoString}},
  };
  for (const Row& row : rows) {
    const std::string errors = ConfigInMemory(row.text).errors();
    EXPECT_TRUE(says(errors, row.said)) << row.text << '\n' << errors;
  }
}

TEST(SectionKeys, TheFileItself) {
  expect_every_key_refused(
      {"", ""},
      {{"server", "1", kNoTable, "{ @listn = 'x' }", "did you mean \"listen\"?"},
       {"store", "'sqlite:x'", kNoTable, "{ @urll = 'x' }", "did you mean \"url\"?"},
       {"datasource", "1", kNoTable, "{ url = @'http://h' }", "write [datasource.NAME]"},
       {"orchestrator", "1", kNoTable, "{ url = @'http://h' }", "write [orchestrator.NAME]"},
       {"notifier", "1", kNoTable, "{ type = @'slack' }", "write [notifier.NAME]"},
       {"defaults", "1", kNoTable, "{ @intervall = '1s' }", "did you mean \"interval\"?"},
       {"policy", "1", kNoTable, "{ soak = @'1m' }", "write [policy.NAME]"},
       {"service", "1", kNoTable, "{ @checkout = {} }",
        "must be a namespace and a service, such as [service.\"default/checkout\"]"}});
}

}  // namespace
}  // namespace rollwatch
