// One random rollout as a list of inputs that can be played again, also with some of them left out.
#pragma once

#include <string>
#include <vector>

#include "test/analysis/random_rollouts.h"
#include "test/model/seen.h"

namespace rollwatch::model {

struct Happening {
  Input input;
  SysTime now{};
};

struct Story {
  RolloutSpec spec;
  Plan plan;
  SysTime registered_at{};
  bool frozen = false;
  std::vector<Happening> happenings;
};

// A random one. Its inputs are chosen by what the real one shows, so that they make sense.
Story random_story(unsigned seed, int steps);

Transition registration_of(const Story& story);

// Where the real one and the model part.
struct Mismatch {
  std::size_t step = 0;  // 0: at the registration; n: after the n-th happening
  std::string difference;
};

// Both play the story from the beginning.
std::optional<Mismatch> play(const Story& story);

// Leaves out whatever is not needed for some mismatch to remain.
Story shrink(Story story);

// The plan and the happenings in words, a line each, short.
std::string in_words(const Story& story);

}  // namespace rollwatch::model
