// Answers whose body is made while it is sent, over real sockets.
#include <gmock/gmock.h>

#include <boost/asio/this_coro.hpp>
#include <deque>

#include "daemon/http/body_source.h"
#include "test/http/server_fixture.h"

namespace rollwatch {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A body whose pieces a test hands in; used on the server's thread.
class HandedBody : public BodySource {
 public:
  explicit HandedBody(const net::any_io_executor& executor) : executor_(executor) {}
  ~HandedBody() override { gone.set_value(); }

  awaitable<BodyPiece> next() override {
    while (pieces_.empty() && !stopped_) {
      const auto waiter = waiter_ = std::make_shared<Promise<bool>>(executor_);
      co_await waiter->get();
    }
    BodyPiece piece;
    if (pieces_.empty()) co_return piece;
    piece = std::move(pieces_.front());
    pieces_.pop_front();
    co_return piece;
  }
  void stop() override {
    stopped_ = true;
    wake();
  }
  void give(BodyPiece piece) {
    pieces_.push_back(std::move(piece));
    wake();
  }
  void cut_off() { cut(); }

  std::promise<void> gone;

 private:
  void wake() {
    if (waiter_) waiter_->set(true);
  }
  const net::any_io_executor executor_;
  std::deque<BodyPiece> pieces_;
  bool stopped_ = false;
  std::shared_ptr<Promise<bool>> waiter_;
};

BodyPiece piece_of(const std::vector<std::string>& texts) {
  BodyPiece piece;
  for (const std::string& text : texts) piece.push_back(std::make_shared<const std::string>(text));
  return piece;
}

class HttpStream : public testing::Test {
 protected:
  explicit HttpStream(ServerLimits limits = {})
      : server([this](ServerRequest request) { return answer(std::move(request)); }, limits) {}

  awaitable<ServerResponse> answer(ServerRequest request) {
    ServerResponse response;
    response.headers.emplace_back("Content-Type", "text/event-stream");
    if (request.path == "/plain") {
      response.body = "plain";
      co_return response;
    }
    const auto body = std::make_shared<HandedBody>(co_await net::this_coro::executor);
    gone = body->gone.get_future();
    body->give(piece_of({"begun\n"}));
    response.stream = body;
    current = body;
    co_return response;
  }
  // On the server's thread.
  void with_body(const std::function<void(HandedBody&)>& work) {
    server.pause([&] {
      if (const auto body = current.lock()) work(*body);
    });
  }
  bool is_gone() { return gone.wait_for(std::chrono::seconds(30)) == std::future_status::ready; }

  std::weak_ptr<HandedBody> current;
  std::future<void> gone;
  RunningServer server;
};

constexpr const char* kGet = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(HttpStream, PiecesGoOutAsTheyComeInChunks) {
  RawClient client(server.address);
  client.send(kGet);
  const std::string head = client.read_until("\r\n\r\n");
  EXPECT_THAT(head, AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                          HasSubstr("Content-Type: text/event-stream\r\n"),
                          HasSubstr("Transfer-Encoding: chunked\r\n"),
                          HasSubstr("Connection: close\r\n"), Not(HasSubstr("Content-Length"))));
  EXPECT_EQ(client.read_until("begun\n\r\n"), "6\r\nbegun\n\r\n");
  with_body([](HandedBody& body) { body.give(piece_of({"one\n", "", "twenty-two\n"})); });
  EXPECT_EQ(client.read_until("two\n\r\n"), "f\r\none\ntwenty-two\n\r\n");
  with_body([](HandedBody& body) { body.stop(); });
  EXPECT_EQ(client.read_all(), "0\r\n\r\n");
  EXPECT_TRUE(is_gone());
}

TEST_F(HttpStream, AnOldClientGetsThePiecesAsTheyAre) {
  RawClient client(server.address);
  client.send("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), Not(HasSubstr("Transfer-Encoding")));
  with_body([](HandedBody& body) {
    body.give(piece_of({"one\n"}));
    body.stop();
  });
  EXPECT_EQ(client.read_all(), "begun\none\n");
}

TEST_F(HttpStream, HeadHasNoBodyAndLeavesTheConnection) {
  RawClient client(server.address);
  client.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"),
              AllOf(HasSubstr("Content-Type: text/event-stream\r\n"), Not(HasSubstr("begun")),
                    Not(HasSubstr("Content-Length"))));
  EXPECT_TRUE(is_gone());
  client.send("GET /plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.read_all(), AllOf(StartsWith("HTTP/1.1 200"), EndsWith("plain")));
}

TEST_F(HttpStream, AClientThatHangsUpIsNoticedThoughNothingIsSent) {
  RawClient client(server.address);
  client.send(kGet);
  client.read_until("begun\n\r\n");
  client.close();
  EXPECT_TRUE(is_gone());
}

TEST_F(HttpStream, WhatTheClientStillSendsIsDropped) {
  RawClient client(server.address);
  client.send(std::string(kGet) + "GET /plain HTTP/1.1\r\nHost: x\r\n\r\n");
  client.read_until("begun\n\r\n");
  client.send("and more");
  with_body([](HandedBody& body) { body.give(piece_of({"one\n"})); });
  EXPECT_EQ(client.read_until("one\n\r\n"), "4\r\none\n\r\n");
  client.send(std::string(100'000, 'x'));
  EXPECT_TRUE(is_gone()) << "but not without end";
}

// More than the kernel takes for a client that reads nothing.
BodyPiece more_than_fits() { return piece_of({std::string(64 * 1024 * 1024, 'x')}); }

TEST_F(HttpStream, OneThatIsCutEndsInTheMiddleOfAPieceAndHoldsUpNobody) {
  RawClient slow(server.address);
  slow.send(kGet);
  slow.read_until("begun\n\r\n");
  with_body([](HandedBody& body) { body.give(more_than_fits()); });
  RawClient other(server.address);
  other.send("GET /plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(other.read_all(), EndsWith("plain"));
  with_body([](HandedBody& body) { body.cut_off(); });
  EXPECT_TRUE(is_gone());
}

TEST_F(HttpStream, AStopEndsStreamsAtOnceAlsoThoseThatAreNotRead) {
  RawClient quick(server.address);
  quick.send(kGet);
  quick.read_until("begun\n\r\n");
  std::future<void> quick_gone = std::move(gone);
  RawClient slow(server.address);
  slow.send(kGet);
  slow.read_until("begun\n\r\n");
  with_body([](HandedBody& body) { body.give(more_than_fits()); });
  server.stop(std::chrono::minutes(10)).wait();
  quick_gone.wait();
  EXPECT_TRUE(is_gone());
  EXPECT_EQ(quick.read_all(), "0\r\n\r\n");
}

class HttpStreamLimits : public HttpStream {
 protected:
  static ServerLimits limits() {
    ServerLimits limits;
    limits.connections = 2;
    limits.header_time = limits.body_time = limits.idle_time = limits.write_time = Millis(20);
    return limits;
  }
  HttpStreamLimits() : HttpStream(limits()) {}
};

// The times of requests and answers are no times of a stream, and it makes no room for others.
TEST_F(HttpStreamLimits, AStreamOutlivesThem) {
  RawClient client(server.address);
  client.send(kGet);
  client.read_until("begun\n\r\n");
  for (int i = 0; i < 4; ++i) {
    RawClient idle(server.address);
    EXPECT_EQ(idle.read_all(), "") << "closed after its idle time";
    RawClient other(server.address);
    other.send("GET /plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(other.read_all(), EndsWith("plain"));
  }
  with_body([](HandedBody& body) { body.give(piece_of({"one\n"})); });
  EXPECT_EQ(client.read_until("one\n\r\n"), "4\r\none\n\r\n");
}

}  // namespace
}  // namespace rollwatch
