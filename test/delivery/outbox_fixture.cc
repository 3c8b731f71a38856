#include "test/delivery/outbox_fixture.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "notifiers/notification.h"

namespace rollwatch {
namespace {

const SigningKey& key() {
  static const SigningKey made =
      parse_signing_key(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).value();
  return made;
}

RolloutSpec spec_of(const std::string& rollout) {
  RolloutSpec spec;
  spec.id = rollout;
  spec.service = "checkout";
  spec.candidate = "1.24";
  return spec;
}

}  // namespace

OutboxTest::OutboxTest() { boot(); }

OutboxTest::~OutboxTest() = default;

void OutboxTest::boot() {
  OutboxHooks hooks;
  hooks.counted = [this](const Delivery& delivery, std::string_view result) {
    counted.push_back(delivery.target + " " + delivery.kind + " " + std::string(result));
  };
  hooks.delivered = [this](const Delivery& delivery, Millis latency) {
    counted.push_back(delivery.target + " " + delivery.kind + " after " + format_duration(latency));
  };
  OrderSink& sink = *this;
  outbox = std::make_unique<Outbox>(
      io.get_executor(), clock, store, sink, leases, [] { return 0.5; }, std::move(hooks));
  configure();
  spawn(io.get_executor(), "start",
        [this]() -> awaitable<void> { co_await outbox->take_up(std::nullopt); });
  clock.settle();
}

void OutboxTest::configure() {
  Outbox::Drivers drivers;
  if (deployer_configured) {
    HttpSend http = [this](HttpRequest request) {
      const auto body = nlohmann::json::parse(request.body);
      const auto& order = body["data"]["order"];
      requests.push_back(std::move(request));
      const std::string id = order["id"];
      return answer(deployer, order["kind"].get<std::string>() + " " +
                                  id.substr(id.rfind('-') + 1) + ", attempt " +
                                  order["attempt"].dump());
    };
    drivers["deployer"] = std::make_shared<WebhookDriver>(
        http, clock, WebhookTarget{Secret("http://deployer"), {key()}},
        Originator{"http://rollwatch", "rollwatch/test"});
    drivers["other"] = drivers["deployer"];
  }
  Outbox::Senders senders;
  if (slack_configured) {
    HttpSend http = [this](HttpRequest request) {
      return answer(slack, nlohmann::json::parse(request.body)["text"].get<std::string>());
    };
    senders["slack"] = std::make_shared<SlackWebhookSender>(
        http, clock, Secret("http://slack"), Originator{"http://rollwatch", "rollwatch/test"});
    HttpSend api = [this](HttpRequest request) {
      const auto body = nlohmann::json::parse(request.body);
      const bool edits = request.url.reveal() == "http://slack/api/chat.update";
      std::string line = edits ? "edit " + body.value("ts", "")
                         : body.contains("thread_ts")
                             ? "reply " + body["thread_ts"].get<std::string>()
                             : "post " + body["channel"].get<std::string>();
      if (body.value("reply_broadcast", false)) line += " in the channel";
      requests.push_back(std::move(request));
      const std::string ts = "ts" + std::to_string(requests.size());
      bot.otherwise.body = R"({"ok":true,"channel":"C1","ts":")" + ts + "\"}";
      return answer(bot, line);
    };
    senders["bot"] = std::make_shared<SlackBotSender>(
        api, clock, SlackBot{"http://slack/api", Secret("xoxb-secret-token"), "#releases"},
        Originator{"http://rollwatch", "rollwatch/test"});
  }
  outbox->configure(std::move(drivers), std::move(senders), fallbacks);
}

void OutboxTest::restart() {
  // The old process's coroutines are gone with it; here they stay asleep in the io_context and must
  // not wake into the new one.
  spawn(io.get_executor(), "drain",
        [this]() -> awaitable<void> { co_await outbox->drain(Millis{0}); });
  clock.settle();
  pass(Millis{1});
  retired_.push_back(std::move(outbox));
  boot();
}

std::string OutboxTest::id_of(unsigned number, const std::string& rollout) {
  return order_id(spec_of(rollout), number);
}

void OutboxTest::order(unsigned number, const std::string& kind, const std::string& rollout,
                       const std::string& target) {
  hand_over(number, kind, rollout, target);
  clock.settle();
}

void OutboxTest::hand_over(unsigned number, const std::string& kind, const std::string& rollout,
                           const std::string& target) {
  Delivery delivery;
  delivery.id = id_of(number, rollout);
  delivery.kind = kind;
  delivery.rollout = rollout;
  delivery.target = target;
  delivery.number = number;
  delivery.created_at = clock.wall();
  delivery.expires_at = clock.wall() + order_deadline;
  delivery.payload =
      R"({"state": "analyzing", "step": 0, "reason": {"summary": "because", "by": "engine"}})";
  store.keep(spec_of(rollout), delivery);
  outbox->add(std::move(delivery), spec_of(rollout));
}

void OutboxTest::notification(const std::string& id, const std::string& kind,
                              const std::string& target, unsigned standing) {
  Notice notice;
  notice.event = event_type(kind).value();
  notice.summary = id;
  notice.at = clock.wall();
  Delivery delivery;
  delivery.id = id;
  delivery.cls = DeliveryClass::kNotification;
  delivery.kind = kind;
  delivery.rollout = "ro_a";
  delivery.target = target;
  delivery.created_at = clock.wall();
  delivery.expires_at = clock.wall() + std::chrono::hours{24};
  delivery.payload = to_payload(notice);
  if (standing > 0) {
    Standing at;
    at.number = standing;
    at.state = "analyzing";
    delivery.payload = with_standing(delivery.payload, at);
  }
  store.keep(spec_of("ro_a"), delivery);
  outbox->add(std::move(delivery), spec_of("ro_a"));
  clock.settle();
}

void OutboxTest::withdraw(unsigned number, const std::string& rollout) {
  store.deliveries_by_id.at(id_of(number, rollout)).state = DeliveryState::kWithdrawn;
  outbox->withdraw(id_of(number, rollout));
  clock.settle();
}

void OutboxTest::send_again(unsigned number) {
  Delivery& kept = store.deliveries_by_id.at(id_of(number));
  kept.state = DeliveryState::kPending;
  kept.expires_at = clock.wall() + order_deadline;
  outbox->add(kept, spec_of("ro_a"));
  clock.settle();
}

void OutboxTest::acknowledge(unsigned number) {
  store.deliveries_by_id.at(id_of(number)).state = DeliveryState::kDone;
  outbox->acknowledged(id_of(number), DeliveryState::kDone);
  clock.settle();
}

void OutboxTest::tell(const std::string& what) {
  const auto since = std::chrono::duration_cast<Millis>(clock.steady() - begun_);
  story_.push_back("+" + format_duration(since) + "  " + what);
}

std::vector<std::string> OutboxTest::story() { return std::exchange(story_, {}); }

awaitable<HttpResponse> OutboxTest::answer(Receiver& receiver, std::string line) {
  ScriptedAnswer given = receiver.otherwise;
  if (!receiver.next.empty()) {
    given = receiver.next.front();
    receiver.next.pop_front();
  }
  tell(line + " → " + (given.error.empty() ? std::to_string(given.status) : given.error));
  if (given.takes > Millis{0}) co_await clock.sleep(given.takes);
  HttpResponse response;
  response.duration = given.takes;
  if (given.error.empty()) {
    response.status = given.status;
    response.body = given.body;
    if (!given.retry_after.empty()) response.headers.emplace_back("retry-after", given.retry_after);
  } else {
    response.error = HttpError::kUnreachable;
    response.error_text = given.error;
  }
  co_return response;
}

awaitable<DeliveryState> OutboxTest::order_attempted(Lease lease, std::string, std::string delivery,
                                                     SendResult result) {
  if (lease.epoch != leases.epoch) {
    tell("refused: another node has it");
    throw StaleLease("another node has it");
  }
  if (sink_failures > 0) {
    --sink_failures;
    tell("not recorded");
    throw StoreError("the disk is full");
  }
  DeliveryUpdate update;
  update.id = delivery;
  update.attempt = result.attempt;
  switch (result.end) {
    case SendEnd::kDone:
      update.state = DeliveryState::kDone;
      break;
    case SendEnd::kAccepted:
      update.state = DeliveryState::kAccepted;
      break;
    case SendEnd::kRefused:
      update.state = DeliveryState::kRefused;
      break;
    case SendEnd::kRetry:
      update.state = DeliveryState::kPending;
      break;
  }
  update.accepted_until = clock.wall() + ack_deadline;
  store.apply(update);
  const DeliveryState state = store.deliveries_by_id.at(delivery).state;
  tell("recorded " + std::string(name_of(state)));
  co_return state;
}

awaitable<DeliveryState> OutboxTest::order_expired(Lease, std::string, std::string delivery,
                                                   std::string why) {
  if (sink_failures > 0) {
    --sink_failures;
    throw StoreError("the disk is full");
  }
  DeliveryUpdate update;
  update.id = delivery;
  update.state = DeliveryState::kDead;
  store.apply(update);
  tell("expired " + delivery.substr(delivery.rfind('-') + 1) + (why.empty() ? "" : ": " + why));
  co_return DeliveryState::kDead;
}

}  // namespace rollwatch
