// The receiving end of a delivery benchmark: an HTTP/1.1 server on a thread of its own that keeps
// connections open, answers every request with 200 at once, and remembers when the last byte of it
// was there. One epoll loop and no library, so that it costs every contender the same, and little.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "test/bench/kept_connection.h"

namespace rollwatch::bench {

class WebhookReceiver {
 public:
  // What a request is about, by its body; "": it is answered and not remembered. Called on the
  // receiver's thread.
  using KeyOf = std::function<std::string(std::string_view body)>;
  explicit WebhookReceiver(KeyOf key_of);
  ~WebhookReceiver();
  WebhookReceiver(const WebhookReceiver&) = delete;
  WebhookReceiver& operator=(const WebhookReceiver&) = delete;

  int port() const { return port_; }

  // Before they are caused: so many more keys are to arrive. Nobody is woken for each of them,
  // which would be time taken from whoever is measured.
  void expect(std::size_t more);
  bool complete() const { return complete_; }
  // Throws if they do not arrive within a minute.
  void wait();
  // When the first request about it was there; there must have been one.
  Instant arrival(const std::string& key);

 private:
  void serve();
  void accept_all();
  // False: the other side is gone.
  bool read_from(int fd, std::string& buffer);
  void take(std::string_view body, Instant at);

  const KeyOf key_of_;
  int listener_ = -1, epoll_ = -1, stop_ = -1;
  int port_ = 0;
  std::unordered_map<int, std::string> connections_;  // the thread's own: what is not a request yet
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::unordered_map<std::string, Instant> arrivals_;  // guarded by mutex_
  std::size_t expected_ = 0;                           // guarded by mutex_: arrivals in all
  std::atomic<bool> complete_{true};
  std::thread thread_;
};

}  // namespace rollwatch::bench
