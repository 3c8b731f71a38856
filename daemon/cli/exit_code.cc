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
  if (state == "paused" && !flag_at(child_at(rollout, "question"), "lifts_itself")) {
    return ExitCode::kWaitsForPerson;
  }
  return std::nullopt;
}

}  // namespace rollwatch
