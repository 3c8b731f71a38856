#include "notifiers/order_body.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace rollwatch {
namespace {

RolloutSpec checkout() {
  RolloutSpec spec;
  spec.id = "ro_01jg";
  spec.ns = "payments";
  spec.service = "checkout";
  spec.target = "eu-1";
  spec.stable = "1.23";
  spec.candidate = "1.24";
  return spec;
}

OrderFacts rollback() {
  OrderFacts order;
  order.id = "ord_01jg-3";
  order.kind = "rollback";
  order.fence = 1767323045678;
  order.decided_at = SysTime{Millis{1'767'323'045'000}};
  order.expires_at = SysTime{Millis{1'767'324'845'678}};
  order.attempted_at = SysTime{Millis{1'767'323'045'678}};
  order.payload =
      R"({"state": "rolling_back", "step": 1, "reason": {"summary": "error-rate 0.083 > 0.05, 3 of the last 3",
      "condition": "error-rate", "value": 0.083, "rule": "> 0.05", "by": "engine", "decision": "de_01jg-4"}})";
  return order;
}

TEST(OrderBody, IsTheContractsByteForByte) {
  EXPECT_EQ(
      order_body(checkout(), rollback(), "http://rollwatch.example.net"),
      R"({"type":"rollout.rollback","timestamp":"2026-01-02T03:04:05.678Z",)"
      R"("data":{"order":{"id":"ord_01jg-3","kind":"rollback","weight":0,"fence":1767323045678,"attempt":1,)"
      R"("expires_at":"2026-01-02T03:34:05.678Z"},)"
      R"("rollout":{"id":"ro_01jg","namespace":"payments","service":"checkout","target":"eu-1","stable":"1.23",)"
      R"("candidate":"1.24","state":"rolling_back","step":1,"labels":{}},)"
      R"("reason":{"summary":"error-rate 0.083 > 0.05, 3 of the last 3","condition":"error-rate","value":0.083,)"
      R"("rule":"> 0.05","by":"engine",)"
      R"("explain_url":"http://rollwatch.example.net/api/v1/rollouts/ro_01jg/explain?decision=de_01jg-4"}}})");
}

TEST(OrderBody, AsACloudEventItCarriesTheSameData) {
  const std::string text =
      order_cloud_event(checkout(), rollback(), "http://rollwatch.example.net:9797");
  EXPECT_EQ(
      text.substr(0, text.find(R"(,"data")")),
      R"({"specversion":"1.0","id":"ord_01jg-3","source":"/rollwatch/rollwatch.example.net:9797",)"
      R"("type":"io.rollwatch.rollout.rollback.v1","time":"2026-01-02T03:04:05.000Z",)"
      R"("subject":"payments/ro_01jg","datacontenttype":"application/json")");
  const auto event = nlohmann::json::parse(text);
  const auto body = nlohmann::json::parse(
      order_body(checkout(), rollback(), "http://rollwatch.example.net:9797"));
  EXPECT_EQ(event["data"], body["data"]);
}

// CloudEvents 1.0: required attributes are strings that are not empty, all names are lower-case
// letters and digits, `source` is a URI reference, `time` is RFC 3339; and a repeat has the same
// id, source and time.
TEST(OrderBody, ACloudEventKeepsTheRules) {
  for (const char* url :
       {"http://rollwatch.example.net", "http://[::1]:9797/base", "", "https://h\xc3\xa4"}) {
    for (const char* kind : {"advance", "promote", "pause", "resume", "rollback"}) {
      SCOPED_TRACE(std::string(url) + " " + kind);
      OrderFacts order = rollback();
      order.kind = kind;
      const auto event = nlohmann::json::parse(order_cloud_event(checkout(), order, url));
      for (const auto& [name, value] : event.items()) {
        EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789"),
                  std::string::npos);
        if (name == "data") continue;
        ASSERT_TRUE(value.is_string()) << name;
        EXPECT_FALSE(value.get<std::string>().empty()) << name;
      }
      for (const char* name : {"specversion", "id", "source", "type"})
        EXPECT_TRUE(event.contains(name)) << name;
      EXPECT_EQ(event["specversion"], "1.0");
      EXPECT_TRUE(event["data"].is_object());
      const auto source = event["source"].get<std::string>();
      EXPECT_TRUE(source.starts_with("/rollwatch/"));
      EXPECT_EQ(source.find_first_of(" \"<>[]\\^`{|}#?"), std::string::npos) << source;
      for (const char c : source) EXPECT_TRUE(c > 0x20 && c < 0x7f) << source;
      EXPECT_TRUE(parse_time(event["time"].get<std::string>()).has_value());

      order.attempt = 9;
      order.attempted_at += std::chrono::hours{1};
      const auto repeat = nlohmann::json::parse(order_cloud_event(checkout(), order, url));
      for (const char* name : {"id", "source", "time", "type", "subject"})
        EXPECT_EQ(repeat[name], event[name]) << name;
    }
  }
}

TEST(OrderBody, AFirstReleaseByHandHasNothingToGoBackToAndNoCondition) {
  RolloutSpec spec = checkout();
  spec.stable = "";
  spec.labels = {{"tier", "web"}, {"note", "say \"hi\"\n"}};
  OrderFacts order = rollback();
  order.kind = "advance";
  order.weight = 12.5;
  order.attempt = 7;
  order.payload =
      R"({"state": "analyzing", "step": 0, "reason": {"summary": "alice: go on", "condition": "", "by": "alice"}})";
  const auto body = nlohmann::json::parse(order_body(spec, order, "http://h"));
  EXPECT_EQ(body["type"], "rollout.advance");
  EXPECT_EQ(body["data"]["order"]["weight"], 12.5);
  EXPECT_EQ(body["data"]["order"]["attempt"], 7);
  EXPECT_TRUE(body["data"]["rollout"]["stable"].is_null());
  EXPECT_EQ(body["data"]["rollout"]["labels"],
            (nlohmann::json{{"tier", "web"}, {"note", "say \"hi\"\n"}}));
  EXPECT_TRUE(body["data"]["reason"]["condition"].is_null());
  EXPECT_TRUE(body["data"]["reason"]["value"].is_null());
  EXPECT_TRUE(body["data"]["reason"]["rule"].is_null());
  EXPECT_EQ(body["data"]["reason"]["explain_url"], "http://h/api/v1/rollouts/ro_01jg/explain");
}

TEST(OrderBody, WholeNumbersHaveNoFraction) {
  struct Row {
    const char* name;
    double weight;
    const char* text;
  };
  const Row rows[] = {
      {"nothing", 0, "0"},
      {"minus nothing", -0.0, "0"},
      {"whole", 25, "25"},
      {"a fraction", 0.1, "0.1"},
      {"all", 100, "100"},
      {"no number", std::numeric_limits<double>::quiet_NaN(), "null"},
      {"too large to be exact", 1e300, "1e+300"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    OrderFacts order = rollback();
    order.weight = row.weight;
    const std::string body = order_body(checkout(), order, "http://h");
    EXPECT_NE(body.find(std::string("\"weight\":") + row.text + ","), std::string::npos) << body;
  }
}

TEST(OrderBody, APayloadThatCannotBeReadStillMakesAnOrder) {
  for (const char* payload :
       {"", "{", "[]", "null", R"({"reason": 5})", R"({"reason": {"value": "x", "rule": 3}})"}) {
    SCOPED_TRACE(payload);
    OrderFacts order = rollback();
    order.payload = payload;
    const auto body = nlohmann::json::parse(order_body(checkout(), order, "http://h"));
    EXPECT_EQ(body["data"]["order"]["id"], "ord_01jg-3");
    EXPECT_TRUE(body["data"]["reason"]["value"].is_null());
  }
}

}  // namespace
}  // namespace rollwatch
