// A notification as the body of a webhook, for programs: the shape of an order's (order_body.h), as
// docs/notifications.md describes it, or as a CloudEvent. Everything it says is what was recorded:
// it is the same in every attempt.
#pragma once

#include <string>

#include "analysis/spec.h"
#include "notifiers/notification.h"

namespace rollwatch {

struct WebhookNotice {
  const RolloutSpec& spec;
  const Notice& notice;
  std::string id;  // the delivery's
  std::string external_url;
};

// "rollout.paused", "datasource.reminder", "freeze.thawed", "notifier.note", "rollwatch.test".
std::string notice_type(const Notice& notice);

std::string notice_body(const WebhookNotice& news);
// The same data as a CloudEvents 1.0 event in structured JSON. Goes out as kCloudEventType.
std::string notice_cloud_event(const WebhookNotice& news);

}  // namespace rollwatch
