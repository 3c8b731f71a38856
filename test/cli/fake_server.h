// A scripted server for the client: plain sockets, one connection at a time, each answer the next
// page of a story. A story is told to long polls: whoever asks for the verdict with the ETag of the
// current page is answered with the next one, and waits for good at the last.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace rollwatch::test {

struct Call {
  std::string method;
  std::string target;                          // with /api/v1 and the query
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

struct Reply {
  int status = 200;
  std::string body = "{}";
  std::string headers = {};  // further lines, each with its line end
  bool hold = false;         // no answer until the server stops
};

using Handler = std::function<Reply(const Call&)>;

class FakeServer {
 public:
  // Listens on a free port of the loopback; `handler` runs on the server's thread.
  explicit FakeServer(Handler handler);
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  std::string url() const;
  std::vector<Call> calls() const;

  // Refuses connections from now on, and breaks off the one it is answering.
  void stop();
  // On the same port as before. Call after stop().
  void start();

 private:
  void listen_on(int port);
  void serve();
  void answer(int connection);
  bool stopping_within(int millis) const;

  const Handler handler_;
  int port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::vector<Call> calls_;  // guarded by mutex_
};

// Rollout ro_1 with these pages, each a rollout's JSON; its registration answers the first one.
class Story {
 public:
  explicit Story(std::vector<std::string> pages) : pages_(std::move(pages)) {}
  Reply operator()(const Call& call);

 private:
  std::vector<std::string> pages_;
  std::size_t page_ = 0;
};

}  // namespace rollwatch::test
