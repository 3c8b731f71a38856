// The real server on a thread of its own, and a client that sends bytes as they are.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/http/server.h"
#include "daemon/http/server_tls.h"
#include "daemon/net/system_clock.h"

namespace rollwatch {

class RunningServer {
 public:
  explicit RunningServer(HttpServer::Handler handler, ServerLimits limits = {},
                         std::shared_ptr<ServerTls> tls = nullptr)
      : server_(std::make_unique<HttpServer>(
            context_.get_executor(), clock_, std::move(handler),
            [this](std::string_view, std::string_view, int status, std::chrono::nanoseconds time) {
              answered.push_back(status);
              took.push_back(time);
            },
            limits)),
        address(listen_with(std::move(tls))),
        thread_([this] { context_.run(); }) {}

  ~RunningServer() {
    net::post(context_, [this] {
      server_.reset();
      context_.stop();
    });
    thread_.join();
  }

  // Begins to stop; the future is ready when stop() has resumed.
  std::future<void> stop(Millis grace) {
    auto done = std::make_shared<std::promise<void>>();
    net::co_spawn(
        context_, [this, grace]() -> awaitable<void> { co_await server_->stop(grace); },
        [done](const std::exception_ptr&) { done->set_value(); });
    return done->get_future();
  }

  // Does `meanwhile` while the server does nothing.
  void pause(const std::function<void()>& meanwhile) {
    const auto paused = std::make_shared<std::promise<void>>();
    std::promise<void> done;
    net::post(context_, [paused, go_on = done.get_future().share()] {
      paused->set_value();
      go_on.wait();
    });
    paused->get_future().wait();
    meanwhile();
    done.set_value();
  }

 private:
  std::string listen_with(std::shared_ptr<ServerTls> tls) {
    server_->use_tls(std::move(tls));
    return server_->listen("127.0.0.1:0").value();
  }

  net::io_context context_{1};
  net::executor_work_guard<net::io_context::executor_type> guard_{context_.get_executor()};
  SystemClock clock_;
  std::unique_ptr<HttpServer> server_;

 public:
  std::vector<int> answered;                   // read it after the server has ended or answered
  std::vector<std::chrono::nanoseconds> took;  // …and this: how long each took
  const std::string address;

 private:
  std::thread thread_;
};

class RawClient {
 public:
  explicit RawClient(const std::string& address, const char* from = "127.0.0.1")
      : socket_(context_) {
    const auto [host, port] = split_host_port(address);
    socket_.open(net::ip::tcp::v4());
    socket_.bind({net::ip::make_address(from), 0});
    socket_.connect({net::ip::make_address(host), static_cast<unsigned short>(std::stoi(port))});
    // Only so that a broken server fails the test instead of hanging it.
    const timeval patience{30, 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }

  void send(const std::string& bytes) {
    boost::system::error_code ignored;  // the server may have closed already
    net::write(socket_, net::buffer(bytes), ignored);
  }

  // Everything up to and with `mark`; shorter if the connection ended before.
  std::string read_until(const std::string& mark) {
    while (buffer_.find(mark) == std::string::npos && receive()) {
    }
    const std::size_t found = buffer_.find(mark);
    const std::size_t end = found == std::string::npos ? buffer_.size() : found + mark.size();
    std::string text = buffer_.substr(0, end);
    buffer_.erase(0, end);
    return text;
  }

  // Everything until the server closes.
  std::string read_all() {
    while (receive()) {
    }
    return std::exchange(buffer_, {});
  }

  void close() { socket_.close(); }

 private:
  bool receive() {
    char bytes[4096];
    const auto got = ::recv(socket_.native_handle(), bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  net::io_context context_;
  net::ip::tcp::socket socket_;
  std::string buffer_;
};

}  // namespace rollwatch
