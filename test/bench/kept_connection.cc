#include "test/bench/kept_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace rollwatch::bench {

std::optional<MessageSize> complete_message(std::string_view bytes) {
  constexpr std::string_view kLength = "content-length:";
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  MessageSize size;
  size.head = end + 4;
  for (std::size_t line = bytes.find("\r\n"); line < end; line = bytes.find("\r\n", line + 2)) {
    const std::string_view header = bytes.substr(line + 2, end - line);
    if (header.size() > kLength.size() &&
        strncasecmp(header.data(), kLength.data(), kLength.size()) == 0)
      size.body = std::strtoul(header.data() + kLength.size(), nullptr, 10);
  }
  if (bytes.size() < size.head + size.body) return std::nullopt;
  return size;
}

KeptConnection::KeptConnection(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (fd_ < 0 || connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::system_error(errno, std::generic_category(), "connecting to 127.0.0.1");
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

KeptConnection::~KeptConnection() { close(fd_); }

Instant KeptConnection::post(std::string_view path, std::string_view body) {
  std::string request = "POST " + std::string(path) +
                        " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                        "Content-Length: " +
                        std::to_string(body.size()) + "\r\n\r\n";
  request += body;
  const Instant begun = std::chrono::steady_clock::now();
  for (std::string_view left = request; !left.empty();) {
    const ssize_t sent = send(fd_, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent <= 0) throw std::system_error(errno, std::generic_category(), "sending an event");
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
  return begun;
}

void KeptConnection::read_answer() {
  std::string answer;
  while (!complete_message(answer)) {
    std::array<char, 4096> chunk{};
    const ssize_t got = recv(fd_, chunk.data(), chunk.size(), 0);
    if (got <= 0) throw std::runtime_error("no answer to an event: " + answer);
    answer.append(chunk.data(), static_cast<std::size_t>(got));
  }
  if (!answer.starts_with("HTTP/1.1 2")) throw std::runtime_error("an event is refused: " + answer);
}

}  // namespace rollwatch::bench
