// The contenders that take events over HTTP: the built rollwatchd, Debian's Alertmanager, and
// nobody at all. Both servers get the same alerts, each in the form it is used to, and are measured
// from the first byte of the request that brings them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "test/bench/contender.h"
#include "test/support/process.h"

namespace rollwatch::bench {

class HttpContender : public Contender {
 public:
  std::vector<Latencies> fire(const std::vector<std::string>& services) override;

 protected:
  HttpContender(WebhookReceiver& receiver, std::string from, std::string path)
      : receiver_(receiver), from_(std::move(from)), path_(std::move(path)) {}

  // Starts it on a free port and waits until it is ready.
  void start(const std::function<std::vector<std::string>(int port)>& argv);
  virtual int port() const { return port_; }
  virtual std::string event_about(const std::vector<std::string>& services) const = 0;

  WebhookReceiver& receiver_;
  TempDir folder_;  // of its files

 private:
  std::string from_, path_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

// No daemon: the event is the webhook. What is left is the harness.
class Nobody : public HttpContender {
 public:
  explicit Nobody(WebhookReceiver& receiver);
  void prepare(const std::vector<std::string>&) override {}
  std::vector<Latencies> fire(const std::vector<std::string>& services) override;

 private:
  int port() const override { return receiver_.port(); }
  std::string event_about(const std::vector<std::string>& services) const override;
};

class Rollwatchd : public HttpContender {
 public:
  Rollwatchd(WebhookReceiver& receiver, const std::string& program);
  // A rollout of each, its first step acknowledged.
  void prepare(const std::vector<std::string>& services) override;
  std::vector<Latencies> fire(const std::vector<std::string>& services) override;

 private:
  std::string event_about(const std::vector<std::string>& services) const override;
  // …and no order of theirs is out.
  void wait_until_all_are(std::string_view state);

  std::vector<std::string> rollouts_;  // prepared last
};

// A group for each alert, told at once (group_wait 0s).
class Alertmanager : public HttpContender {
 public:
  explicit Alertmanager(WebhookReceiver& receiver);
  void prepare(const std::vector<std::string>&) override {}

 private:
  std::string event_about(const std::vector<std::string>& services) const override;
};

}  // namespace rollwatch::bench
