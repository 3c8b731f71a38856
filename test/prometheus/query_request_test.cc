#include "daemon/prometheus/query_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollwatch {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

SysTime at(std::int64_t millis) { return SysTime{Millis{millis}}; }

std::string request_to(const Datasource& source, std::string_view query, SysTime time,
                       Millis timeout) {
  return QueryEncoder(source, read_base_url(source.url).value()).request(query, time, timeout);
}

// The value of a header, "" if there is none; all of them if there are several.
std::string header(const std::string& request, const std::string& name) {
  std::string found;
  const std::string begin = "\r\n" + name + ": ";
  for (auto at = request.find(begin); at != std::string::npos; at = request.find(begin, at + 2)) {
    const auto from = at + begin.size();
    found +=
        (found.empty() ? "" : " AND ") + request.substr(from, request.find("\r\n", from) - from);
  }
  return found;
}

TEST(UnixSeconds, AreWrittenExactly) {
  struct Row {
    std::int64_t millis;
    const char* text;
  };
  const Row rows[] = {{0, "0"},        {1, "0.001"},   {10, "0.01"},
                      {100, "0.1"},    {1000, "1"},    {60'050, "60.05"},
                      {-1500, "-1.5"}, {-1, "-0.001"}, {1'767'323'045'678, "1767323045.678"}};
  for (const Row& row : rows) EXPECT_EQ(unix_seconds(at(row.millis)), row.text);
}

TEST(QueryRequest, EncodesWhatAQueryMayHold) {
  Datasource source;
  source.url = "http://prom:9090/base";
  EXPECT_EQ(
      request_to(source, "a{b=\"c&d=e+f%\n\xc3\xa9\"} > 0.5", at(1'767'323'045'678), Millis{9500}),
      "GET /base/api/v1/query?query=a%7Bb%3D%22c%26d%3De%2Bf%25%0A%C3%A9%22%7D%20%3E%200.5"
      "&time=1767323045.678&timeout=9500ms&nocache=1 HTTP/1.1\r\n"
      "Host: prom:9090\r\nUser-Agent: rollwatch\r\nAccept: */*\r\n\r\n");
}

TEST(QueryRequest, ARangeHasABeginningAnEndAndAStep) {
  Datasource source;
  source.url = "http://prom:9090";
  const QueryEncoder encoder(source, read_base_url(source.url).value());
  EXPECT_THAT(encoder.range_request("x", at(1500), at(61'500), Millis{30'000}, Millis{10}),
              StartsWith("GET /api/v1/query_range?query=x&start=1.5&end=61.5&step=30&timeout=10ms"
                         "&nocache=1 HTTP/1.1\r\n"));
  EXPECT_THAT(encoder.range_request(std::string(2000, 'x'), at(0), at(1), Millis{1}, Millis{1}),
              StartsWith("POST /api/v1/query_range HTTP/1.1\r\n"));
}

TEST(QueryRequest, ALongQueryIsPosted) {
  Datasource source;
  source.url = "http://prom:9090";
  const std::string query(2000, '+');
  const std::string request = request_to(source, query, at(0), Millis{1});
  EXPECT_THAT(request, StartsWith("POST /api/v1/query HTTP/1.1\r\nHost: prom:9090\r\n"));
  EXPECT_EQ(header(request, "Content-Type"), "application/x-www-form-urlencoded");
  const std::string body = request.substr(request.find("\r\n\r\n") + 4);
  EXPECT_EQ(header(request, "Content-Length"), std::to_string(body.size()));
  EXPECT_THAT(body, StartsWith("query=%2B%2B"));
  EXPECT_THAT(body, EndsWith("&time=0&timeout=1ms&nocache=1"));
}

TEST(QueryRequest, CarriesCredentials) {
  struct Row {
    const char* name;
    std::string bearer, username, password, expected;
  };
  const Row rows[] = {
      {"none", "", "", "", ""},
      {"bearer", "token", "", "", "Bearer token"},
      {"basic", "", "Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
      {"a name without a password", "", "me", "", "Basic bWU6"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Datasource source;
    source.url = "http://prom:9090";
    source.bearer_token = Secret(row.bearer);
    source.basic_username = row.username;
    source.basic_password = Secret(row.password);
    source.headers["X-Scope-OrgID"] = Secret("tenant");
    const std::string request = request_to(source, "1", at(0), Millis{1});
    EXPECT_EQ(header(request, "Authorization"), row.expected);
    EXPECT_EQ(header(request, "X-Scope-OrgID"), "tenant");
    std::vector<std::string> names{"X-Scope-OrgID"};
    if (!row.expected.empty()) names.emplace_back("Authorization");
    EXPECT_EQ(configured_headers(source), names);
  }
}

TEST(WithoutSecrets, TakesOutWhatAServerEchoes) {
  Datasource source;
  source.url = "http://user:url-password@prom:9090";
  source.bearer_token = Secret("bearer-token");
  source.basic_username = "Aladdin";
  source.basic_password = Secret("open sesame");
  source.headers["X-Key"] = Secret("header-key");
  source.headers["X-Scope-OrgID"] = Secret("1");
  EXPECT_EQ(without_secrets("1 bearer-token, open sesame, header-key, "
                            "QWxhZGRpbjpvcGVuIHNlc2FtZQ==, user:url-password; "
                            "bearer-token",
                            source),
            "1 …, …, …, …, …; …");
}

}  // namespace
}  // namespace rollwatch
