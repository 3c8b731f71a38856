#include "notifiers/grafana.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/text.h"
#include "notifiers/json_text.h"
#include "notifiers/links.h"
#include "notifiers/look.h"
#include "notifiers/routing.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kPath = "/api/annotations";
constexpr std::size_t kLongestTag = 100;

bool has_ended(std::string_view state) {
  constexpr std::string_view kEnds[] = {"promoted", "rolled_back", "rollback_failed", "cancelled",
                                        "superseded"};
  return std::find(std::begin(kEnds), std::end(kEnds), state) != std::end(kEnds);
}

// Grafana shows the text as HTML.
std::string html(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '>')
      safe += "&gt;";
    else if (c == '"')
      safe += "&quot;";
    else
      safe += c;
  }
  return safe;
}

std::int64_t epoch(SysTime at) { return at.time_since_epoch().count(); }

std::string text_of(const GrafanaNews& news) {
  std::string text = html(plain_text(news.spec, news.notice));
  const std::string url = news.notice.subject.empty() ? rollout_url(news.external_url, news.spec.id)
                                                      : fleet_url(news.external_url);
  return text + "\n<a href=\"" + html(url) + "\">rollwatch</a>";
}

Json tags_of(const GrafanaNews& news, std::string_view state) {
  Json tags = Json::array({"rollwatch"});
  const auto add = [&tags](const std::string& text) {
    const std::string tag = cut(text, kLongestTag);
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
  };
  if (news.notice.is_test) {
    add("test");
  } else if (!news.notice.subject.empty()) {
    if (!news.notice.datasource.empty()) add("datasource:" + news.notice.datasource);
    if (!news.notice.notifier.empty()) add("notifier:" + news.notice.notifier);
  } else {
    add("namespace:" + news.spec.ns);
    add("service:" + news.spec.service);
    add("target:" + news.spec.target);
    add("candidate:" + news.spec.candidate);
    add("rollout:" + news.spec.id);
    if (!state.empty()) add("state:" + std::string(state));
  }
  for (const std::string& tag : news.tags) add(tag);
  return tags;
}

void place(Json& annotation, const GrafanaNews& news) {
  if (news.dashboard_uid.empty()) return;
  annotation["dashboardUID"] = news.dashboard_uid;
  if (news.panel_id) annotation["panelId"] = *news.panel_id;
}

GrafanaCall point(const GrafanaNews& news) {
  Json annotation;
  place(annotation, news);
  annotation["time"] = epoch(news.notice.at);
  annotation["tags"] = tags_of(news, "");
  annotation["text"] = text_of(news);
  return {"POST", kPath, json_text(annotation), {}, false};
}

// Where a region begins that is written for the first time.
SysTime beginning(const GrafanaNews& news) {
  if (news.notice.event == EventType::kStarted) return news.notice.at;
  return std::min(news.spec.created_at, news.notice.at);
}

}  // namespace

std::string to_text(const Region& region) {
  Json json{{"id", region.id}, {"shown", region.shown}, {"from", epoch(region.from)}};
  if (region.to) json["to"] = epoch(*region.to);
  return json_text(json);
}

Region region_in(const std::optional<std::string>& memo) {
  if (!memo) return {};
  const Json json = Json::parse(*memo, nullptr, false);
  if (!json.is_object()) return {};
  const auto number = [&json](const char* key) -> std::optional<std::int64_t> {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<std::int64_t>();
  };
  const auto id = number("id");
  const auto shown = number("shown");
  const auto from = number("from");
  if (!id || !shown || !from || *shown < 0) return {};
  Region region{*id, static_cast<unsigned>(*shown), SysTime{Millis{*from}}, {}};
  if (const auto to = number("to")) region.to = SysTime{Millis{*to}};
  return region;
}

std::optional<GrafanaCall> next_call(const Region& region, const GrafanaNews& news) {
  if (!news.notice.subject.empty()) return point(news);
  if (news.standing && news.standing->number < region.shown) return std::nullopt;
  const std::string& state = news.standing ? news.standing->state : news.notice.state;

  GrafanaCall call;
  call.is_region = true;
  call.region = region;
  if (news.standing) call.region.shown = news.standing->number;
  const bool is_new = region.id == 0;
  if (is_new && region.from == SysTime{}) call.region.from = beginning(news);
  const bool ends = has_ended(state) && !region.to;
  if (ends) call.region.to = std::max(news.notice.at, call.region.from);

  Json annotation;
  if (is_new) {
    place(annotation, news);
    annotation["time"] = epoch(call.region.from);
  }
  // Said again at the end only: what comes after it, such as a recovery, leaves the end alone.
  if (call.region.to && (is_new || ends)) annotation["timeEnd"] = epoch(*call.region.to);
  annotation["tags"] = tags_of(news, state);
  annotation["text"] = text_of(news);
  call.method = is_new ? "POST" : "PATCH";
  call.path = is_new ? kPath : kPath + ("/" + std::to_string(region.id));
  call.body = json_text(annotation);
  return call;
}

std::optional<std::int64_t> annotation_id(std::string_view answer) {
  const Json json = Json::parse(answer, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto id = json.find("id");
  if (id == json.end() || !id->is_number_integer() || id->get<std::int64_t>() <= 0)
    return std::nullopt;
  return id->get<std::int64_t>();
}

// No default: a new type must be decided about.
bool grafana_tells(const Event& event) {
  switch (event.type) {
    case EventType::kStarted:
    case EventType::kPromoted:
    case EventType::kRolledBack:
    case EventType::kRollbackFailed:
    case EventType::kCancelled:
    case EventType::kSuperseded:
      return true;
    case EventType::kDecided:
      return is_rolling_back(event);
    case EventType::kRegistered:
    case EventType::kStepBegan:
    case EventType::kVerdict:
    case EventType::kPaused:
    case EventType::kResumed:
    case EventType::kOrderDone:
    case EventType::kOrderAccepted:
    case EventType::kOrderRefused:
    case EventType::kOrderExpired:
    case EventType::kSoaking:
    case EventType::kWatchResumed:
    case EventType::kConditionFailed:
    case EventType::kReminder:
    case EventType::kNote:
    case EventType::kExtended:
    case EventType::kFrozen:
    case EventType::kThawed:
    case EventType::kReady:
    case EventType::kRecovered:
    case EventType::kStillBad:
    case EventType::kLabelled:
      return false;
  }
  return false;
}

}  // namespace rollwatch
