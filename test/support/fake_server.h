// A TCP server that does what a test tells it, good or bad: each connection runs a script on a
// thread of its own with plain blocking calls, so that the script reads like what happens on the
// wire.
//
//   FakeServer server([](FakeConnection& c) {
//     while (!c.read_request().empty()) c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
//   });
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "analysis/time.h"

namespace rollwatch {

class FakeConnection {
 public:
  explicit FakeConnection(int fd) : fd_(fd) {}

  // One request, head and body (by Content-Length); "" when the other side is gone.
  std::string read_request();
  // False when the other side is gone.
  bool send(std::string_view bytes);
  // Says nothing until the other side hangs up or the server ends.
  void hang();
  // Waits for the other side to hang up, but no longer than this; true if it did.
  bool closed_within(Millis limit);
  // Hangs up with a reset instead of an orderly end.
  void reset();

 private:
  int fd_;
  std::string buffer_;
};

class FakeServer {
 public:
  using Script = std::function<void(FakeConnection&)>;
  explicit FakeServer(Script script);
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  int port() const { return port_; }
  std::string url() const;
  int accepted() const { return accepted_; }  // connections so far
  int open() const { return open_; }          // connections whose script still runs

 private:
  void accept_all();
  void serve(int fd);

  const Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> accepted_{0}, open_{0};
  std::thread acceptor_;
  std::mutex mutex_;
  bool stopping_ = false;             // guarded by mutex_
  std::vector<int> connections_;      // guarded by mutex_
  std::vector<std::thread> threads_;  // guarded by mutex_
};

// A complete answer with Content-Length.
std::string http_answer(int status, std::string_view content_type, std::string_view body,
                        std::string_view more_headers = "");

// One plain, blocking request to 127.0.0.1 for setting things up; status 0 if nobody answers.
// Chunked answers are put together.
struct PlainResponse {
  int status = 0;
  std::string headers;
  std::string body;
};
PlainResponse plain_http(int port, std::string_view method, std::string_view path,
                         std::string_view body = "", std::string_view more_headers = "");

}  // namespace rollwatch
