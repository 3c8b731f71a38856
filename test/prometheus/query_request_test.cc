#include "daemon/prometheus/query_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollwatch {
namespace {

using ::testing::HasSubstr;

SysTime at(std::int64_t millis) { return SysTime{Millis{millis}}; }

std::string header(const HttpRequest& request, const std::string& name) {
  std::string found;
  for (const auto& [key, value] : request.headers) {
    if (key == name) found += found.empty() ? value.reveal() : " AND " + value.reveal();
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
  const HttpRequest request = query_request(source, "a{b=\"c&d=e+f%\n\xc3\xa9\"} > 0.5",
                                            at(1'767'323'045'678), Millis{9500});
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.url.reveal(),
            "http://prom:9090/base/api/v1/"
            "query?query=a%7Bb%3D%22c%26d%3De%2Bf%25%0A%C3%A9%22%7D%20%3E%200.5"
            "&time=1767323045.678&timeout=9500ms&nocache=1");
  EXPECT_EQ(request.timeout, Millis{9500});
  EXPECT_TRUE(request.headers.empty());
}

TEST(QueryRequest, ALongQueryIsPosted) {
  Datasource source;
  source.url = "http://prom:9090";
  const std::string query(2000, '+');
  const HttpRequest request = query_request(source, query, at(0), Millis{1});
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url.reveal(), "http://prom:9090/api/v1/query");
  EXPECT_EQ(header(request, "Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_THAT(request.body, HasSubstr("query=%2B%2B"));
  EXPECT_THAT(request.body, HasSubstr("&time=0&timeout=1ms&nocache=1"));
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
    source.tls.ca_file = "/ca";
    const HttpRequest request = query_request(source, "1", at(0), Millis{1});
    EXPECT_EQ(header(request, "Authorization"), row.expected);
    EXPECT_EQ(header(request, "X-Scope-OrgID"), "tenant");
    std::vector<std::string> names{"X-Scope-OrgID"};
    if (!row.expected.empty()) names.emplace_back("Authorization");
    EXPECT_EQ(configured_headers(source), names);
    EXPECT_EQ(request.tls.ca_file, "/ca");
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
