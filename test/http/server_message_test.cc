#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/http/message.h"
#include "daemon/http/problem.h"
#include "daemon/http/server.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

TEST(ReadTarget, TakesTargetsApart) {
  struct Row {
    const char* target;
    std::vector<std::string> segments;
    std::vector<std::pair<std::string, std::string>> query;
  };
  const Row rows[] = {
      {"/", {}, {}},
      {"/a/b", {"a", "b"}, {}},
      {"/a/", {"a", ""}, {}},
      {"//a", {"", "a"}, {}},
      {"/a%2Fb/c%20d", {"a/b", "c d"}, {}},
      {"/a+b", {"a+b"}, {}},
      {"/a?x=1&y=2&x=3", {"a"}, {{"x", "1"}, {"y", "2"}, {"x", "3"}}},
      {"/a?x=a+b%2Bc&&empty=&bare", {"a"}, {{"x", "a b+c"}, {"empty", ""}, {"bare", ""}}},
      {"/a?label.x%3Dy=z=1", {"a"}, {{"label.x=y", "z=1"}}},
      {"/a?", {"a"}, {}},
      {"http://host:1/a?x=1", {"a"}, {{"x", "1"}}},
      {"http://host", {}, {}},
      {"/go?to=http://host/", {"go"}, {{"to", "http://host/"}}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.target);
    ServerRequest request;
    EXPECT_TRUE(read_target(row.target, request));
    EXPECT_EQ(request.segments, row.segments);
    EXPECT_EQ(request.query, row.query);
  }
}

TEST(ReadTarget, RefusesWhatIsNone) {
  for (const char* target :
       {"", "a", "*", "?x=1", "/%", "/%4", "/%4g", "/%00", "/a?x=%", "/a?%00=1"}) {
    SCOPED_TRACE(target);
    ServerRequest request;
    EXPECT_FALSE(read_target(target, request));
  }
}

TEST(RenderHead, WritesWhatTheConnectionNeeds) {
  ServerResponse response;
  response.status = 201;
  response.headers = {{"Location", "/x"}};
  response.body = "hello";
  EXPECT_EQ(render_head(response, true, "then"),
            "HTTP/1.1 201 Created\r\nLocation: /x\r\nContent-Length: 5\r\nDate: "
            "then\r\nConnection: keep-alive\r\n\r\n");
}

TEST(RenderHead, NoLengthWhereThereIsNoBody) {
  for (const int status : {204, 304}) {
    ServerResponse response;
    response.status = status;
    EXPECT_THAT(render_head(response, false, ""), Not(HasSubstr("Content-Length")));
  }
}

TEST(RenderHead, AValueCannotBeginAHeader) {
  ServerResponse response;
  response.headers = {{"Location", "/x\r\nSet-Cookie: a=b"}};
  EXPECT_THAT(render_head(response, true, ""), HasSubstr("Location: /x  Set-Cookie: a=b\r\n"));
}

TEST(Problem, IsRfc9457) {
  const auto response =
      problem_response({422, "no such thing", {{"/a", "must be b"}}, {{"attempt", 2}}});
  EXPECT_EQ(response.status, 422);
  EXPECT_THAT(response.headers,
              testing::Contains(Pair("Content-Type", "application/problem+json")));
  EXPECT_EQ(
      response.body,
      R"({"type":"about:blank","title":"Unprocessable Content","status":422,"detail":"no such thing",)"
      R"("attempt":2,"errors":[{"pointer":"/a","detail":"must be b"}]})"
      "\n");
}

TEST(Problem, SurvivesBytesThatAreNoText) {
  EXPECT_THAT(problem_response({400, "\xff\xfe"}).body, HasSubstr("\"detail\":\"\xEF\xBF\xBD"));
}

TEST(HostPort, IsSplit) {
  EXPECT_THAT(split_host_port("a:1"), Pair("a", "1"));
  EXPECT_THAT(split_host_port("[::1]:80"), Pair("::1", "80"));
  EXPECT_THAT(split_host_port("[::1]"), Pair("::1", ""));
  EXPECT_THAT(split_host_port("a"), Pair("a", IsEmpty()));
}

TEST(HostPort, KnowsThisMachine) {
  for (const char* host : {"localhost", "LocalHost", "127.0.0.1", "127.8.8.8", "::1"})
    EXPECT_TRUE(is_loopback_host(host)) << host;
  for (const char* host : {"", "example.net", "localhost.example.net", "10.0.0.1", "0.0.0.0",
                           "::", "127.0.0.1.nip.io"})
    EXPECT_FALSE(is_loopback_host(host)) << host;
}

}  // namespace
}  // namespace rollwatch
