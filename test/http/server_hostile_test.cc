// Clients that mean no good, or know no better: none of them keeps a paying one out, and what they
// make the server hold is bounded.
#include <gmock/gmock.h>

#include <list>

#include "test/http/server_fixture.h"

namespace rollwatch {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

awaitable<ServerResponse> say_length(ServerRequest request) {
  ServerResponse response;
  response.body = request.path + " " + std::to_string(request.body.size());
  co_return response;
}

std::string one(const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"; }

TEST(HostileClients, WhoIsSlowAtAskingMakesRoom) {
  ServerLimits limits;
  limits.connections = 16;
  limits.slow = Millis(1);
  RunningServer server(say_length, limits);
  std::list<RawClient> slow;
  for (int i = 0; i < 64; ++i) {
    slow.emplace_back(server.address);
    slow.back().send(i % 2 == 0 ? "GET / HTTP/1.1\r\nX-a: b\r\n"
                                : "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhell");
  }
  RawClient paying(server.address);
  paying.send(one("/paying"));
  EXPECT_THAT(paying.read_until("/paying 0"), EndsWith("/paying 0"));
  EXPECT_THAT(slow.front().read_all(), IsEmpty());
}

// Of many from one address less is put up with than of somebody who is alone on a bad line.
TEST(HostileClients, ACrowdMakesRoomSoonerThanWhoIsAlone) {
  ServerLimits limits;
  limits.connections = 32;
  limits.slow = std::chrono::hours(1);
  limits.slow_in_crowd = Millis(1);
  RunningServer server(say_length, limits);
  RawClient alone(server.address, "127.0.0.2");
  alone.send("GET /alone HTTP/1.1\r\n");
  std::list<RawClient> crowd;
  for (int i = 0; i < 100; ++i) {
    crowd.emplace_back(server.address);
    crowd.back().send("GET / HTTP/1.1\r\nX-a: b\r\n");
  }
  RawClient paying(server.address, "127.0.0.3");
  paying.send(one("/paying"));
  EXPECT_THAT(paying.read_until("/paying 0"), EndsWith("/paying 0"));
  EXPECT_THAT(crowd.front().read_all(), IsEmpty());
  alone.send("Host: x\r\n\r\n");
  EXPECT_THAT(alone.read_until("/alone 0"), EndsWith("/alone 0"));
}

// They would fill the queue of the kernel, behind which everybody else waits.
TEST(HostileClients, OfACrowdThatDoesNotAskNewOnesAreTurnedAway) {
  ServerLimits limits;
  limits.connections = 32;
  limits.slow_in_crowd = std::chrono::hours(1);
  RunningServer server(say_length, limits);
  std::list<RawClient> crowd;
  for (int i = 0; i < 40; ++i) {
    crowd.emplace_back(server.address);
    crowd.back().send("GET /slow HTTP/1.1\r\n");
  }
  EXPECT_THAT(crowd.back().read_all(), IsEmpty());
  crowd.front().send("Host: x\r\n\r\n");
  EXPECT_THAT(crowd.front().read_until("/slow 0"), EndsWith("/slow 0"));
}

TEST(HostileClients, WhoNeverAskedGoesBeforeWhoIsBetweenTwoRequests) {
  ServerLimits limits;
  limits.connections = 3;
  RunningServer server(say_length, limits);
  RawClient paying(server.address);
  paying.send(one("/first"));
  EXPECT_THAT(paying.read_until("/first 0"), EndsWith("/first 0"));
  std::list<RawClient> idle;
  for (int i = 0; i < 50; ++i) idle.emplace_back(server.address);
  RawClient other(server.address);
  other.send(one("/other"));
  EXPECT_THAT(other.read_until("/other 0"), EndsWith("/other 0"));
  paying.send(one("/second"));
  EXPECT_THAT(paying.read_until("/second 0"), EndsWith("/second 0"));
}

TEST(HostileClients, BodiesThatNeverEndShareABoundedRoom) {
  ServerLimits limits;
  limits.bodies_bytes = 3'000;
  limits.body_bytes = 1'000;
  RunningServer server(say_length, limits);
  std::list<RawClient> endless;
  for (int i = 0; i < 10; ++i) {
    endless.emplace_back(server.address);
    endless.back().send(
        i % 2 == 0
            ? "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"
            : "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nabcde");
  }
  EXPECT_THAT(endless.front().read_all(), IsEmpty());
  RawClient paying(server.address);
  paying.send("POST /paying HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" +
              std::string(1'000, 'x'));
  EXPECT_THAT(paying.read_until("/paying 1000"), EndsWith("/paying 1000"));
}

TEST(HostileClients, AnEndlessChunkHeaderIsRefused) {
  ServerLimits limits;
  limits.header_bytes = 512;
  RunningServer server(say_length, limits);
  RawClient client(server.address);
  client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;" +
              std::string(64 * 1024, 'x'));
  EXPECT_THAT(client.read_all(), HasSubstr("HTTP/1.1 431 "));
}

TEST(HostileClients, EveryAnswerTellsBrowsersToKeepOut) {
  RunningServer server(
      [](ServerRequest request) -> awaitable<ServerResponse> {
        ServerResponse response;
        if (request.path == "/page")
          response.headers = {{"Content-Security-Policy", "default-src 'self'"},
                              {"Cache-Control", "no-cache"}};
        co_return response;
      },
      {});
  for (const char* bytes :
       {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "nonsense\r\n\r\n"}) {
    SCOPED_TRACE(bytes);
    RawClient client(server.address);
    client.send(bytes);
    const std::string head = client.read_all();
    for (const char* line :
         {"\r\nX-Content-Type-Options: nosniff\r\n", "\r\nX-Frame-Options: DENY\r\n",
          "\r\nReferrer-Policy: no-referrer\r\n", "\r\nCache-Control: no-store\r\n",
          "\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"})
      EXPECT_THAT(head, HasSubstr(line));
    EXPECT_THAT(head, testing::Not(HasSubstr("Strict-Transport-Security")));
  }
  RawClient client(server.address);
  client.send("GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string page = client.read_all();
  EXPECT_THAT(page, HasSubstr("\r\nContent-Security-Policy: default-src 'self'\r\n"));
  EXPECT_THAT(page, testing::Not(HasSubstr("default-src 'none'")));
  EXPECT_THAT(page, HasSubstr("\r\nCache-Control: no-cache\r\n"));
}

}  // namespace
}  // namespace rollwatch
