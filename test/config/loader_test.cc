// The sections of the configuration: what they mean, and what is said about every way to get them
// wrong.
#include "config/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/config/config_support.h"

namespace rollwatch {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Loader, AnEmptyFileHasTheDefaults) {
  const auto settings = ConfigInMemory("").load();
  ASSERT_TRUE(settings) << ConfigInMemory::text_of(settings.error());
  EXPECT_EQ(settings->file, "/etc/rw/rollwatch.toml");
  EXPECT_EQ(settings->server.listen, "127.0.0.1:9797");
  EXPECT_EQ(settings->server.external_url, "");
  EXPECT_EQ(settings->store.path, "/etc/rw/rollwatch.db");
  EXPECT_EQ(settings->store.retention, 24h * 90);
  EXPECT_EQ(settings->store.thin_after, Millis(24h * 7));
  EXPECT_TRUE(settings->datasources.empty());
  EXPECT_TRUE(settings->warnings.empty());
}

TEST(Loader, ReadsEverySection) {
  ConfigInMemory config(R"(
[server]
listen = "[::1]:0"
external_url = "https://rw.example.net/rollwatch/"
[store]
url = "sqlite:data/history.db"
retention = "30d"
thin_after = "never"
[datasource.default]
url = "http://127.0.0.1:9090/"
[datasource.vm]
url = "https://vm.example.net/select/0/prometheus"
timeout = "3s"
max_concurrency = 2
ingestion_delay = "15s"
headers = { X-Scope-OrgID = "tenant" }
bearer_token_file = "vm.token"
tls = { ca_file = "ca.pem", cert_file = "c.pem", key_file = "c.key", insecure_skip_verify = true }
[datasource.basic]
url = "http://h"
ingestion_delay = "auto"
basic_auth = { username = "u", password = "p" }
[orchestrator.deployer]
url = "http://127.0.0.1:8080/rollouts"
secret_file = "deployer.secret"
timeout = "1s"
deadline = "2m"
rollback_deadline = "3m"
ack_deadline = "4m"
[notifier.releases]
type = "slack"
webhook_url_file = "slack.webhook"
match = { namespace = "payments", "label.tier" = "web", label.team = "a" }
events = ["paused", "rolled_back"]
[notifier.bot]
type = "slack"
token_file = "slack.token"
channel = "C0123456789"
api_url = "https://slack-gov.com/api/"
)");
  config.files["slack.token"] = "xoxb-1\n";
  config.files["vm.token"] = "t0ken\n";
  config.files["ca.pem"] = config.files["c.pem"] = config.files["c.key"] = "pem";
  config.files["deployer.secret"] = std::string(kGoodSecret) + "\r\n";
  config.files["slack.webhook"] = "https://hooks.example.net/x?y\n";
  const auto settings = config.load();
  ASSERT_TRUE(settings) << ConfigInMemory::text_of(settings.error());
  EXPECT_EQ(settings->server.listen, "[::1]:0");
  EXPECT_EQ(settings->server.external_url, "https://rw.example.net/rollwatch");
  EXPECT_EQ(settings->store.path, "/etc/rw/data/history.db");
  EXPECT_EQ(settings->store.retention, 24h * 30);
  EXPECT_EQ(settings->store.thin_after, std::nullopt);
  EXPECT_EQ(settings->datasources.at("default").url, "http://127.0.0.1:9090");
  EXPECT_EQ(settings->datasources.at("default").timeout, 10s);
  EXPECT_EQ(settings->datasources.at("default").max_concurrency, 8);
  const DatasourceSettings& vm = settings->datasources.at("vm");
  EXPECT_EQ(vm.timeout, 3s);
  EXPECT_EQ(vm.max_concurrency, 2);
  EXPECT_EQ(vm.ingestion_delay, 15s);
  EXPECT_FALSE(vm.measures_ingestion_delay);
  EXPECT_TRUE(settings->datasources.at("basic").measures_ingestion_delay);
  EXPECT_EQ(vm.headers.at("X-Scope-OrgID").reveal(), "tenant");
  EXPECT_EQ(vm.bearer_token->reveal(), "t0ken");
  EXPECT_EQ(vm.tls.ca_file, "/etc/rw/ca.pem");
  EXPECT_EQ(vm.tls.key_file, "/etc/rw/c.key");
  EXPECT_TRUE(vm.tls.insecure_skip_verify);
  EXPECT_EQ(settings->datasources.at("basic").basic_auth->username, "u");
  EXPECT_EQ(settings->datasources.at("basic").basic_auth->password.reveal(), "p");
  const OrchestratorSettings& deployer = settings->orchestrators.at("deployer");
  EXPECT_EQ(deployer.url.reveal(), "http://127.0.0.1:8080/rollouts");
  EXPECT_EQ(deployer.secret.reveal(), kGoodSecret);
  EXPECT_EQ(deployer.timeout, 1s);
  EXPECT_EQ(deployer.deadline, 2min);
  EXPECT_EQ(deployer.rollback_deadline, 3min);
  EXPECT_EQ(deployer.ack_deadline, 4min);
  const NotifierSettings& releases = settings->notifiers.at("releases");
  EXPECT_EQ(releases.type, "slack");
  EXPECT_EQ(releases.webhook_url.reveal(), "https://hooks.example.net/x?y");
  EXPECT_THAT(releases.match, testing::ElementsAre(testing::Pair("label.team", "a"),
                                                   testing::Pair("label.tier", "web"),
                                                   testing::Pair("namespace", "payments")));
  EXPECT_THAT(releases.events, testing::ElementsAre("paused", "rolled_back"));
  EXPECT_EQ(releases.api_url, "https://slack.com/api");
  const NotifierSettings& bot = settings->notifiers.at("bot");
  EXPECT_EQ(bot.token.reveal(), "xoxb-1");
  EXPECT_EQ(bot.channel, "C0123456789");
  EXPECT_EQ(bot.api_url, "https://slack-gov.com/api");
}

TEST(Loader, WhereTheStoreMayBe) {
  struct Row {
    const char* url;
    const char* path;
  };
  const Row rows[] = {{"sqlite:/var/lib/x.db", "/var/lib/x.db"},
                      {"sqlite:///var/lib/x.db", "/var/lib/x.db"},
                      {"sqlite:x.db", "/etc/rw/x.db"},
                      {"sqlite:../x.db", "/etc/x.db"}};
  for (const Row& row : rows) {
    const auto settings = ConfigInMemory("[store]\nurl = '" + std::string(row.url) + "'").load();
    ASSERT_TRUE(settings) << row.url;
    EXPECT_EQ(settings->store.path, row.path);
  }
}

struct BadRow {
  const char* name;
  const char* text;   // the line in question is the last one
  const char* place;  // "line:column: key"
  const char* message;
};

void expect_refused(const BadRow& row) {
  SCOPED_TRACE(row.name);
  ConfigInMemory config(row.text);
  config.files["secret"] = kGoodSecret;
  config.files["empty"] = "\n";
  config.files["two-lines"] = "a\nb\n";
  EXPECT_THAT(config.errors(), HasSubstr("rollwatch.toml:" + std::string(row.place) + ": "));
  EXPECT_THAT(config.errors(), HasSubstr(row.message));
}

TEST(Loader, BadServer) {
  const BadRow rows[] = {
      {"unknown key, nothing near", "[server]\nzzz = ''", "2:1: server.zzz",
       "unknown key \"zzz\"; the keys here are connections, cors_origins, external_url, listen, "
       "rate, tls, token"},
      {"empty", "[server]\nlisten = ''", "2:10: server.listen", "must not be empty"},
      {"not loopback", "[server]\nlisten = '0.0.0.0:9797'", "2:10: server.listen",
       "without tokens rollwatchd listens on loopback only, as whoever reaches it may roll back "
       "everything; make one with rollwatch token new NAME"},
      {"no table", "server = 1", "1:10: server", "must be a table, not a whole number"},
      {"unknown section", "[sever]", "1:2: sever",
       "unknown key \"sever\": did you mean \"server\"?"},
  };
  for (const BadRow& row : rows) expect_refused(row);
}

TEST(Loader, StoreThatSeveralNodesShare) {
  struct Row {
    const char* url;
    const char* shown;
  };
  const Row rows[] = {
      {"postgresql://h/d", "postgresql://h/d"},
      {"postgres://h:1,i:2/d", "postgres://h:1,i:2/d"},
      {"postgresql://u:p@ss@h/d?sslmode=verify-full&password=x", "postgresql://h/d"},
      {"postgresql://u:p?@h/d", "postgresql://…"},
      {"postgresql:///d", "postgresql:///d"},
  };
  for (const Row& row : rows) {
    const auto settings =
        ConfigInMemory("[store]\nurl = '" + std::string(row.url) + "'\nlease = '30s'").load();
    ASSERT_TRUE(settings) << row.url;
    EXPECT_EQ(settings->store.postgres.reveal(), row.url);
    EXPECT_EQ(settings->store.shown, row.shown);
    EXPECT_EQ(settings->store.path, "");
    EXPECT_EQ(settings->store.lease, Millis(30'000));
  }
}

TEST(Loader, BadStore) {
  const BadRow rows[] = {
      {"no database server", "[store]\nurl = 'postgresql://'", "2:7: store.url",
       "or \"postgresql://\" and a database that several nodes share"},
      {"no slashes", "[store]\nurl = 'postgres:h/d'", "2:7: store.url", "must be \"sqlite:\""},
      {"lease of one node", "[store]\nlease = '10s'", "2:9: store.lease",
       "leave it out with SQLite"},
      {"lease too short", "[store]\nurl = 'postgresql://h/d'\nlease = '1s'", "3:9: store.lease",
       "2s"},
      {"lease too long", "[store]\nurl = 'postgresql://h/d'\nlease = '1h'", "3:9: store.lease",
       "10m"},
      {"no path", "[store]\nurl = 'sqlite:'", "2:7: store.url", "must be \"sqlite:\" and the path"},
      {"a host", "[store]\nurl = 'sqlite://host/x.db'", "2:7: store.url",
       "must be \"sqlite:\" and the path"},
      {"in memory", "[store]\nurl = 'sqlite::memory:'", "2:7: store.url",
       "must be \"sqlite:\" and the path"},
  };
  for (const BadRow& row : rows) expect_refused(row);
}

TEST(Loader, BadDatasource) {
#define DS "[datasource.default]\nurl = 'http://h'\n"
  const BadRow rows[] = {
      {"no url", "[datasource.default]", "1:1: datasource.default",
       "missing key \"url\"; give the address"},
      {"url with a user", "[datasource.default]\nurl = 'http://u:p@h'",
       "2:7: datasource.default.url", "give them as basic_auth"},
      {"concurrency fraction", DS "max_concurrency = 1.5",
       "3:19: datasource.default.max_concurrency", "not a number with a fraction"},
      {"delay misspelt", DS "ingestion_delay = 'atuo'", "3:19: datasource.default.ingestion_delay",
       "not \"atuo\"; or write \"auto\" to have it measured"},
      {"token of two lines", DS "bearer_token_file = 'two-lines'",
       "3:21: datasource.default.bearer_token_file", "one line"},
      {"token file empty", DS "bearer_token_file = 'empty'",
       "3:21: datasource.default.bearer_token_file", "is empty"},
      {"token and file", DS "bearer_token = 'a'\nbearer_token_file = 'secret'",
       "4:21: datasource.default.bearer_token_file",
       "is given beside bearer_token; give one of them"},
      {"basic without password", DS "basic_auth = { username = 'p' }",
       "3:14: datasource.default.basic_auth", "missing key \"password_file\""},
      {"basic unknown", DS "basic_auth = { usrname = 'p' }",
       "3:16: datasource.default.basic_auth.usrname", "did you mean \"username\"?"},
      {"two ways to log in", DS "bearer_token = 'a'\nheaders = { authorization = 'b' }",
       "3:16: datasource.default.bearer_token", "not several"},
      {"tls key alone", DS "tls = { key_file = 'secret' }", "3:20: datasource.default.tls.key_file",
       "belong together"},
      {"tls unknown", DS "tls = { cafile = 'x' }", "3:9: datasource.default.tls.cafile",
       "did you mean \"ca_file\"?"},
      {"name", "[datasource.'a b']\nurl = 'http://h'", "1:13: datasource.\"a b\"",
       "is no name; use letters"},
  };
  for (const BadRow& row : rows) expect_refused(row);
#undef DS
}

TEST(Loader, BadOrchestrator) {
#define ORC "[orchestrator.d]\nurl = 'http://h/r'\nsecret_file = 'secret'\n"
  const BadRow rows[] = {
      {"no url", "[orchestrator.d]\nsecret_file = 'secret'", "1:1: orchestrator.d",
       "missing key \"url\""},
      {"no secret", "[orchestrator.d]\nurl = 'http://h'", "1:1: orchestrator.d",
       "missing key \"secret_file\"; orders are signed"},
      {"preset", "[orchestrator.d]\npreset = 'argo-rollouts'\nnamespace = 'x'",
       "2:10: orchestrator.d.preset", "must be \"webhook\" or \"request\""},
      {"bad secret in a file", "[orchestrator.d]\nurl = 'http://h'\nsecret_file = 'two-lines'",
       "3:15: orchestrator.d.secret_file", "must be \"whsec_\""},
  };
  for (const BadRow& row : rows) expect_refused(row);
#undef ORC
}

TEST(Loader, BadLayersAndReferences) {
  const BadRow rows[] = {
      {"policy name", "[policy.'a/b']", "1:9: policy.\"a/b\"", "is no name"},
      {"service with two slashes", "[service.'a/b/c']", "1:10: service.\"a/b/c\"",
       "a namespace and a service"},
      {"datasource in defaults", "[defaults]\ndatasource = 'vm'", "2:14: defaults.datasource",
       "there is no datasource \"vm\"; add [datasource.vm] with its url"},
      {"datasource of a condition",
       "[datasource.vmm]\nurl = 'http://h'\n[policy.p]\nduration = '1m'\n"
       "condition = [{ name = 'a', query = 'x > 1', datasource = 'vm' }]",
       "5:58: policy.p.condition.a.datasource",
       "there is no datasource \"vm\": did you mean \"vmm\"?"},
      {"default datasource",
       "[policy.p]\nduration = '1m'\ncondition = [{ name = 'a', query = 'x > 1' }]",
       "3:14: policy.p.condition.a.datasource",
       "there is no datasource \"default\"; add [datasource.default]"},
      {"rule that only the whole shows",
       "[datasource.default]\nurl = 'http://h'\n[policy.p]\nduration = '1m'\n"
       "condition = [{ name = 'a', query = 'x' }]",
       "5:36: policy.p.condition.a.query", "write fail_if = \"any\""},
  };
  for (const BadRow& row : rows) expect_refused(row);
}

TEST(Loader, FindsAllMistakesInTheirOrder) {
  ConfigInMemory config(R"([server]
listen = "0.0.0.0:1"
[datasource.default]
url = "h"
timeout = 10
[policy.good]
duration = "1m"
condition = [{ name = "a", query = "x" }]
[policy.bad]
steps = [{ weight = 25 }, { weight = 5, hold = "x" }]
polices = 1
)");
  std::string places;
  const auto settings = config.load();
  ASSERT_FALSE(settings);
  for (const ConfigError& error : settings.error()) {
    places += std::to_string(error.origin.line) + ' ' + error.key + '\n';
  }
  EXPECT_EQ(places,
            "2 server.listen\n4 datasource.default.url\n5 datasource.default.timeout\n"
            "8 policy.good.condition.a.query\n10 policy.bad.steps.hold\n11 policy.bad.polices\n");
}

TEST(Loader, WarnsAboutWhatIsProbablyNotMeant) {
  ConfigInMemory config(std::string(kDatasource) + R"(
[datasource.plain]
url = "http://h"
tls = { insecure_skip_verify = true }
[orchestrator.d]
url = "http://h"
secret_file = "secret"
[policy.part]
condition = [{ name = "a", query = "x > 1" }]
[policy.empty]
duration = "1m"
)");
  config.files["secret"] = kGoodSecret;
  config.world_readable.insert("secret");
  const auto settings = config.load();
  ASSERT_TRUE(settings) << ConfigInMemory::text_of(settings.error());
  EXPECT_THAT(
      settings->warnings,
      testing::ElementsAre(
          AllOf(HasSubstr(":6:7: datasource.plain.tls"), HasSubstr("no effect on an http://")),
          AllOf(HasSubstr(":9:15: orchestrator.d.secret_file"), HasSubstr("chmod o-r"),
                HasSubstr("/etc/rw/secret")),
          AllOf(HasSubstr(":10:1: policy.part"), HasSubstr("no steps, ramp or duration")),
          AllOf(HasSubstr(":12:1: policy.empty"), HasSubstr("no conditions"))));
}

}  // namespace
}  // namespace rollwatch
