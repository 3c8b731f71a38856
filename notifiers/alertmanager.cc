#include "notifiers/alertmanager.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/alerts.h"
#include "analysis/text.h"
#include "notifiers/json_text.h"
#include "notifiers/links.h"
#include "notifiers/look.h"
#include "notifiers/order_body.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongestValue = 200;

struct Kind {
  std::string_view name;
  std::string_view severity;
  std::string_view event;  // by which `events` names it; "": always told
};
constexpr Kind kNeedsDecision{"RollwatchNeedsDecision", "warning", "paused"};
constexpr Kind kRollingBack{"RollwatchRollingBack", "warning", "rolling_back"};
constexpr Kind kRollbackFailed{"RollwatchRollbackFailed", "critical", "rollback_failed"};
constexpr Kind kStillBad{"RollwatchStillBad", "critical", "still_bad"};
constexpr Kind kDatasourceSilent{"RollwatchDatasourceSilent", "warning", "paused"};
constexpr Kind kNotifierFails{"RollwatchNotifierFails", "warning", ""};
constexpr Kind kTest{"RollwatchTest", "none", ""};

const Kind* kind_named(std::string_view name) {
  for (const Kind* kind : {&kNeedsDecision, &kRollingBack, &kRollbackFailed, &kStillBad})
    if (kind->name == name) return kind;
  return nullptr;
}

// The alert that holds of a rollout in this state.
const Kind* holding(const OpenAlert& open, const AlertNews& news, std::string_view state,
                    bool asks) {
  if (state == "paused" || (state == "waiting" && asks)) return &kNeedsDecision;
  if (state == "rolling_back") return &kRollingBack;
  if (state == "rollback_failed") return &kRollbackFailed;
  if (state != "rolled_back") return nullptr;
  if (news.notice.event == EventType::kStillBad) return &kStillBad;
  const bool goes_on = open.name == kStillBad.name && news.notice.event != EventType::kRecovered;
  return goes_on ? &kStillBad : nullptr;
}

// Whether the event is news of it, and not only something else that happened meanwhile: a pause
// that is part of a datasource's silence is told of that.
bool begins_alert(const Notice& notice) {
  switch (notice.event) {
    case EventType::kPaused:
    case EventType::kReminder:
    case EventType::kRollbackFailed:
    case EventType::kStillBad:
      return true;
    case EventType::kDecided:
      return notice.kind == "rollback" && notice.state == "rolling_back";
    case EventType::kNote:
      return !notice.question.empty();
    default:
      return false;
  }
}

bool may_be_told(const Kind& kind, const std::vector<std::string>& events) {
  return events.empty() || kind.event.empty() ||
         std::find(events.begin(), events.end(), kind.event) != events.end();
}

// As a label's name may be: letters, digits and "_", no digit first.
std::string label_name(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    name += letter || (digit && !name.empty()) ? c : '_';
  }
  return name;
}

Json labels_of(const Kind& kind) {
  return {{"alertname", kind.name}, {"severity", kind.severity}, {kOwnAlertLabel, kOwnAlertValue}};
}

// The rollout's own labels are there for routes; ours come first.
Json labels_of(const Kind& kind, const RolloutSpec& spec) {
  Json labels = labels_of(kind);
  labels["namespace"] = spec.ns;
  labels["service"] = spec.service;
  labels["target"] = spec.target;
  labels["candidate"] = spec.candidate;
  labels["rollout"] = spec.id;
  for (const auto& [name, value] : spec.labels) {
    const std::string written = label_name(name);
    if (!value.empty() && !written.empty() && !labels.contains(written))
      labels[written] = cut(value, kLongestValue);
  }
  return labels;
}

Json annotations_of(const AlertNews& news) {
  const Notice& notice = news.notice;
  Json annotations;
  annotations["summary"] = plain_text(news.spec, notice);
  if (!notice.subject.empty()) return annotations;
  std::string description;
  if (!notice.condition.empty()) description = "condition " + notice.condition + "; ";
  description += "started by " + (news.spec.by.empty() ? "nobody named" : news.spec.by);
  if (!notice.reason.empty()) description += "; " + notice.by + " says: " + notice.reason;
  annotations["description"] = cut(description, kLongestValue * 3);
  if (!notice.question.empty())
    annotations["answer"] = "rollwatch resume " + news.spec.id + " to go on, rollwatch rollback " +
                            news.spec.id + " to go back";
  if (!notice.decision.empty())
    annotations["explain"] = explain_url(news.external_url, news.spec.id, notice.decision);
  for (const auto& [name, url] : news.spec.links) annotations["link_" + label_name(name)] = url;
  return annotations;
}

Json alert(Json labels, Json annotations, SysTime since, SysTime until, const std::string& url) {
  return {{"labels", std::move(labels)},
          {"annotations", std::move(annotations)},
          {"startsAt", format_time(since)},
          {"endsAt", format_time(std::max(since, until))},
          {"generatorURL", url}};
}

// Of no single rollout: a datasource, a notifier, a test. Nothing of it is remembered: its labels
// say which it is, and it ends with a `resumed`.
std::optional<AlertPost> shared_alert(const OpenAlert& open, const AlertNews& news) {
  const Notice& notice = news.notice;
  const Kind* kind = nullptr;
  std::string label;
  std::string value;
  if (notice.is_test || !notice.notifier.empty()) {
    kind = notice.is_test ? &kTest : &kNotifierFails;
    label = "notifier";
    value = notice.notifier;
  } else if (!notice.datasource.empty()) {
    kind = &kDatasourceSilent;
    label = "datasource";
    value = notice.datasource;
  }
  if (kind == nullptr || !may_be_told(*kind, news.events)) return std::nullopt;
  Json labels = labels_of(*kind);
  labels[label] = value;
  const bool ends = notice.event == EventType::kResumed;
  const SysTime until =
      ends ? notice.at : news.now + (notice.is_test ? kTestAlertLife : kAlertLife);
  const Json alerts = Json::array({alert(std::move(labels), annotations_of(news), notice.at, until,
                                         fleet_url(news.external_url))});
  return AlertPost{json_text(alerts), open};
}

}  // namespace

std::string to_text(const OpenAlert& alert) {
  return json_text(
      {{"shown", alert.shown}, {"alert", alert.name}, {"since", format_time(alert.since)}});
}

OpenAlert open_alert(const std::optional<std::string>& memo) {
  OpenAlert open;
  if (!memo) return open;
  const Json json = Json::parse(*memo, nullptr, false);
  if (!json.is_object()) return open;
  const auto shown = json.find("shown");
  const auto name = json.find("alert");
  const auto since = json.find("since");
  const bool is_one = shown != json.end() && shown->is_number_unsigned() && name != json.end() &&
                      name->is_string() && since != json.end() && since->is_string();
  if (!is_one) return open;
  const auto at = parse_time(since->get<std::string>());
  if (!at) return open;
  open.shown = shown->get<unsigned>();
  open.since = *at;
  if (kind_named(name->get<std::string>()) != nullptr) open.name = name->get<std::string>();
  return open;
}

std::optional<AlertPost> alerts_of(const OpenAlert& open, const AlertNews& news) {
  const Notice& notice = news.notice;
  if (!notice.subject.empty()) return shared_alert(open, news);
  // What is older than what was told says nothing any more.
  if (news.standing && news.standing->number < open.shown) return std::nullopt;
  const std::string& state = news.standing ? news.standing->state : notice.state;
  const std::string& question = news.standing ? news.standing->question : notice.question;
  const Kind* now = holding(open, news, state, !question.empty());
  const bool stays = now != nullptr && open.name == now->name;
  const bool begins = now != nullptr && begins_alert(notice) && may_be_told(*now, news.events);
  const std::string url = rollout_url(news.external_url, news.spec.id);
  const Millis life = now == &kRollbackFailed ? kFailedRollbackAlertLife : kAlertLife;

  AlertPost post;
  post.open = open;
  if (news.standing) post.open.shown = news.standing->number;
  Json alerts = Json::array();
  if (!open.name.empty() && !stays) {
    alerts.push_back(alert(labels_of(*kind_named(open.name), news.spec), annotations_of(news),
                           open.since, news.now, url));
    post.open.name.clear();
  }
  if (stays || begins) {
    if (!stays) post.open.since = std::min(notice.at, news.now);
    post.open.name = now->name;
    alerts.push_back(alert(labels_of(*now, news.spec), annotations_of(news), post.open.since,
                           news.now + life, url));
  }
  if (alerts.empty()) return std::nullopt;
  post.body = json_text(alerts);
  return post;
}

// No default: a new type must be decided about.
bool alertmanager_tells(const Event& event) {
  switch (event.type) {
    case EventType::kStarted:
    case EventType::kStepBegan:
    case EventType::kPaused:
    case EventType::kResumed:
    case EventType::kReminder:
    case EventType::kSoaking:
    case EventType::kPromoted:
    case EventType::kRolledBack:
    case EventType::kRollbackFailed:
    case EventType::kCancelled:
    case EventType::kSuperseded:
    case EventType::kRecovered:
    case EventType::kStillBad:
      return true;
    case EventType::kDecided:
      return is_rolling_back(event) || event.by != "engine";
    case EventType::kNote:
      return event.is_news || !event.question.empty();
    case EventType::kRegistered:
    case EventType::kVerdict:
    case EventType::kOrderDone:
    case EventType::kOrderAccepted:
    case EventType::kOrderRefused:
    case EventType::kOrderExpired:
    case EventType::kWatchResumed:
    case EventType::kConditionFailed:
    case EventType::kExtended:
    case EventType::kFrozen:
    case EventType::kThawed:
    case EventType::kReady:
    case EventType::kLabelled:
      return false;
  }
  return false;
}

}  // namespace rollwatch
