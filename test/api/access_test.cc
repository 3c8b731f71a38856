// Tokens: who is let in, to what, in which namespaces, how often; and that what they did is kept
// with their name and address.
#include "daemon/api/access.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <nlohmann/json.hpp>

#include "daemon/api/buckets.h"
#include "daemon/api/carried.h"
#include "daemon/api/cors.h"
#include "daemon/api/foreign.h"
#include "daemon/api/page_routes.h"
#include "test/api/api_fixture.h"
#include "test/support/run.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TokenSettings token_of(const std::string& secret, const std::string& name,
                       std::vector<std::string> scopes, std::vector<std::string> namespaces = {}) {
  TokenSettings token;
  token.name = name;
  token.scopes = std::move(scopes);
  token.namespaces = std::move(namespaces);
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), token.sha256.data());
  return token;
}

class EndlessBody : public BodySource {
 public:
  awaitable<BodyPiece> next() override {
    BodyPiece piece{std::make_shared<const std::string>("piece")};
    co_return piece;
  }
  void stop() override {}
};

std::string next_of(BodySource& source) {
  net::io_context io;
  return run<std::string>(io, [&source]() -> awaitable<std::string> {
    std::string text;
    for (const auto& part : co_await source.next()) text += *part;
    co_return text;
  });
}

class AccessTest : public ApiTest {
 protected:
  AccessTest() {
    Settings with_tokens = sample_settings();
    with_tokens.server.tokens = {
        token_of("rwt_all", "all", {"read", "register", "decide", "admin"}),
        token_of("rwt_reader", "reader", {"read"}),
        token_of("rwt_ci", "ci", {"register"}),
        token_of("rwt_shop", "shop", {"read", "register", "decide", "admin"}, {"shop"}),
    };
    set(with_tokens);
    service.rollouts["ro_1"] = sample_rollout();  // in payments
  }
  void set(Settings with) { settings = std::make_shared<const Settings>(std::move(with)); }
  ServerResponse as(const std::string& token, const std::string& method, const std::string& target,
                    const std::string& body = "") {
    return ask(method, target, body, {{"authorization", "Bearer " + token}});
  }
  int status_as(const std::string& token, const std::string& method, const std::string& target,
                const std::string& body = "") {
    return as(token, method, target, body).status;
  }
};

TEST_F(AccessTest, WithoutAKnownTokenNothingIsTold) {
  const ServerResponse none = ask("GET", "/api/v1/rollouts/ro_1");
  EXPECT_EQ(problem_of(none),
            "401 this needs a token: send the header Authorization: Bearer rwt_…");
  EXPECT_EQ(header(none, "WWW-Authenticate"), "Bearer");
  const ServerResponse wrong = as("rwt_guess", "GET", "/api/v1/rollouts/ro_1");
  EXPECT_EQ(problem_of(wrong), "401 this token is not known here, or no longer");
  EXPECT_EQ(header(wrong, "WWW-Authenticate"), "Bearer error=\"invalid_token\"");
  EXPECT_EQ(wrong.body.find("guess"), std::string::npos);
  EXPECT_EQ(as("rwt_guess", "POST", "/api/v1/rollouts/ro_1/rollback", "{}").status, 401);
  EXPECT_THAT(service.decisions, IsEmpty());
}

TEST_F(AccessTest, TheHeaderIsReadStrictly) {
  struct Row {
    const char* name;
    Headers headers;
    int status;
  };
  const Row rows[] = {
      {"bearer", {{"authorization", "Bearer rwt_all"}}, 200},
      {"scheme in any case, more spaces", {{"authorization", "bEARER   rwt_all"}}, 200},
      {"the password of basic: x:rwt_all", {{"authorization", "Basic eDpyd3RfYWxs"}}, 200},
      {"basic without a colon", {{"authorization", "Basic cnd0X2FsbA=="}}, 401},
      {"basic, broken", {{"authorization", "Basic %%%="}}, 401},
      {"basic, nothing but padding", {{"authorization", "Basic ===="}}, 401},
      {"no scheme", {{"authorization", "rwt_all"}}, 401},
      {"nothing behind it", {{"authorization", "Bearer "}}, 401},
      {"another scheme", {{"authorization", "Token rwt_all"}}, 401},
      {"twice", {{"authorization", "Bearer rwt_all"}, {"authorization", "Bearer rwt_all"}}, 401},
      {"a token and more", {{"authorization", "Bearer rwt_all x"}}, 401},
      {"a prefix of one", {{"authorization", "Bearer rwt_al"}}, 401},
      {"endless", {{"authorization", "Bearer " + std::string(2000, 'x')}}, 401},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(ask("GET", "/api/v1/rollouts", "", row.headers).status, row.status);
  }
}

TEST_F(AccessTest, EachRouteAsksForItsScope) {
  service.decide_answer = {DecideEnd::kDone, "", sample_rollout()};
  struct Row {
    const char* method;
    const char* target;
    const char* body;
    int reader, ci;
  };
  const Row rows[] = {
      {"GET", "/api/v1/rollouts", "", 200, 403},
      {"GET", "/api/v1/rollouts/ro_1/verdict", "", 200, 403},
      {"GET", "/api/v1/events", "", 200, 403},
      {"POST", "/gates/flagger/event", R"({"name":"a","namespace":"b"})", 200, 403},
      {"POST", "/hooks/alertmanager", R"({"version":"4","alerts":[]})", 403, 200},
      {"POST", "/api/v1/rollouts/ro_1/progress", R"({"weight":5})", 403, 200},
      // Whoever may ask a datasource anything: with `read` alone one could.
      {"POST", "/api/v1/check", "{}", 403, 422},
      {"POST", "/api/v1/calibrate", "{}", 403, 422},
      {"POST", "/api/v1/deliveries/ord_1/ack", R"({"status":"done"})", 403, 200},
      {"POST", "/api/v1/rollouts/ro_1/rollback", "{}", 403, 403},
      {"PUT", "/api/v1/freeze", R"({"reason":"x"})", 403, 403},
      {"POST", "/-/reload", "", 403, 403},
      {"GET", "/metrics", "", 200, 200},
      {"GET", "/-/ready", "", 200, 200},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.target);
    EXPECT_EQ(status_as("rwt_reader", row.method, row.target, row.body), row.reader);
    EXPECT_EQ(status_as("rwt_ci", row.method, row.target, row.body), row.ci);
  }
  EXPECT_EQ(problem_of(as("rwt_reader", "POST", "/api/v1/rollouts/ro_1/rollback", "{}")),
            "403 the token \"reader\" lacks the scope \"decide\"");
  EXPECT_EQ(ask("GET", "/metrics").status, 200) << "open to everybody";
  EXPECT_EQ(ask("GET", "/").status, 200);
}

TEST_F(AccessTest, EveryRouteThatIsNotOpenNeedsAToken) {
  for (const Route& route : api_routes()) {
    std::string target(route.pattern);
    for (std::size_t at = 0; (at = target.find('{')) != std::string::npos;)
      target.replace(at, target.find('}') - at + 1, "x");
    SCOPED_TRACE(target);
    const int status = ask(std::string(route.method), target).status;
    EXPECT_EQ(status == 401, !is_open(route.pattern) && !is_page(route)) << status;
  }
}

TEST_F(AccessTest, AnotherNamespacesThingsAreNotThere) {
  Delivery delivery;
  delivery.id = "ord_1";
  delivery.rollout = "ro_1";
  service.known_deliveries["ord_1"] = delivery;
  struct Row {
    const char* method;
    const char* target;
    const char* body;
    int status;
  };
  const Row rows[] = {
      {"GET", "/api/v1/rollouts/ro_1", "", 404},
      {"GET", "/api/v1/rollouts/ro_1/verdict", "", 404},
      {"GET", "/api/v1/rollouts/ro_1/evaluations", "", 404},
      {"GET", "/api/v1/rollouts/ro_1/explain", "", 404},
      {"POST", "/api/v1/rollouts/ro_1/rollback", "{}", 404},
      {"POST", "/api/v1/rollouts/ro_1/progress", R"({"weight":5})", 404},
      {"POST", "/api/v1/deliveries/ord_1/ack", R"({"status":"done"})", 404},
      {"POST", "/api/v1/deliveries/ord_1/redeliver", "{}", 404},
      {"POST", "/api/v1/rollouts/ro_1/label", R"({"label":"right","reason":"x"})", 404},
      {"GET", "/api/v1/events?rollout=ro_1", "", 404},
      {"GET", "/api/v1/services/payments/checkout", "", 404},
      {"PUT", "/api/v1/services/payments/checkout/freeze", R"({"reason":"x"})", 404},
      {"PUT", "/api/v1/freeze", R"({"reason":"x"})", 403},
      {"DELETE", "/api/v1/freeze", "", 403},
      {"POST", "/-/reload", "", 403},
      {"POST", "/api/v1/notifiers/releases/test", "", 403},
      {"POST", "/gates/flagger/rollback", R"({"name":"checkout","namespace":"payments"})", 403},
      {"PUT", "/api/v1/services/shop/cart/freeze", R"({"reason":"x"})", 200},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.method) + " " + row.target);
    EXPECT_EQ(status_as("rwt_shop", row.method, row.target, row.body), row.status);
  }
  EXPECT_THAT(service.decisions, IsEmpty());
  EXPECT_THAT(service.reports, IsEmpty());
  EXPECT_THAT(service.acknowledged, IsEmpty());
  EXPECT_THAT(service.redelivered, IsEmpty());
  EXPECT_THAT(service.labelled, IsEmpty());
  EXPECT_THAT(service.freezes, testing::SizeIs(1));
}

TEST_F(AccessTest, ListsStreamsAndAlertsAreOfItsNamespaces) {
  const auto list = nlohmann::json::parse(as("rwt_shop", "GET", "/api/v1/rollouts").body);
  EXPECT_THAT(list.at("items"), IsEmpty());
  EXPECT_THAT(service.filter.visible, ElementsAre("shop"));
  as("rwt_shop", "GET", "/api/v1/events");
  ASSERT_EQ(followed.size(), 1U);
  EXPECT_THAT(followed[0].first.visible, ElementsAre("shop"));
  as("rwt_shop", "POST", "/hooks/alertmanager", R"({"version":"4","alerts":[]})");
  EXPECT_THAT(service.alert_namespaces, ElementsAre("shop"));
  as("rwt_all", "POST", "/hooks/alertmanager", R"({"version":"4","alerts":[]})");
  EXPECT_THAT(service.alert_namespaces, IsEmpty());
}

TEST_F(AccessTest, TokensFollowTheConfiguration) {
  EXPECT_EQ(status_as("rwt_reader", "GET", "/api/v1/rollouts"), 200);
  Settings changed = *settings;
  changed.server.tokens[1] = token_of("rwt_new", "reader", {"read"});
  set(changed);
  EXPECT_EQ(status_as("rwt_reader", "GET", "/api/v1/rollouts"), 401);
  EXPECT_EQ(status_as("rwt_new", "GET", "/api/v1/rollouts"), 200);
}

TEST_F(AccessTest, AStreamEndsWithItsToken) {
  stream = std::make_shared<EndlessBody>();
  const auto reader = as("rwt_reader", "GET", "/api/v1/events").stream;
  const auto other = as("rwt_all", "GET", "/api/v1/events").stream;
  ASSERT_TRUE(reader && other);
  EXPECT_EQ(next_of(*reader), "piece");
  Settings changed = *settings;
  set(changed);
  EXPECT_EQ(next_of(*reader), "piece") << "read again, and the same";
  changed.server.tokens[1] = token_of("rwt_new", "reader", {"read"});
  set(changed);
  EXPECT_EQ(next_of(*reader), "");
  EXPECT_EQ(next_of(*other), "piece");

  changed.server.tokens.clear();
  set(changed);
  const auto anybody = ask("GET", "/api/v1/events").stream;
  EXPECT_EQ(next_of(*anybody), "piece");
  changed.server.tokens = {token_of("rwt_new", "reader", {"read"})};
  set(changed);
  EXPECT_EQ(next_of(*anybody), "") << "now there are tokens";
}

TEST_F(AccessTest, WhatIsDoneIsKeptWithTheTokenAndTheAddress) {
  service.decide_answer = {DecideEnd::kDone, "", sample_rollout()};
  as("rwt_all", "POST", "/api/v1/rollouts/ro_1/pause", R"({"by":"ana","reason":"odd"})");
  as("rwt_ci", "POST", "/api/v1/rollouts/ro_1/progress", R"({"weight":5})");
  as("rwt_ci", "POST", "/api/v1/deliveries/ord_1/ack", R"({"status":"done"})");
  as("rwt_all", "PUT", "/api/v1/services/a/b/freeze", R"({"reason":"x"})");
  as("rwt_all", "DELETE", "/api/v1/services/a/b/freeze");
  as("rwt_all", "POST", "/api/v1/deliveries/ord_1/redeliver", "{}");
  as("rwt_ci", "POST", "/hooks/alertmanager", R"({"version":"4","alerts":[{"status":"firing",
      "labels":{"alertname":"x"},"annotations":{},"fingerprint":"f","generatorURL":"",
      "startsAt":"2026-01-02T03:04:05Z","endsAt":"0001-01-01T00:00:00Z"}]})");
  EXPECT_EQ(service.alerts.at(0).change.via, Via("ci", "192.0.2.7"));
  const std::vector<Via> expected{{"all", "192.0.2.7"}, {"ci", "192.0.2.7"},  {"ci", "192.0.2.7"},
                                  {"all", "192.0.2.7"}, {"all", "192.0.2.7"}, {"all", "192.0.2.7"}};
  EXPECT_EQ(service.vias, expected);
  ASSERT_EQ(service.decisions.size(), 1U);
  EXPECT_EQ(service.decisions[0].by, "ana") << "who they say they are";
  EXPECT_EQ(service.reports.at(0).by, "ci") << "who else but the token";
}

TEST_F(AccessTest, GuessingIsSlowAndLocksNobodyOutWhoWasHereBefore) {
  EXPECT_EQ(status_as("rwt_reader", "GET", "/api/v1/rollouts"), 200);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(status_as("rwt_guess", "GET", "/api/v1/rollouts"), 401) << i;
  const ServerResponse stopped = as("rwt_guess", "GET", "/api/v1/rollouts");
  EXPECT_EQ(stopped.status, 429);
  EXPECT_EQ(header(stopped, "Retry-After"), "1");
  EXPECT_EQ(status_as("rwt_reader", "GET", "/api/v1/rollouts"), 200) << "known from here";
  EXPECT_EQ(status_as("rwt_all", "GET", "/api/v1/rollouts"), 429) << "as good as a guess";
  clock.passed += Millis(1'000);
  EXPECT_EQ(status_as("rwt_all", "GET", "/api/v1/rollouts"), 200) << "one a second";
  EXPECT_EQ(status_as("rwt_guess", "GET", "/api/v1/rollouts"), 401);
  EXPECT_EQ(status_as("rwt_guess", "GET", "/api/v1/rollouts"), 429);
}

TEST_F(AccessTest, ARateIsEachTokensOwnAndHoldsUpNoDecision) {
  Settings limited = *settings;
  limited.server.rate = 2;
  set(limited);
  service.decide_answer = {DecideEnd::kDone, "", sample_rollout()};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(status_as("rwt_all", "GET", "/api/v1/rollouts"), 200);
  const ServerResponse stopped = as("rwt_all", "GET", "/api/v1/rollouts");
  EXPECT_EQ(problem_of(stopped), "429 the token \"all\" asks more often than 2 times a second");
  EXPECT_EQ(header(stopped, "Retry-After"), "1");
  EXPECT_EQ(status_as("rwt_all", "POST", "/api/v1/rollouts/ro_1/rollback", "{}"), 200);
  EXPECT_EQ(status_as("rwt_reader", "GET", "/api/v1/rollouts"), 200);
  clock.passed += Millis(500);
  EXPECT_EQ(status_as("rwt_all", "GET", "/api/v1/rollouts"), 200);
  EXPECT_EQ(status_as("rwt_all", "GET", "/api/v1/rollouts"), 429);
}

TEST_F(AccessTest, AnyNameOfTheServerWillDoButNoOtherSitesPage) {
  EXPECT_EQ(ask("GET", "/api/v1/rollouts", "",
                {{"authorization", "Bearer rwt_all"}, {"host", "rollwatch.cluster.local"}})
                .status,
            200);
  EXPECT_EQ(ask("POST", "/-/reload", "",
                {{"authorization", "Bearer rwt_all"}, {"origin", "http://evil.example"}})
                .status,
            403);
}

TEST_F(AccessTest, OnlyListedPagesMayReadAnswers) {
  const Headers from = {{"origin", "https://deploys.example.net"},
                        {"authorization", "Bearer rwt_all"},
                        {"access-control-request-method", "POST"}};
  EXPECT_EQ(header(ask("GET", "/api/v1/rollouts", "", from), "Access-Control-Allow-Origin"), "");
  Settings open = *settings;
  open.server.cors_origins = {"https://deploys.example.net"};
  set(open);
  const ServerResponse read = ask("GET", "/api/v1/rollouts", "", from);
  EXPECT_EQ(header(read, "Access-Control-Allow-Origin"), "https://deploys.example.net");
  EXPECT_EQ(header(read, "Vary"), "Origin");
  EXPECT_EQ(header(read, "Access-Control-Allow-Credentials"), "");
  const ServerResponse asked = ask("OPTIONS", "/api/v1/rollouts", "", from);
  EXPECT_EQ(asked.status, 204);
  EXPECT_EQ(header(asked, "Access-Control-Allow-Methods"), "POST, GET, HEAD, OPTIONS");
  EXPECT_THAT(header(asked, "Access-Control-Allow-Headers"), HasSubstr("Authorization"));
  EXPECT_EQ(ask("POST", "/-/reload", "", from).status, 200) << "at home here";
  const ServerResponse other =
      ask("GET", "/api/v1/rollouts", "",
          {{"origin", "https://evil.example"}, {"authorization", "Bearer rwt_all"}});
  EXPECT_EQ(header(other, "Access-Control-Allow-Origin"), "");
  EXPECT_EQ(header(other, "Vary"), "Origin");
}

TEST(CarriedCaller, IsCarriedInsteadOfWhatProvedIt) {
  Caller caller;
  caller.name = caller.token = "ci";
  caller.address = "192.0.2.7";
  caller.scopes = {Scope::kRegister};
  caller.namespaces = {"shop"};
  ServerRequest request;
  request.headers = {{"authorization", "Bearer rwt_secret"}, {"cookie", "rwt_secret"}};
  request.caller = caller_text(caller);
  const std::string text = request_text(request);
  EXPECT_EQ(text.find("rwt_secret"), std::string::npos);
  const Caller read = read_caller_text(read_request_text(text).caller);
  EXPECT_EQ(read.token, "ci");
  EXPECT_EQ(read.address, "192.0.2.7");
  EXPECT_TRUE(read.may(Scope::kRegister));
  EXPECT_FALSE(read.may(Scope::kRead));
  EXPECT_FALSE(read.sees("payments"));
}

TEST(Scopes, HaveTheConfigurationsNames) {
  EXPECT_EQ(scope_name(Scope::kRead), "read");
  EXPECT_EQ(scope_name(Scope::kRegister), "register");
  EXPECT_EQ(scope_name(Scope::kDecide), "decide");
  EXPECT_EQ(scope_name(Scope::kAdmin), "admin");
}

TEST(Guessing, IsCountedForAnAddressOrAnIpv6Network) {
  EXPECT_EQ(guessing_place("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(guessing_place("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(guessing_place("2001:db8:1:2:3:4:5:6"), guessing_place("2001:db8:1:2::9"));
  EXPECT_NE(guessing_place("2001:db8:1:2::9"), guessing_place("2001:db8:1:3::9"));
}

TEST(BucketsTest, RefillWithTimeAndForgetTheOldest) {
  Buckets buckets(2);
  const SteadyTime start{};
  EXPECT_TRUE(buckets.take("a", 1, 2, start));
  EXPECT_TRUE(buckets.take("a", 1, 2, start));
  EXPECT_FALSE(buckets.take("a", 1, 2, start));
  EXPECT_TRUE(buckets.is_empty("a", 1, 2, start + Millis(999)));
  EXPECT_FALSE(buckets.is_empty("a", 1, 2, start + Millis(1'000)));
  EXPECT_FALSE(buckets.is_empty("never seen", 1, 2, start));
  EXPECT_TRUE(buckets.take("b", 1, 2, start));
  EXPECT_TRUE(buckets.take("c", 1, 2, start));
  EXPECT_EQ(buckets.size(), 2U);
  EXPECT_TRUE(buckets.take("a", 1, 2, start)) << "forgotten, and so full again";
}

}  // namespace
}  // namespace rollwatch
