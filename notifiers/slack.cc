#include "notifiers/slack.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "analysis/text.h"
#include "notifiers/links.h"
#include "notifiers/look.h"
#include "notifiers/order_body.h"
#include "notifiers/routing.h"
#include "notifiers/slack_blocks.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

using slack::code;
using slack::escaped;
using slack::kFieldLimit;
using slack::kSentenceLimit;
using slack::link;
using slack::mrkdwn_object;
using slack::section;

std::string links_of(const RolloutSpec& spec, const Notice& notice,
                     const std::string& external_url) {
  std::string links = link(rollout_url(external_url, spec.id), "Rollout");
  if (!notice.decision.empty())
    links += " · " + link(explain_url(external_url, spec.id, notice.decision), "Why");
  return links + slack::links_of_registration(spec);
}

Json fields_of(const RolloutSpec& spec, const Notice& notice) {
  Json fields = Json::array();
  const auto add = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) fields.push_back(mrkdwn_object("*" + std::string(name) + "*\n" + text));
  };
  add("Condition", escaped(notice.condition, kFieldLimit));
  if (notice.value) {
    const std::string limit = notice.rule.empty() ? "" : " (" + notice.rule + ")";
    add("Value (limit)", escaped(slack::short_number(*notice.value) + limit, kFieldLimit));
  }
  if (notice.weight) add("Share of " + escaped(spec.candidate, 40), percent(*notice.weight));
  if (!notice.by.empty() && notice.by != "engine") add("By", escaped(notice.by));
  if (!notice.reason.empty()) add("Their words", escaped(notice.reason, kFieldLimit));
  return fields;
}

// What the person who reads it can do, where something waits for one.
std::string way_on(const RolloutSpec& spec, const Notice& notice) {
  if (notice.question.empty() || notice.event == EventType::kResumed) return {};
  return code("rollwatch resume " + spec.id) + " to go on, " +
         code("rollwatch rollback " + spec.id) + " to go back";
}

// What is shown of a message beside its text.
struct Shown {
  std::string text;
  std::string headline;
  Json rest = Json::array();  // blocks
};

// A freeze of the rollout's service. Any other shared message is about more than one service.
bool is_of_service(const Notice& notice) {
  return (notice.event == EventType::kFrozen || notice.event == EventType::kThawed) &&
         !notice.subject.starts_with(kEverythingIs);
}

// One for many rollouts: the sentence says which, and no detail of one is shown.
Shown show_shared(const RolloutSpec& spec, const Notice& notice, const Look& look,
                  const std::string& external_url) {
  Shown shown;
  shown.text = escaped(notice.summary, kSentenceLimit);
  std::string_view rest = notice.summary;
  std::string subject;
  if (rest.starts_with(notice.subject)) {
    subject = "*" + escaped(notice.subject) + "*";
    rest.remove_prefix(notice.subject.size());
  }
  shown.headline = std::string(look.emoji) + " " + subject + escaped(rest, kSentenceLimit);
  std::string list = fleet_url(external_url);
  if (is_of_service(notice))
    list += "&namespace=" + url_encoded(spec.ns) + "&service=" + url_encoded(spec.service);
  shown.rest.push_back(section(link(list, "Rollouts")));
  shown.rest.push_back(slack::context(format_time(notice.at)));
  return shown;
}

Shown show_rollout(const RolloutSpec& spec, const Notice& notice, const Look& look,
                   const std::string& external_url) {
  const std::string sentence = escaped(sentence_of(notice, look), kSentenceLimit);
  const bool has_place = spec.target != "default";
  Shown shown;
  shown.text = escaped(service_name(spec)) + " " + escaped(spec.candidate);
  if (has_place) shown.text += " → " + escaped(spec.target);
  shown.text += ": " + sentence;

  shown.headline = "*" + escaped(service_name(spec)) + "* " + code(spec.candidate);
  if (has_place) shown.headline += " → *" + escaped(spec.target) + "*";
  shown.headline +=
      "\n" + std::string(look.emoji) + " *" + sentence.substr(0, sentence.find(':')) + "*";
  if (const auto colon = sentence.find(':'); colon != std::string::npos)
    shown.headline += sentence.substr(colon);

  if (Json fields = fields_of(spec, notice); !fields.empty())
    shown.rest.push_back({{"type", "section"}, {"fields", std::move(fields)}});
  if (std::string way = way_on(spec, notice); !way.empty())
    shown.rest.push_back(section(std::move(way)));
  shown.rest.push_back(section(links_of(spec, notice, external_url)));
  shown.rest.push_back(slack::context(slack::origin(spec) + " · " + format_time(notice.at)));
  return shown;
}

}  // namespace

std::string slack_message(const RolloutSpec& spec, const Notice& notice,
                          const std::string& external_url) {
  const Look look = look_of(notice);
  Shown shown = notice.subject.empty() ? show_rollout(spec, notice, look, external_url)
                                       : show_shared(spec, notice, look, external_url);
  Json blocks = Json::array({section(std::move(shown.headline))});
  for (Json& block : shown.rest) blocks.push_back(std::move(block));

  Json attachment;
  attachment["color"] = look.color;
  attachment["fallback"] = shown.text;
  attachment["blocks"] = std::move(blocks);
  Json message;
  message["text"] = shown.text;
  message["unfurl_links"] = false;
  message["unfurl_media"] = false;
  message["attachments"] = Json::array({std::move(attachment)});
  return message.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// No default: a new type must be decided about.
bool slack_webhook_tells(const Event& event) {
  switch (event.type) {
    case EventType::kStarted:
    case EventType::kPaused:
    case EventType::kReminder:
    case EventType::kPromoted:
    case EventType::kRolledBack:
    case EventType::kRollbackFailed:
    case EventType::kCancelled:
    case EventType::kSuperseded:
    case EventType::kFrozen:
    case EventType::kThawed:
    case EventType::kRecovered:
    case EventType::kStillBad:
      return true;
    case EventType::kResumed:
      return event.by == "engine";
    case EventType::kDecided:
      return is_rolling_back(event);
    case EventType::kNote:
      return event.is_news || !event.question.empty();
    case EventType::kConditionFailed:
    case EventType::kReady:
      return event.is_news;
    case EventType::kRegistered:
    case EventType::kStepBegan:
    case EventType::kVerdict:
    case EventType::kOrderDone:
    case EventType::kOrderAccepted:
    case EventType::kOrderRefused:  // the pause or the failed rollback that follows says it
    case EventType::kOrderExpired:
    case EventType::kSoaking:
    case EventType::kWatchResumed:
    case EventType::kExtended:
    case EventType::kLabelled:
      return false;
  }
  return false;
}

}  // namespace rollwatch
