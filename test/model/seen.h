// What is compared after every input: all that the outside can tell a rollout by.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "analysis/advance.h"
#include "test/model/judged.h"

namespace rollwatch::model {

struct SeenDecision {
  DecisionKind kind = DecisionKind::kAdvance;
  std::string by;
  bool would_have = false;
  std::optional<std::size_t> condition;
  bool by_alerts = false;
  friend bool operator==(const SeenDecision&, const SeenDecision&) = default;
};

struct SeenOrder {
  DecisionKind kind = DecisionKind::kAdvance;
  unsigned number = 0;
  double weight = 0;
  bool accepted = false;
  friend bool operator==(const SeenOrder&, const SeenOrder&) = default;
};

struct SeenSlots {
  std::size_t condition = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
  Judged judged;
  friend bool operator==(const SeenSlots&, const SeenSlots&) = default;
};

struct SeenCondition {
  Verdict verdict = Verdict::kPending;
  std::optional<std::int64_t> next_slot;  // with no ingestion delay
  std::array<std::uint32_t, kOutcomeCount> counts{};
  friend bool operator==(const SeenCondition&, const SeenCondition&) = default;
};

struct Seen {
  // What followed from the input.
  bool refused = false;
  std::vector<SeenDecision> decisions;
  std::vector<SeenOrder> orders;  // given
  std::vector<unsigned> withdrawn;
  std::vector<unsigned> settled;
  std::vector<SeenSlots> slots;  // that got their end
  std::vector<EventType> told;   // of those in kToldTypes

  // Where it is now.
  State state = State::kWaiting;
  int step = -1;
  std::optional<double> weight;
  double reached = 0;  // the share last acknowledged or reported
  Verdict verdict = Verdict::kPending;
  std::vector<SeenCondition> conditions;
  std::string alerts;              // who fires, and whether that counts
  std::optional<SeenOrder> order;  // that is out
  std::optional<QuestionKind> question;
  unsigned questions = 0;  // asked so far: their numbers
  std::optional<SysTime> timer;
  bool watching = false;
  bool may_begin = false;
  friend bool operator==(const Seen&, const Seen&) = default;
};

// What people are told that shows nowhere else.
inline constexpr std::array kToldTypes{EventType::kReminder, EventType::kRecovered,
                                       EventType::kStillBad};

// The same of the real one; `step` is null right after the registration.
Seen seen_of(Fixed fixed, const RolloutState& state, const Transition& step);

// "verdict: passing, the model says pending", one line for each difference; "" if there is none.
std::string difference(const Seen& real, const Seen& model);

}  // namespace rollwatch::model
