#include "daemon/prometheus/answer_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "test/prometheus/describe.h"

namespace rollwatch {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Answer parse(int status, std::string body, std::string_view content_type = "application/json") {
  return parse_answer("default", status, content_type,
                      std::make_shared<const std::string>(std::move(body)));
}

std::string data(const std::string& type, const std::string& result) {
  return R"({"status":"success","data":{"resultType":")" + type + R"(","result":)" + result + "}}";
}

std::string vector_of(const std::string& elements) { return data("vector", "[" + elements + "]"); }

std::string one_value(const std::string& value) {
  return vector_of(R"({"metric":{},"value":[1,)" + value + "]}");
}

TEST(ParseAnswer, WhatTheApiPromises) {
  struct Row {
    const char* name;
    std::string body, expected;
  };
  const Row rows[] = {
      {"nothing", vector_of(""), "vector:"},
      {"one series", vector_of(R"({"metric":{"app":"a"},"value":[1767323045.678,"0.05"]})"),
       R"(vector: {app="a"} 0.050000000000000003)"},
      {"several, in their order",
       vector_of(R"({"metric":{"b":"2"},"value":[1,"2"]},{"metric":{"a":"1"},"value":[1,"1"]})"),
       R"(vector: {b="2"} 2, {a="1"} 1)"},
      {"NaN", one_value(R"("NaN")"), "vector: {} NaN"},
      {"infinite", one_value(R"("+Inf")"), "vector: {} inf"},
      {"infinite without a sign", one_value(R"("Inf")"), "vector: {} inf"},
      {"minus infinite", one_value(R"("-Inf")"), "vector: {} -inf"},
      {"large", one_value(R"("1e+06")"), "vector: {} 1000000"},
      {"small", one_value(R"("-5e-324")"), "vector: {} -4.9406564584124654e-324"},
      {"minus zero", one_value(R"("-0")"), "vector: {} -0"},
      {"largest", one_value(R"("1.7976931348623157e+308")"), "vector: {} 1.7976931348623157e+308"},
      {"scalar", data("scalar", R"([1,"2.5"])"), "scalar: 2.5"},
      {"scalar NaN", data("scalar", R"([1,"NaN"])"), "scalar: NaN"},
      {"string", data("string", R"([1,"text"])"), "unusable: string"},
      {"matrix", data("matrix", R"([{"metric":{},"values":[[1,"1"],[2,"2"]]}])"),
       "unusable: matrix"},
      {"empty matrix", data("matrix", "[]"), "unusable: matrix"},
      {"native histogram",
       vector_of(
           R"({"metric":{},"histogram":[1,{"count":"2","sum":"3","buckets":[[0,"1","2","2"]]}]})"),
       "unusable: native histogram"},
      {"a histogram among numbers",
       vector_of(R"({"metric":{"a":"1"},"value":[1,"1"]},{"metric":{},"histogram":[1,{}]})"),
       "unusable: native histogram"},
      {"odd characters in a label",
       vector_of(R"({"metric":{"a":"q\" b\\ n\n {} é \u2603 \ud83d\ude00"},"value":[1,"1"]})"),
       "vector: {a=\"q\" b\\ n\n {} é ☃ 😀\"} 1"},
      {"an empty label", vector_of(R"({"metric":{"":""},"value":[1,"1"]})"), R"(vector: {=""} 1)"},
      {"keys in another order",
       R"({"data":{"result":[{"value":[1,"1"],"metric":{"a":"b"}}],"resultType":"vector"},"status":"success"})",
       R"(vector: {a="b"} 1)"},
      {"labels in another order", vector_of(R"({"metric":{"b":"1","a":"2"},"value":[1,"1"]})"),
       R"(vector: {b="1",a="2"} 1)"},
      {"things beside it",
       R"({"status":"success","isPartial":false,"infos":["metric might not be a counter"],"trace":{"a":[{"b":[1]}]},)"
       R"("data":{"resultType":"vector","result":[],"stats":{"seriesFetched":"1"}},"stats":{"x":[1,2,{}]}})",
       "vector:"},
      {"an element's things beside it",
       vector_of(R"({"metric":{},"value":[1,"1"],"more":{"x":[]}})"), "vector: {} 1"},
      {"warnings",
       R"({"status":"success","warnings":["store a is away","b"],"data":{"resultType":"vector","result":[]}})",
       "vector: [partial] [warning: store a is away] [warning: b]"},
      {"no warnings",
       R"({"status":"success","warnings":[],"data":{"resultType":"vector","result":[]}})",
       "vector:"},
      {"null for warnings",
       R"({"status":"success","warnings":null,"data":{"resultType":"vector","result":[]}})",
       "vector:"},
      {"partial",
       R"({"status":"success","isPartial":true,"data":{"resultType":"scalar","result":[1,"1"]}})",
       "scalar: 1 [partial]"},
      {"white space",
       " \n{ \"status\" : \"success\", \"data\" : {\"resultType\":\"scalar\",\"result\":[ 1 , "
       "\"1\" ]}}\n ",
       "scalar: 1"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Answer answer = parse(200, row.body);
    EXPECT_EQ(describe(answer), row.expected);
    ASSERT_TRUE(answer.raw);
    EXPECT_EQ(*answer.raw, row.body);
  }
}

TEST(ParseAnswer, WhatItDoesNotPromiseIsMalformedAndSaysWhy) {
  struct Row {
    const char* name;
    std::string body, why;
  };
  const std::string deep(100'000, '[');
  const std::string deep_objects = [] {
    std::string text;
    for (int i = 0; i < 50'000; ++i) text += "{\"a\":";
    return text;
  }();
  const Row rows[] = {
      {"empty", "", "not valid JSON at byte 1"},
      {"a page", "<html>", "not valid JSON at byte 1"},
      {"cut off",
       R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"val)",
       "not valid JSON"},
      {"more behind it", vector_of("") + "x", "not valid JSON"},
      {"two of them", vector_of("") + vector_of(""), "not valid JSON"},
      {"bytes that are not UTF-8", vector_of("{\"metric\":{\"a\":\"\xff\"},\"value\":[1,\"1\"]}"),
       "not valid JSON"},
      {"half a surrogate", vector_of(R"({"metric":{"a":"\ud83d"},"value":[1,"1"]})"),
       "not valid JSON"},
      {"a number beyond all", R"({"status":"success","data":1e999})", "not valid JSON"},
      {"a list", "[]", "not a JSON object"},
      {"a word", "null", "not a JSON object"},
      {"a number", "1", "not a JSON object"},
      {"nothing in it", "{}", "\"status\" is missing"},
      {"another status", R"({"status":"great"})", "\"status\" is \"great\""},
      {"status is a number", R"({"status":1})", "\"status\" is not a string"},
      {"status is a list", R"({"status":[]})", "\"status\" is an object or an array"},
      {"status twice", R"({"status":"error","status":"success"})", "\"status\" is given twice"},
      {"no data", R"({"status":"success"})", "\"resultType\" is missing"},
      {"data is null", R"({"status":"success","data":null})", "\"resultType\" is missing"},
      {"data is a text", R"({"status":"success","data":"x"})", "\"data\" is not an object"},
      {"data is a list", R"({"status":"success","data":[]})", "\"data\" is not an object"},
      {"data twice", R"({"status":"success","data":{},"data":{}})", "\"data\" is given twice"},
      {"no type", R"({"status":"success","data":{"result":[]}})", "\"resultType\" is missing"},
      {"type is a number", R"({"status":"success","data":{"resultType":1,"result":[]}})",
       "\"resultType\" is not a string"},
      {"type is a list", R"({"status":"success","data":{"resultType":[],"result":[]}})",
       "\"resultType\" is not a string"},
      {"another type", data("streams", "[]"), "an unknown \"resultType\", \"streams\""},
      {"no result", R"({"status":"success","data":{"resultType":"vector"}})",
       "\"result\" is missing"},
      {"result is null", data("vector", "null"), "\"result\" is not an array"},
      {"result is an object", data("vector", "{}"), "\"result\" is not an array"},
      {"result twice",
       R"({"status":"success","data":{"resultType":"vector","result":[],"result":[]}})",
       "\"result\" is given twice"},
      {"a number as a series", vector_of("1"), "a vector with something else than series in it"},
      {"a list as a series", vector_of("[1]"), "\"result\" holds an array"},
      {"a matrix called a vector", vector_of(R"({"metric":{},"values":[[1,"1"]]})"),
       "something else than series"},
      {"no metric", vector_of(R"({"value":[1,"1"]})"), "a series without \"metric\""},
      {"metric is a list", vector_of(R"({"metric":[],"value":[1,"1"]})"),
       "\"metric\" is not an object"},
      {"metric is null", vector_of(R"({"metric":null,"value":[1,"1"]})"),
       "\"metric\" is not an object"},
      {"metric twice", vector_of(R"({"metric":{},"metric":{},"value":[1,"1"]})"),
       "\"metric\" is given twice"},
      {"label is a number", vector_of(R"({"metric":{"a":1},"value":[1,"1"]})"),
       "a label's value is not a string"},
      {"label is a list", vector_of(R"({"metric":{"a":[]},"value":[1,"1"]})"),
       "a label's value is not a string"},
      {"label twice", vector_of(R"({"metric":{"a":"1","a":"2"},"value":[1,"1"]})"),
       "a series has the same label twice"},
      {"label twice, apart", vector_of(R"({"metric":{"b":"1","a":"2","b":"1"},"value":[1,"1"]})"),
       "a series has the same label twice"},
      {"no value", vector_of(R"({"metric":{}})"), "a series without \"value\""},
      {"value is a text", vector_of(R"({"metric":{},"value":"1"})"),
       "\"value\" is not a pair of time and value"},
      {"value is an object", vector_of(R"({"metric":{},"value":{}})"),
       "\"value\" is not a pair of time and value"},
      {"value twice", vector_of(R"({"metric":{},"value":[1,"1"],"value":[1,"0"]})"),
       "\"value\" is given twice"},
      {"value is short", vector_of(R"({"metric":{},"value":[1]})"), "less than a time and a value"},
      {"value is empty", vector_of(R"({"metric":{},"value":[]})"), "less than a time and a value"},
      {"value is long", vector_of(R"({"metric":{},"value":[1,"1","1"]})"),
       "more than a time and a value"},
      {"value holds a list", vector_of(R"({"metric":{},"value":[1,["1"]]})"),
       "a sample is not a time and a value"},
      {"time is a text", vector_of(R"({"metric":{},"value":["1","1"]})"),
       "the time of a sample is not a number"},
      {"value is a bare number", one_value("1"), "the value of a sample is not a string"},
      {"value is null", one_value("null"), "the value of a sample is not a string"},
      {"value is a word", one_value(R"("many")"),
       "the value of a sample is not a number: \"many\""},
      {"value is nothing", one_value(R"("")"), "is not a number"},
      {"value with a unit", one_value(R"("1s")"), "is not a number"},
      {"value with a blank", one_value(R"(" 1")"), "is not a number"},
      {"value with a comma", one_value(R"("0,5")"), "is not a number"},
      {"value in hexadecimal", one_value(R"("0x1")"), "is not a number"},
      {"value with a plus", one_value(R"("+1")"), "is not a number"},
      {"nan in another spelling", one_value(R"("nan")"), "is not a number"},
      {"infinity in another spelling", one_value(R"("infinity")"), "is not a number"},
      {"minus nothing", one_value(R"("-")"), "is not a number"},
      {"value beyond all", one_value(R"("1e999")"), "is not a number"},
      {"scalar of nothing", data("scalar", "[]"), "a scalar that is not a time and a value"},
      {"scalar of a word", data("scalar", R"([1,"x"])"), "a scalar that is not a time and a value"},
      {"scalar of two numbers", data("scalar", "[1,1]"), "a scalar that is not a time and a value"},
      {"scalar of two texts", data("scalar", R"(["1","1"])"),
       "a scalar that is not a time and a value"},
      {"scalar of three", data("scalar", R"([1,"1","1"])"),
       "a scalar that is not a time and a value"},
      {"a vector called scalar", data("scalar", R"([{"metric":{},"value":[1,"1"]}])"),
       "a scalar that is not"},
      {"warnings is a text", R"({"status":"success","warnings":"w"})",
       "\"warnings\" is not an array"},
      {"warnings is an object", R"({"status":"success","warnings":{}})",
       "\"warnings\" is not an array"},
      {"a warning is a number", R"({"status":"success","warnings":[1]})",
       "a warning is not a string"},
      {"a warning is a list", R"({"status":"success","warnings":[[]]})",
       "a warning is not a string"},
      {"partial is a text", R"({"status":"success","isPartial":"false"})",
       "\"isPartial\" is not true or false"},
      {"error is a number", R"({"status":"error","error":1})", "\"error\" is not a string"},
      {"deep lists", R"({"a":)" + deep, "nested more than 64 deep"},
      {"deep objects", deep_objects, "nested more than 64 deep"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_THAT(describe(parse(200, row.body)),
                StartsWith("malformed 200: not an answer of the Prometheus API: "));
    EXPECT_THAT(describe(parse(200, row.body)), HasSubstr(row.why));
  }
}

TEST(ParseAnswer, WhatAStatusSays) {
  struct Row {
    const char* name;
    int status;
    std::string body, content_type, expected;
  };
  const auto error = [](const std::string& type, const std::string& text) {
    return R"({"status":"error","errorType":")" + type + R"(","error":")" + text + "\"}";
  };
  const std::string json = "application/json";
  const Row rows[] = {
      {"Prometheus cannot read the query", 400, error("bad_data", "1:5: parse error"), json,
       "bad_query 400: 1:5: parse error"},
      {"VictoriaMetrics cannot read the query", 422, error("422", "unexpected token"), json,
       "bad_query 422: unexpected token"},
      {"Prometheus cannot compute it", 422, error("execution", "many-to-many"), json,
       "http_status 422: answered 422 Unprocessable Content: many-to-many"},
      {"the server gave up", 503, error("timeout", "query timed out"), json,
       "timeout 503: the server gave the query up: query timed out"},
      {"the server was stopped", 503, error("canceled", "query was canceled"), json,
       "http_status 503: answered 503 Service Unavailable: query was canceled"},
      {"an error without words", 500, error("internal", ""), json,
       "http_status 500: answered 500 Internal Server Error: internal"},
      {"an error with 200", 200, error("internal", "x"), json, "http_status 200: answered 200: x"},
      {"a proxy's 400", 400, "<html>", "text/html", "http_status 400: answered 400 Bad Request"},
      {"another 400", 400, error("other", "x"), json,
       "http_status 400: answered 400 Bad Request: x"},
      {"a success with 400", 400, vector_of(""), json, "http_status 400: answered 400 Bad Request"},
      {"not known", 401, "", "",
       "http_status 401: answered 401 Unauthorized: check the credentials of datasource default"},
      {"not allowed", 403, error("forbidden", "no org id"), json,
       "http_status 403: answered 403 Forbidden: no org id: check the credentials of datasource "
       "default"},
      {"elsewhere", 302, "", "",
       "http_status 302: answered 302: redirects are not followed; give datasource default the "
       "address it redirects to"},
      {"not here", 404, "404 page not found\n", "text/plain; charset=utf-8",
       "http_status 404: answered 404 Not Found: 404 page not found: check the url of datasource "
       "default, to which "
       "/api/v1/query is added"},
      {"too many", 429, "slow\x01 down \xff\r\nmore", "text/plain",
       "http_status 429: answered 429 Too Many Requests: slow  down ?"},
      {"gateway", 502, "<html>secret page</html>", "text/html",
       "http_status 502: answered 502 Bad Gateway"},
      {"a status nobody knows", 799, "", "", "http_status 799: answered 799"},
      {"nothing to say", 204, "", "", "http_status 204: answered 204"},
      {"a page instead", 200, "<html>", "text/html",
       "malformed 200: not an answer of the Prometheus API: not valid JSON at byte 1 (content type "
       "text/html)"},
      {"lines become one", 400, error("bad_data", "a\\nb\\tc"), json, "bad_query 400: a b c"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(describe(parse(row.status, row.body, row.content_type)), row.expected);
  }
}

TEST(ParseAnswer, ALongMessageIsCut) {
  const Answer answer = parse(400, R"({"status":"error","errorType":"bad_data","error":")" +
                                       std::string(100'000, 'x') + "\"}");
  EXPECT_LT(std::get<QueryFailure>(answer.result).message.size(), 600u);
}

TEST(ParseAnswer, NoBodyAtAll) {
  EXPECT_THAT(describe(parse_answer("default", 200, "", nullptr)), StartsWith("malformed 200"));
  EXPECT_EQ(describe(parse_answer("default", 500, "", nullptr)),
            "http_status 500: answered 500 Internal Server Error");
}

// Mutations of good answers: any of them may be refused, none may crash, and what is taken for a
// vector has as much in it as the bytes can hold. Run under ASan for the full effect.
TEST(ParseAnswer, MutatedAnswersNeverCrash) {
  const std::string seeds[] = {
      vector_of(
          R"({"metric":{"a":"b","c":"d\u2603"},"value":[1767323045.678,"0.05"]},{"metric":{},"value":[1,"NaN"]})"),
      data("scalar", R"([1,"2.5"])"),
      data("matrix", R"([{"metric":{},"values":[[1,"1"],[2,"2"]]}])"),
      vector_of(R"({"metric":{},"histogram":[1,{"count":"2","buckets":[[0,"1","2","2"]]}]})"),
      R"({"status":"error","errorType":"bad_data","error":"1:5: parse error","warnings":["w"],"isPartial":true})",
  };
  static constexpr std::string_view kPieces[] = {
      "[",        "]",      "{",       "}",  "\"",   ",",          ":",           "null",
      "true",     "-1e999", "\\u0000", "\\", "\xff", "\"value\":", "\"metric\":", "\"result\":[",
      "[1,\"1\"]"};
  std::mt19937 random(20260102);  // a failure is repeated by running the test again
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random()) % limit; };
  int taken = 0;
  for (int round = 0; round < 40'000; ++round) {
    std::string text = seeds[below(std::size(seeds))];
    for (std::size_t edits = 1 + below(3); edits > 0 && !text.empty(); --edits) {
      const std::size_t at = below(text.size());
      const std::size_t length = std::min(text.size() - at, 1 + below(12));
      switch (below(5)) {
        case 0:
          text[at] = static_cast<char>(below(256));
          break;
        case 1:
          text.erase(at, length);
          break;
        case 2:
          text.insert(at, text.substr(at, length));
          break;
        case 3:
          text.insert(at, kPieces[below(std::size(kPieces))]);
          break;
        default:
          text.resize(at);
          break;
      }
    }
    const int status = below(4) == 0 ? 400 : 200;
    const std::size_t size = text.size();
    const Answer answer = parse(status, text);
    if (!std::holds_alternative<QueryFailure>(answer.result)) ++taken;
    if (const auto* vector = std::get_if<Vector>(&answer.result)) {
      ASSERT_LE(vector->series.size() * 20, size) << text;
    }
    if (const auto* failure = std::get_if<QueryFailure>(&answer.result)) {
      ASSERT_EQ(failure->message.find_first_of("\r\n"), std::string::npos) << text;
    }
  }
  EXPECT_GT(taken, 100) << "some mutations leave a good answer";
}

}  // namespace
}  // namespace rollwatch
