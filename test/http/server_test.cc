#include "daemon/http/server.h"

#include <gmock/gmock.h>

#include <atomic>
#include <list>
#include <stdexcept>

#include "test/http/server_fixture.h"

namespace rollwatch {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAreArray;

// Answers with what it was asked: "GET /a [] body".
awaitable<ServerResponse> echo(ServerRequest request) {
  ServerResponse response;
  response.headers.emplace_back("Content-Type", "text/plain");
  response.body = request.method + " " + request.path + " [" + request.body + "]";
  co_return response;
}

std::string get(const std::string& path, const std::string& more = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n";
}
const std::string kClose = "Connection: close\r\n";

TEST(HttpServer, AnswersSeveralRequestsOnOneConnection) {
  RunningServer server(echo);
  RawClient client(server.address);
  client.send(get("/one"));
  EXPECT_THAT(client.read_until("[]"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Content-Length: 11\r\n"),
                    HasSubstr("Date: "), EndsWith("\r\n\r\nGET /one []")));
  client.send(get("/two", kClose));
  EXPECT_THAT(client.read_all(),
              AllOf(HasSubstr("Connection: close\r\n"), EndsWith("GET /two []")));
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  RunningServer server(echo);
  RawClient client(server.address);
  client.send(get("/one") + get("/two") + get("/three", kClose));
  EXPECT_THAT(client.read_until("[]"), EndsWith("GET /one []"));
  EXPECT_THAT(client.read_until("[]"), EndsWith("GET /two []"));
  EXPECT_THAT(client.read_all(), EndsWith("GET /three []"));
}

TEST(HttpServer, HeadSendsTheLengthAndNoBody) {
  RunningServer server(echo);
  RawClient client(server.address);
  client.send("HEAD /one HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.read_all(), AllOf(HasSubstr("Content-Length: 12\r\n"), EndsWith("\r\n\r\n")));
}

TEST(HttpServer, BodiesComeWithALengthOrInChunks) {
  struct Row {
    const char* name;
    const char* rest;
  };
  const Row rows[] = {
      {"length", "Content-Length: 5\r\n\r\nhello"},
      {"chunks", "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"},
  };
  RunningServer server(echo);
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    RawClient client(server.address);
    client.send(std::string("POST /p HTTP/1.1\r\nHost: x\r\nConnection: close\r\n") + row.rest);
    EXPECT_THAT(client.read_all(), EndsWith("POST /p [hello]"));
  }
}

TEST(HttpServer, InvitesABodyThatWaitsToBeAskedFor) {
  RunningServer server(echo);
  RawClient client(server.address);
  client.send(
      "POST /p HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: "
      "5\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  EXPECT_THAT(client.read_all(), EndsWith("POST /p [hello]"));
}

TEST(HttpServer, AnOldClientGetsItsAnswerAndTheEnd) {
  RunningServer server(echo);
  RawClient client(server.address);
  client.send("GET /old HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.read_all(), EndsWith("GET /old []"));
}

TEST(HttpServer, RefusesWithAProblemWhatItCannotTake) {
  const std::string long_header = "X-Long: " + std::string(20'000, 'x') + "\r\n";
  const std::string chunk = "400\r\n" + std::string(1024, 'x') + "\r\n";
  std::string many_chunks;
  for (int i = 0; i < 4; ++i) many_chunks += chunk;
  struct Row {
    const char* name;
    std::string bytes;
    const char* status;
  };
  const Row rows[] = {
      {"a huge header", get("/", long_header), "431 "},
      {"a huge target", get("/" + std::string(20'000, 'x')), "431 "},
      {"a header that never ends", "GET / HTTP/1.1\r\nX: " + std::string(60'000, 'x'), "431 "},
      {"a body announced too large", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n",
       "413 "},
      {"a body beyond any number",
       "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n", "400 "},
      {"chunks too many",
       "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + many_chunks, "413 "},
      {"no HTTP", "hello there\r\n\r\n", "400 "},
      {"a TLS greeting",
       std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + "\r\n\r\n", "400 "},
      {"a length and chunks",
       "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
       "400 "},
      {"two lengths",
       "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", "400 "},
      {"a later HTTP", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", "505 "},
      {"a broken escape", get("/%zz"), "400 "},
      {"a NUL in the path", get("/a%00b"), "400 "},
      {"no path", "GET x HTTP/1.1\r\nHost: x\r\n\r\n", "400 "},
      {"an asterisk for GET", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", "400 "},
  };
  ServerLimits limits;
  limits.body_bytes = 2048;
  RunningServer server(echo, limits);
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    RawClient client(server.address);
    client.send(row.bytes);
    const std::string answer = client.read_all();
    EXPECT_THAT(answer, StartsWith(std::string("HTTP/1.1 ") + row.status));
    EXPECT_THAT(answer, HasSubstr("Content-Type: application/problem+json\r\n"));
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  }
}

TEST(HttpServer, ABodyAtTheLimitIsTaken) {
  ServerLimits limits;
  limits.body_bytes = 2048;
  RunningServer server(echo, limits);
  RawClient client(server.address);
  const std::string body(2048, 'x');
  client.send("POST /p HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2048\r\n\r\n" +
              body);
  EXPECT_THAT(client.read_all(), EndsWith("[" + body + "]"));
}

TEST(HttpServer, CutsOffWhoIsTooSlow) {
  struct Row {
    const char* name;
    std::string bytes;
  };
  const Row rows[] = {
      {"nothing at all", ""},
      {"half a header", "GET / HTTP/1.1\r\nHos"},
      {"half a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhell"},
  };
  ServerLimits limits;
  limits.header_time = limits.body_time = limits.idle_time = Millis(20);
  RunningServer server(echo, limits);
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    RawClient client(server.address);
    client.send(row.bytes);
    EXPECT_THAT(client.read_all(), IsEmpty());
  }
}

TEST(HttpServer, AConnectionAtRestIsClosedAfterItsAnswer) {
  ServerLimits limits;
  limits.idle_time = Millis(20);
  RunningServer server(echo, limits);
  RawClient client(server.address);
  client.send(get("/one"));
  EXPECT_THAT(client.read_all(), EndsWith("GET /one []"));
}

// Answers only when nobody wants the answer any more.
HttpServer::Handler wait_until_unwanted(std::promise<void>& began, std::promise<void>& ended) {
  return [&](ServerRequest request) -> awaitable<ServerResponse> {
    began.set_value();
    SystemClock clock;
    while (request.wanted()) co_await clock.sleep(Millis(1));
    ended.set_value();
    co_return co_await echo(std::move(request));
  };
}

TEST(HttpServer, TheLongestIdleConnectionMakesRoomForANewOne) {
  ServerLimits limits;
  limits.connections = 2;
  RunningServer server(echo, limits);
  RawClient first(server.address);
  first.send(get("/first"));
  EXPECT_THAT(first.read_until("[]"), EndsWith("GET /first []"));
  RawClient second(server.address);
  second.send(get("/second"));
  EXPECT_THAT(second.read_until("[]"), EndsWith("GET /second []"));
  RawClient third(server.address);
  third.send(get("/third"));
  EXPECT_THAT(third.read_until("[]"), EndsWith("GET /third []"));
  EXPECT_THAT(first.read_all(), IsEmpty());
}

// A house full of pipelines that wait must not shut out the person who wants to roll back.
TEST(HttpServer, TheLastPlaceIsForWhoeverComesNext) {
  std::promise<void> began, ended;
  ServerLimits limits;
  limits.connections = 2;
  const HttpServer::Handler wait = wait_until_unwanted(began, ended);
  RunningServer server(
      [&](ServerRequest request) -> awaitable<ServerResponse> {
        co_return co_await (request.path == "/wait" ? wait : echo)(std::move(request));
      },
      limits);
  RawClient busy(server.address);
  busy.send(get("/wait"));
  began.get_future().wait();
  for (int i = 0; i < 3; ++i) {
    RawClient next(server.address);
    next.send(get("/next"));
    EXPECT_THAT(next.read_until("[]"), EndsWith("GET /next []"));
  }
  busy.close();
  ended.get_future().wait();
}

TEST(HttpServer, WhoeverWaitsMakesRoomWhenTheHouseIsFull) {
  std::atomic<int> waiting{0};
  ServerLimits limits;
  limits.connections = 2;
  RunningServer server(
      [&](ServerRequest request) -> awaitable<ServerResponse> {
        SystemClock clock;
        if (request.path == "/wait") ++waiting;
        while (request.path == "/wait" && request.wanted()) co_await clock.sleep(Millis(1));
        co_return co_await echo(std::move(request));
      },
      limits);
  RawClient first(server.address);
  first.send(get("/wait"));
  RawClient second(server.address);
  second.send(get("/wait"));
  while (waiting < 2) std::this_thread::yield();
  RawClient third(server.address);
  third.send(get("/rollback"));
  EXPECT_THAT(third.read_until("[]"), EndsWith("GET /rollback []"));
  EXPECT_THAT(first.read_until("[]"), EndsWith("GET /wait []"));
  second.close();
}

// Nobody is sent away whose request has come, and no request takes effect whose client is told
// nothing.
TEST(HttpServer, ACrowdIsServedOneAfterTheOther) {
  constexpr int kClients = 20;
  ServerLimits limits;
  limits.connections = 1;
  std::vector<std::string> carried_out;
  RunningServer server(
      [&](ServerRequest request) -> awaitable<ServerResponse> {
        carried_out.push_back(request.path);
        co_return co_await echo(std::move(request));
      },
      limits);
  std::list<RawClient> clients;
  std::vector<std::string> answered;
  server.pause([&] {  // all of them are at the door when it looks again
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back(server.address).send(get("/" + std::to_string(i), kClose));
      answered.push_back("/" + std::to_string(i));
    }
  });
  for (RawClient& client : clients) EXPECT_THAT(client.read_all(), HasSubstr("HTTP/1.1 200 OK"));
  server.stop(Millis(0)).get();
  EXPECT_THAT(carried_out, UnorderedElementsAreArray(answered));
}

TEST(HttpServer, AWaitingHandlerLearnsThatItsClientHungUp) {
  std::promise<void> began, ended;
  RunningServer server(wait_until_unwanted(began, ended));
  RawClient client(server.address);
  client.send(get("/wait"));
  began.get_future().wait();
  client.close();
  EXPECT_EQ(ended.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
}

TEST(HttpServer, APipelinedRequestIsNoHangUp) {
  std::atomic<bool> wanted{false};
  RunningServer server([&](ServerRequest request) -> awaitable<ServerResponse> {
    if (request.path == "/one") wanted = request.wanted();
    co_return co_await echo(std::move(request));
  });
  RawClient client(server.address);
  client.send(get("/one") + get("/two", kClose));
  EXPECT_THAT(client.read_all(), EndsWith("GET /two []"));
  EXPECT_TRUE(wanted);
}

TEST(HttpServer, StoppingAnswersWhatIsInFlightAndClosesWhatIsIdle) {
  std::promise<void> began, ended;
  RunningServer server(wait_until_unwanted(began, ended));
  RawClient idle(server.address);
  RawClient busy(server.address);
  busy.send(get("/wait"));
  began.get_future().wait();
  auto stopped = server.stop(std::chrono::seconds(30));
  EXPECT_THAT(busy.read_all(), AllOf(HasSubstr("Connection: close\r\n"), EndsWith("GET /wait []")));
  EXPECT_THAT(idle.read_all(), IsEmpty());
  stopped.get();
  EXPECT_ANY_THROW(RawClient late(server.address));
}

TEST(HttpServer, StoppingCutsWhatIsStillThereAfterTheGrace) {
  std::promise<void> began;
  RunningServer server([&](ServerRequest request) -> awaitable<ServerResponse> {
    began.set_value();
    SystemClock clock;
    co_await clock.sleep(Millis(60'000));
    co_return co_await echo(std::move(request));
  });
  RawClient client(server.address);
  client.send(get("/forever"));
  began.get_future().wait();
  auto stopped = server.stop(Millis(20));
  stopped.get();
  EXPECT_THAT(client.read_all(), IsEmpty());
}

TEST(HttpServer, AHandlerThatThrowsIsA500WithoutItsWords) {
  RunningServer server([](ServerRequest) -> awaitable<ServerResponse> {
    throw std::runtime_error("hunter2");
    co_return ServerResponse();
  });
  RawClient client(server.address);
  client.send(get("/", kClose));
  EXPECT_THAT(client.read_all(), AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("hunter2"))));
}

TEST(HttpServer, EveryAnswerIsTold) {
  RunningServer server(echo);
  RawClient client(server.address);
  client.send(get("/one") + "nonsense\r\n\r\n");
  EXPECT_THAT(client.read_all(), HasSubstr("HTTP/1.1 400 "));
  server.stop(Millis(1000)).get();
  EXPECT_THAT(server.answered, testing::ElementsAre(200, 400));
}

TEST(HttpServer, AnAnswersTimeIsToldAndNotThatOfTheOneBefore) {
  constexpr Millis kWait{30};
  SystemClock clock;
  RunningServer server([&](ServerRequest request) -> awaitable<ServerResponse> {
    if (request.path == "/slow") co_await clock.sleep(kWait);
    co_return co_await echo(std::move(request));
  });
  RawClient client(server.address);
  client.send(get("/slow") + "nonsense\r\n\r\n");
  EXPECT_THAT(client.read_all(), HasSubstr("HTTP/1.1 400 "));
  server.stop(Millis(1000)).get();
  ASSERT_EQ(server.took.size(), 2U);
  EXPECT_GE(server.took[0], kWait);
  EXPECT_EQ(server.took[1].count(), 0) << "what is no request took no time to answer";
}

TEST(HttpServer, ListensOnLoopbackOnlyAndSaysWhyNot) {
  struct Row {
    const char* address;
    const char* why;
  };
  const Row rows[] = {
      {"0.0.0.0:0", "no access tokens"},
      {"[::]:0", "no access tokens"},
      {"192.0.2.1:0", "no access tokens"},
      {":9797", "write host:port"},
      {"127.0.0.1", "write host:port"},
      {"9797", "write host:port"},
      {"127.0.0.1:http9", ""},
  };
  net::io_context context;
  SystemClock clock;
  HttpServer server(context.get_executor(), clock, echo, [](auto, auto, int, auto) {});
  for (const Row& row : rows) {
    SCOPED_TRACE(row.address);
    const auto address = server.listen(row.address);
    ASSERT_FALSE(address.has_value());
    EXPECT_THAT(address.error(), AllOf(StartsWith(std::string("cannot listen on ") + row.address),
                                       HasSubstr(row.why)));
  }
}

TEST(HttpServer, SaysThatAPortIsTaken) {
  RunningServer first(echo);
  net::io_context context;
  SystemClock clock;
  HttpServer server(context.get_executor(), clock, echo, [](auto, auto, int, auto) {});
  const auto address = server.listen(first.address);
  ASSERT_FALSE(address.has_value());
  EXPECT_THAT(address.error(), HasSubstr("in use"));
}

}  // namespace
}  // namespace rollwatch
