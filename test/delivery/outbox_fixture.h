// An outbox in virtual time: a receiver of orders and a Slack that answer from a script, and an
// engine that only records. What happened is told as lines, "+1s  advance 1, attempt 2 → 500", so
// that a test compares a whole story.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/delivery/outbox.h"
#include "daemon/delivery/slack_bot_sender.h"
#include "daemon/delivery/slack_sender.h"
#include "daemon/delivery/webhook_driver.h"
#include "test/delivery/memory_store.h"
#include "test/support/manual_clock.h"

namespace rollwatch {

struct ScriptedAnswer {
  ScriptedAnswer(int status = 200, std::string body = "ok", Millis takes = {},
                 std::string retry_after = {})
      : status(status), body(std::move(body)), takes(takes), retry_after(std::move(retry_after)) {}

  int status;
  std::string body;
  Millis takes;
  std::string retry_after;
  std::string error;  // not empty: no answer at all
};

// Every place is here under one epoch, until a test says otherwise.
class MovableLeases : public Leases {
 public:
  std::optional<Epoch> epoch = 7;
  bool sure = true;
  std::vector<Place> refusals;

  std::optional<Epoch> held(const Place&) const override { return epoch; }
  awaitable<std::optional<Epoch>> claim(Place) override { co_return epoch; }
  bool is_sure() const override { return sure; }
  void refused(const Place& place) override {
    epoch.reset();
    refusals.push_back(place);
  }
};

// Somebody else's server. It answers what is scripted next and then, for ever, `otherwise`.
struct Receiver {
  void script(std::initializer_list<ScriptedAnswer> answers) { next.assign(answers); }

  ScriptedAnswer otherwise;
  std::deque<ScriptedAnswer> next;
};

class OutboxTest : public testing::Test, protected OrderSink {
 protected:
  OutboxTest();
  ~OutboxTest() override;

  // A decision of the engine: committed, then handed over.
  void order(unsigned number, const std::string& kind, const std::string& rollout = "ro_a",
             const std::string& target = "deployer");
  // The same, before the outbox has had its turn.
  void hand_over(unsigned number, const std::string& kind, const std::string& rollout = "ro_a",
                 const std::string& target = "deployer");
  void notification(const std::string& id, const std::string& kind = "paused",
                    const std::string& target = "slack", unsigned standing = 0);
  void withdraw(unsigned number, const std::string& rollout = "ro_a");
  void acknowledge(unsigned number);
  // Recorded as sent again, and handed over.
  void send_again(unsigned number);
  // Another process takes over what the store holds.
  void restart();
  void boot();
  // A reload: the same names, perhaps other addresses.
  void configure();

  static std::string id_of(unsigned number, const std::string& rollout = "ro_a");
  DeliveryState state_of(unsigned number) { return store.deliveries_by_id.at(id_of(number)).state; }
  void pass(Millis span) { clock.advance(span); }
  std::vector<std::string> story();  // since the last call

  net::io_context io;
  ManualClock clock{io};
  MemoryStore store;
  MovableLeases leases;
  Receiver deployer;
  Receiver slack;
  Receiver bot;                       // Slack's Web API; what is not scripted is done
  std::vector<HttpRequest> requests;  // to the deployer
  std::vector<std::string> counted;
  Millis order_deadline = std::chrono::minutes{5};
  Millis ack_deadline = std::chrono::minutes{30};
  bool deployer_configured = true;
  bool slack_configured = true;
  Outbox::Fallbacks fallbacks;
  int sink_failures = 0;
  std::unique_ptr<Outbox> outbox;

 private:
  awaitable<DeliveryState> order_attempted(Lease lease, std::string rollout, std::string delivery,
                                           SendResult result) override;
  awaitable<DeliveryState> order_expired(Lease lease, std::string rollout, std::string delivery,
                                         std::string why) override;
  awaitable<HttpResponse> answer(Receiver& receiver, std::string line);
  void tell(const std::string& what);

  SteadyTime begun_ = clock.steady();
  std::vector<std::string> story_;
  std::vector<std::unique_ptr<Outbox>> retired_;  // their coroutines may still be in the io_context
};

}  // namespace rollwatch
