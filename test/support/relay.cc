#include "test/support/relay.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

namespace rollwatch {
namespace {

sockaddr_in on_loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

void without_waiting(int fd) {
  fcntl(fd, F_SETFL, O_NONBLOCK);
  const int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

}  // namespace

Relay::Relay(int server_port)
    : server_port_(server_port), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = on_loopback(0);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 64) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("the relay cannot listen");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

Relay::~Relay() {
  ended_ = true;
  thread_.join();
  close_all();
  close(listener_);
}

void Relay::close_all() {
  for (const auto& pair : pairs_) {
    for (const Half& half : pair) {
      const linger at_once{1, 0};
      setsockopt(half.from, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      close(half.from);
    }
  }
  pairs_.clear();
}

void Relay::accept_one() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = on_loopback(server_port_);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(server);
    close(client);
    return;
  }
  without_waiting(client);
  without_waiting(server);
  pairs_.push_back({{client, server, true, "", false}, {server, client, false, "", false}});
}

// What is cut off is not even read, so that both sides see a peer that is there and silent.
void Relay::move_bytes(std::vector<Half>& pair) {
  for (Half& half : pair) {
    if (!(half.is_from_client ? to_server_ : to_client_) || half.ended) continue;
    std::array<char, 65'536> bytes;
    const ssize_t got = read(half.from, bytes.data(), bytes.size());
    if (got > 0) {
      half.kept.append(bytes.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      half.ended = true;
    }
    if (!half.kept.empty()) {
      const ssize_t sent = send(half.to, half.kept.data(), half.kept.size(), MSG_NOSIGNAL);
      if (sent > 0) half.kept.erase(0, static_cast<std::size_t>(sent));
    }
    if (half.ended && half.kept.empty()) shutdown(half.to, SHUT_WR);
  }
}

void Relay::run() {
  constexpr int kPauseMs = 1;
  constexpr int kIdleMs = 5;
  while (!ended_) {
    if (hang_up_.exchange(false)) close_all();
    std::vector<pollfd> waited = {{listener_, POLLIN, 0}};
    for (const auto& pair : pairs_)
      for (const Half& half : pair)
        if ((half.is_from_client ? to_server_ : to_client_) && !half.ended)
          waited.push_back({half.from, POLLIN, 0});
    poll(waited.data(), waited.size(), waited.size() > 1 ? kPauseMs : kIdleMs);
    // While it is cut nobody gets through who comes anew.
    if ((waited[0].revents & POLLIN) != 0 && to_server_) accept_one();
    for (auto& pair : pairs_) move_bytes(pair);
    std::erase_if(pairs_, [](const std::vector<Half>& pair) {
      if (!pair[0].ended || !pair[1].ended) return false;
      close(pair[0].from);
      close(pair[1].from);
      return true;
    });
  }
}

}  // namespace rollwatch
