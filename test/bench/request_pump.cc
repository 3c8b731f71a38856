#include "test/bench/request_pump.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "test/bench/kept_connection.h"

namespace rollwatch::bench {
namespace {

class Pumped {
 public:
  explicit Pumped(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    if (fd_ < 0 || connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::system_error(errno, std::generic_category(), "connecting to 127.0.0.1");
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Pumped() { close(fd_); }
  Pumped(const Pumped&) = delete;
  Pumped& operator=(const Pumped&) = delete;

  int fd() const { return fd_; }
  bool is_busy() const { return is_busy_; }

  // Requests are small: they are taken as a whole.
  void send_request(std::size_t number, const std::string& request) {
    number_ = number;
    is_busy_ = true;
    in_.clear();
    begun_ = std::chrono::steady_clock::now();
    if (send(fd_, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size()))
      throw std::system_error(errno, std::generic_category(), "sending a request");
  }

  // Reads what is there; whether the answer is complete by that.
  bool read_answer(const std::function<void(const PumpedAnswer&)>& answered) {
    std::array<char, 1 << 16> chunk;  // NOLINT(cppcoreguidelines-pro-type-member-init): written
    const ssize_t got = recv(fd_, chunk.data(), chunk.size(), 0);
    if (got <= 0) throw std::runtime_error("a connection was closed before the answer: " + in_);
    in_.append(chunk.data(), static_cast<std::size_t>(got));
    const auto size = complete_message(in_);
    if (!size) return false;
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - begun_;
    is_busy_ = false;
    answered({number_, std::atoi(in_.substr(9, 3).c_str()),
              std::string_view(in_).substr(size->head, size->body), took.count()});
    return true;
  }

 private:
  int fd_;
  bool is_busy_ = false;
  std::size_t number_ = 0;
  Instant begun_;
  std::string in_;
};

}  // namespace

std::string http_request(std::string_view method, std::string_view path, std::string_view body,
                         std::string_view more_headers) {
  std::string text(method);
  text.append(" ").append(path).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n").append(more_headers);
  if (!body.empty())
    text +=
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  return text.append("\r\n").append(body);
}

void pump(int port, std::size_t connections, std::size_t count,
          const std::function<std::string(std::size_t request)>& request,
          const std::function<void(const PumpedAnswer&)>& answered) {
  std::vector<std::unique_ptr<Pumped>> all;
  std::vector<pollfd> polled;
  std::size_t sent = 0, open = 0;
  for (std::size_t i = 0; i < std::min(connections, count); ++i) {
    all.push_back(std::make_unique<Pumped>(port));
    polled.push_back({all.back()->fd(), POLLIN, 0});
  }
  for (const auto& one : all) {
    one->send_request(sent, request(sent));
    ++sent;
    ++open;
  }
  while (open > 0) {
    if (poll(polled.data(), polled.size(), 60'000) <= 0)
      throw std::runtime_error("no answer within a minute");
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (polled[i].revents == 0 || !all[i]->is_busy() || !all[i]->read_answer(answered)) continue;
      --open;
      if (sent == count) continue;
      all[i]->send_request(sent, request(sent));
      ++sent;
      ++open;
    }
  }
}

}  // namespace rollwatch::bench
