#include "test/support/fake_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace rollwatch {

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool receive_some(int fd, std::string& into) {
  char chunk[16 * 1024];
  const ssize_t got = recv(fd, chunk, sizeof chunk, 0);
  if (got > 0) into.append(chunk, static_cast<std::size_t>(got));
  return got > 0;
}

// Value of a header in a head that ends with an empty line; "" if there is none.
std::string header_of(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;
       at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        strncasecmp(line.data(), name.data(), name.size()) == 0) {
      const auto value = line.find_first_not_of(' ', name.size() + 1);
      return value == std::string_view::npos ? "" : std::string(line.substr(value));
    }
  }
  return "";
}

std::string unchunked(std::string_view body) {
  std::string whole;
  while (true) {
    const auto end = body.find("\r\n");
    if (end == std::string_view::npos) return whole;
    const std::size_t size = std::strtoul(std::string(body.substr(0, end)).c_str(), nullptr, 16);
    if (size == 0 || end + 2 + size + 2 > body.size()) return whole;
    whole += body.substr(end + 2, size);
    body.remove_prefix(end + 2 + size + 2);
  }
}

}  // namespace

std::string FakeConnection::read_request() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!receive_some(fd_, buffer_)) return "";
  }
  const std::string length =
      header_of(std::string_view(buffer_).substr(0, end + 2), "Content-Length");
  const std::size_t size = end + 4 + std::strtoul(length.c_str(), nullptr, 10);
  while (buffer_.size() < size) {
    if (!receive_some(fd_, buffer_)) return "";
  }
  std::string request = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return request;
}

bool FakeConnection::send(std::string_view bytes) { return send_all(fd_, bytes); }

void FakeConnection::hang() {
  while (receive_some(fd_, buffer_)) {
  }
}

bool FakeConnection::closed_within(Millis limit) {
  pollfd poller{fd_, POLLIN, 0};
  return poll(&poller, 1, static_cast<int>(limit.count())) > 0 && !receive_some(fd_, buffer_);
}

void FakeConnection::reset() {
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

FakeServer::FakeServer(Script script) : script_(std::move(script)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (listener_ < 0 || bind(listener_, generic, size) != 0 || listen(listener_, 128) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "FakeServer");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

FakeServer::~FakeServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int fd : connections_) shutdown(fd, SHUT_RDWR);
  }
  shutdown(listener_, SHUT_RDWR);  // wakes accept
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
}

std::string FakeServer::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

void FakeServer::accept_all() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (stopping_ || fd < 0) {
      if (fd >= 0) close(fd);
      if (stopping_) return;
      continue;
    }
    ++accepted_;
    ++open_;
    connections_.push_back(fd);
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void FakeServer::serve(int fd) {
  FakeConnection connection(fd);
  script_(connection);
  const std::lock_guard lock(mutex_);
  std::erase(connections_, fd);
  close(fd);
  --open_;
}

std::string http_answer(int status, std::string_view content_type, std::string_view body,
                        std::string_view more_headers) {
  std::string answer = "HTTP/1.1 " + std::to_string(status) + " Answer\r\nContent-Type: ";
  answer.append(content_type).append("\r\nContent-Length: ").append(std::to_string(body.size()));
  return answer.append("\r\n").append(more_headers).append("\r\n").append(body);
}

PlainResponse plain_http(int port, std::string_view method, std::string_view path,
                         std::string_view body, std::string_view more_headers) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  std::string request(method);
  request.append(" ").append(path).append(
      " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: ");
  request.append(std::to_string(body.size()))
      .append("\r\n")
      .append(more_headers)
      .append("\r\n")
      .append(body);
  std::string answer;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      send_all(fd, request)) {
    while (receive_some(fd, answer)) {
    }
  }
  close(fd);
  const auto end = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.") || end == std::string::npos) return {};
  PlainResponse response{std::atoi(answer.c_str() + 9), answer.substr(0, end + 2),
                         answer.substr(end + 4)};
  if (header_of(response.headers, "Transfer-Encoding") == "chunked")
    response.body = unchunked(response.body);
  return response;
}

}  // namespace rollwatch
