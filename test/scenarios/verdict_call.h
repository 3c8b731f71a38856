// The verdict call as pipelines and other tools read it, held against what they rely on at every
// moment of every story: pass and fail never both, a message that is a string, a status of the
// four, a percentage that is 100 for success alone, and an end that stays.
#pragma once

#include <memory>
#include <string>

#include "daemon/engine/engine.h"

namespace rollwatch {

class VerdictCall {
 public:
  VerdictCall();
  ~VerdictCall();
  VerdictCall(VerdictCall&&) noexcept;
  VerdictCall& operator=(VerdictCall&&) noexcept;

  // "" if the answer holds together and goes on from the one before; else what is wrong with it.
  std::string read(const RolloutView& view);

 private:
  struct Answer;
  std::unique_ptr<Answer> before_;
};

}  // namespace rollwatch
