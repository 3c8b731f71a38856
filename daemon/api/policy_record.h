// What a policy's conditions have come to in the latest rollouts: one that never had an answer, or
// never failed, may be one that cannot. Of the counts that every rollout's state has, so that no
// history is read.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/api/api.h"

namespace rollwatch {

struct PolicyRecord {
  struct OfCondition {
    std::string name;
    std::size_t rollouts = 0;  // in which it had a slot
    std::size_t answered = 0;  // … and a pass or a fail
    std::size_t failed = 0;    // … and a fail
  };
  std::size_t looked_at = 0;     // rollouts of any policy
  std::size_t rollouts = 0;      // of those, with this policy
  std::optional<SysTime> since;  // when the oldest that was looked at was registered
  std::vector<OfCondition> conditions;
};

void take_in(PolicyRecord& record, const std::string& policy, const RolloutView& view);

// Of the latest 500 rollouts that the caller may see. Throws StoreError.
awaitable<PolicyRecord> policy_record(const ApiContext& context, std::vector<std::string> visible,
                                      std::string policy, std::vector<std::string> conditions);

nlohmann::ordered_json record_json(const PolicyRecord& record);

}  // namespace rollwatch
