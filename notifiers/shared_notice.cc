#include "notifiers/shared_notice.h"

#include <algorithm>
#include <string_view>

#include "analysis/mover.h"
#include "analysis/text.h"

namespace rollwatch {
namespace {

constexpr std::string_view kFrozen = "frozen";
constexpr std::size_t kLongestSharedName = 64;
constexpr std::size_t kLongestWords = 80;  // of a person, beside another's
constexpr std::size_t kShortest = 40;      // of what is told, however long the names are
constexpr std::size_t kAnothersWords = 50;

// "checkout 1.24 in eu-1"
std::string rollout_name(const RolloutSpec& spec) {
  const std::string place = spec.target == "default" ? "" : " in " + cut(spec.target, 40);
  return cut(service_name(spec), kLongestSharedName) + " " +
         cut(spec.candidate, kLongestSharedName) + place;
}

// As much of it as fits beside the rest, which says more.
std::string beside(std::size_t rest, const std::string& text) {
  return cut(text, kLongestSentence - std::min(rest, kLongestSentence - kShortest));
}

std::string rollouts(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " rollout" : " rollouts");
}

// "12m", "42s": as exact as anybody wants to know.
std::string about(Millis span) {
  constexpr Millis kSecond{1'000};
  constexpr Millis kMinute{60'000};
  span = std::max(span, kSecond);
  return format_duration(span - span % (span < 2 * kMinute ? kSecond : kMinute));
}

// About the whole matter: of the rollout that happened to be the one nothing is said but in words.
Notice shared(const Event& event, std::string subject, std::string summary) {
  Notice notice;
  notice.event = event.type;
  notice.at = event.at;
  notice.by = event.by;
  notice.reason = event.reason;
  notice.datasource = event.datasource;
  notice.subject = std::move(subject);
  notice.summary = std::move(summary);
  return notice;
}

// "everything is frozen", "payments/checkout is no longer frozen"
std::string subject_of(const FreezeRecord& freeze, const RolloutSpec& spec, const char* what) {
  const bool everything = freeze.service.empty();
  return (everything ? std::string(kEverythingIs)
                     : cut(service_name(spec), kLongestSharedName) + " is ") +
         what;
}

// " by bob: holidays"
std::string by_whom(const FreezeRecord& freeze, std::size_t limit) {
  const std::string sentence = sentence_of(freeze);
  return cut(sentence.substr(sentence.find(kFrozen) + kFrozen.size()), limit);
}

std::string how_it_ended(const FreezeRecord& freeze) {
  if (!freeze.lifted_at) return "its time was up";
  const std::string by = "lifted by " + freeze.lifted_by;
  return cut(freeze.lift_reason.empty() ? by : by + ": " + freeze.lift_reason, kLongestWords);
}

Notice silence(const Event& event, const std::string& datasource, const std::string& what) {
  const std::string subject = "datasource " + datasource;
  return shared(event, subject, subject + " " + what);
}

}  // namespace

Notice silence_begins(const TakenStep& step, const Event& event, const std::string& datasource,
                      std::size_t waiting) {
  const auto shown = silence_of({step.spec, step.plan}, step.after, datasource);
  const std::string what = "gives no answers";
  std::string who = "; " + rollout_name(step.spec);
  if (event.type == EventType::kNote)
    who += " is promoted, and nobody watches it meanwhile";
  else if (waiting > 1)
    who += " and " + std::to_string(waiting - 1) + " more wait for it";
  else
    who += " waits for it";
  if (!shown) return silence(event, datasource, what + who);
  const std::size_t rest = std::string("datasource ").size() + datasource.size() + what.size() +
                           std::string(" : ").size() + who.size();
  return silence(event, datasource, what + ": " + beside(rest, describe(shown->slot)) + who);
}

Notice silence_goes_on(const TakenStep& step, const Event& event, const std::string& datasource,
                       SysTime since, std::size_t waiting) {
  const std::string who =
      waiting > 1 ? rollouts(waiting) + " wait for it" : rollout_name(step.spec) + " waits for it";
  return silence(event, datasource,
                 "still gives no answers after " + about(event.at - since) + "; " + who);
}

Notice silence_ends(const Event& event, const std::string& datasource, SysTime since,
                    std::size_t went_on, std::size_t waiting) {
  std::string what = "answers again after " + about(event.at - since);
  if (went_on > 0)
    what +=
        "; " + rollouts(went_on) + (went_on == 1 ? " goes on by itself" : " go on by themselves");
  if (waiting > 0) {
    what += went_on > 0 ? ", " + std::to_string(waiting) + " more" : "; " + rollouts(waiting);
    what += waiting == 1 ? " waits until all its conditions pass"
                         : " wait until all their conditions pass";
  }
  return silence(event, datasource, what);
}

Notice freeze_begins(const RolloutSpec& spec, const FreezeRecord& freeze, SysTime now) {
  Event event;
  event.type = EventType::kFrozen;
  event.at = now;
  event.by = freeze.by;
  event.reason = freeze.reason;
  const std::string subject = subject_of(freeze, spec, "frozen");
  const std::string follows = "; " + rollout_name(spec) + " stands still until that is lifted";
  return shared(event, subject,
                beside(follows.size(), subject + by_whom(freeze, kLongestSentence)) + follows);
}

Notice freeze_ends(const RolloutSpec& spec, const FreezeRecord& freeze, SysTime now,
                   const std::vector<std::shared_ptr<const RolloutSpec>>& free,
                   const std::optional<FreezeRecord>& other) {
  Event event;
  event.type = EventType::kThawed;
  event.at = now;
  event.by = freeze.lifted_at ? freeze.lifted_by : "engine";
  event.reason = freeze.lift_reason;
  std::string follows;
  if (free.empty() && other)
    follows =
        rollout_name(spec) + " still stands still: " + cut(sentence_of(*other), kAnothersWords);
  else if (free.size() > 1)
    follows = rollouts(free.size()) + " may go on";
  else
    follows = rollout_name(free.empty() ? spec : *free.front()) + " may go on";
  const std::string subject = subject_of(freeze, spec, "no longer frozen");
  const std::string ended = subject + by_whom(freeze, kLongestWords) + "; " + how_it_ended(freeze);
  return shared(event, subject, beside(follows.size() + 2, ended) + "; " + follows);
}

}  // namespace rollwatch
