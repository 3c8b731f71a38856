// A rollout's thread in Slack: one root message that shows how it stands, edited in place, and what
// happened as replies below it; what somebody must hear of is shown in the channel as well. Pure:
// which call is next, given what has been posted so far, and what is to be remembered of its
// answer.
//
// One notification is at most one edit and one reply, in this order: an edit may be repeated
// without harm, and the reply is the last thing that is done. So whatever is cut off in between
// costs at most one message too many.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "notifiers/slack_words.h"
#include "notifiers/standing.h"

namespace rollwatch {

// What was posted for (rollout, notifier); kept as a memo in the store.
struct SlackThread {
  std::string wanted;   // the channel as it was configured then
  std::string channel;  // its id
  std::string ts;       // of the root; "": there is none
  unsigned shown = 0;   // Standing::number of what the root shows
  std::string by;       // the notification that posted it
  bool operator==(const SlackThread&) const = default;
};
std::string to_text(const SlackThread& thread);
// Text that is none: nothing was posted.
SlackThread slack_thread(const std::optional<std::string>& memo);

// A notification on its way.
struct SlackNews {
  const RolloutSpec& spec;
  const Notice& notice;
  const std::optional<Standing>& standing;  // none: a message of its own, in nobody's thread
  std::string id;                           // the delivery's
  std::string channel;                      // as configured
  std::string external_url;
  bool is_outdated = false;  // a newer standing of this rollout is about to be shown
};

// How far it has got in this attempt.
struct SlackProgress {
  bool edited = false;  // or is not to be
  bool posted = false;  // the reply, or the message of its own
};

enum class SlackCallKind : unsigned char { kRoot, kEdit, kReply, kAlone };
struct SlackCall {
  SlackCallKind kind = SlackCallKind::kAlone;
  std::string_view method;  // "chat.postMessage"
  std::string body;         // JSON
};

// None: all of it is done.
std::optional<SlackCall> next_call(const SlackThread& thread, const SlackNews& news,
                                   const SlackProgress& progress);

// Slack did it.
void succeeded(SlackThread& thread, SlackProgress& progress, const SlackNews& news,
               SlackCallKind call, const SlackAnswer& answer);

// It did not, and said so for good. Whether to go on all the same: with a new root for one that is
// gone, and with the reply when it was only the edit that was not to Slack's liking.
bool goes_on_after(SlackThread& thread, SlackProgress& progress, SlackCallKind call,
                   SlackFate fate);

// Where something is told: only in the root, below it, or below it and in the channel as well.
enum class SlackPlace : unsigned char { kRoot, kThread, kChannel };
SlackPlace place_of(const Notice& notice);

// What a bot tells unless `events` says otherwise: whatever moves the rollout, for it costs no
// message in the channel.
bool slack_bot_tells(const Event& event);

}  // namespace rollwatch
