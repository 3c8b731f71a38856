#include "daemon/api/policy_record.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "daemon/api/json_values.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

// Bounded, for it is asked whenever somebody looks at a policy; page by page, so that others get
// their turn in between.
constexpr std::size_t kMostRollouts = 500, kRecordPage = 100;

std::uint64_t count_of(const ConditionState& state, Outcome outcome) {
  return state.counts[static_cast<std::size_t>(outcome)];
}

}  // namespace

void take_in(PolicyRecord& record, const std::string& policy, const RolloutView& view) {
  ++record.looked_at;
  record.since = view.spec.created_at;
  if (std::ranges::find(view.spec.policy, policy) == view.spec.policy.end()) return;
  ++record.rollouts;
  const std::size_t count = std::min(view.plan->conditions.size(), view.state.conditions.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto of = std::ranges::find(record.conditions, view.plan->conditions[i].name,
                                      &PolicyRecord::OfCondition::name);
    if (of == record.conditions.end()) continue;
    const ConditionState& state = view.state.conditions[i];
    const auto fails = count_of(state, Outcome::kFail);
    const auto slots = std::accumulate(state.counts.begin(), state.counts.end(), std::uint64_t{0});
    of->rollouts += slots > 0 ? 1 : 0;
    of->answered += fails + count_of(state, Outcome::kPass) > 0 ? 1 : 0;
    of->failed += fails > 0 ? 1 : 0;
  }
}

awaitable<PolicyRecord> policy_record(const ApiContext& context, std::vector<std::string> visible,
                                      std::string policy, std::vector<std::string> conditions) {
  PolicyRecord record;
  for (std::string& name : conditions) record.conditions.push_back({std::move(name)});
  std::optional<std::string> cursor;
  do {
    ListFilter filter;
    filter.visible = visible;
    Page<RolloutView> page =
        co_await context.service.list(std::move(filter), kRecordPage, std::move(cursor));
    for (const RolloutView& view : page.items) take_in(record, policy, view);
    cursor = page.items.empty() ? std::nullopt : std::move(page.next_cursor);
  } while (cursor && record.looked_at < kMostRollouts);
  co_return record;
}

Json record_json(const PolicyRecord& record) {
  Json conditions = Json::array();
  for (const PolicyRecord::OfCondition& of : record.conditions)
    conditions.push_back({{"name", of.name},
                          {"rollouts", of.rollouts},
                          {"answered", of.answered},
                          {"failed", of.failed}});
  return {{"looked_at", record.looked_at},
          {"since", time_json(record.since)},
          {"rollouts", record.rollouts},
          {"conditions", std::move(conditions)}};
}

}  // namespace rollwatch
