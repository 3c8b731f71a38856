// An engine with its outbox and store (test/scenarios/world.h), and calls to it that are still out:
// what happens in between is what these tests are about.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "test/scenarios/world.h"

namespace rollwatch {

inline constexpr Millis kMinute{60'000};

// Two gating steps of ten minutes; the deployer is told.
inline constexpr const char* kTwoSteps = R"(
[datasource.default]
url = "http://127.0.0.1:9090"
[orchestrator.deployer]
url = "http://127.0.0.1:8080/rollouts"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[policy.p]
steps = [ { weight = 5, hold = "10m" }, { weight = 50, hold = "10m" } ]
[[policy.p.condition]]
name = "errors"
query = 'errors > 0.05'
interval = "10s"
[policy.quick]
steps = [ { weight = 5, hold = "10m" } ]
[[policy.quick.condition]]
name = "quick"
query = 'quick > 0.05'
interval = "4s"
[policy.unchecked]
steps = [ { weight = 5, hold = "10m" } ]
[policy.approved]
approve = "start"
steps = [ { weight = 5, hold = "10m" } ]
)";

// A call to the engine that was made and may not have been answered yet.
template <class T>
class Called {
 public:
  Called(World& world, awaitable<T> work) {
    auto shared = std::make_shared<awaitable<T>>(std::move(work));
    net::co_spawn(
        world.io(), [shared]() -> awaitable<T> { co_return co_await std::move(*shared); },
        [answer = answer_](std::exception_ptr failure, T value) {
          answer->failure = failure;
          answer->value.emplace(std::move(value));
        });
    world.settle();
  }
  bool answered() const { return answer_->value.has_value(); }
  // Throws what the call threw.
  const T& value() const {
    if (answer_->failure) std::rethrow_exception(answer_->failure);
    return answer_->value.value();
  }

 private:
  struct Answer {
    std::exception_ptr failure;
    std::optional<T> value;
  };
  std::shared_ptr<Answer> answer_ = std::make_shared<Answer>();
};

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    world.configure(kTwoSteps);
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
  static RolloutSpec approved(const std::string& candidate) {
    RolloutSpec wanted = spec(candidate);
    wanted.policy = {"approved"};
    return wanted;
  }
  // Under which a single node sends what is ordered for it.
  static Lease lease() { return {World::place("checkout"), 0}; }
  static PersonDecided person(DecisionKind kind) { return {kind, "ana", "because", std::nullopt}; }

  std::string begin(const std::string& candidate) {
    return world.register_rollout(spec(candidate)).rollout->spec.id;
  }
  State state(const std::string& id) { return world.rollout(id).state.state; }
  std::string order(const std::string& id, unsigned number) {
    return order_id(world.rollout(id).spec, number);
  }
  Delivery delivery(const std::string& id) {
    const std::size_t dash = id.rfind('-');
    for (const Delivery& d : world.deliveries("ro_" + id.substr(4, dash - 4)))
      if (d.id == id) return d;
    ADD_FAILURE() << "no delivery " << id;
    return {};
  }

  World world;
};

}  // namespace rollwatch
