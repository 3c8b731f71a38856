// Where following a rollout shows what it sees: a view drawn again and again on a terminal, one
// plain line per change in a pipeline. Both write to stderr.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/cli/surroundings.h"

namespace rollwatch {

class ProgressView {
 public:
  virtual ~ProgressView() = default;
  // `verdict` is the answer of the verdict call and may be null.
  virtual void show(const nlohmann::json& rollout, const nlohmann::json& verdict) = 0;
  // Something about the following itself, such as a lost server; gone with the next show.
  virtual void note(const std::string& text) = 0;
  // A line that stays.
  virtual void say(const std::string& text) = 0;
  // An evaluation of the past, oldest first, before the first show.
  virtual void remember(const nlohmann::json& evaluation) = 0;
  // Whether it shows more than what changes: then the past is worth reading.
  virtual bool shows_trends() const = 0;
  // Time went by.
  virtual void tick() = 0;
};

// The view that fits the terminal. `surroundings` outlives it.
std::unique_ptr<ProgressView> make_progress_view(Surroundings& surroundings);

}  // namespace rollwatch
