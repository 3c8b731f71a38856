#include "test/bench/webhook_receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace rollwatch::bench {
namespace {

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
constexpr int kBacklog = 1024;

void must(bool good, const char* what) {
  if (!good) throw std::system_error(errno, std::generic_category(), what);
}

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

}  // namespace

WebhookReceiver::WebhookReceiver(KeyOf key_of) : key_of_(std::move(key_of)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  stop_ = eventfd(0, EFD_CLOEXEC);
  must(listener_ >= 0 && epoll_ >= 0 && stop_ >= 0, "receiver");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  must(bind(listener_, generic, size) == 0 && listen(listener_, kBacklog) == 0 &&
           getsockname(listener_, generic, &size) == 0,
       "receiver");
  port_ = ntohs(address.sin_port);
  watch(epoll_, listener_);
  watch(epoll_, stop_);
  thread_ = std::thread([this] { serve(); });
}

WebhookReceiver::~WebhookReceiver() {
  eventfd_write(stop_, 1);
  thread_.join();
  for (const auto& [fd, buffer] : connections_) close(fd);
  for (const int fd : {listener_, epoll_, stop_}) close(fd);
}

void WebhookReceiver::serve() {
  std::array<epoll_event, 64> events{};
  while (true) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events.at(static_cast<std::size_t>(i)).data.fd;
      if (fd == stop_) return;
      if (fd == listener_) {
        accept_all();
      } else if (!read_from(fd, connections_[fd])) {
        connections_.erase(fd);
        close(fd);
      }
    }
  }
}

void WebhookReceiver::accept_all() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections_.emplace(fd, std::string());
    watch(epoll_, fd);
  }
}

bool WebhookReceiver::read_from(int fd, std::string& buffer) {
  std::array<char, 16UL * 1024> chunk{};
  const ssize_t got = recv(fd, chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  const Instant at = std::chrono::steady_clock::now();
  buffer.append(chunk.data(), static_cast<std::size_t>(got));
  while (const auto message = complete_message(buffer)) {
    take(std::string_view(buffer).substr(message->head, message->body), at);
    buffer.erase(0, message->head + message->body);
    if (send(fd, kOk.data(), kOk.size(), MSG_NOSIGNAL) < 0) return false;
  }
  return true;
}

void WebhookReceiver::take(std::string_view body, Instant at) {
  std::string key = key_of_(body);
  if (key.empty()) return;
  const std::lock_guard lock(mutex_);
  arrivals_.emplace(std::move(key), at);
  if (arrivals_.size() < expected_) return;
  complete_ = true;
  arrived_.notify_all();
}

void WebhookReceiver::expect(std::size_t more) {
  const std::lock_guard lock(mutex_);
  expected_ = arrivals_.size() + more;
  complete_ = false;
}

void WebhookReceiver::wait() {
  std::unique_lock lock(mutex_);
  if (!arrived_.wait_for(lock, std::chrono::minutes{1}, [this] { return complete_.load(); }))
    throw std::runtime_error(std::to_string(expected_ - arrivals_.size()) +
                             " webhooks did not arrive within a minute");
}

Instant WebhookReceiver::arrival(const std::string& key) {
  const std::lock_guard lock(mutex_);
  return arrivals_.at(key);
}

}  // namespace rollwatch::bench
