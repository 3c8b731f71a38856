#include "test/bench/stream_clients.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <string_view>

#include "daemon/http/server.h"

namespace rollwatch::bench {
namespace {

constexpr std::string_view kGet =
    "GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n";
constexpr std::string_view kId = "id: ";

int connected_to(const std::string& address) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  where.sin_port = htons(static_cast<std::uint16_t>(std::stoi(split_host_port(address).second)));
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
    throw std::runtime_error("a client cannot connect; is the limit of open files too small?");
  return fd;
}

// A status line, and the empty line that ends the head.
void read_head(int fd) {
  std::string head;
  char byte = 0;
  while (head.find("\r\n\r\n") == std::string::npos) {
    if (::recv(fd, &byte, 1, 0) != 1) throw std::runtime_error("a client got no answer: " + head);
    head += byte;
  }
  if (!head.starts_with("HTTP/1.1 200")) throw std::runtime_error("a client was refused: " + head);
}

}  // namespace

std::int64_t now_nanoseconds() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

void CommitTimes::note(std::int64_t seq) {
  at_.at(static_cast<std::size_t>(seq)).store(now_nanoseconds(), std::memory_order_release);
}

StreamClients::StreamClients(const std::string& address, std::size_t count)
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), clients_(count) {
  for (std::size_t i = 0; i < count; ++i) {
    Client& client = clients_[i];
    client.fd = connected_to(address);
    if (::send(client.fd, kGet.data(), kGet.size(), MSG_NOSIGNAL) < 0)
      throw std::runtime_error("a client cannot ask");
    read_head(client.fd);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, client.fd, &event);
  }
}

StreamClients::~StreamClients() {
  for (const Client& client : clients_)
    if (client.fd >= 0) ::close(client.fd);
  ::close(epoll_);
}

StreamReport StreamClients::read(const CommitTimes& commits, std::chrono::seconds longest) {
  StreamReport report;
  report.milliseconds.reserve(clients_.size() * static_cast<std::size_t>(commits.events()));
  const auto end = std::chrono::steady_clock::now() + longest;
  std::size_t done = 0;
  std::array<epoll_event, 64> ready{};
  while (done < clients_.size() && std::chrono::steady_clock::now() < end) {
    const int count = ::epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), 100);
    for (int i = 0; i < count; ++i)
      receive(clients_[ready.at(static_cast<std::size_t>(i)).data.u64], commits, report);
    done = 0;
    for (const Client& client : clients_)
      if (!client.open || client.last == commits.events()) ++done;
  }
  for (const Client& client : clients_)
    report.lost += static_cast<std::size_t>(commits.events() - client.last);
  return report;
}

void StreamClients::receive(Client& client, const CommitTimes& commits, StreamReport& report) {
  std::array<char, 64 * 1024> bytes;
  const ssize_t got = ::recv(client.fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN)) {
    client.open = false;
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, client.fd, nullptr);
  }
  if (got <= 0) return;
  const std::int64_t now = now_nanoseconds();
  client.unread.append(bytes.data(), static_cast<std::size_t>(got));
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = client.unread.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    const std::string_view line = std::string_view(client.unread).substr(begin, end - begin);
    if (!line.starts_with(kId)) continue;
    std::int64_t seq = 0;
    std::from_chars(line.data() + kId.size(), line.data() + line.size(), seq);
    if (seq == 0) continue;  // where the stream begins
    ++report.received;
    report.milliseconds.push_back(static_cast<double>(now - commits.nanoseconds(seq)) / 1e6);
    if (seq <= client.last) ++report.out_of_order;
    if (seq > client.last + 1) report.lost += static_cast<std::size_t>(seq - client.last - 1);
    client.last = std::max(client.last, seq);
  }
  client.unread.erase(0, begin);
}

}  // namespace rollwatch::bench
