// The other end of what the daemon sends: a deployer that follows the script, and people who read
// every message.
#pragma once

#include "daemon/delivery/notification_sender.h"
#include "daemon/engine/target_driver.h"
#include "daemon/net/clock.h"
#include "test/scenarios/script.h"

namespace rollwatch {

class ScriptedDeployer : public TargetDriver {
 public:
  ScriptedDeployer(Script& script, Clock& clock) : script_(script), clock_(clock) {}

  awaitable<std::optional<SendResult>> look(const OrderMessage&) override {
    co_return std::nullopt;
  }
  OrderPreview preview(const OrderMessage&) const override { return {}; }
  awaitable<Looked> confirm(const OrderMessage&) override { co_return Looked::kUnknown; }
  awaitable<SendResult> send(const OrderMessage& order) override;

 private:
  Script& script_;
  Clock& clock_;
};

class ScriptedPeople : public NotificationSender {
 public:
  ScriptedPeople(Script& script, Clock& clock) : script_(script), clock_(clock) {}

  awaitable<SendResult> send(const NotificationMessage& message) override;

 private:
  Script& script_;
  Clock& clock_;
};

}  // namespace rollwatch
