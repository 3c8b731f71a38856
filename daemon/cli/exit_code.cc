#include "daemon/cli/exit_code.h"

#include <nlohmann/json.hpp>

#include "daemon/cli/fields.h"

namespace rollwatch {

std::optional<ExitCode> end_of(const nlohmann::json& rollout) {
  const std::string state = text_at(rollout, "state");
  if (state == "promoted") return ExitCode::kPromoted;
  if (state == "rolled_back") return ExitCode::kRolledBack;
  if (state == "rollback_failed") return ExitCode::kRollbackFailed;
  if (state == "cancelled" || state == "superseded") return ExitCode::kCancelled;
  // A rollout that waits for an approval to start waits for a person as well.
  const nlohmann::json& question = child_at(rollout, "question");
  const bool asks = question.is_object() || state == "paused";
  if (asks && !flag_at(question, "lifts_itself")) return ExitCode::kWaitsForPerson;
  return std::nullopt;
}

}  // namespace rollwatch
