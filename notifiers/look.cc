#include "notifiers/look.h"

#include "analysis/text.h"
#include "notifiers/slack_blocks.h"

namespace rollwatch {
namespace {

using slack::begins_with_word;
using slack::kBlue;
using slack::kGreen;
using slack::kGrey;
using slack::kRed;
using slack::kYellow;

constexpr std::size_t kLongestName = 100;
constexpr std::size_t kLongestText = 1000;

// Of a datasource that gives no answers, told once for all rollouts.
Look look_of_silence(EventType event) {
  if (event == EventType::kResumed) return {"answers again", ":white_check_mark:", kGreen};
  if (event == EventType::kReminder) return {"still no answers", ":bell:", kYellow};
  return {"no answers", ":warning:", kYellow};
}

// Of a notifier that is not reached, told to its fallback.
Look look_of_outage(EventType event) {
  if (event == EventType::kResumed) return {"answers again", ":white_check_mark:", kGreen};
  return {"cannot be told", ":warning:", kYellow};
}

}  // namespace

Look look_of(const Notice& notice) {
  if (notice.is_test) return {"test", ":wave:", kBlue};
  if (!notice.notifier.empty()) return look_of_outage(notice.event);
  if (notice.event == EventType::kDecided && notice.kind == "rollback" &&
      notice.state == "rolling_back")
    return {"rolling back", ":rewind:", kRed};
  if (!notice.subject.empty() && !notice.datasource.empty()) return look_of_silence(notice.event);
  switch (notice.event) {
    case EventType::kRegistered:
      return {"registered", ":memo:", kBlue};
    case EventType::kStarted:
      return {"started", ":rocket:", kBlue};
    case EventType::kPaused:
      return {"paused", ":warning:", kYellow};
    case EventType::kReminder:
      return {"reminder", ":bell:", kYellow};
    case EventType::kResumed:
      return {"resumed", ":arrow_forward:", kBlue};
    case EventType::kSoaking:
      return {"soaking", ":hourglass_flowing_sand:", kBlue};
    case EventType::kPromoted:
      return {"promoted", ":white_check_mark:", kGreen};
    case EventType::kRolledBack:
      return {"rolled back", ":x:", kRed};
    case EventType::kRollbackFailed:
      return {"rollback failed", ":rotating_light:", kRed};
    case EventType::kConditionFailed:
      return {"condition failed", ":x:", kRed};
    case EventType::kOrderRefused:
      return {"order refused", ":warning:", kYellow};
    case EventType::kOrderExpired:
      return {"order expired", ":warning:", kYellow};
    case EventType::kCancelled:
      return {"cancelled", ":no_entry_sign:", kGrey};
    case EventType::kSuperseded:
      return {"superseded", ":fast_forward:", kGrey};
    case EventType::kDecided:
      return {"decided", ":information_source:", kBlue};
    case EventType::kStepBegan:
      return {"next step", ":information_source:", kBlue};
    case EventType::kVerdict:
      return {"verdict", ":information_source:", kBlue};
    case EventType::kOrderDone:
      return {"order done", ":information_source:", kBlue};
    case EventType::kOrderAccepted:
      return {"order accepted", ":information_source:", kBlue};
    case EventType::kWatchResumed:
      return {"watching again", ":information_source:", kBlue};
    case EventType::kExtended:
      return {"extended", ":hourglass_flowing_sand:", kBlue};
    case EventType::kFrozen:
      return {"frozen", ":snowflake:", kYellow};
    case EventType::kThawed:
      return {"thawed", ":sunny:", kBlue};
    case EventType::kReady:
      if (begins_with_word(notice.summary, "not ready")) return {"not ready", ":warning:", kYellow};
      return {"ready", ":information_source:", kBlue};
    case EventType::kRecovered:
      return {"recovered", ":white_check_mark:", kGreen};
    case EventType::kStillBad:
      return {"still bad", ":warning:", kYellow};
    case EventType::kLabelled:
      return {"labelled", ":label:", kBlue};
    case EventType::kNote:
      break;
  }
  if (!notice.question.empty()) return {"waits for a person", ":warning:", kYellow};
  return {"note", ":information_source:", kBlue};
}

std::string sentence_of(const Notice& notice, const Look& look) {
  std::string_view summary = notice.summary;
  // A decision's sentence begins with its kind, which the headline says in better English.
  if (notice.event == EventType::kDecided && summary.starts_with(notice.kind + ": ")) {
    summary.remove_prefix(notice.kind.size() + 2);
  }
  if (summary.empty()) return std::string(look.headline);
  if (begins_with_word(summary, look.headline)) return std::string(summary);
  return std::string(look.headline) + ": " + std::string(summary);
}

std::string plain_text(const RolloutSpec& spec, const Notice& notice) {
  if (!notice.subject.empty()) return cut(notice.summary, kLongestText);
  std::string text =
      cut(service_name(spec), kLongestName) + " " + cut(spec.candidate, kLongestName);
  if (spec.target != "default") text += " → " + cut(spec.target, kLongestName);
  return text + ": " + cut(sentence_of(notice, look_of(notice)), kLongestText);
}

}  // namespace rollwatch
