// Notifications as alerts of Alertmanager (notifiers/alertmanager.h). Which alert is open for a
// rollout is remembered in the store, in the commit that ends the attempt.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/delivery/notice_post.h"
#include "daemon/delivery/webhook_driver.h"

namespace rollwatch {

struct AlertmanagerNotifier {
  NoticeTarget target;
  std::vector<std::string> events;  // what alerts may be of; empty: all
};

class AlertmanagerSender : public NotificationSender {
 public:
  // `clock` and what `http` refers to must outlive the sender and its attempts.
  AlertmanagerSender(HttpSend http, Clock& clock, AlertmanagerNotifier notifier,
                     Originator originator);

  awaitable<SendResult> send(const NotificationMessage& message) override;

  std::size_t at_once() const override { return 1; }
  bool remembers() const override { return true; }

 private:
  HttpSend http_;
  Clock& clock_;
  AlertmanagerNotifier notifier_;
  Originator originator_;
  // When what was last told of a datasource or a notifier happened: what is tried again later is
  // not to bring back an alert that has ended. Forgotten with the process; such an alert then lasts
  // until its end at most.
  std::map<std::string, SysTime> told_of_;
};

}  // namespace rollwatch
