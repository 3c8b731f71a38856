#include "notifiers/slack_thread.h"

#include <nlohmann/json.hpp>

#include "notifiers/json_text.h"
#include "notifiers/routing.h"
#include "notifiers/slack.h"
#include "notifiers/slack_blocks.h"
#include "notifiers/slack_root.h"

namespace rollwatch {
namespace {

constexpr std::string_view kPost = "chat.postMessage";
constexpr std::string_view kUpdate = "chat.update";

bool is_by_person(const Notice& notice) { return !notice.by.empty() && notice.by != "engine"; }

bool is_rollback_decision(const Notice& notice) {
  return notice.event == EventType::kDecided && notice.kind == "rollback" &&
         notice.state == "rolling_back";
}

std::string_view emoji_of(EventType event) {
  switch (event) {
    case EventType::kStepBegan:
      return ":arrow_up:";
    case EventType::kVerdict:
      return ":small_orange_diamond:";
    case EventType::kPaused:
    case EventType::kOrderRefused:
    case EventType::kOrderExpired:
    case EventType::kReady:
      return ":warning:";
    case EventType::kResumed:
      return ":arrow_forward:";
    case EventType::kDecided:
      return ":bust_in_silhouette:";
    case EventType::kExtended:
      return ":hourglass_flowing_sand:";
    case EventType::kRecovered:
      return ":white_check_mark:";
    default:
      return ":information_source:";
  }
}

// One line in the thread, where everything else is at hand. With the rollout's name, for whoever
// follows the thread sees it on a phone.
std::string line_of(const SlackNews& news) {
  const Notice& notice = news.notice;
  std::string line = std::string(emoji_of(notice.event)) + " " +
                     slack::escaped(service_name(news.spec)) + " " +
                     slack::escaped(news.spec.candidate) + ": " +
                     slack::escaped(notice.summary, slack::kSentenceLimit);
  // Most sentences about what a person did name them already.
  if (is_by_person(notice) && notice.summary.find(notice.by) == std::string::npos)
    line += " (" + slack::escaped(notice.by) + ")";
  return line;
}

nlohmann::ordered_json addressed(std::string_view channel) {
  nlohmann::ordered_json message;
  message["channel"] = channel;
  return message;
}

void add_quietly(nlohmann::ordered_json& message, const nlohmann::ordered_json& content) {
  for (const auto& [key, value] : content.items()) message[key] = value;
  message["unfurl_links"] = false;
  message["unfurl_media"] = false;
}

std::string whole_message(nlohmann::ordered_json message, const SlackNews& news) {
  add_quietly(message, nlohmann::ordered_json::parse(
                           slack_message(news.spec, news.notice, news.external_url)));
  return json_text(message);
}

SlackCall root_call(const SlackNews& news) {
  auto message = addressed(news.channel);
  add_quietly(message, slack_root(news.spec, *news.standing, news.external_url));
  return {SlackCallKind::kRoot, kPost, json_text(message)};
}

SlackCall edit_call(const SlackThread& thread, const SlackNews& news) {
  auto message = addressed(thread.channel);
  message["ts"] = thread.ts;
  const auto root = slack_root(news.spec, *news.standing, news.external_url);
  for (const auto& [key, value] : root.items()) message[key] = value;
  return {SlackCallKind::kEdit, kUpdate, json_text(message)};
}

// A root that this very notification posted has been seen in the channel a moment ago.
bool is_broadcast(const SlackThread& thread, const SlackNews& news) {
  return place_of(news.notice) == SlackPlace::kChannel && thread.by != news.id;
}

SlackCall reply_call(const SlackThread& thread, const SlackNews& news) {
  auto message = addressed(thread.channel);
  message["thread_ts"] = thread.ts;
  if (is_broadcast(thread, news)) {
    message["reply_broadcast"] = true;
    return {SlackCallKind::kReply, kPost, whole_message(std::move(message), news)};
  }
  nlohmann::ordered_json content;
  content["text"] = line_of(news);
  add_quietly(message, content);
  return {SlackCallKind::kReply, kPost, json_text(message)};
}

}  // namespace

std::string to_text(const SlackThread& thread) {
  nlohmann::ordered_json json;
  json["wanted"] = thread.wanted;
  json["channel"] = thread.channel;
  json["ts"] = thread.ts;
  json["shown"] = thread.shown;
  json["by"] = thread.by;
  return json_text(json);
}

SlackThread slack_thread(const std::optional<std::string>& memo) {
  SlackThread thread;
  if (!memo) return thread;
  const auto json = nlohmann::ordered_json::parse(*memo, nullptr, false);
  if (!json.is_object()) return thread;
  const auto text = [&json](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto shown = json.find("shown");
  if (shown == json.end() || !shown->is_number_unsigned()) return thread;
  thread.wanted = text("wanted");
  thread.channel = text("channel");
  thread.ts = text("ts");
  thread.shown = shown->get<unsigned>();
  thread.by = text("by");
  return thread;
}

std::optional<SlackCall> next_call(const SlackThread& thread, const SlackNews& news,
                                   const SlackProgress& progress) {
  if (progress.posted) return std::nullopt;
  // Of many rollouts, or kept by a version or for a notifier that had no threads.
  if (!news.standing || !news.notice.subject.empty())
    return SlackCall{SlackCallKind::kAlone, kPost, whole_message(addressed(news.channel), news)};
  if (thread.ts.empty() || thread.wanted != news.channel) return root_call(news);
  const bool shows_less = news.standing->number > thread.shown;
  if (shows_less && !news.is_outdated && !progress.edited) return edit_call(thread, news);
  if (place_of(news.notice) == SlackPlace::kRoot) return std::nullopt;
  return reply_call(thread, news);
}

void succeeded(SlackThread& thread, SlackProgress& progress, const SlackNews& news,
               SlackCallKind call, const SlackAnswer& answer) {
  switch (call) {
    case SlackCallKind::kRoot:
      thread = {news.channel, answer.channel, answer.ts, news.standing->number, news.id};
      progress.edited = true;
      return;
    case SlackCallKind::kEdit:
      thread.shown = news.standing->number;
      progress.edited = true;
      return;
    case SlackCallKind::kReply:
    case SlackCallKind::kAlone:
      progress.posted = true;
      return;
  }
}

bool goes_on_after(SlackThread& thread, SlackProgress& progress, SlackCallKind call,
                   SlackFate fate) {
  const bool is_about_the_root = call == SlackCallKind::kEdit || call == SlackCallKind::kReply;
  if (is_about_the_root && fate == SlackFate::kGone) {
    thread = {};
    return true;
  }
  if (call == SlackCallKind::kEdit && fate == SlackFate::kPayload) {
    progress.edited = true;
    return true;
  }
  return false;
}

// No default: a new type must be decided about.
SlackPlace place_of(const Notice& notice) {
  switch (notice.event) {
    case EventType::kRegistered:
    case EventType::kStarted:
    case EventType::kSoaking:
    case EventType::kPromoted:
    case EventType::kRolledBack:
    case EventType::kCancelled:
    case EventType::kSuperseded:
      return SlackPlace::kRoot;
    case EventType::kDecided:
      return is_rollback_decision(notice) ? SlackPlace::kChannel : SlackPlace::kThread;
    case EventType::kPaused:
      return is_by_person(notice) ? SlackPlace::kThread : SlackPlace::kChannel;
    case EventType::kReminder:
    case EventType::kRollbackFailed:
    case EventType::kStillBad:
      return SlackPlace::kChannel;
    case EventType::kConditionFailed:
      return notice.is_news ? SlackPlace::kChannel : SlackPlace::kThread;
    case EventType::kNote:
      return notice.is_news || !notice.question.empty() ? SlackPlace::kChannel
                                                        : SlackPlace::kThread;
    case EventType::kStepBegan:
    case EventType::kVerdict:
    case EventType::kResumed:
    case EventType::kOrderDone:
    case EventType::kOrderAccepted:
    case EventType::kOrderRefused:
    case EventType::kOrderExpired:
    case EventType::kWatchResumed:
    case EventType::kExtended:
    case EventType::kFrozen:
    case EventType::kThawed:
    case EventType::kReady:
    case EventType::kRecovered:
    case EventType::kLabelled:
      return SlackPlace::kThread;
  }
  return SlackPlace::kThread;
}

bool slack_bot_tells(const Event& event) {
  switch (event.type) {
    case EventType::kStepBegan:
    case EventType::kSoaking:
    case EventType::kResumed:
    case EventType::kExtended:
    case EventType::kOrderRefused:
    case EventType::kOrderExpired:
      return true;
    case EventType::kDecided:
      // A person's decisions that have no event of their own with the name.
      if (event.by != "engine" &&
          (event.kind == DecisionKind::kAdvance || event.kind == DecisionKind::kPromote ||
           event.kind == DecisionKind::kCancel))
        return true;
      return slack_webhook_tells(event);
    default:
      return slack_webhook_tells(event);
  }
}

}  // namespace rollwatch
