// What Slack's Web API answers, and what its error words mean. It answers HTTP 200 to almost
// everything: whether it did what it was asked is in `ok`, and why not in `error`.
#pragma once

#include <string>
#include <string_view>

#include "notifiers/classify.h"

namespace rollwatch {

struct SlackAnswer {
  bool is_slacks = false;  // JSON with `ok`; else nothing else is set
  bool ok = false;
  std::string word;     // error: "channel_not_found"
  std::string channel;  // the id
  std::string ts;       // of the message
};
SlackAnswer read_slack_answer(std::string_view body);

enum class SlackFate : unsigned char {
  kAgain,          // a trouble of Slack's, or a word nobody knows: tried again
  kConfiguration,  // token, scope or channel: final until somebody mends it
  kPayload,        // this message will never be taken
  kGone,           // the message to be edited or replied to is no more, or may not be changed
};
SlackFate fate_of(std::string_view word);

// The note names the word, and what to do about it where that is known.
Ruling rule_on_slack_api(const Reply& reply, SysTime now);

}  // namespace rollwatch
