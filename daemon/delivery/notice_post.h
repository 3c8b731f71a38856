// One request that tells a notifier something: bounded in time and in what is read of the answer,
// no redirects, and none of the notifier's secrets in what is kept of it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/delivery/answer.h"
#include "daemon/delivery/notification_sender.h"
#include "daemon/net/clock.h"
#include "notifiers/notification.h"

namespace rollwatch {

using HttpHeaders = std::vector<std::pair<std::string, Secret>>;

struct NoticeTarget {
  Secret url;           // that paths are appended to
  HttpHeaders headers;  // how we log in, and what else the configuration says
  TlsOptions tls;
  Millis timeout{10'000};  // of one attempt
};

struct NoticePost {
  std::string method = "POST";
  std::string path;
  std::string body;
  HttpHeaders headers;  // besides the target's; content-type is one of them
};

// What `http`, `clock` and `target` refer to must outlive the attempt.
awaitable<SendResult> post_notice(const HttpSend& http, Clock& clock, const NoticeTarget& target,
                                  NoticePost post);

// What the delivery says; or none, and `unreadable` is how the attempt ends.
std::optional<Notice> notice_in(const NotificationMessage& message, SysTime now,
                                SendResult& unreadable);

}  // namespace rollwatch
