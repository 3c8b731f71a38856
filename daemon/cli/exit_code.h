// What the program's end says to a script.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

namespace rollwatch {

enum class ExitCode : int {
  kPromoted = 0,  // for a verb that does not follow a rollout: it worked
  kFailed = 1,    // could not tell: network, server, refused
  kRolledBack = 2,
  kWaitsForPerson = 3,
  kCancelled = 4,  // or superseded
  kRollbackFailed = 5,
  kUsage = 64,
  kTimeout = 124,
  kInterrupted = 130,
};

// How following this rollout ends; nothing while it goes on. A pause ends it only when a person is
// needed: one that the engine lifts itself, when answers come again, is waited out.
std::optional<ExitCode> end_of(const nlohmann::json& rollout);

}  // namespace rollwatch
