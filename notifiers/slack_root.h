// The one message a rollout has in a channel, as it stands: where the rollout has got to, the
// condition that is worst off with its value and limit, what a person can do, links.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "analysis/spec.h"
#include "notifiers/standing.h"

namespace rollwatch {

// `text` and `attachments`, always both: an edit with only one of them removes the other. Links are
// text, not buttons: Slack reports every click on a button to the app and warns who clicked if
// nobody answers.
nlohmann::ordered_json slack_root(const RolloutSpec& spec, const Standing& standing,
                                  const std::string& external_url);

}  // namespace rollwatch
