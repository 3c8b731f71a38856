// Rows with every field set, and one text for a whole row, so that a comparison shows the full
// picture.
#pragma once

#include <string>
#include <vector>

#include "daemon/engine/records.h"

namespace rollwatch {

inline constexpr SysTime kNow{Millis(1'767'323'045'678)};

// An id as the engine makes them: `number` decides the order.
std::string rollout_id(int number);

RolloutSpec full_spec(const std::string& id);
RolloutState full_state();
Judgement full_judgement();
StoredEvaluation full_evaluation(std::uint32_t number);
Event full_event();
Attempt full_attempt();

// Registers a rollout of default/checkout in `target`.
Commit registration(const std::string& id, const std::string& target = "default");
// A later step of it: state, as many evaluations as the state's revision says in all, one event.
Commit step(const std::string& id, unsigned revision);
// Its last step, with neither evaluation nor event.
Commit ending(const std::string& id, SysTime ended_at);
Delivery order(const std::string& id, SysTime created_at = kNow);
Delivery notification(const std::string& id);

std::string text_of(const RolloutSpec& spec);
std::string text_of(const StoredEvaluation& evaluation);
std::string text_of(const Event& event);
std::string text_of(const Delivery& delivery);

template <class T>
std::vector<T> list_of(T one) {
  std::vector<T> list;
  list.push_back(std::move(one));
  return list;
}

}  // namespace rollwatch
