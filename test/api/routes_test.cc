#include <nlohmann/json.hpp>

#include "daemon/api/api.h"
#include "daemon/api/foreign.h"
#include "test/api/api_fixture.h"

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
      {"GET", {"openapi.json"}, {}},
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
  for (const Route& route : api_routes()) {
    EXPECT_TRUE(seen.emplace(route.method, route.pattern).second) << route.method << route.pattern;
    EXPECT_NE(route.handler, nullptr);
    EXPECT_TRUE(route.method != "GET" || route.scope == Scope::kRead) << route.pattern;
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
    const auto problem = foreign_problem(request, external);
    EXPECT_EQ(problem ? problem->status : 0, row.status);
  }
}

TEST(Foreign, WithoutAnExternalUrlOnlyThisMachineIsServed) {
  ServerRequest request;
  request.method = "GET";
  request.headers = {{"host", ""}};
  EXPECT_TRUE(foreign_problem(request, "").has_value());
  request.headers = {{"host", "localhost"}};
  EXPECT_FALSE(foreign_problem(request, "").has_value());
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

TEST_F(ApiAdminTest, TheIndexNamesTheApi) {
  EXPECT_THAT(ask("GET", "/").body,
              AllOf(HasSubstr("rollwatchd 0.1.0"),
                    HasSubstr("http://rollwatch.example.net/api/v1/rollouts")));
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
