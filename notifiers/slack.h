// A notice as the JSON of a Slack incoming webhook: one message that stands alone on a phone's lock
// screen, and an attachment with a colour bar for the details.
#pragma once

#include <string>

#include "analysis/advance.h"
#include "analysis/spec.h"
#include "notifiers/notification.h"

namespace rollwatch {

// Links are text, not buttons: a button of an app without an interaction URL shows an error when
// pressed.
std::string slack_message(const RolloutSpec& spec, const Notice& notice,
                          const std::string& external_url);

// What an incoming webhook tells unless `events` says otherwise. It cannot edit what it posted, so
// only the news somebody would want to be interrupted for: that the rollout started, that it is
// going back and when it is back, how it ended, that it waits for a person (paused, or for its
// approval), that it goes on by itself after it did, and that nobody sees how the promoted version
// does.
bool slack_webhook_tells(const Event& event);

}  // namespace rollwatch
