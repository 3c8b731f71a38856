// The record that answers "why?" for one decision: the exact question, the raw answer, the
// arithmetic, the slots that counted and what the other conditions said. Built when the decision is
// made and stored in its commit, so that it holds whatever later becomes of configuration and
// history.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/advance.h"
#include "analysis/answer.h"
#include "daemon/engine/shared_text.h"
#include "daemon/engine/sharing.h"

namespace rollwatch {

// One version's question of a comparison.
struct AskedArm {
  Arm arm = Arm::kCandidate;
  bool is_bad = false;  // `bad_events`
  SharedText query;
  Answer answer;
};

// What was asked for the slot that led to the decision.
struct Asked {
  std::size_t condition = 0;
  SharedText query;
  std::optional<SharedText> evidence_query;
  SysTime evaluated_at{};
  // Where it was asked: filled in when a decision is to be explained.
  std::string datasource;
  std::string datasource_url;        // without credentials
  std::vector<std::string> headers;  // names of those that its configuration adds
  Answer value;
  std::optional<Answer> evidence;
  // Of a comparison, as questions_of() has them; `query` is then the first of them.
  std::vector<AskedArm> arms = {};
  // How it was asked together with others, and the answer is this rollout's share; null: alone.
  JoinedPtr shared, shared_evidence;
};

// What the condition asks at that step (-1: before the first) and weight. When and where is left to
// be filled in.
Asked question_at(Fixed fixed, std::size_t condition, int step, std::optional<double> weight);

// What the condition's latest slot was, where a decision came without an answer to one: it was
// missed, or time decided. Nothing if it had none yet. The address is left to be filled in.
std::optional<Asked> unanswered(Fixed fixed, const RolloutState& after, std::size_t condition);

// JSON: decision, condition, evaluation, window, siblings, deliveries; `deliveries` holds ids,
// their attempts are added when it is read. `tipped_by`: the slot of another condition, after which
// all that share their evidence had enough of it.
std::string explain_bundle(Fixed fixed, const RolloutState& after, const Decision& decision,
                           const std::optional<Asked>& asked,
                           const std::vector<std::string>& delivery_ids,
                           const std::optional<Asked>& tipped_by = {});

// The facts of an order that its body is made from: {"state","step","reason":{…}}, and
// "traceparent" if the decision, or else the registration, came with one.
std::string order_payload(Fixed fixed, const RolloutState& after, const Decision& decision);

// A line for a shell that asks the same question again. Configured headers are named, their values
// left out.
std::string curl_line(const Asked& asked, const std::string& query);

}  // namespace rollwatch
