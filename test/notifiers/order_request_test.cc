// Orders as requests of somebody else's API: what is put where, what is refused when it is read,
// and when a target that was read needs nothing or is somebody else's.
#include "notifiers/order_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RolloutSpec spec_of_shop() {
  RolloutSpec spec;
  spec.id = "ro_1";
  spec.ns = "pay/ments";
  spec.service = "shop \"x\"";
  spec.target = "eu-1";
  spec.stable = "1.23";
  spec.candidate = "1.24+a";
  spec.labels = {{"hash", "abc"}, {"empty", ""}};
  spec.args = {{"job", "j&1"}};
  return spec;
}

TemplateValues values_of(const RolloutSpec& spec = spec_of_shop()) {
  OrderFacts order;
  order.id = "ord_1-2";
  order.kind = "advance";
  order.weight = 12.5;
  order.fence = 1767323045678;
  order.payload =
      R"({"state":"analyzing","step":1,"reason":{"summary":"goes to 12.5 %","by":"engine","decision":"de_1-2"}})";
  return order_values(spec, order, "http://rollwatch");
}

OrderRequest made(const RequestShape& shape) {
  auto request = OrderRequest::make(shape);
  EXPECT_TRUE(request) << (request ? "" : request.error().key + " " + request.error().message);
  return *request;
}

RequestShape shape_of(const std::string& url, const std::string& body = "") {
  RequestShape shape;
  shape.url = Secret(url);
  shape.body = body;
  return shape;
}

TEST(OrderRequest, PutsEachValueInAsThePlaceTakesIt) {
  RequestShape shape = shape_of(
      "https://api/ns/{{namespace}}/rollouts/{{service}}?job={{args.job}}",
      R"({"to":"{{candidate}}","name":"a {{service}} b","weight":"{{weight}}","rest":"{{ stable_weight }}",)"
      R"("text":"{{weight | string}}","step":"{{step}}","fence":"{{fence}}","mixed":"{{weight}} %",)"
      R"("list":["{{labels.hash}}",7,true,null],"in":{"a":"{{reason}} by {{by}}"}})");
  shape.method = "PATCH";
  shape.headers = {{"X-Order", Secret("{{order}} of {{rollout}}")}};
  const auto request = made(shape).render(values_of());
  ASSERT_TRUE(request) << request.error();
  EXPECT_EQ(request->method, "PATCH");
  EXPECT_EQ(request->url.reveal(), "https://api/ns/pay%2Fments/rollouts/shop%20%22x%22?job=j%261");
  ASSERT_EQ(request->headers.size(), 1U);
  EXPECT_EQ(request->headers[0].second.reveal(), "ord_1-2 of ro_1");
  EXPECT_EQ(
      request->body,
      R"({"to":"1.24+a","name":"a shop \"x\" b","weight":12.5,"rest":87.5,"text":"12.5","step":1,)"
      R"("fence":1767323045678,"mixed":"12.5 %","list":["abc",7,true,null],"in":{"a":"goes to 12.5 % by engine"}})");
}

TEST(OrderRequest, WhatIsNoTemplateIsAnErrorWhenItIsRead) {
  const struct {
    const char* name;
    RequestShape shape;
    const char* key;
    const char* message;
  } rows[] = {
      {"unknown variable", shape_of("http://a/{{servise}}"), "url",
       "there is no variable {{servise}}; there are: namespace"},
      {"a group without a name", shape_of("http://a/{{labels.}}"), "url",
       "no variable {{labels.}}"},
      {"open", shape_of("http://a/{{service"), "url", "has no \"}}\""},
      {"a filter there is none of", shape_of("http://a/{{service | upper}}"), "url",
       "only {{name | string}}"},
      {"the host is not a registration's to choose", shape_of("http://{{target}}/x"), "url",
       "only behind the host"},
      {"nor its end", shape_of("http://a.{{target}}"), "url", "only behind the host"},
      {"in the body, deep", shape_of("http://a", R"({"a":[{"b":"{{x}}"}]})"), "body", "{{x}}"},
      {"no JSON", shape_of("http://a", "{"), "body", "is not JSON"},
      {"header",
       {"POST", Secret("http://a"), {{"X", Secret("{{y}}")}}, "", "", {}, {}, {}, false},
       "headers.X",
       "{{y}}"},
      {"already, no pointer",
       {"POST", Secret("http://a"), {}, "", R"({"a":1})", {}, {}, {}, false},
       "already",
       "is no JSON pointer"},
      {"already, no value",
       {"POST", Secret("http://a"), {}, "", R"({"/a":[1]})", {}, {}, {}, false},
       "already",
       "compares with"},
      {"already, no table",
       {"POST", Secret("http://a"), {}, "", "[1]", {}, {}, {}, false},
       "already",
       "must be a table"},
  };
  for (const auto& row : rows) {
    const auto request = OrderRequest::make(row.shape);
    ASSERT_FALSE(request) << row.name;
    EXPECT_EQ(request.error().key, row.key) << row.name;
    EXPECT_THAT(request.error().message, HasSubstr(row.message)) << row.name;
  }
}

TEST(OrderRequest, WhatHasNoValueIsNotSent) {
  RolloutSpec first = spec_of_shop();
  first.stable.clear();
  EXPECT_THAT(made(shape_of("http://a/{{stable}}")).render(values_of(first)).error(),
              HasSubstr("{{stable}} has no value"));
  EXPECT_THAT(made(shape_of("http://a", R"({"a":"{{labels.empty}}"})")).render(values_of()).error(),
              HasSubstr("{{labels.empty}}"));
  EXPECT_THAT(made(shape_of("http://a/{{args.none}}")).render(values_of()).error(),
              HasSubstr("{{args.none}}"));
  RolloutSpec up = spec_of_shop();
  up.service = "..";
  EXPECT_THAT(made(shape_of("http://a/{{service}}/x")).render(values_of(up)).error(),
              HasSubstr("no part of a path"));
  RolloutSpec two_lines = spec_of_shop();
  two_lines.labels["hash"] = "a\r\nX-Admin: yes";
  RequestShape shape = shape_of("http://a");
  shape.headers = {{"X", Secret("{{labels.hash}}")}};
  EXPECT_THAT(made(shape).render(values_of(two_lines)).error(), HasSubstr("more than one line"));
}

TEST(OrderRequest, MissingVariablesAreKnownAtTheRegistration) {
  EXPECT_THAT(missing_variables(spec_of_shop(), {"labels.hash", "labels.none", "stable", "args.x",
                                                 "args.x", "labels.empty", "reason"}),
              ElementsAre("labels.none", "args.x", "labels.empty"));
  RolloutSpec first = spec_of_shop();
  first.stable.clear();
  EXPECT_THAT(missing_variables(first, {"stable", "service", "weight", "args.job"}),
              ElementsAre("stable"));
}

TEST(OrderRequest, AStatusMeansWhatTheConfigurationSays) {
  RequestShape shape = shape_of("http://a");
  shape.done = {404};
  shape.refused = {400};
  shape.retry = {409};
  const struct {
    int status;
    ReplyEnd usual, told;
  } rows[] = {
      {200, ReplyEnd::kDone, ReplyEnd::kDone},       {202, ReplyEnd::kDone, ReplyEnd::kDone},
      {204, ReplyEnd::kDone, ReplyEnd::kDone},       {400, ReplyEnd::kRetry, ReplyEnd::kRefused},
      {404, ReplyEnd::kRetry, ReplyEnd::kDone},      {409, ReplyEnd::kRefused, ReplyEnd::kRetry},
      {422, ReplyEnd::kRefused, ReplyEnd::kRefused}, {500, ReplyEnd::kRetry, ReplyEnd::kRetry},
  };
  for (const auto& row : rows) {
    const Reply reply{row.status, "", "7"};
    EXPECT_EQ(made(shape_of("http://a")).rule(reply, SysTime{}).end, row.usual) << row.status;
    EXPECT_EQ(made(shape).rule(reply, SysTime{}).end, row.told) << row.status;
  }
  EXPECT_EQ(made(shape).rule({409, "", "7"}, SysTime{}).retry_after, Millis(7000));
  shape.wait_for_ack = true;
  EXPECT_EQ(made(shape).rule({202, "", {}}, SysTime{}).end, ReplyEnd::kAccepted);
}

TEST(TargetLook, SaysWhetherTheOrderIsStillToBeSent) {
  LookShape look_shape;
  look_shape.url = Secret("http://a/{{service}}");
  look_shape.only_if = R"({"/spec/version":"{{candidate}}","/spec/weight":"{{weight}}"})";
  const auto look = TargetLook::make(look_shape);
  ASSERT_TRUE(look);
  EXPECT_EQ(look->render(values_of())->url.reveal(), "http://a/shop%20%22x%22");
  RequestShape shape = shape_of("http://a");
  shape.already = R"({"/status/abort":true,"/status/by~1whom":"{{by}}"})";
  const OrderRequest request = made(shape);
  const struct {
    const char* name;
    const char* state;
    Sight::Says says;
    const char* why;
  } rows[] = {
      {"to be sent", R"({"spec":{"version":"1.24+a","weight":12.5},"status":{"abort":false}})",
       Sight::Says::kSend, ""},
      {"already so",
       R"({"spec":{"version":"1.24+a","weight":12.5},"status":{"abort":true,"by/whom":"engine"}})",
       Sight::Says::kAlreadySo, ""},
      {"already so, and then somebody else's",
       R"({"spec":{"version":"1.25"},"status":{"abort":true,"by/whom":"engine"}})",
       Sight::Says::kAlreadySo, ""},
      {"half is not enough",
       R"({"spec":{"version":"1.24+a","weight":12.5},"status":{"abort":true}})", Sight::Says::kSend,
       ""},
      {"somebody else's", R"({"spec":{"version":"1.25","weight":12.5},"status":{"abort":false}})",
       Sight::Says::kNotOurs, "/spec/version is \"1.25\", not \"1.24+a\""},
      {"nothing there", R"({})", Sight::Says::kNotOurs, "/spec/version is null, not \"1.24+a\""},
      {"another type", R"({"spec":{"version":"1.24+a","weight":"12.5"}})", Sight::Says::kNotOurs,
       "/spec/weight is \"12.5\", not 12.5"},
  };
  for (const auto& row : rows) {
    const auto sight = look->judge(request, row.state, values_of());
    ASSERT_TRUE(sight) << row.name;
    EXPECT_EQ(sight->says, row.says) << row.name;
    EXPECT_EQ(sight->why, row.why) << row.name;
  }
  EXPECT_THAT(look->judge(request, "<html>", values_of()).error(), HasSubstr("not JSON"));
  look_shape.only_if = R"({"spec":1})";
  EXPECT_EQ(TargetLook::make(look_shape).error().key, "only_if");
}

}  // namespace
}  // namespace rollwatch
