// Notifications to Slack with an app's bot token: one message per rollout, edited in place, with
// what happened in its thread (notifiers/slack_thread.h). What was posted is remembered in the
// store, in the commit that ends the attempt.
#pragma once

#include "daemon/delivery/notification_sender.h"
#include "daemon/delivery/webhook_driver.h"
#include "notifiers/slack_thread.h"

namespace rollwatch {

struct SlackBot {
  std::string api_url;  // "https://slack.com/api"
  Secret token;         // "xoxb-…"
  std::string channel;  // "#releases", or an id
};

class SlackBotSender : public NotificationSender {
 public:
  // `clock` and what `http` refers to must outlive the sender and its attempts.
  SlackBotSender(HttpSend http, Clock& clock, SlackBot bot, Originator originator);

  awaitable<SendResult> send(const NotificationMessage& message) override;

  // A thread is posted in order; and Slack takes about one message a second and channel.
  std::size_t at_once() const override { return 1; }
  bool remembers() const override { return true; }
  bool outdates(const Delivery& newer, const Delivery& older) const override;

 private:
  awaitable<SendResult> call(SlackCall call, SlackAnswer& answer);

  HttpSend http_;
  Clock& clock_;
  SlackBot bot_;
  Originator originator_;
};

}  // namespace rollwatch
