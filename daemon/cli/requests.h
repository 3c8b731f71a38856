// From a checked command line to the request it means.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "daemon/cli/arguments.h"
#include "daemon/cli/transport.h"

namespace rollwatch {

// POST /rollouts. `who` is sent as `by` unless --by is given.
Request start_request(const Invocation& call, const std::string& who);

// GET /rollouts with the filters of the flags.
Request list_request(const Invocation& call, long limit, const std::string& cursor);

// GET /rollouts/{id}, or a call below it: "/explain".
Request rollout_request(const std::string& id, const std::string& below = "");

// One page of "/evaluations" or "/events".
Request page_request(const std::string& id, const std::string& below, const std::string& cursor,
                     std::optional<long> limit = std::nullopt);

// GET …/verdict, with an ETag as soon as something differs from it or `wait` is over, without at
// once.
Request verdict_request(const std::string& id, const std::string& etag, std::chrono::seconds wait);

Request explain_request(const Invocation& call);

// POST …/promote and the like. Call with a `reason`, which the verb may have asked for.
Request decision_request(const Invocation& call, const std::string& reason, const std::string& who);

// POST …/orchestrators/NAME/test
Request orchestrator_test_request(const Invocation& call);
// POST …/notifiers/NAME/test
Request notify_test_request(const Invocation& call, const std::string& who);
// PUT or, with --lift, DELETE of a freeze. An error is of the command line's.
Expected<Request, std::string> freeze_request(const Invocation& call, const std::string& reason,
                                              const std::string& who, SysTime now);

// The event stream: of the positional's rollout, or of what the flags say. `last` is the number of
// the last event that was seen; empty: from now on.
Request events_request(const Invocation& call, const std::string& last);
// POST /deliveries/ID/redeliver
Request label_request(const Invocation& call, const std::string& who);
Request redeliver_request(const Invocation& call, const std::string& who);
// POST /check
Request check_request(const Invocation& call);
// POST /calibrate; the caller says where the lines go.
Request calibrate_request(const Invocation& call);
// GET /export; the caller says where the lines go. An error is of the command line's.
Expected<Request, std::string> export_request(const Invocation& call, SysTime now);

}  // namespace rollwatch
