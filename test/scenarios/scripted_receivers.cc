#include "test/scenarios/scripted_receivers.h"

#include "notifiers/notification.h"

namespace rollwatch {

awaitable<SendResult> ScriptedDeployer::send(const OrderMessage& order) {
  if (script_.deployer_hangs) co_await clock_.sleep(Millis{10'000});
  SendResult result;
  result.attempt.at = clock_.wall();
  const auto answered = [&](SendEnd end, int status) {
    result.end = end;
    result.attempt.status = status;
    if (end != SendEnd::kRetry)
      script_.attempts.push_back({order.delivery.id, order.delivery.kind, order.delivery.weight,
                                  order.delivery.fence, order.delivery.payload,
                                  end == SendEnd::kRefused});
  };
  switch (script_.deployer) {
    case Deployer::kAcknowledges:
      answered(SendEnd::kDone, 200);
      break;
    case Deployer::kAccepts:
      answered(SendEnd::kAccepted, 202);
      break;
    case Deployer::kRefuses:
      answered(SendEnd::kRefused, 409);
      result.attempt.answer = "not now";
      break;
    case Deployer::kFails:
      answered(SendEnd::kRetry, 500);
      break;
    case Deployer::kIsDown:
      result.attempt.error = "connection refused";
      break;
  }
  co_return result;
}

awaitable<SendResult> ScriptedPeople::send(const NotificationMessage& message) {
  SendResult result;
  result.attempt.at = clock_.wall();
  result.end = script_.people_refuse ? SendEnd::kRefused : SendEnd::kDone;
  result.attempt.status = script_.people_refuse ? 404 : 200;
  if (script_.people_refuse) co_return result;
  script_.told.push_back({message.spec.id, message.delivery.kind, message.delivery.target,
                          from_payload(message.delivery.payload).value().summary});
  co_return result;
}

}  // namespace rollwatch
