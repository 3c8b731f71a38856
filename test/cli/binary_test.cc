// The built client against a scripted server: what a pipeline and a person at a terminal see of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "test/cli/client_process.h"
#include "test/cli/fake_server.h"

namespace rollwatch::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using Where = ClientProcess::Where;

std::string page(const std::string& state, const std::string& reason = "",
                 const json& question = nullptr) {
  return json({{"id", "ro_1"},
               {"namespace", "payments"},
               {"service", "checkout"},
               {"target", "eu-1"},
               {"stable", "1.23"},
               {"candidate", "1.24"},
               {"state", state},
               {"verdict", "passing"},
               {"reason", reason},
               {"step", {{"index", 0}, {"weight", 5}, {"count", 3}, {"since", nullptr}}},
               {"weight", 5},
               {"conditions", json::array()},
               {"question", question},
               {"updated_at", "T"}})
      .dump();
}

json question(bool lifts_itself) {
  return {{"id", "q_1"}, {"text", "go on?"}, {"lifts_itself", lifts_itself}};
}

std::map<std::string, std::string> reaching(const FakeServer& server) {
  return {{"ROLLWATCH_SERVER", server.url()},
          {"ROLLWATCH_TOKEN", "s3cret"},
          {"USER", "anna"},
          {"TERM", "xterm"}};
}

TEST(Wait, EndsAsTheRolloutEnded) {
  struct Row {
    const char* name;
    std::vector<std::string> pages;
    int exit_code;
    const char* out;
    const char* err;
  };
  const Row rows[] = {
      {"promoted",
       {page("analyzing"), page("promoting"), page("promoted", "all passed")},
       0,
       "ro_1 promoted: checkout 1.23 → 1.24 in eu-1 (payments): all passed\n",
       "T analyzing, step 1 of 3, weight 5, passing\nT promoting, step 1 of 3, weight 5, passing\n"
       "T promoted, step 1 of 3, weight 5, passing: all passed\n"},
      {"rolled back",
       {page("analyzing"), page("rolling_back", "it hurts"), page("rolled_back", "it hurts")},
       2,
       "ro_1 rolled_back: checkout 1.23 → 1.24 in eu-1 (payments): it hurts\n",
       "T analyzing, step 1 of 3, weight 5, passing\n"
       "T rolling_back, step 1 of 3, weight 5, passing: it hurts\n"
       "T rolled_back, step 1 of 3, weight 5, passing: it hurts\n"},
      {"paused for a person",
       {page("analyzing"), page("paused", "refused", question(false))},
       3,
       "ro_1 paused: checkout 1.23 → 1.24 in eu-1 (payments): refused\n",
       "T analyzing, step 1 of 3, weight 5, passing\n"
       "T paused, step 1 of 3, weight 5, passing: refused\n"
       "go on?\n(yes: rollwatch resume ro_1 --question q_1 --reason …)\n"},
      {"paused until the answers come back",
       {page("paused", "no answers", question(true)), page("promoted")},
       0,
       "ro_1 promoted: checkout 1.23 → 1.24 in eu-1 (payments)\n",
       "T paused, step 1 of 3, weight 5, passing: no answers\n"
       "go on?\n(goes on by itself when the answers come back)\n"
       "T promoted, step 1 of 3, weight 5, passing\n"},
      {"cancelled",
       {page("cancelled")},
       4,
       "ro_1 cancelled: checkout 1.23 → 1.24 in eu-1 (payments)\n",
       "T cancelled, step 1 of 3, weight 5, passing\n"},
      {"rollback failed",
       {page("rollback_failed")},
       5,
       "ro_1 rollback_failed: checkout 1.23 → 1.24 in eu-1 (payments)\n",
       "T rollback_failed, step 1 of 3, weight 5, passing\n"},
  };
  for (const Row& row : rows) {
    const FakeServer server{Story(row.pages)};
    ClientProcess client({"wait", "ro_1"}, reaching(server));
    EXPECT_EQ(client.exit_code(), row.exit_code) << row.name;
    EXPECT_EQ(client.out(), row.out) << row.name;
    EXPECT_EQ(client.err(), row.err) << row.name;
  }
}

TEST(Wait, SurvivesARestartOfTheServer) {
  Story story({page("analyzing"), page("promoted")});
  bool away = false;  // read on the server's thread, written while it is stopped
  FakeServer server([&](const Call& call) -> Reply {
    if (!away && call.headers.contains("if-none-match")) return {.hold = true};
    return story(call);
  });
  ClientProcess client({"wait", "ro_1"}, reaching(server));
  ASSERT_TRUE(client.says("analyzing"));
  server.stop();
  ASSERT_TRUE(client.says("lost the server, trying again"));
  away = true;
  server.start();
  EXPECT_EQ(client.exit_code(), 0);
  EXPECT_THAT(client.err(), HasSubstr("\nback\nT promoted"));
}

TEST(Wait, ATimeoutLeavesTheRolloutAlone) {
  const FakeServer server{Story({page("analyzing")})};
  ClientProcess client({"wait", "ro_1", "--timeout", "300ms", "--output", "json"},
                       reaching(server));
  EXPECT_EQ(client.exit_code(), 124);
  EXPECT_THAT(client.err(),
              HasSubstr("--timeout passed; the rollout goes on: rollwatch wait ro_1\n"));
  EXPECT_EQ(json::parse(client.out()).at("state"), "analyzing");
}

TEST(Wait, AnInterruptionLeavesTheRolloutAlone) {
  const FakeServer server{Story({page("analyzing")})};
  ClientProcess client({"wait", "ro_1"}, reaching(server));
  ASSERT_TRUE(client.says("analyzing"));
  client.signal(SIGINT);
  EXPECT_EQ(client.exit_code(), 130);
  EXPECT_THAT(client.err(), HasSubstr("interrupted; the rollout goes on: rollwatch wait ro_1\n"));
  for (const Call& call : server.calls()) EXPECT_EQ(call.method, "GET");
}

TEST(Wait, IsRedrawnOnATerminal) {
  const FakeServer server{Story({page("analyzing"), page("promoted")})};
  ClientProcess client({"wait", "ro_1"}, reaching(server), Where::kTerminal);
  EXPECT_EQ(client.exit_code(), 0);
  EXPECT_THAT(client.err(), HasSubstr("\x1b[J"));
  EXPECT_THAT(client.err(), HasSubstr("\x1b[32m"));
  EXPECT_EQ(client.out(), "ro_1 promoted: checkout 1.23 → 1.24 in eu-1 (payments)\n");
}

TEST(Wait, IsPlainWhereNothingCanBeRedrawn) {
  struct Row {
    const char* name;
    const char* value;
  };
  for (const Row& row : {Row{"CI", "true"}, Row{"TERM", "dumb"}}) {
    const FakeServer server{Story({page("analyzing"), page("promoted")})};
    auto environment = reaching(server);
    environment[row.name] = row.value;
    ClientProcess client({"wait", "ro_1"}, environment, Where::kTerminal);
    EXPECT_EQ(client.exit_code(), 0) << row.name;
    EXPECT_THAT(client.err(), Not(HasSubstr("\x1b["))) << row.name;
  }
  const FakeServer server{Story({page("analyzing"), page("promoted")})};
  auto environment = reaching(server);
  environment["NO_COLOR"] = "1";
  ClientProcess client({"wait", "ro_1"}, environment, Where::kTerminal);
  EXPECT_EQ(client.exit_code(), 0);
  EXPECT_THAT(client.err(), HasSubstr("\x1b[J"));
  EXPECT_THAT(client.err(), Not(HasSubstr("\x1b[32m")));
}

TEST(Start, RegistersAndFollows) {
  const FakeServer server{Story({page("waiting"), page("promoted")})};
  ClientProcess client({"start", "--service", "checkout", "--stable", "1.23", "--candidate", "1.24",
                        "--policy", "http", "--wait"},
                       reaching(server));
  EXPECT_EQ(client.exit_code(), 0);
  EXPECT_THAT(client.err(),
              HasSubstr("registered ro_1: checkout 1.23 → 1.24 in eu-1 (payments)\nT waiting"));
  const Call first = server.calls().at(0);
  EXPECT_EQ(first.headers.at("authorization"), "Bearer s3cret");
  EXPECT_EQ(first.headers.at("content-type"), "application/json");
  EXPECT_THAT(json::parse(first.body).at("by").get<std::string>(), HasSubstr("anna@"));
}

// What was said once is not drawn over: neither by the view, nor by what it said about the server.
TEST(Start, WhatItSaysStaysAboveTheView) {
  const std::string registered =
      R"({"id":"ro_1","service":"a","candidate":"2","state":"waiting","warnings":["not checked"]})";
  bool away = true;
  const FakeServer server([&](const Call& call) -> Reply {
    if (std::exchange(away, false)) return {503, "{}"};
    if (call.method == "POST") return {201, registered};
    return {200, page("promoted")};
  });
  ClientProcess client({"start", "--service", "a", "--candidate", "2", "--wait"}, reaching(server),
                       Where::kTerminal);
  EXPECT_EQ(client.exit_code(), 0) << client.err();
  const std::vector<std::string> screen = client.screen();
  ASSERT_GE(screen.size(), 3U);
  EXPECT_EQ(screen[0], "registered ro_1: a 2");
  EXPECT_EQ(screen[1], "warning: not checked");
  EXPECT_THAT(screen[2], HasSubstr("checkout 1.23 → 1.24"));
}

TEST(Start, WithoutWaitAnswersTheId) {
  const FakeServer server{Story({page("waiting")})};
  ClientProcess client(
      {"start", "--service", "checkout", "--candidate", "1.24", "--idempotency-key", "k"},
      reaching(server));
  EXPECT_EQ(client.exit_code(), 0);
  EXPECT_EQ(client.out(), "ro_1\n");
  EXPECT_EQ(server.calls().at(0).headers.at("idempotency-key"), "k");
}

TEST(Decision, NeedsNoReasonInAPipeline) {
  const FakeServer server([](const Call&) -> Reply {
    return {200, R"({"id":"ro_1","service":"a","candidate":"2","state":"rolling_back"})"};
  });
  ClientProcess client({"rollback", "ro_1", "--yes"}, reaching(server));
  EXPECT_EQ(client.exit_code(), 0) << client.err();
  EXPECT_FALSE(json::parse(server.calls().at(0).body).contains("reason"));
}

// A decision always has a name, also where the environment has none, such as in a container.
TEST(Decision, IsSomebodysWithoutUser) {
  struct Row {
    const char* name;
    std::map<std::string, std::string> more;
    const char* by;
  };
  const Row rows[] = {{"USER", {{"USER", "anna"}, {"LOGNAME", "bert"}}, "^anna@.+"},
                      {"LOGNAME", {{"LOGNAME", "bert"}}, "^bert@.+"},
                      {"the system's", {}, "^[^@]+@.+"}};
  for (const Row& row : rows) {
    const FakeServer server([](const Call&) -> Reply { return {200, page("paused")}; });
    auto environment = reaching(server);
    environment.erase("USER");
    environment.insert(row.more.begin(), row.more.end());
    ClientProcess client({"pause", "ro_1"}, environment);
    EXPECT_EQ(client.exit_code(), 0) << row.name;
    EXPECT_THAT(json::parse(server.calls().at(0).body).at("by").get<std::string>(),
                testing::ContainsRegex(row.by))
        << row.name;
  }
}

TEST(Version, IsAnsweredHoweverItIsAskedFor) {
  const FakeServer server{Story({page("waiting")})};
  ClientProcess flag({"--version"}, reaching(server));
  ClientProcess verb({"version"}, reaching(server));
  EXPECT_EQ(flag.exit_code(), 0);
  EXPECT_EQ(verb.exit_code(), 0);
  EXPECT_EQ(flag.out(), verb.out());
}

TEST(Start, ShowsTheServersWarnings) {
  const FakeServer server([](const Call&) -> Reply {
    return {201, R"({"id":"ro_1","service":"a","candidate":"2","state":"waiting",)"
                 R"("warnings":["the queries could not be checked"]})"};
  });
  ClientProcess client({"start", "--service", "a", "--candidate", "2"}, reaching(server));
  EXPECT_EQ(client.exit_code(), 0);
  EXPECT_THAT(client.err(), HasSubstr("warning: the queries could not be checked\n"));
}

TEST(Start, ShowsWhatTheServerDoesNotAccept) {
  const FakeServer server([](const Call&) -> Reply {
    return {
        422,
        R"({"title":"Not acceptable","detail":"1 field","errors":[{"pointer":"/policy","detail":"no policy 'htpp'"}]})"};
  });
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--wait"}}) {
    std::vector<std::string> words{"start", "--service", "a",   "--candidate",
                                   "2",     "--policy",  "htpp"};
    words.insert(words.end(), more.begin(), more.end());
    ClientProcess client(words, reaching(server));
    EXPECT_EQ(client.exit_code(), 1);
    EXPECT_EQ(client.err(), "rollwatch: Not acceptable: 1 field\n  /policy: no policy 'htpp'\n");
    EXPECT_EQ(client.out(), "");
  }
}

TEST(Usage, IsExplainedAndEndsWith64) {
  struct Row {
    const char* name;
    std::vector<std::string> words;
    const char* err;
  };
  const Row rows[] = {
      {"mistyped verb",
       {"promte", "ro_1"},
       "rollwatch: no verb 'promte'; did you mean 'promote'?\n"},
      {"mistyped flag",
       {"wait", "ro_1", "--timout", "5m"},
       "rollwatch: wait has no flag --timout; did you mean '--timeout'?\n"},
      {"timeout without wait",
       {"start", "--service=a", "--candidate=2", "--timeout=5m"},
       "rollwatch: --timeout needs --wait\n"},
      {"no URL",
       {"list", "--server", "ftp://x"},
       "rollwatch: --server (or ROLLWATCH_SERVER) needs a URL such as http://127.0.0.1:9797\n"},
      {"help for what is not there",
       {"help", "waait"},
       "rollwatch: no verb 'waait'; did you mean 'wait'?\n"},
  };
  for (const Row& row : rows) {
    ClientProcess client(row.words, {});
    EXPECT_EQ(client.exit_code(), 64) << row.name;
    EXPECT_EQ(client.err(), std::string(row.err) + "see rollwatch --help\n") << row.name;
  }
}

TEST(Binary, ExplainsAVerbWhateverElseWasSaid) {
  struct Row {
    std::vector<std::string> words;
    const char* begins;
  };
  const Row rows[] = {
      {{"status", "--help"}, "rollwatch status: "},
      {{"status", "ro_1", "--help"}, "rollwatch status: "},
      {{"help", "status"}, "rollwatch status: "},
      {{"token", "new", "ci", "--help"}, "rollwatch token new: "},
      {{"help", "token"}, "rollwatch token new: "},
      {{"help", "token", "new"}, "rollwatch token new: "},
  };
  for (const Row& row : rows) {
    ClientProcess client(row.words, {});
    EXPECT_EQ(client.exit_code(), 0) << client.err();
    EXPECT_TRUE(client.out().starts_with(row.begins)) << client.out();
  }
}

TEST(Decisions, DoNotAskInAPipeline) {
  const FakeServer server([](const Call&) -> Reply {
    return {200, page("rolling_back", "it hurts")};
  });
  ClientProcess client({"rollback", "ro_1", "--reason", "it hurts", "--by", "bot"},
                       reaching(server));
  EXPECT_EQ(client.exit_code(), 0);
  EXPECT_EQ(client.out(), "ro_1 rolling_back: checkout 1.23 → 1.24 in eu-1 (payments): it hurts\n");
  ASSERT_EQ(server.calls().size(), 1U);
  EXPECT_EQ(server.calls()[0].target, "/api/v1/rollouts/ro_1/rollback");
  EXPECT_EQ(json::parse(server.calls()[0].body),
            json::parse(R"({"reason":"it hurts","by":"bot"})"));
}

TEST(Decisions, SayWhatTheyDoAndAskOnATerminal) {
  struct Row {
    const char* name;
    std::vector<std::string> words;
    const char* typed;
    int exit_code;
    std::size_t posts;
  };
  const Row rows[] = {
      {"no", {"promote", "ro_1", "--reason", "r"}, "n\n", 1, 0},
      {"nothing", {"promote", "ro_1", "--reason", "r"}, "\n", 1, 0},
      {"yes", {"promote", "ro_1", "--reason", "r"}, "y\n", 0, 1},
      {"yes, and why", {"promote", "ro_1"}, "y\nhotfix\n", 0, 1},
      {"yes, without a reason", {"promote", "ro_1"}, "y\n\n", 1, 0},
  };
  for (const Row& row : rows) {
    const FakeServer server([](const Call&) -> Reply { return {200, page("analyzing")}; });
    ClientProcess client(row.words, reaching(server), Where::kTerminal);
    ASSERT_TRUE(client.says("all traffic goes to 1.24 at once")) << row.name;
    ASSERT_TRUE(client.says("promote? [y/N] ")) << row.name;
    client.type(row.typed);
    EXPECT_EQ(client.exit_code(), row.exit_code) << row.name;
    std::size_t posts = 0;
    for (const Call& call : server.calls()) posts += call.method == "POST" ? 1 : 0;
    EXPECT_EQ(posts, row.posts) << row.name;
  }
}

TEST(Decisions, AskNothingOfWhoSaidYes) {
  for (const std::vector<std::string>& reason :
       {std::vector<std::string>{}, {"--reason", "checkout is slow"}}) {
    const FakeServer server([](const Call&) -> Reply { return {200, page("rolling_back")}; });
    std::vector<std::string> words{"rollback", "ro_1", "--yes"};
    words.insert(words.end(), reason.begin(), reason.end());
    ClientProcess client(words, reaching(server), Where::kTerminal);
    EXPECT_EQ(client.exit_code(), 0);
    EXPECT_EQ(client.err(), "");
    ASSERT_EQ(server.calls().size(), 1U);
    EXPECT_EQ(json::parse(server.calls()[0].body).contains("reason"), !reason.empty());
  }
}

TEST(Decisions, AConflictIsShown) {
  const FakeServer server([](const Call&) -> Reply {
    return {409, R"({"title":"Not in this state","detail":"the rollout is rolling back"})"};
  });
  ClientProcess client({"resume", "ro_1", "--reason", "r"}, reaching(server));
  EXPECT_EQ(client.exit_code(), 1);
  EXPECT_EQ(client.err(), "rollwatch: Not in this state: the rollout is rolling back\n");
}

// Two pages of evaluations, one of events.
Reply history(const Call& call) {
  if (call.target.ends_with("cursor=2")) {
    return {200,
            R"({"items":[{"condition":"c","slot":"03","evaluated_at":"03","outcome":"pass"}]})"};
  }
  if (call.target.ends_with("/evaluations")) {
    return {
        200,
        R"({"items":[{"condition":"c","slot":"01","evaluated_at":"01","outcome":"pass"}],"next_cursor":"2"})"};
  }
  return {200, R"({"items":[{"seq":1,"at":"02","type":"advance","data":{"summary":"on to 25"}}]})"};
}

TEST(Reading, FollowsEveryPageInOrder) {
  const FakeServer server(history);
  ClientProcess table({"history", "ro_1"}, reaching(server));
  EXPECT_EQ(table.exit_code(), 0);
  EXPECT_EQ(table.out(), "01  c        pass\n02  advance  on to 25\n03  c        pass\n");

  ClientProcess lines({"history", "ro_1", "--output", "jsonl"}, reaching(server));
  EXPECT_EQ(lines.exit_code(), 0);
  EXPECT_EQ(std::count(lines.out().begin(), lines.out().end(), '\n'), 3);
  EXPECT_EQ(json::parse(lines.out().substr(0, lines.out().find('\n'))).at("kind"), "evaluation");
}

TEST(Reading, StatusListAndExplainAnswerOnStdout) {
  const FakeServer server([](const Call& call) -> Reply {
    if (call.target.starts_with("/api/v1/rollouts?"))
      return {200, R"({"items":[)" + page("soaking") + "]}"};
    if (call.target.ends_with("/explain"))
      return {200, R"({"decision":{"kind":"promote","by":"engine"}})"};
    return {200, page("soaking")};
  });
  struct Row {
    std::vector<std::string> words;
    const char* table;
    const char* key;
  };
  const Row rows[] = {{{"status", "ro_1"}, "state    soaking", "state"},
                      {{"list", "--state", "active"}, "checkout", "items"},
                      {{"explain", "ro_1"}, "promote by engine", "decision"}};
  for (const Row& row : rows) {
    ClientProcess table(row.words, reaching(server));
    EXPECT_EQ(table.exit_code(), 0);
    EXPECT_THAT(table.out(), HasSubstr(row.table));
    std::vector<std::string> words = row.words;
    words.insert(words.end(), {"--output", "json"});
    ClientProcess raw(words, reaching(server));
    EXPECT_EQ(raw.exit_code(), 0);
    EXPECT_TRUE(json::parse(raw.out()).contains(row.key)) << row.key;
    EXPECT_EQ(table.err() + raw.err(), "");
  }
}

TEST(Reading, AListSaysThatThereAreMore) {
  const FakeServer server([](const Call& call) -> Reply {
    const bool first = call.target.find("cursor=") == std::string::npos;
    return {200, R"({"items":[{"id":"ro_1"},{"id":"ro_2"}],"next_cursor":)" +
                     std::string(first ? "\"c\"" : "null") + "}"};
  });
  struct Row {
    const char* limit;
    std::ptrdiff_t lines;
    const char* said;
  };
  for (const Row& row :
       {Row{"2", 2, "rollwatch: these are 2, and there are more: --limit N for as many as N\n"},
        Row{"3", 3, ""}, Row{"4", 4, ""}, Row{"5", 4, ""}}) {
    ClientProcess client({"list", "--limit", row.limit, "--output", "jsonl"}, reaching(server));
    EXPECT_EQ(client.exit_code(), 0);
    const std::string out = client.out();
    EXPECT_EQ(std::ranges::count(out, '\n'), row.lines) << row.limit;
    EXPECT_EQ(client.err(), row.said) << row.limit;
  }
}

TEST(Reading, AnUnreachableServerIsAnError) {
  FakeServer server(history);
  server.stop();
  ClientProcess client({"status", "ro_1"}, reaching(server));
  EXPECT_EQ(client.exit_code(), 1);
  EXPECT_EQ(client.err(), "rollwatch: no answer from the server: Connection refused\n");
}

TEST(Token, IsNeverPrinted) {
  const FakeServer server([](const Call&) -> Reply {
    return {401, R"({"title":"No such token"})"};
  });
  auto environment = reaching(server);
  ClientProcess client({"list"}, environment);
  EXPECT_EQ(client.exit_code(), 1);
  EXPECT_THAT(client.err(), HasSubstr("No such token\n  a token is given by --token-file"));
  environment["ROLLWATCH_TOKEN"] = "s3cret\r\nX-Evil: 1";
  ClientProcess broken({"list"}, environment);
  EXPECT_EQ(broken.exit_code(), 64);
  EXPECT_THAT(client.err() + broken.err(), Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace rollwatch::test
