// Rollouts as annotation regions in Grafana (notifiers/grafana.h). The annotation's id is
// remembered in the store, in the commit that ends the attempt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/delivery/notice_post.h"
#include "daemon/delivery/webhook_driver.h"

namespace rollwatch {

struct GrafanaNotifier {
  NoticeTarget target;
  std::string dashboard_uid;  // "": the organisation's
  std::optional<std::int64_t> panel_id;
  std::vector<std::string> tags;  // besides ours
};

class GrafanaSender : public NotificationSender {
 public:
  // `clock` and what `http` refers to must outlive the sender and its attempts.
  GrafanaSender(HttpSend http, Clock& clock, GrafanaNotifier notifier, Originator originator);

  awaitable<SendResult> send(const NotificationMessage& message) override;

  std::size_t at_once() const override { return 1; }
  bool remembers() const override { return true; }

 private:
  HttpSend http_;
  Clock& clock_;
  GrafanaNotifier notifier_;
  Originator originator_;
};

}  // namespace rollwatch
