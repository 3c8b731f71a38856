// Rollouts as text: JSON in, lines out. What is shown of a rollout is decided here and nowhere
// else.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/time.h"

namespace rollwatch {

class Trends;

// "checkout 1.23 → 1.24 in eu-1 (payments)"; a default namespace or target is not named.
std::string rollout_name(const nlohmann::json& rollout);

// "step 2 of 3, weight 25"; empty before the first step began.
std::string step_text(const nlohmann::json& rollout);

// What is printed when nobody looks, without its time: "analyzing, step 2 of 3, weight 25, passing:
// reason".
std::string progress_text(const nlohmann::json& rollout);

// progress_text behind the time the server gives it.
std::string progress_line(const nlohmann::json& rollout);

// What a verb that followed or changed a rollout answers: "ro_1 promoted: checkout 1.23 → 1.24:
// reason"
std::string result_line(const nlohmann::json& rollout);

// The open question and how it is answered, in one or two lines; empty if there is none.
std::string question_text(const nlohmann::json& rollout);

// What this decision would do to this rollout, said before it is asked for.
std::string consequence(std::string_view verb, const nlohmann::json& rollout);

// "wrong by ana: the load test"; "" without a label.
std::string label_of(const nlohmann::json& rollout);
std::string status_text(const nlohmann::json& rollout);

// A freeze, in force or lifted.
std::string freeze_text(const nlohmann::json& freeze);

// What would be sent to an orchestrator.
std::string preview_text(const nlohmann::json& preview);

// What a notifier answered to a test message.
std::string notify_test_text(const nlohmann::json& answer);

// `rollouts` is an array.
std::string list_text(const nlohmann::json& rollouts);

// `entries` is an array of events and evaluations in order, each with its `kind`.
std::string history_text(const nlohmann::json& entries);

// An event as a line, without a line feed; with the rollout's id if it is one of many.
std::string event_text(const nlohmann::json& event, bool of_many);

// `deliveries` is an array, oldest first.
std::string deliveries_text(const nlohmann::json& deliveries);
// One, in a few lines.
std::string delivery_text(const nlohmann::json& delivery);

// `policies` is an array.
std::string policies_text(const nlohmann::json& policies);
// A policy's analysis, each value with where it comes from.
std::string policy_text(const nlohmann::json& policy);

// What conditions answered when they were asked out of turn; `items` is an array.
std::string check_text(const nlohmann::json& items);

struct Canvas {
  std::size_t columns = 80;
  std::size_t rows = 24;
  bool colours = false;
};

// The lines of the redrawn view, cut to the canvas, without line feeds. `verdict` is the answer of
// the verdict call and may be null. Of the conditions' columns those that tell least go first where
// there is no room.
std::vector<std::string> live_view(const nlohmann::json& rollout, const nlohmann::json& verdict,
                                   const Trends& trends, SysTime now, const Canvas& canvas);

// "5 % ✓ → 25 % for 48s of 5m → 100 %"; empty for a rollout without weights.
std::string steps_line(const nlohmann::json& rollout, SysTime now, std::size_t columns);

}  // namespace rollwatch
