// Which server is asked, and what it is shown.
#include "daemon/cli/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "daemon/cli/contexts.h"
#include "daemon/cli/failover.h"
#include "test/cli/stage.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Names = std::map<std::string, std::string>;

constexpr const char* kConfiguration = R"(# my servers
current = "near"

[context.near]
server = "http://near:1"
token_file = "/near.token"

[context.far]
server = "https://far-1:2, https://far-2:2"
token_file = "/far.token"
ca_file = "/far.pem"
cert_file = "/far.crt"
key_file = "/far.key"
)";

Environment around(Names variables, Names files) {
  Environment environment;
  environment.variable = [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  environment.read_file = [files](const std::string& path) -> Expected<FileText, std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return Unexpected(std::string("no such file or directory"));
    return FileText{found->second, path.starts_with("/open")};
  };
  return environment;
}

Names usual_files() {
  return {{"/config.toml", kConfiguration}, {"/near.token", "n-secret\n"},
          {"/far.token", "  f-secret\r\n"}, {"/mine.token", "m-secret"},
          {"/open.token", "o-secret"},      {"/empty.token", " \n"}};
}

Expected<Connection, std::string> connect(const std::vector<std::string>& flags, Names variables,
                                          const Names& files = usual_files()) {
  std::vector<std::string> words{"list"};
  words.insert(words.end(), flags.begin(), flags.end());
  const auto call = parse_arguments(words);
  if (!call) return Unexpected(call.error().message);
  return connection_of(*call, "/config.toml", around(std::move(variables), files));
}

TEST(Connection, FlagsBeforeTheEnvironmentBeforeTheContext) {
  struct Row {
    const char* name;
    std::vector<std::string> flags;
    Names variables;
    std::vector<std::string> servers;
    const char* token;
    const char* ca;
  };
  const Row rows[] = {
      {"the current context", {}, {}, {"http://near:1"}, "n-secret", ""},
      {"another context",
       {"--context=far"},
       {},
       {"https://far-1:2", "https://far-2:2"},
       "f-secret",
       "/far.pem"},
      {"another by the environment",
       {},
       {{"ROLLWATCH_CONTEXT", "far"}},
       {"https://far-1:2", "https://far-2:2"},
       "f-secret",
       "/far.pem"},
      {"a context's token is not for another server",
       {"--server=http://x"},
       {},
       {"http://x"},
       "",
       ""},
      {"nor for the environment's",
       {},
       {{"ROLLWATCH_SERVER", "http://x,http://y"}},
       {"http://x", "http://y"},
       "",
       ""},
      {"the environment's token",
       {},
       {{"ROLLWATCH_TOKEN", "e-secret"}},
       {"http://near:1"},
       "e-secret",
       ""},
      {"a flag before the environment",
       {"--server=http://x", "--token-file=/mine.token", "--ca-file=/a.pem"},
       {{"ROLLWATCH_SERVER", "http://y"},
        {"ROLLWATCH_TOKEN", "e-secret"},
        {"ROLLWATCH_CA_FILE", "/b.pem"}},
       {"http://x"},
       "m-secret",
       "/a.pem"},
      {"a context by flag before the environment",
       {"--context=far"},
       {{"ROLLWATCH_SERVER", "http://y"},
        {"ROLLWATCH_TOKEN", "e-secret"},
        {"ROLLWATCH_CA_FILE", "/b.pem"}},
       {"https://far-1:2", "https://far-2:2"},
       "f-secret",
       "/far.pem"},
      {"a file by the environment",
       {},
       {{"ROLLWATCH_SERVER", "http://y"},
        {"ROLLWATCH_TOKEN_FILE", "/mine.token"},
        {"ROLLWATCH_CA_FILE", "/b.pem"}},
       {"http://y"},
       "m-secret",
       "/b.pem"},
      {"empty variables count as none",
       {},
       {{"ROLLWATCH_SERVER", ""}, {"ROLLWATCH_TOKEN", ""}},
       {"http://near:1"},
       "n-secret",
       ""},
  };
  for (const Row& row : rows) {
    const auto connection = connect(row.flags, row.variables);
    ASSERT_TRUE(connection.has_value()) << row.name << ": " << connection.error();
    EXPECT_EQ(connection->servers, row.servers) << row.name;
    EXPECT_EQ(connection->token, row.token) << row.name;
    EXPECT_EQ(connection->ca_file, row.ca) << row.name;
    EXPECT_FALSE(connection->insecure) << row.name;
    EXPECT_THAT(connection->warnings, IsEmpty()) << row.name;
  }
  const auto none = connect({}, {}, {});
  ASSERT_TRUE(none.has_value());
  EXPECT_THAT(none->servers, ElementsAre("http://127.0.0.1:9797"));
}

TEST(Connection, WhatCannotBeIsExplained) {
  struct Row {
    std::vector<std::string> flags;
    const char* configuration;
    const char* message;
  };
  const Row rows[] = {
      {{"--context=fra"}, kConfiguration, "no context 'fra'; did you mean 'far'? in /config.toml"},
      {{"--context=far", "--server=http://x"},
       kConfiguration,
       "--server and --context say two places; give one"},
      {{"--token-file=/none"},
       kConfiguration,
       "the token cannot be read from /none: no such file or directory"},
      {{"--token-file=/empty.token"}, kConfiguration, "there is no token in /empty.token"},
      {{}, "current = \"x\"\n", "/config.toml:1:11: current: there is no context \"x\""},
      {{},
       "[context.x]\nservr = \"http://h\"\n",
       "/config.toml:1:1: context.x: missing key \"server\"; say where it is, such as "
       "\"http://127.0.0.1:9797\"\n/config.toml:2:1: context.x.servr: "},
      {{}, "current = \n", "/config.toml:1:11: "},
  };
  for (const Row& row : rows) {
    Names files = usual_files();
    files["/config.toml"] = row.configuration;
    const auto connection = connect(row.flags, {}, files);
    ASSERT_FALSE(connection.has_value()) << row.message;
    EXPECT_THAT(connection.error(), HasSubstr(row.message));
  }
}

TEST(Connection, WarnsOfWhatIsNotSafe) {
  const auto insecure = connect({"--insecure"}, {});
  ASSERT_TRUE(insecure.has_value());
  EXPECT_TRUE(insecure->insecure);
  EXPECT_THAT(
      insecure->warnings,
      ElementsAre(HasSubstr("WARNING: --insecure: the server's certificate is NOT checked")));
  const auto open = connect({"--token-file=/open.token"}, {});
  ASSERT_TRUE(open.has_value());
  EXPECT_THAT(open->warnings, ElementsAre(HasSubstr("chmod 600 /open.token")));
  EXPECT_EQ(open->warnings[0].find("o-secret"), std::string::npos);
}

TEST(Contexts, AreFoundInTheHome) {
  EXPECT_EQ(context_file_of(around({{"HOME", "/h"}}, {})), "/h/.config/rollwatch/config.toml");
  EXPECT_EQ(context_file_of(around({{"HOME", "/h"}, {"XDG_CONFIG_HOME", "/x"}}, {})),
            "/x/rollwatch/config.toml");
  EXPECT_EQ(context_file_of(around({}, {})), "");
}

TEST(Contexts, ChangingOneKeepsTheRestAsItIs) {
  std::string text = kConfiguration;
  const std::string far = with_current(text, "far");
  text.replace(text.find("\"near\""), 6, "\"far\"");
  EXPECT_EQ(far, text);
  EXPECT_EQ(with_current("", "a"), "current = \"a\"\n");
  EXPECT_EQ(with_current("[context.current]\nserver = \"x\"", "a"),
            "current = \"a\"\n\n[context.current]\nserver = \"x\"");
  EXPECT_EQ(with_current("# current = \"b\"\ncurrent=\"c\"", "a"),
            "# current = \"b\"\ncurrent = \"a\"\n");
}

TEST(Contexts, WhatIsAddedCanBeRead) {
  const Context added{
      .server = "http://a", .token_file = "/with \"quotes\" and \\", .ca_file = "/c"};
  for (const char* before : {"", "# only a comment", kConfiguration}) {
    const std::string text = with_current(with_context(before, "odd. name", added), "odd. name");
    const auto contexts = read_contexts("/f", around({}, {{"/f", text}}));
    ASSERT_TRUE(contexts.has_value()) << contexts.error() << "\n" << text;
    EXPECT_EQ(contexts->current, "odd. name");
    EXPECT_EQ(contexts->all.at("odd. name").token_file, added.token_file);
    EXPECT_EQ(contexts->all.at("odd. name").ca_file, "/c");
    EXPECT_EQ(contexts->all.size(), std::string(before) == kConfiguration ? 3U : 1U);
  }
}

TEST(Contexts, AreWrittenForTheirOwnerOnly) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("contexts-" + std::to_string(getpid()));
  const std::string file = (folder / "deep" / "config.toml").string();
  ASSERT_TRUE(write_privately(file, "one").has_value());
  ASSERT_TRUE(write_privately(file, "two").has_value());
  std::ifstream in(file);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "two");
  struct stat status {};
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_FALSE(write_privately(file + "/below", "x").has_value());
  std::filesystem::remove_all(folder);
}

struct Servers {
  test::FakePace pace;
  std::vector<std::string> asked;
  std::map<std::string, std::vector<test::Answer>> answers;
  Transport transport;

  Servers() {
    std::vector<Transport> all;
    for (const std::string name : {"a", "b", "c"}) {
      all.emplace_back([this, name](const Request&) -> test::Answer {
        asked.push_back(name);
        auto& mine = answers[name];
        if (mine.empty()) return Response{200, name};
        test::Answer answer = mine.front();
        mine.erase(mine.begin());
        return answer;
      });
    }
    transport = in_turn(std::move(all), pace);
  }
};

TEST(SeveralServers, TheNextIsAskedWhenOneCannotAnswer) {
  struct Row {
    const char* name;
    test::Answer first;
    bool repeatable;
    std::vector<std::string> asked;
  };
  const Row rows[] = {
      {"it answers", Response{200, ""}, true, {"a"}},
      {"it refuses the request", Response{404, ""}, true, {"a"}},
      {"it cannot be reached", test::refused(), true, {"a", "b"}},
      {"nor with what counts", test::refused(), false, {"a", "b"}},
      {"it breaks off", test::broken_off(), true, {"a", "b"}},
      {"it breaks off what may have counted", test::broken_off(), false, {"a"}},
      {"it says that it did nothing", Response{503, ""}, false, {"a", "b"}},
      {"a gateway's trouble", Response{502, ""}, true, {"a", "b"}},
      {"a gateway's trouble with what may have counted", Response{504, ""}, false, {"a"}},
      {"its own trouble", Response{500, ""}, true, {"a"}},
  };
  for (const Row& row : rows) {
    Servers servers;
    servers.answers["a"] = {row.first};
    static_cast<void>(servers.transport(Request{.target = "/", .repeatable = row.repeatable}));
    EXPECT_EQ(servers.asked, row.asked) << row.name;
  }
}

TEST(SeveralServers, ItStaysWithWhoAnsweredAndTriesEachOnce) {
  Servers servers;
  servers.answers["a"] = {test::refused(), test::refused()};
  servers.answers["b"] = {Response{200, "b"}, test::refused()};
  servers.answers["c"] = {test::refused()};
  EXPECT_EQ(servers.transport(Request{.target = "/"})->body, "b");
  EXPECT_FALSE(servers.transport(Request{.target = "/"}).has_value());
  EXPECT_THAT(servers.asked, ElementsAre("a", "b", "b", "c", "a"));
  servers.pace.interrupt();
  servers.answers["a"] = {test::refused()};
  EXPECT_FALSE(servers.transport(Request{.target = "/"}).has_value());
  EXPECT_EQ(servers.asked.size(), 6U) << "who was interrupted is not held up by the others";
}

// The caller says from where on the next one is to go on.
TEST(SeveralServers, AStreamThatBreaksOffIsNotBegunAgainBehindTheCallersBack) {
  Servers servers;
  servers.answers["a"] = {test::broken_off()};
  Request stream{.target = "/"};
  stream.take = [](std::string_view) { return true; };
  EXPECT_FALSE(servers.transport(stream).has_value());
  EXPECT_THAT(servers.asked, ElementsAre("a"));
  EXPECT_TRUE(servers.transport(stream).has_value());
  EXPECT_THAT(servers.asked, ElementsAre("a", "b"));
  servers.answers["b"] = {test::refused()};
  EXPECT_TRUE(servers.transport(stream).has_value());
  EXPECT_THAT(servers.asked, ElementsAre("a", "b", "b", "c"));
}

TEST(SeveralServers, AreSeparatedByCommas) {
  EXPECT_THAT(split_list("http://a, http://b ,,"), ElementsAre("http://a", "http://b"));
  EXPECT_THAT(split_list(" , "), IsEmpty());
}

}  // namespace
}  // namespace rollwatch
