// How each kind of news looks: its word, and the emoji and colour of those who show them; and the
// one sentence that says it, for every notifier that shows a line of text.
#pragma once

#include <string>
#include <string_view>

#include "analysis/spec.h"
#include "notifiers/notification.h"

namespace rollwatch {

struct Look {
  std::string_view headline;  // the words; never colour or emoji alone
  std::string_view emoji;
  std::string_view color;
};
Look look_of(const Notice& notice);

// "paused: error-rate gave no answer for 5m"; a summary that says the word itself is not made to
// stutter.
std::string sentence_of(const Notice& notice, const Look& look);

// "payments/checkout 1.24 → eu-1: paused: error-rate gave no answer for 5m", on one line, or what
// is said of many rollouts as it is.
std::string plain_text(const RolloutSpec& spec, const Notice& notice);

}  // namespace rollwatch
