#include "test/cli/fake_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <stdexcept>

namespace rollwatch::test {
namespace {

constexpr int kGlance = 20;  // milliseconds between two looks at whether it is to stop

std::optional<Call> parse_call(const std::string& text) {
  const std::size_t head = text.find("\r\n\r\n");
  if (head == std::string::npos) return std::nullopt;
  Call call;
  const std::size_t first = text.find(' ');
  const std::size_t second = text.find(' ', first + 1);
  call.method = text.substr(0, first);
  call.target = text.substr(first + 1, second - first - 1);
  for (std::size_t begin = text.find("\r\n") + 2; begin < head;) {
    const std::size_t end = text.find("\r\n", begin);
    const std::size_t colon = text.find(": ", begin);
    std::string name = text.substr(begin, colon - begin);
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    call.headers[name] = text.substr(colon + 2, end - colon - 2);
    begin = end + 2;
  }
  const auto length = call.headers.find("content-length");
  const std::size_t expected = length == call.headers.end() ? 0 : std::stoul(length->second);
  if (text.size() < head + 4 + expected) return std::nullopt;
  call.body = text.substr(head + 4, expected);
  return call;
}

}  // namespace

FakeServer::FakeServer(Handler handler) : handler_(std::move(handler)) { start(); }

FakeServer::~FakeServer() { stop(); }

std::string FakeServer::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

std::vector<Call> FakeServer::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

void FakeServer::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  thread_.join();
  close(listener_);
}

void FakeServer::start() {
  stopping_ = false;
  listen_on(port_);
  thread_ = std::thread([this] { serve(); });
}

void FakeServer::listen_on(int port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, size) != 0 || listen(listener_, 16) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("the fake server cannot listen");
  }
  port_ = ntohs(address.sin_port);
}

bool FakeServer::stopping_within(int millis) const {
  if (!stopping_) poll(nullptr, 0, millis);
  return stopping_;
}

void FakeServer::serve() {
  while (!stopping_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (poll(&waiting, 1, kGlance) <= 0) continue;
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    answer(connection);
    close(connection);
  }
}

void FakeServer::answer(int connection) {
  std::string text;
  std::optional<Call> call;
  while (!call && !stopping_) {
    pollfd waiting{connection, POLLIN, 0};
    if (poll(&waiting, 1, kGlance) <= 0) continue;
    char buffer[4096];
    const ssize_t got = recv(connection, buffer, sizeof buffer, 0);
    if (got <= 0) return;
    text.append(buffer, static_cast<std::size_t>(got));
    call = parse_call(text);
  }
  if (!call) return;
  {
    const std::lock_guard lock(mutex_);
    calls_.push_back(*call);
  }
  const Reply reply = handler_(*call);
  while (reply.hold) {
    if (stopping_within(kGlance)) return;
  }
  const std::string answer =
      "HTTP/1.1 " + std::to_string(reply.status) + " x\r\nConnection: close\r\n" + reply.headers +
      "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body;
  send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
}

Reply Story::operator()(const Call& call) {
  if (call.method == "POST" && call.target == "/api/v1/rollouts") return {201, pages_.front()};
  if (call.target == "/api/v1/rollouts/ro_1") return {200, pages_[page_]};
  if (!call.target.starts_with("/api/v1/rollouts/ro_1/verdict")) {
    return {404, R"({"title":"Not found","detail":"no such rollout"})"};
  }
  const auto known = call.headers.find("if-none-match");
  if (known != call.headers.end() && known->second == "\"" + std::to_string(page_) + "\"") {
    if (page_ + 1 == pages_.size()) return {.hold = true};
    ++page_;
  }
  return {200, R"({"id":"ro_1"})", "ETag: \"" + std::to_string(page_) + "\"\r\n"};
}

}  // namespace rollwatch::test
