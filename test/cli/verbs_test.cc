// Verbs that ask for one thing, and those that ask no server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "daemon/cli/token.h"
#include "test/cli/stage.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

using Reading = test::Stage;

TEST_F(Reading, DeliveriesWithTheirLastAttempt) {
  answers = {Response{200, R"({"items":[
    {"id":"ord_1","kind":"advance","target":"deployer","state":"done","attempts":[
      {"at":"T1","status":503,"error":null},{"at":"T2","status":200,"error":null}]},
    {"id":"no_1","kind":"paused","target":"people","state":"dead","attempts":[
      {"at":"T3","status":null,"error":"timed out"}]},
    {"id":"no_2","kind":"paused","target":"people","state":"pending","attempts":[]}]})"}};
  EXPECT_EQ(run({"deliveries", "list", "ro_1"}), 0);
  EXPECT_EQ(out.str(),
            "ID     KIND     TARGET    STATE    ATTEMPTS  LAST\n"
            "ord_1  advance  deployer  done     2         T2 HTTP 200\n"
            "no_1   paused   people    dead     1         T3 timed out\n"
            "no_2   paused   people    pending  0         not yet\n");
  EXPECT_THAT(asked, ElementsAre("/rollouts/ro_1/deliveries"));
}

TEST_F(Reading, RedeliverSaysWhoAndWhy) {
  answers = {Response{200, R"({"id":"ord_1","kind":"rollback","state":"pending","attempts":[]})"},
             Response{409, R"({"title":"Conflict","detail":"it is not dead"})"}};
  EXPECT_EQ(run({"deliveries", "redeliver", "ord_1", "--reason", "it is back"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("ord_1  rollback  -       pending  0         not yet\n"));
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(asked[0], "/deliveries/ord_1/redeliver");
  EXPECT_EQ(json::parse(requests[0].body), json({{"reason", "it is back"}, {"by", "anna@host"}}));
  EXPECT_EQ(run({"deliveries", "redeliver", "ord_1"}), 1);
  EXPECT_EQ(err.str(), "rollwatch: Conflict: it is not dead\n");
}

TEST_F(Reading, LabelSaysWhetherItWasRight) {
  answers = {
      Response{200, R"({"id":"ro_1","state":"rolled_back","label":{"label":"wrong","by":"ana",
        "reason":"the load test","at":"T1"}})"},
      Response{409, R"({"title":"Conflict","detail":"it is analyzing"})"}};
  EXPECT_EQ(run({"label", "ro_1", "wrong", "--reason", "the load test"}), 0);
  EXPECT_EQ(out.str(), "ro_1 rolled_back is labelled wrong by ana: the load test\n");
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(asked[0], "/rollouts/ro_1/label");
  EXPECT_EQ(json::parse(requests[0].body),
            json({{"label", "wrong"}, {"reason", "the load test"}, {"by", "anna@host"}}));
  EXPECT_EQ(run({"label", "ro_1", "right", "--reason", "x", "--by", "ana"}), 1);
  EXPECT_EQ(json::parse(requests[1].body),
            json({{"label", "right"}, {"reason", "x"}, {"by", "ana"}}));
  EXPECT_EQ(err.str(), "rollwatch: Conflict: it is analyzing\n");
}

TEST_F(Reading, Policies) {
  answers = {Response{200,
                      R"({"items":[{"name":"http","conditions":["errors","latency"],"steps":2},
                            {"name":"soak","conditions":[],"steps":0}]})"},
             Response{200, R"json({"name":"http",
        "analysis":{"steps":[{"weight":5,"hold":"2m"}],"soak":"0s","on_fail":null,
          "condition":[{"name":"errors","query":"sum(a)\n/ sum(b) > 0.05","interval":"30s"}]},
        "analysis_sources":{"/steps/0/weight":"policy http f.toml:3","/steps/0/hold":"policy http f.toml:3",
          "/soak":"default","/condition/0/query":"policy http f.toml:7",
          "/condition/0/interval":"[defaults] f.toml:1"},
        "record":{"looked_at":500,"since":"T1","rollouts":120,"conditions":[
          {"name":"errors","rollouts":118,"answered":100,"failed":0}]}})json"}};
  EXPECT_EQ(run({"policy", "list"}), 0);
  EXPECT_EQ(out.str(), "NAME  STEPS  CONDITIONS\nhttp  2      errors, latency\nsoak  0      -\n");
  out.str("");
  EXPECT_EQ(run({"policy", "show", "a/b"}), 0);
  EXPECT_EQ(out.str(),
            "policy http\n\n"
            "soak   0s                          default\n"
            "steps  [{\"hold\":\"2m\",\"weight\":5}]  policy http f.toml:3\n"
            "\ncondition errors\n"
            "  interval  30s    [defaults] f.toml:1\n"
            "  query     below  policy http f.toml:7\n"
            "  query\n    sum(a)\n    / sum(b) > 0.05\n"
            "\n120 of the latest 500 rollouts had it, since T1\n"
            "  CONDITION  ROLLOUTS  ANSWERED  FAILED\n"
            "  errors     118       100       0\n");
  EXPECT_THAT(asked, ElementsAre("/policies", "/policies/a%2Fb"));
}

TEST_F(Reading, AChecksExitCodeSaysWhatCameOfIt) {
  struct Row {
    const char* name;
    std::vector<std::string> outcomes;
    int exit_code;
  };
  const Row rows[] = {
      {"all pass", {"pass", "pass"}, 0},
      {"one fails", {"pass", "error", "fail"}, 2},
      {"one gives no answer", {"pass", "no_data"}, 3},
      {"one is inconclusive", {"inconclusive"}, 3},
      {"nothing was asked", {}, 3},
  };
  for (const Row& row : rows) {
    json items = json::array();
    for (const std::string& outcome : row.outcomes)
      items.push_back({{"condition", "c"}, {"outcome", outcome}});
    answers = {Response{
        200, json({{"items", items}, {"left_out", {"mw"}}, {"warnings", {"slow"}}}).dump()}};
    EXPECT_EQ(run({"check", "--service=a", "--candidate=2", "--policy=http"}), row.exit_code)
        << row.name;
  }
  EXPECT_THAT(err.str(), HasSubstr("mw was left out: it needs --stable\nwarning: slow\n"));
  answers = {test::refused()};
  EXPECT_EQ(run({"check", "--service=a", "--candidate=2"}), 1);
}

TEST_F(Reading, ACheckShowsWhatWasAskedWhereItDoesNotPass) {
  answers = {Response{200, R"({"items":[
     {"condition":"errors","outcome":"fail","value":0.5,"rule":"> 0.05","detail":"0.5 > 0.05",
      "query":"a\n/ b","evidence":{"value":12},"curl":"curl x"},
     {"condition":"latency","outcome":"pass","value":0.1,"rule":"> 1","detail":"ok","query":"l","evidence":null}],
     "left_out":[],"warnings":[]})"}};
  EXPECT_EQ(run({"check", "--service=a", "--candidate=2", "--policy=http", "--condition=errors",
                 "--labels=tier=web", "--analysis", R"({"interval":"15s"})"}),
            2);
  EXPECT_EQ(out.str(),
            "CONDITION  OUTCOME  VALUE  RULE    EVIDENCE  DETAIL\n"
            "errors     fail     0.5    > 0.05  12        0.5 > 0.05\n"
            "latency    pass     0.1    > 1     -         ok\n"
            "\nerrors\n  a\n  / b\n  curl x\n");
  EXPECT_EQ(json::parse(requests[0].body), json::parse(R"({"service":"a","candidate":"2",
    "policy":"http","condition":"errors","labels":{"tier":"web"},"analysis":{"interval":"15s"}})"));
}

TEST(Token, IsRandomBytesAndTheirHash) {
  const NewToken token = token_of(std::string(32, '\xff'));
  EXPECT_EQ(token.token, "rwt___________________________________________8");
  EXPECT_EQ(token.token.size(), 4U + 43U);
  // printf %s TOKEN | sha256sum
  EXPECT_EQ(token.sha256, "0eb47f3edc35f338741ab06082576e830ee59138d352c32280696106603f806b");
  const auto one = make_token();
  const auto other = make_token();
  ASSERT_TRUE(one.has_value() && other.has_value());
  EXPECT_THAT(one->token, MatchesRegex("rwt_[A-Za-z0-9_-]+"));
  EXPECT_EQ(one->token.size(), 47U);
  EXPECT_NE(one->token, other->token);
}

TEST_F(Reading, ANewTokenComesWithItsSection) {
  EXPECT_EQ(run({"token", "new", "ci \"1\"", "--scopes", "read,register", "--scopes=read",
                 "--namespaces=pay"}),
            0);
  const std::string token = out.str().substr(0, out.str().find('\n'));
  EXPECT_THAT(out.str(), HasSubstr("\n\n[[server.token]]\nname = \"ci \\\"1\\\"\"\nsha256 = \""));
  EXPECT_THAT(out.str(),
              HasSubstr("\nscopes = [\"read\", \"register\"]\nnamespaces = [\"pay\"]\n"));
  EXPECT_THAT(err.str(), Not(HasSubstr(token))) << "what is logged of stderr is no secret";
  out.str("");
  EXPECT_EQ(run({"token", "new", "ci", "--scopes=read", "--output=json"}), 0);
  EXPECT_EQ(json::parse(out.str()).at("token").get<std::string>().size(), 47U);
  EXPECT_EQ(run({"token", "new", "ci", "--scopes=reed"}), 64);
  EXPECT_THAT(err.str(), HasSubstr("no scope 'reed'; did you mean 'read'?"));
  EXPECT_EQ(run({"token", "new", "ci", "--scopes=,"}), 64);
  EXPECT_TRUE(asked.empty());
}

struct InAHome : test::Stage {
  const std::filesystem::path home =
      std::filesystem::path(testing::TempDir()) / ("home-" + std::to_string(getpid()));
  InAHome() { surroundings.context_file = (home / "rollwatch" / "config.toml").string(); }
  ~InAHome() override { std::filesystem::remove_all(home); }
};

TEST_F(InAHome, ContextsAreAddedUsedAndListed) {
  EXPECT_EQ(run({"context", "list"}), 0);
  EXPECT_EQ(out.str(), "  NAME  SERVER  TOKEN FILE\n");
  EXPECT_EQ(run({"context", "add", "near", "--server=http://near:1"}), 0);
  EXPECT_EQ(run({"context", "add", "far", "--server=http://far:1", "--token-file=/far.token"}), 0);
  out.str("");
  EXPECT_EQ(run({"context", "use", "far"}), 0);
  EXPECT_EQ(run({"context", "list"}), 0);
  EXPECT_EQ(out.str(),
            "far: http://far:1\n"
            "   NAME  SERVER         TOKEN FILE\n"
            "*  far   http://far:1   /far.token\n"
            "   near  http://near:1  -\n");
  EXPECT_EQ(run({"context", "add", "far", "--server=http://x"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("there is a context 'far' already"));
  EXPECT_EQ(run({"context", "use", "fra"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("no context 'fra'; did you mean 'far'?"));
  EXPECT_EQ(run({"context", "add", "x"}), 64);
  surroundings.context_file.clear();
  EXPECT_EQ(run({"context", "add", "x", "--server=http://x"}), 1);
}

}  // namespace
}  // namespace rollwatch
