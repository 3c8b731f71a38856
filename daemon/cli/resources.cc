// Verbs that read or ask for one thing: deliveries, policies, a check of conditions.
#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "daemon/cli/commands.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/render.h"
#include "daemon/cli/requests.h"
#include "daemon/cli/results.h"
#include "daemon/cli/text.h"

namespace rollwatch {

int run_deliveries_list(const Invocation& call, Surroundings& surroundings) {
  const auto deliveries = fetch_all(call.positional, "/deliveries", surroundings);
  if (!deliveries) return code(ExitCode::kFailed);
  print(call, surroundings.out, {{"items", *deliveries}}, deliveries_text(*deliveries));
  return 0;
}

int run_redeliver(const Invocation& call, Surroundings& surroundings) {
  const auto delivery = fetch(redeliver_request(call, surroundings.who), surroundings);
  if (!delivery) return code(ExitCode::kFailed);
  print(call, surroundings.out, *delivery, delivery_text(*delivery));
  return 0;
}

int run_label(const Invocation& call, Surroundings& surroundings) {
  const auto rollout = fetch(label_request(call, surroundings.who), surroundings);
  if (!rollout) return code(ExitCode::kFailed);
  const std::string said = fmt::format("{} {} is labelled {}\n", text_at(*rollout, "id"),
                                       text_at(*rollout, "state"), label_of(*rollout));
  print(call, surroundings.out, *rollout, said);
  return 0;
}

int run_policy_list(const Invocation& call, Surroundings& surroundings) {
  const auto policies = fetch(Request{.target = "/policies"}, surroundings);
  if (!policies) return code(ExitCode::kFailed);
  print(call, surroundings.out, *policies, policies_text(child_at(*policies, "items")));
  return 0;
}

int run_policy_show(const Invocation& call, Surroundings& surroundings) {
  const auto policy =
      fetch(Request{.target = "/policies/" + percent_encoded(call.positional)}, surroundings);
  if (!policy) return code(ExitCode::kFailed);
  print(call, surroundings.out, *policy, policy_text(*policy));
  return 0;
}

int run_check(const Invocation& call, Surroundings& surroundings) {
  const auto answer = fetch(check_request(call), surroundings);
  if (!answer) return code(ExitCode::kFailed);
  const nlohmann::json& items = child_at(*answer, "items");
  for (const nlohmann::json& name : child_at(*answer, "left_out"))
    surroundings.err << text_of(name) << " was left out: it needs --stable\n";
  for (const nlohmann::json& warning : child_at(*answer, "warnings"))
    surroundings.err << "warning: " << text_of(warning) << "\n";
  print(call, surroundings.out, *answer, check_text(items));
  bool fails = false;
  bool passes = !items.empty();  // nothing that was asked has passed nothing
  for (const nlohmann::json& item : items) {
    const std::string outcome = text_at(item, "outcome");
    fails = fails || outcome == "fail";
    passes = passes && outcome == "pass";
  }
  if (fails) return code(ExitCode::kRolledBack);
  return passes ? 0 : code(ExitCode::kWaitsForPerson);
}

}  // namespace rollwatch
