// What a receiver's answer means for the delivery: a function of the answer, so that each
// receiver's dialect is a table in a test.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "analysis/time.h"

namespace rollwatch {

struct Reply {
  int status = 0;  // 0: no answer came
  std::string_view body;
  std::optional<std::string_view> retry_after;  // the header
};

enum class ReplyEnd : unsigned char { kDone, kAccepted, kRefused, kRetry };

struct Ruling {
  ReplyEnd end = ReplyEnd::kRetry;
  std::string note;  // what the status alone does not say; "" mostly
  std::optional<Millis> retry_after;
};

// Orders: 2xx done, but 202 accepted; 409, 410 and 422 refusals; everything else is tried again.
Ruling rule_on_order(const Reply& reply, SysTime now);

// Slack's incoming webhooks: 200 with the body "ok" is delivered; another 4xx than 408 and 429
// carries a word that no repetition will change. A 200 without "ok" did not come from Slack; it is
// not repeated, for whatever took it may have shown it already.
Ruling rule_on_slack_webhook(const Reply& reply, SysTime now);

// Notifications by webhook, to Alertmanager and to Grafana: 2xx is delivered; another 4xx than 408,
// 425 and 429 will be the same next time. A redirect is not followed.
Ruling rule_on_notification(const Reply& reply, SysTime now);

// "Retry-After": seconds, or a date (RFC 9110, the preferred form); one in the past asks for
// nothing.
std::optional<Millis> parse_retry_after(std::string_view text, SysTime now);

}  // namespace rollwatch
