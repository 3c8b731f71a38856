// One of the processes that share a store, as people are shown it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "analysis/time.h"

namespace rollwatch {

// The node that was asked took the call and did not answer in time: it may have been carried out.
class NoAnswer : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct NodeView {
  std::int64_t number = 0;  // never given again
  std::string name;
  std::string program;  // its version
  SysTime joined_at{}, seen_at{}, expires_at{};
  std::size_t places = 0;    // with something to do
  std::size_t rollouts = 0;  // active ones
  bool is_me = false;
};

// Of the moment, for metrics; of a node that shares its store with nobody, the defaults.
struct NodesReading {
  std::size_t nodes = 1;
  std::size_t leases = 0;
  std::uint64_t lease_transitions = 0;
  std::uint64_t fenced_writes = 0;
};

}  // namespace rollwatch
