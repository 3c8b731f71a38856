// What each verb does. The result goes to `out`, everything else to `err`; the answer is the exit
// code.
#pragma once

#include "daemon/cli/arguments.h"
#include "daemon/cli/surroundings.h"

namespace rollwatch {

int run_start(const Invocation& call, Surroundings& surroundings);
int run_wait(const Invocation& call, Surroundings& surroundings);
int run_status(const Invocation& call, Surroundings& surroundings);
int run_list(const Invocation& call, Surroundings& surroundings);
int run_explain(const Invocation& call, Surroundings& surroundings);
int run_history(const Invocation& call, Surroundings& surroundings);
// advance, promote, pause, resume, rollback, cancel, extend: whichever verb was called.
int run_decision(const Invocation& call, Surroundings& surroundings);
int run_label(const Invocation& call, Surroundings& surroundings);
int run_freeze(const Invocation& call, Surroundings& surroundings);
int run_orchestrator_test(const Invocation& call, Surroundings& surroundings);
// 0 if the notifier took the message, 1 if not.
int run_notify_test(const Invocation& call, Surroundings& surroundings);
int run_logs(const Invocation& call, Surroundings& surroundings);
// 0 if every condition passes, 2 if one fails, 3 if none fails and not all pass.
int run_check(const Invocation& call, Surroundings& surroundings);
// 0 if something was measured, 1 if not.
int run_calibrate(const Invocation& call, Surroundings& surroundings);
int run_policy_list(const Invocation& call, Surroundings& surroundings);
int run_policy_show(const Invocation& call, Surroundings& surroundings);
int run_deliveries_list(const Invocation& call, Surroundings& surroundings);
int run_redeliver(const Invocation& call, Surroundings& surroundings);
int run_export(const Invocation& call, Surroundings& surroundings);
// These ask no server.
int run_token_new(const Invocation& call, Surroundings& surroundings);
int run_context_list(const Invocation& call, Surroundings& surroundings);
int run_context_use(const Invocation& call, Surroundings& surroundings);
int run_context_add(const Invocation& call, Surroundings& surroundings);
int run_completion(const Invocation& call, Surroundings& surroundings);
int run_help(const Invocation& call, Surroundings& surroundings);
int run_version(const Invocation& call, Surroundings& surroundings);

// "rollwatch: …" and a pointer to the help; kUsage.
int usage_failure(std::ostream& err, const std::string& message);

}  // namespace rollwatch
