// Rollwatch from the inside: the real engine, SQLite store (synchronous=FULL), outbox, webhook
// driver and HTTP client, put together as the daemon does. Its points are the moment a commit is
// handed to the store and the moment the engine hears that it is on disk.
#pragma once

#include <memory>

#include "test/bench/contender.h"

namespace rollwatch::bench {

class EngineContender : public Contender {
 public:
  // The receiver must outlive it.
  explicit EngineContender(WebhookReceiver& receiver);
  ~EngineContender() override;

  void prepare(const std::vector<std::string>& services) override;
  std::vector<Latencies> fire(const std::vector<std::string>& services) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rollwatch::bench
