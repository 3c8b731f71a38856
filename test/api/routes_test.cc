#include <nlohmann/json.hpp>

#include "daemon/api/api.h"
#include "daemon/api/carried.h"
#include "daemon/api/foreign.h"
#include "daemon/api/page_routes.h"
#include "test/api/api_fixture.h"
#include "test/support/run.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

TEST(Routes, PathsFindTheirPattern) {
  struct Row {
    const char* method;
    std::vector<std::string> segments;
    const char* pattern;
  };
  const Row rows[] = {
      {"GET", {}, "/"},
      {"GET", {"metrics"}, "/metrics"},
      {"GET", {"-", "ready"}, "/-/ready"},
      {"HEAD", {"-", "ready"}, "/-/ready"},
      {"POST", {"api", "v1", "rollouts"}, "/api/v1/rollouts"},
      {"GET", {"api", "v1", "rollouts", "ro_1"}, "/api/v1/rollouts/{id}"},
      {"GET", {"api", "v1", "rollouts", "ro_1", "verdict"}, "/api/v1/rollouts/{id}/verdict"},
      {"POST", {"api", "v1", "deliveries", "ord_1", "ack"}, "/api/v1/deliveries/{id}/ack"},
      {"POST",
       {"api", "v1", "deliveries", "ord_1", "redeliver"},
       "/api/v1/deliveries/{id}/redeliver"},
      {"PUT", {"api", "v1", "services", "a", "b", "freeze"}, "/api/v1/services/{ns}/{name}/freeze"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.pattern);
    const RouteMatch match = match_route(api_routes(), row.method, row.segments);
    ASSERT_NE(match.route, nullptr);
    EXPECT_EQ(match.pattern, row.pattern);
  }
}

TEST(Routes, UnknownPathsAndMethodsAreToldApart) {
  struct Row {
    const char* method;
    std::vector<std::string> segments;
    std::vector<std::string> allowed;
  };
  const Row rows[] = {
      {"GET", {"api"}, {}},
      {"GET", {"api", "v1", "rollouts", ""}, {}},
      {"GET", {"api", "v1", "rollouts", "ro_1", "verdict", ""}, {}},
      {"GET", {"API", "v1", "rollouts"}, {}},
      {"GET", {"api", "v1", "rollouts", "ro_1", "extend"}, {"POST", "OPTIONS"}},
      {"GET", {"api", "v1", "services"}, {}},
      {"POST", {"api", "v1", "freeze"}, {"PUT", "GET", "HEAD", "DELETE", "OPTIONS"}},
      {"POST", {"openapi.json"}, {"GET", "HEAD", "OPTIONS"}},
      {"DELETE", {"api", "v1", "rollouts"}, {"POST", "GET", "HEAD", "OPTIONS"}},
      {"GET", {"-", "reload"}, {"POST", "PUT", "OPTIONS"}},
      {"get", {"metrics"}, {"GET", "HEAD", "OPTIONS"}},
  };
  for (const Row& row : rows) {
    const RouteMatch match = match_route(api_routes(), row.method, row.segments);
    EXPECT_EQ(match.route, nullptr);
    EXPECT_EQ(match.allowed, row.allowed);
  }
}

TEST(Routes, ParametersAreTheDecodedSegments) {
  const RouteMatch match = match_route(api_routes(), "GET", {"api", "v1", "rollouts", "a/b"});
  EXPECT_THAT(match.parameters, ElementsAre(Pair("id", "a/b")));
}

TEST(Routes, EveryRouteIsWrittenOnce) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const auto& table : {api_routes(), page_routes()})
    for (const Route& route : table) {
      EXPECT_TRUE(seen.emplace(route.method, route.pattern).second)
          << route.method << route.pattern;
      EXPECT_NE(route.handler, nullptr);
      EXPECT_TRUE(route.method != "GET" || route.scope == Scope::kRead ||
                  route.scope == Scope::kAny)
          << route.pattern;
    }
}

using ApiRoutesTest = ApiTest;

TEST_F(ApiRoutesTest, AnswersNameTheirRouteForTheMetrics) {
  EXPECT_EQ(ask("GET", "/api/v1/rollouts/ro_9").route, "/api/v1/rollouts/{id}");
  EXPECT_EQ(ask("DELETE", "/metrics").route, "/metrics");
  EXPECT_EQ(ask("GET", "/wp-login.php").route, "");
}

TEST_F(ApiRoutesTest, UnknownPathIs404AndWrongMethodIs405) {
  EXPECT_EQ(problem_of(ask("GET", "/nowhere")), "404 there is nothing at /nowhere");
  const ServerResponse response = ask("DELETE", "/api/v1/rollouts");
  EXPECT_THAT(problem_of(response), HasSubstr("405 DELETE is not possible here, only POST, GET"));
  EXPECT_EQ(header(response, "Allow"), "POST, GET, HEAD, OPTIONS");
}

TEST_F(ApiRoutesTest, OptionsTellsTheMethods) {
  const ServerResponse response = ask("OPTIONS", "/metrics");
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(header(response, "Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(ask("OPTIONS", "/nowhere").status, 404);
}

TEST_F(ApiRoutesTest, AStoreThatIsAwayIs503WithoutItsWords) {
  service.store_is_away = true;
  const ServerResponse response = ask("GET", "/api/v1/rollouts/ro_1");
  EXPECT_EQ(problem_of(response), "503 the store is away; nothing was changed, try again");
  EXPECT_EQ(header(response, "Retry-After"), "5");
}

// A call for a place that is another node's: what comes of it depends on what that node answers.
class ElsewhereTest : public ApiRoutesTest {
 protected:
  // `here_at`: from which attempt on the place is ours.
  ServerResponse call(std::vector<std::optional<ServerResponse>> answers, int here_at = 99,
                      bool carried = false) {
    static int attempts;
    static int ours_from;
    attempts = 0;
    asked.clear();
    ours_from = here_at;
    const Route elsewhere{"POST", "/elsewhere", Scope::kDecide,
                          [](const ApiContext&, Call&) -> awaitable<ServerResponse> {
                            if (++attempts < ours_from)
                              throw NotHere({"payments", "checkout", "eu-1"});
                            ServerResponse here;
                            here.status = 201;
                            co_return here;
                          }};
    ApiContext context{.service = service,
                       .clock = clock,
                       .settings = [] { return std::make_shared<const Settings>(); },
                       .reload = {},
                       .not_ready = {},
                       .metrics = {},
                       .external_url = [] { return std::string("http://rollwatch.example.net"); },
                       .version = ""};
    context.ask_owner =
        [&](const Place& place,
            const ServerRequest& request) -> awaitable<std::optional<ServerResponse>> {
      asked.push_back(place.target + " " + request.body);
      const auto answer = answers.at(asked.size() - 1);
      if (answer && answer->status == 0) throw StoreError("away");
      if (answer && answer->status == 1) throw NoAnswer("too late");
      co_return answer;
    };
    Api other(std::move(context), {&elsewhere, 1});
    net::io_context io;
    return run<ServerResponse>(io, [&other, carried]() -> awaitable<ServerResponse> {
      ServerRequest request;
      request.method = "POST";
      request.path = "/elsewhere";
      request.segments = {"elsewhere"};
      request.headers = {{"host", carried ? "another.example" : "rollwatch.example.net"}};
      request.body = "x";
      request.carried = carried;
      if (carried) request.caller = caller_text(Caller());
      co_return co_await other.answer(std::move(request));
    });
  }
  static ServerResponse answer(int status) {
    ServerResponse response;
    response.status = status;
    return response;
  }
  std::vector<std::string> asked;
};

TEST_F(ElsewhereTest, TheOwnersAnswerIsTheAnswer) {
  const ServerResponse response = call({answer(409)});
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.route, "/elsewhere");
  EXPECT_THAT(asked, testing::ElementsAre("eu-1 x"));
}

TEST_F(ElsewhereTest, WhereNobodyHasItAnyMoreItMayBeOurs) {
  EXPECT_EQ(call({std::nullopt}, 2).status, 201);
}

TEST_F(ElsewhereTest, IfNobodyAnswersItIsSaid) {
  const ServerResponse response = call({std::nullopt, std::nullopt});
  EXPECT_EQ(problem_of(response),
            "503 payments/checkout in eu-1 is another node's, which does not answer; nothing was "
            "changed, try again");
  EXPECT_EQ(header(response, "Retry-After"), "5");
  EXPECT_EQ(call({answer(0)}, 99).status, 503) << "the store is away";
}

TEST_F(ElsewhereTest, WhatMayHaveBeenDoneIsNotAskedAgain) {
  const ServerResponse response = call({answer(1)});
  EXPECT_EQ(problem_of(response),
            "504 the node that has payments/checkout in eu-1 did not answer; it may have been done "
            "all the same: look before you try again");
  EXPECT_THAT(asked, testing::SizeIs(1));
}

TEST_F(ElsewhereTest, WhatWasCarriedHereIsNotCarriedOn) {
  EXPECT_EQ(call({}, 99, true).status, 503);
  EXPECT_THAT(asked, testing::IsEmpty());
  EXPECT_EQ(call({}, 1, true).status, 201) << "the name it was asked by was looked at there";
}

TEST(Carried, RequestsAndAnswersComeBackWhole) {
  ServerRequest request;
  request.method = "POST";
  request.path = "/api/v1/rollouts/ro%2F1";
  request.segments = {"api", "v1", "rollouts", "ro/1"};
  request.query = {{"wait", "1s"}, {"wait", ""}};
  request.headers = {{"if-match", "\"3\""}, {"x", "é"}};
  request.body = "{\"a\":\"\\u0000\"}";
  request.peer = "127.0.0.1";
  request.caller = caller_text(Caller());
  const ServerRequest read = read_request_text(request_text(request));
  EXPECT_TRUE(read.carried);
  EXPECT_EQ(request_text(read), request_text(request));
  ServerResponse response;
  response.status = 422;
  response.headers = {{"ETag", "\"4\""}};
  response.body = "{}";
  const ServerResponse answered = read_response_text(response_text(response));
  EXPECT_EQ(answered.status, 422);
  EXPECT_EQ(answered.headers, response.headers);
  EXPECT_EQ(answered.body, "{}");
  for (const char* odd : {"", "x", "[]", "{}", R"({"status":"x","headers":[],"body":""})"}) {
    EXPECT_THROW(read_request_text(odd), std::runtime_error) << odd;
    EXPECT_THROW(read_response_text(odd), std::runtime_error) << odd;
  }
}

TEST_F(ApiRoutesTest, ForeignRequestsReachNoHandler) {
  EXPECT_EQ(ask("GET", "/metrics", "", {{"host", "evil.example"}}).status, 421);
  EXPECT_EQ(
      ask("POST", "/-/reload", "", {{"host", "127.0.0.1:9797"}, {"origin", "http://evil.example"}})
          .status,
      403);
}

TEST(Foreign, RequestsAreKnownByTheirHeaders) {
  struct Row {
    const char* name;
    const char* method;
    Headers headers;
    int status;
  };
  const Row rows[] = {
      {"no host", "POST", {}, 0},
      {"loopback", "GET", {{"host", "127.0.0.1:9797"}}, 0},
      {"loopback name", "GET", {{"host", "LocalHost:1"}}, 0},
      {"loopback v6", "GET", {{"host", "[::1]:9797"}}, 0},
      {"external", "GET", {{"host", "rollwatch.example.net"}}, 0},
      {"external with port", "GET", {{"host", "rollwatch.example.net:443"}}, 0},
      {"rebound", "GET", {{"host", "evil.example:9797"}}, 421},
      {"lookalike", "GET", {{"host", "127.0.0.1.evil.example"}}, 421},
      {"lan address", "GET", {{"host", "10.0.0.1:9797"}}, 421},
      {"empty host", "GET", {{"host", ""}}, 421},
      {"two hosts", "GET", {{"host", "localhost"}, {"host", "evil.example"}}, 400},
      {"own page", "POST", {{"host", "localhost:9797"}, {"origin", "http://localhost:9797"}}, 0},
      {"own external page",
       "POST",
       {{"host", "localhost:9797"}, {"origin", "https://rollwatch.example.net:8443"}},
       0},
      {"other port",
       "POST",
       {{"host", "localhost:9797"}, {"origin", "http://localhost:3000"}},
       403},
      {"other site", "POST", {{"host", "localhost:9797"}, {"origin", "http://evil.example"}}, 403},
      {"no site", "POST", {{"host", "localhost:9797"}, {"origin", "null"}}, 403},
      {"other site reads",
       "GET",
       {{"host", "localhost:9797"}, {"origin", "http://evil.example"}},
       0},
      {"cross-site", "POST", {{"host", "localhost:9797"}, {"sec-fetch-site", "cross-site"}}, 403},
      {"typed in", "POST", {{"host", "localhost:9797"}, {"sec-fetch-site", "none"}}, 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    ServerRequest request;
    request.method = row.method;
    request.headers = row.headers;
    const std::string external = row.name == std::string("own external page")
                                     ? "https://rollwatch.example.net:8443/x"
                                     : "http://rollwatch.example.net";
    const auto problem = foreign_problem(request, {}, external);
    EXPECT_EQ(problem ? problem->status : 0, row.status);
  }
}

TEST(Foreign, WithoutAnExternalUrlOnlyThisMachineIsServed) {
  ServerRequest request;
  request.method = "GET";
  request.headers = {{"host", ""}};
  EXPECT_TRUE(foreign_problem(request, {}, "").has_value());
  request.headers = {{"host", "localhost"}};
  EXPECT_FALSE(foreign_problem(request, {}, "").has_value());
}

using ApiAdminTest = ApiTest;

TEST_F(ApiAdminTest, HealthAndReadiness) {
  EXPECT_EQ(ask("GET", "/-/healthy").status, 200);
  EXPECT_EQ(ask("HEAD", "/-/ready").status, 200);
  not_ready = "loading active rollouts";
  EXPECT_EQ(ask("GET", "/-/ready").status, 503);
  EXPECT_EQ(ask("GET", "/-/ready").body, "loading active rollouts\n");
  EXPECT_EQ(ask("GET", "/-/healthy").status, 200);
}

TEST_F(ApiAdminTest, MetricsAreTextFormat) {
  const ServerResponse response = ask("GET", "/metrics");
  EXPECT_EQ(header(response, "Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(response.body, "rollwatch_x 1\n");
}

TEST_F(ApiAdminTest, ReloadSaysWhatBecameOfIt) {
  reload_answer.lines = {"orchestrator.old is used by nobody"};
  const ServerResponse done = ask("POST", "/-/reload");
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.body, R"({"status":"reloaded","warnings":["orchestrator.old is used by nobody"]})"
                       "\n");

  reload_answer = {ReloadEnd::kBadFile, {"a.toml:3:1: unknown key", "a.toml:4:1: wrong"}};
  EXPECT_EQ(problem_of(ask("PUT", "/-/reload")),
            "422 : a.toml:3:1: unknown key | : a.toml:4:1: wrong");
  reload_answer = {ReloadEnd::kInUse, {"datasource.default is used by ro_1"}};
  EXPECT_EQ(problem_of(ask("POST", "/-/reload")), "409 : datasource.default is used by ro_1");
}

}  // namespace
}  // namespace rollwatch
