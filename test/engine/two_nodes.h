// Two engines with their outboxes over one store: rollouts go from one to the other in good order,
// or are taken from one that does not know.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "test/engine/engine_fixture.h"

namespace rollwatch {

inline constexpr const char* kPeopleAreTold = R"(
[notifier.people]
type = "slack"
webhook_url = "https://hooks.slack.example/services/1"
)";

class TwoNodes : public testing::Test {
 protected:
  TwoNodes() {
    world.configure(std::string(kTwoSteps) + kPeopleAreTold, 2);
    world.metrics_are("errors", {Behaviour::Kind::kValue, {0.01}});
  }

  static RolloutSpec spec(const std::string& candidate, const std::string& service = "checkout") {
    RolloutSpec spec;
    spec.service = service;
    spec.stable = "1.0";
    spec.candidate = candidate;
    spec.policy = {"p"};
    spec.orchestrator = "deployer";
    spec.by = "ci";
    return spec;
  }
  static PersonDecided person(DecisionKind kind) { return {kind, "ana", "because", std::nullopt}; }

  std::string begin(const std::string& candidate, const std::string& service = "checkout") {
    return world.register_rollout(spec(candidate, service)).rollout->spec.id;
  }
  State state(const std::string& id) { return world.rollout(id).state.state; }
  std::size_t active(std::size_t node) { return world.engine(node).active().size(); }
  std::vector<std::string> told(const std::string& id) {
    std::vector<std::string> kinds;
    for (const Message& message : world.told())
      if (message.rollout == id) kinds.push_back(message.kind);
    return kinds;
  }
  Delivery order(const std::string& id, unsigned number) {
    for (const Delivery& d : world.deliveries(id))
      if (d.cls == DeliveryClass::kOrder && d.number == number) return d;
    ADD_FAILURE() << "no order " << number;
    return {};
  }
  // How many slots of the condition are in the history, each once and none left out; and of those
  // how many are missed.
  struct Slots {
    std::uint32_t all = 0, missed = 0;
  };
  Slots slots(const std::string& id) {
    Slots slots;
    std::optional<SysTime> next;
    std::uint32_t number = 0;
    for (const StoredEvaluation& e : world.evaluations(id)) {
      EXPECT_EQ(e.number, ++number);
      if (next) {
        EXPECT_EQ(e.slot, *next) << "after " << format_time(*next);
      }
      next = e.last_slot + Millis{10'000};
      slots.all += e.slots;
      if (e.judgement.outcome == Outcome::kMissed) slots.missed += e.slots;
    }
    return slots;
  }
  template <class T>
  static bool throws_store_error(const Called<T>& call) {
    try {
      call.value();
    } catch (const StoreError&) {
      return true;
    } catch (const NotHere&) {
    }
    return false;
  }

  // Of a call that ends with a StoreError.
  template <class T>
  static StoreError::Effect effect(const Called<T>& call) {
    try {
      call.value();
    } catch (const StoreError& error) {
      return error.is_uncertain() ? StoreError::Effect::kUnknown : StoreError::Effect::kNone;
    }
    ADD_FAILURE() << "it was recorded";
    return StoreError::Effect::kNone;
  }

  const Place checkout = World::place("checkout");
  World world;
};

}  // namespace rollwatch
