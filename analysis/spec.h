// Who is going out, where, and at whose word: what a registration fixes for the rollout's whole
// life.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/rare.h"
#include "analysis/time.h"

namespace rollwatch {

struct RolloutSpec {
  std::string id;  // "ro_…", sorts by time
  std::string ns = "default";
  std::string service;
  std::string target = "default";
  std::string stable;  // "" on a first release
  std::string candidate;
  int attempt = 1;
  std::vector<std::string> policy;
  RarePairs labels;
  RarePairs args;
  RarePairs links;
  std::string orchestrator;  // "": asked, not told
  std::vector<std::string> notify;
  std::string by;
  bool observe = false;
  SysTime created_at{};
  RareText traceparent;  // of the call that registered it (W3C Trace Context); "": none
};

// The part of an id behind its prefix: "ro_01j…" → "01j…".
std::string id_body(const std::string& id);

// An order's and a decision's id are made from the rollout's and a number counted in its state, so
// that a step computed again after a crash names the same things.
std::string order_id(const RolloutSpec& spec, unsigned number);
std::string decision_id(const RolloutSpec& spec, unsigned number);

}  // namespace rollwatch
