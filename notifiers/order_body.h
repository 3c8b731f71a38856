// The body of an order, as the contract fixes it (docs/orders.md), or as a CloudEvent. Everything
// it says comes from what was recorded with the decision; only the attempt's number and time are
// the attempt's own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "analysis/spec.h"
#include "analysis/time.h"

namespace rollwatch {

struct OrderFacts {
  std::string id;     // "ord_…"
  std::string kind;   // "advance", "promote", "pause", "resume", "rollback"
  double weight = 0;  // the candidate's share
  std::int64_t fence = 0;
  SysTime decided_at{};
  SysTime expires_at{};
  // JSON recorded with the order: {"state", "step", "reason": {"summary", "condition", "value",
  // "rule", "by", "decision"}}. What is missing is null; `decision` (an id) goes into explain_url
  // only.
  std::string payload;
  unsigned attempt = 1;    // of this delivery
  SysTime attempted_at{};  // "timestamp"
};

// The trace that the order belongs to, for the header of that name; "": none.
std::string traceparent_of(const std::string& payload);

// `stable` is null on a first release: there is no version to go back to, and "" could be taken for
// one.
std::string order_body(const RolloutSpec& spec, const OrderFacts& order,
                       const std::string& external_url);

// The same as a CloudEvents 1.0 event in structured JSON: `data` is the contract's, `id` the
// order's (the same in every attempt), `time` that of the decision. Goes out as kCloudEventType.
std::string order_cloud_event(const RolloutSpec& spec, const OrderFacts& order,
                              const std::string& external_url);
inline constexpr const char* kCloudEventType = "application/cloudevents+json; charset=utf-8";

// "/rollwatch/" and the host (and port) that this daemon is reached by: `source` of an event.
std::string cloud_event_source(std::string_view external_url);
// One segment of a path, as a URI reference may have it.
std::string path_segment(std::string_view text);

// Where a person, or a tool, finds why: the explain bundle of that decision, or of the latest if
// unknown.
std::string explain_url(const std::string& external_url, const std::string& rollout,
                        const std::string& decision);

}  // namespace rollwatch
