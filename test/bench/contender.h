// Whoever turns events into webhooks, for the delivery benchmark: one event about a service becomes
// one webhook about it.
#pragma once

#include <string>
#include <vector>

#include "test/bench/webhook_receiver.h"

namespace rollwatch::bench {

// How long the webhooks of some events took, measured from one point on their way.
struct Latencies {
  std::string from;
  std::vector<double> milliseconds;  // one for each service
};

class Contender {
 public:
  virtual ~Contender() = default;

  // Brings it to where an event about each of these services becomes a webhook. Not measured.
  virtual void prepare(const std::vector<std::string>& services) = 0;

  // The events of all these services at once. Returns when their webhooks are received and what
  // follows from that is over as well. Always the same points in the same order.
  virtual std::vector<Latencies> fire(const std::vector<std::string>& services) = 0;
};

inline double milliseconds(Instant from, Instant to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

// The part of the configuration that every Rollwatch in this run has: orders go to the receiver,
// signed, and an alert about a service rolls its rollout back.
std::string rollwatch_configuration(int receiver_port);

}  // namespace rollwatch::bench
