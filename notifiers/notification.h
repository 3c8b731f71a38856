// What a notification says, as facts: taken from the event when it is recorded, kept as JSON in the
// delivery, and only made into a message when it is sent. A message format can then change with a
// new version, and one stored delivery serves any kind of notifier.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "analysis/advance.h"
#include "analysis/spec.h"

namespace rollwatch {

struct Notice {
  EventType event = EventType::kNote;
  SysTime at{};
  std::string state;  // the rollout's after the event
  int step = -1;
  std::optional<double> weight;  // the candidate's share
  std::string summary;           // one sentence
  std::string by;                // "engine" or a person
  std::string reason;            // a person's own words
  std::string condition;
  std::optional<double> value;
  std::string rule;
  std::string kind;      // of the decision, "" if the event is none
  std::string decision;  // its id
  std::string question;  // the open one's id
  // What it is about in place of the rollout, if it concerns many: the words that `summary` begins
  // with ("datasource default"). What is said above of a rollout is not set then.
  std::string subject;
  std::string datasource;  // whose silence it is about
  std::string notifier;    // that cannot be told, or answers again
  bool is_news = false;    // no other event says it
  bool is_test = false;    // nothing happened
};

// "payments/checkout"; only the service in the default namespace.
std::string service_name(const RolloutSpec& spec);

Notice notice_of(const RolloutSpec& spec, const Event& event);

std::string to_payload(const Notice& notice);
// None if the text is not such a payload.
std::optional<Notice> from_payload(std::string_view payload);

std::optional<EventType> event_type(std::string_view name);

// What notifiers' `events` may name: the events, and "rolling_back" for a rollback that has been
// decided (among all of `decided`).
bool is_event_name(std::string_view name);

}  // namespace rollwatch
