// Where people find what a message is about: the addresses of the page, which stay.
#pragma once

#include <string>

namespace rollwatch {

// The page of one rollout.
inline std::string rollout_url(const std::string& external_url, const std::string& rollout) {
  return external_url + "/rollouts/" + rollout;
}

// All rollouts that go on.
inline std::string fleet_url(const std::string& external_url) {
  return external_url + "/?state=active";
}

}  // namespace rollwatch
