#include "notifiers/slack.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "analysis/text.h"
#include "notifiers/order_body.h"
#include "notifiers/routing.h"
#include "notifiers/text.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

// In code points of the escaped text. Slack takes 3,000 in a section and 2,000 in a field;
// sentences that long help nobody, and what is fixed around them must fit beside them.
constexpr std::size_t kNameLimit = 100;
constexpr std::size_t kSentenceLimit = 1000;
constexpr std::size_t kFieldLimit = 500;
constexpr std::size_t kMostLinks = 5;
constexpr std::size_t kUrlLimit = 400;

constexpr std::string_view kBlue = "#3b82f6";
constexpr std::string_view kGreen = "#2eb67d";
constexpr std::string_view kYellow = "#ecb22e";
constexpr std::string_view kRed = "#e01e5a";
constexpr std::string_view kGrey = "#6b7280";

struct Look {
  std::string_view headline;  // the words; never colour or emoji alone
  std::string_view emoji;
  std::string_view color;
};

bool begins_with_word(std::string_view sentence, std::string_view words) {
  return sentence.size() >= words.size() && std::equal(words.begin(), words.end(), sentence.begin(),
                                                       [](unsigned char a, unsigned char b) {
                                                         return std::tolower(a) == std::tolower(b);
                                                       });
}

// Of a datasource that gives no answers, told once for all rollouts.
Look look_of_silence(EventType event) {
  if (event == EventType::kResumed) return {"answers again", ":white_check_mark:", kGreen};
  if (event == EventType::kReminder) return {"still no answers", ":bell:", kYellow};
  return {"no answers", ":warning:", kYellow};
}

Look look_of(const Notice& notice) {
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
    case EventType::kNote:
      break;
  }
  if (!notice.question.empty()) return {"waits for a person", ":warning:", kYellow};
  return {"note", ":information_source:", kBlue};
}

std::string escaped(std::string_view text, std::size_t limit = kNameLimit) {
  return mrkdwn(one_line(text), limit);
}

// In a code span a backtick would end it.
std::string code(std::string_view text) {
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '`', '\'');
  return "`" + escaped(plain) + "`";
}

std::string short_number(double number) {
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.6g", number);
  return {text.data(), static_cast<std::size_t>(length)};
}

// "paused: error-rate gave no answer for 5m"; a summary that says the word itself is not made to
// stutter.
std::string sentence_of(const Notice& notice, const Look& look) {
  std::string_view summary = notice.summary;
  // A decision's sentence begins with its kind, which the headline says in better English.
  if (notice.event == EventType::kDecided && summary.starts_with(notice.kind + ": ")) {
    summary.remove_prefix(notice.kind.size() + 2);
  }
  if (summary.empty()) return std::string(look.headline);
  if (begins_with_word(summary, look.headline)) return escaped(summary, kSentenceLimit);
  return std::string(look.headline) + ": " + escaped(summary, kSentenceLimit);
}

std::string percent_encoded(unsigned char byte) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  return {'%', kHex[byte >> 4U], kHex[byte & 15U]};
}

std::string url_value(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || std::strchr("-_.~", c) != nullptr;
    safe += plain ? std::string(1, c) : percent_encoded(byte);
  }
  return safe;
}

// A URL inside <…|…>: the characters that would end it, and those of no URL, percent-encoded.
std::string link(std::string_view url, std::string_view label) {
  std::string safe;
  for (const char c : url) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7F || c == '<' || c == '>' || c == '|' || c == '"') {
      safe += percent_encoded(byte);
    } else if (c == '&') {
      safe += "&amp;";
    } else {
      safe += c;
    }
  }
  std::string text(label);
  std::replace(text.begin(), text.end(), '|', '/');
  return "<" + safe + "|" + escaped(text, 40) + ">";
}

bool is_web_address(std::string_view url) {
  return (url.starts_with("https://") || url.starts_with("http://")) && url.size() <= kUrlLimit;
}

std::string links_of(const RolloutSpec& spec, const Notice& notice,
                     const std::string& external_url) {
  std::string links = link(external_url + "/api/v1/rollouts/" + spec.id, "Rollout");
  if (!notice.decision.empty())
    links += " · " + link(explain_url(external_url, spec.id, notice.decision), "Why");
  std::size_t shown = 0;
  for (const auto& [name, url] : spec.links) {
    if (!is_web_address(url)) continue;
    if (++shown > kMostLinks) break;
    links += " · " + link(url, name);
  }
  return links;
}

Json mrkdwn_object(std::string text) { return {{"type", "mrkdwn"}, {"text", std::move(text)}}; }

Json section(std::string text) {
  return {{"type", "section"}, {"text", mrkdwn_object(std::move(text))}};
}

Json fields_of(const RolloutSpec& spec, const Notice& notice) {
  Json fields = Json::array();
  const auto add = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) fields.push_back(mrkdwn_object("*" + std::string(name) + "*\n" + text));
  };
  add("Condition", escaped(notice.condition, kFieldLimit));
  if (notice.value) {
    const std::string limit = notice.rule.empty() ? "" : " (" + notice.rule + ")";
    add("Value (limit)", escaped(short_number(*notice.value) + limit, kFieldLimit));
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

std::string context_of(const RolloutSpec& spec, const Notice& notice) {
  std::string context = code(spec.id);
  if (!spec.by.empty()) context += " · started by " + escaped(spec.by);
  for (const std::string& policy : spec.policy) context += " · policy " + code(policy);
  // Slack cuts nothing for us: too many policies are told as the first few.
  if (context.size() > kSentenceLimit) context = code(spec.id);
  return context + " · " + format_time(notice.at);
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
  std::string list = external_url + "/api/v1/rollouts?state=active";
  if (is_of_service(notice))
    list += "&namespace=" + url_value(spec.ns) + "&service=" + url_value(spec.service);
  shown.rest.push_back(section(link(list, "Rollouts")));
  Json elements = Json::array({mrkdwn_object(format_time(notice.at))});
  shown.rest.push_back({{"type", "context"}, {"elements", std::move(elements)}});
  return shown;
}

Shown show_rollout(const RolloutSpec& spec, const Notice& notice, const Look& look,
                   const std::string& external_url) {
  const std::string sentence = sentence_of(notice, look);
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
  Json elements = Json::array({mrkdwn_object(context_of(spec, notice))});
  shown.rest.push_back({{"type", "context"}, {"elements", std::move(elements)}});
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
      return false;
  }
  return false;
}

}  // namespace rollwatch
