#include "notifiers/webhook_notice.h"

#include <nlohmann/json.hpp>

#include "notifiers/json_number.h"
#include "notifiers/json_text.h"
#include "notifiers/links.h"
#include "notifiers/order_body.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

// What it is about: one rollout, or something that several have in common.
enum class About : unsigned char { kRollout, kDatasource, kFreeze, kNotifier, kTest };

About about(const Notice& notice) {
  if (notice.is_test) return About::kTest;
  if (!notice.notifier.empty()) return About::kNotifier;
  if (notice.subject.empty()) return About::kRollout;
  return notice.datasource.empty() ? About::kFreeze : About::kDatasource;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json texts(const std::map<std::string, std::string>& pairs) {
  Json object = Json::object();
  for (const auto& [name, value] : pairs) object[name] = value;
  return object;
}

// "payments/checkout", or null for everything.
Json frozen_service(const RolloutSpec& spec, const Notice& notice) {
  if (notice.subject.starts_with(kEverythingIs)) return nullptr;
  return spec.ns + "/" + spec.service;
}

Json subject_json(const WebhookNotice& news) {
  switch (about(news.notice)) {
    case About::kDatasource:
      return {{"kind", "datasource"}, {"name", news.notice.datasource}};
    case About::kFreeze:
      return {{"kind", "freeze"}, {"name", frozen_service(news.spec, news.notice)}};
    case About::kNotifier:
    case About::kTest:
      return {{"kind", "notifier"}, {"name", news.notice.notifier}};
    case About::kRollout:
      break;
  }
  return nullptr;
}

Json rollout_json(const WebhookNotice& news) {
  const RolloutSpec& spec = news.spec;
  const Notice& notice = news.notice;
  if (about(notice) != About::kRollout) return nullptr;
  return {{"id", spec.id},
          {"namespace", spec.ns},
          {"service", spec.service},
          {"target", spec.target},
          {"stable", text_or_null(spec.stable)},
          {"candidate", spec.candidate},
          {"attempt", spec.attempt},
          {"state", text_or_null(notice.state)},
          {"step", notice.step},
          {"weight", json_number(notice.weight)},
          {"labels", texts(spec.labels)},
          {"links", texts(spec.links)},
          {"url", rollout_url(news.external_url, spec.id)}};
}

Json data_of(const WebhookNotice& news) {
  const Notice& notice = news.notice;
  Json data;
  data["event"] = {{"id", news.id},
                   {"type", name_of(notice.event)},
                   {"at", format_time(notice.at)},
                   {"decision", text_or_null(notice.kind)},
                   {"question", text_or_null(notice.question)}};
  data["rollout"] = rollout_json(news);
  data["subject"] = subject_json(news);
  data["reason"] = {
      {"summary", notice.summary},
      {"condition", text_or_null(notice.condition)},
      {"value", json_number(notice.value)},
      {"rule", text_or_null(notice.rule)},
      {"by", text_or_null(notice.by)},
      {"words", text_or_null(notice.reason)},
      {"explain_url", notice.decision.empty()
                          ? Json(nullptr)
                          : Json(explain_url(news.external_url, news.spec.id, notice.decision))}};
  return data;
}

std::string cloud_event_subject(const WebhookNotice& news) {
  const RolloutSpec& spec = news.spec;
  switch (about(news.notice)) {
    case About::kDatasource:
      return "datasource/" + path_segment(news.notice.datasource);
    case About::kFreeze: {
      const Json service = frozen_service(spec, news.notice);
      return service.is_null()
                 ? "freeze"
                 : "freeze/" + path_segment(spec.ns) + "/" + path_segment(spec.service);
    }
    case About::kNotifier:
    case About::kTest:
      return "notifier/" + path_segment(news.notice.notifier);
    case About::kRollout:
      break;
  }
  return path_segment(spec.ns) + "/" + spec.id;
}

}  // namespace

std::string notice_type(const Notice& notice) {
  switch (about(notice)) {
    case About::kTest:
      return "rollwatch.test";
    case About::kDatasource:
      return "datasource." + std::string(name_of(notice.event));
    case About::kFreeze:
      return "freeze." + std::string(name_of(notice.event));
    case About::kNotifier:
      return "notifier." + std::string(name_of(notice.event));
    case About::kRollout:
      break;
  }
  return "rollout." + std::string(name_of(notice.event));
}

std::string notice_body(const WebhookNotice& news) {
  Json body;
  body["type"] = notice_type(news.notice);
  body["timestamp"] = format_time(news.notice.at);
  body["data"] = data_of(news);
  return json_text(body);
}

std::string notice_cloud_event(const WebhookNotice& news) {
  Json event;
  event["specversion"] = "1.0";
  event["id"] = news.id;
  event["source"] = cloud_event_source(news.external_url);
  event["type"] = "io.rollwatch." + notice_type(news.notice) + ".v1";
  event["time"] = format_time(news.notice.at);
  event["subject"] = cloud_event_subject(news);
  event["datacontenttype"] = "application/json";
  event["data"] = data_of(news);
  return json_text(event);
}

}  // namespace rollwatch
