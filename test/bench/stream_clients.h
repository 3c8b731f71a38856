// Many clients of an event stream in one thread: plain sockets and epoll, so that what is measured
// is the server. Each notes when it was given which event.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace rollwatch::bench {

// When each event was on disk, by its number; written by one thread and read by another.
class CommitTimes {
 public:
  explicit CommitTimes(std::size_t events) : at_(events + 1) {}
  void note(std::int64_t seq);
  std::int64_t nanoseconds(std::int64_t seq) const {
    return at_.at(static_cast<std::size_t>(seq)).load(std::memory_order_acquire);
  }
  std::int64_t events() const { return static_cast<std::int64_t>(at_.size()) - 1; }

 private:
  std::vector<std::atomic<std::int64_t>> at_;
};

std::int64_t now_nanoseconds();

struct StreamReport {
  std::size_t received = 0;
  std::size_t lost = 0;          // never given
  std::size_t out_of_order = 0;  // given twice, or after a later one
  std::vector<double> milliseconds;
};

class StreamClients {
 public:
  // Connects all of them; resumes when each has been answered. Throws std::runtime_error.
  StreamClients(const std::string& address, std::size_t count);
  ~StreamClients();
  StreamClients(const StreamClients&) = delete;
  StreamClients& operator=(const StreamClients&) = delete;

  // Reads until everybody has the last event, or for so long.
  StreamReport read(const CommitTimes& commits, std::chrono::seconds longest);

 private:
  struct Client {
    int fd = -1;
    std::string unread;  // the beginning of a line
    std::int64_t last = 0;
    bool open = true;
  };

  void receive(Client& client, const CommitTimes& commits, StreamReport& report);

  int epoll_;
  std::vector<Client> clients_;
};

}  // namespace rollwatch::bench
