// How a rollout stands, as facts: for notifiers that keep one message per rollout and show in it
// where the rollout has got to. Taken when a step is recorded and kept beside the notice, so that
// whoever sends it needs nothing else, and a later one replaces it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/silence.h"
#include "notifiers/notification.h"

namespace rollwatch {

struct Standing {
  unsigned number = 0;  // grows with every step of the rollout: the larger one is the newer
  std::string state;
  std::string reason;  // why it is where it is, one sentence
  SysTime at{};
  Millis took{0};  // since it was registered
  int step = -1;
  int steps = 0;
  std::optional<double> weight;  // the candidate's share
  std::string question;          // the open one's id
  std::string decision;          // the latest one's id
  // Conditions that are asked about the new version: all, and those that pass.
  unsigned conditions = 0;
  unsigned passing = 0;
  // The one that is worst off.
  std::string condition;
  std::string verdict;
  std::optional<double> value;
  std::string rule;
  unsigned passed = 0;  // its slots so far
  unsigned failed = 0;
  unsigned other = 0;  // those that were neither
  std::string graph;   // its query over time; "" if that cannot be linked to
};

// `datasource_url`: where a datasource is asked, without credentials; "" if it is not known.
Standing standing_of(const TakenStep& step,
                     const std::function<std::string(const std::string&)>& datasource_url);

// The payload of a notice (to_payload) with the standing beside it, and back.
std::string with_standing(const std::string& payload, const Standing& standing);
std::optional<Standing> standing_in(std::string_view payload);

// What the record has only as a verdict: a condition fails a slot for the very first time, and
// nothing follows from it yet. At most once per condition and rollout.
std::vector<Notice> first_failures(const TakenStep& step);

}  // namespace rollwatch
