// Passes bytes between clients and a server on loopback, until it is told not to: a network that is
// cut says nothing to either side and closes nothing.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace rollwatch {

class Relay {
 public:
  explicit Relay(int server_port);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  int port() const { return port_; }

  // From now on nothing passes, in both directions; what comes meanwhile is kept, and passes when
  // it is mended.
  void cut() { to_server_ = to_client_ = false; }
  // The server goes on hearing, and its answers are kept back.
  void cut_answers() { to_client_ = false; }
  void mend() { to_server_ = to_client_ = true; }
  // Resets every connection there is.
  void hang_up() { hang_up_ = true; }

 private:
  struct Half {
    int from = -1, to = -1;
    bool is_from_client = false;
    std::string kept;
    bool ended = false;
  };
  void run();
  void accept_one();
  void move_bytes(std::vector<Half>& pair);
  void close_all();

  const int server_port_;
  int listener_ = -1;
  int port_ = 0;
  std::vector<std::vector<Half>> pairs_;  // of the thread
  std::atomic<bool> to_server_ = true;
  std::atomic<bool> to_client_ = true;
  std::atomic<bool> hang_up_ = false;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

}  // namespace rollwatch
