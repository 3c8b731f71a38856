// The functions behind the routes, and what they share. Each file named beside them holds one
// group.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/api/api.h"

namespace rollwatch {

// register_handler.cc
awaitable<ServerResponse> register_rollout(const ApiContext& context, Call& call);
// read_handlers.cc
awaitable<ServerResponse> list_rollouts(const ApiContext& context, Call& call);
awaitable<ServerResponse> get_rollout(const ApiContext& context, Call& call);
awaitable<ServerResponse> get_verdict(const ApiContext& context, Call& call);
// fleet_handler.cc
awaitable<ServerResponse> get_fleet(const ApiContext& context, Call& call);
// report_handler.cc
awaitable<ServerResponse> get_report(const ApiContext& context, Call& call);
// delivery_handlers.cc
awaitable<ServerResponse> list_all_deliveries(const ApiContext& context, Call& call);
// status_handlers.cc
awaitable<ServerResponse> get_me(const ApiContext& context, Call& call);
awaitable<ServerResponse> get_status(const ApiContext& context, Call& call);
// history_handlers.cc
awaitable<ServerResponse> list_evaluations(const ApiContext& context, Call& call);
awaitable<ServerResponse> list_events(const ApiContext& context, Call& call);
awaitable<ServerResponse> list_deliveries(const ApiContext& context, Call& call);
awaitable<ServerResponse> explain_decision(const ApiContext& context, Call& call);
// export_handler.cc
awaitable<ServerResponse> export_history(const ApiContext& context, Call& call);
// policy_handlers.cc
awaitable<ServerResponse> list_policies(const ApiContext& context, Call& call);
awaitable<ServerResponse> get_policy(const ApiContext& context, Call& call);
// check_handler.cc
awaitable<ServerResponse> check_conditions_now(const ApiContext& context, Call& call);
// calibrate_handler.cc
awaitable<ServerResponse> calibrate(const ApiContext& context, Call& call);
// event_stream.cc
awaitable<ServerResponse> stream_events(const ApiContext& context, Call& call);
// decide_handlers.cc
awaitable<ServerResponse> decide_advance(const ApiContext& context, Call& call);
awaitable<ServerResponse> decide_promote(const ApiContext& context, Call& call);
awaitable<ServerResponse> decide_pause(const ApiContext& context, Call& call);
awaitable<ServerResponse> decide_resume(const ApiContext& context, Call& call);
awaitable<ServerResponse> decide_rollback(const ApiContext& context, Call& call);
awaitable<ServerResponse> decide_cancel(const ApiContext& context, Call& call);
awaitable<ServerResponse> decide_extend(const ApiContext& context, Call& call);
awaitable<ServerResponse> label_rollout(const ApiContext& context, Call& call);
awaitable<ServerResponse> report_progress(const ApiContext& context, Call& call);
awaitable<ServerResponse> acknowledge_delivery(const ApiContext& context, Call& call);
// target_handlers.cc
awaitable<ServerResponse> list_nodes(const ApiContext& context, Call& call);
awaitable<ServerResponse> redeliver_delivery(const ApiContext& context, Call& call);
awaitable<ServerResponse> list_targets(const ApiContext& context, Call& call);
// service_handlers.cc
awaitable<ServerResponse> get_service(const ApiContext& context, Call& call);
awaitable<ServerResponse> freeze_service(const ApiContext& context, Call& call);
awaitable<ServerResponse> get_service_freeze(const ApiContext& context, Call& call);
awaitable<ServerResponse> lift_service_freeze(const ApiContext& context, Call& call);
awaitable<ServerResponse> freeze_everything(const ApiContext& context, Call& call);
awaitable<ServerResponse> get_freeze_of_everything(const ApiContext& context, Call& call);
awaitable<ServerResponse> lift_freeze_of_everything(const ApiContext& context, Call& call);
// orchestrator_handlers.cc
awaitable<ServerResponse> test_orchestrator(const ApiContext& context, Call& call);
// notifier_handlers.cc
awaitable<ServerResponse> test_notifier(const ApiContext& context, Call& call);
// gate_handlers.cc
awaitable<ServerResponse> ask_flagger_gate(const ApiContext& context, Call& call);
// hook_handlers.cc
awaitable<ServerResponse> take_alertmanager_webhook(const ApiContext& context, Call& call);
// admin_handlers.cc
awaitable<ServerResponse> get_openapi(const ApiContext& context, Call& call);
awaitable<ServerResponse> get_metrics(const ApiContext& context, Call& call);
awaitable<ServerResponse> get_healthy(const ApiContext& context, Call& call);
awaitable<ServerResponse> get_ready(const ApiContext& context, Call& call);
awaitable<ServerResponse> reload_configuration(const ApiContext& context, Call& call);

// page_handlers.cc
awaitable<ServerResponse> get_page(const ApiContext& context, Call& call);
awaitable<ServerResponse> get_rollout_page(const ApiContext& context, Call& call);
awaitable<ServerResponse> get_asset(const ApiContext& context, Call& call);
awaitable<ServerResponse> get_no_page(const ApiContext& context, Call& call);

// ---- Shared (handlers.cc) ----

// The rollout named in the path; 404 if there is none, or none that the caller may see.
awaitable<RolloutView> find_rollout(const ApiContext& context, const Call& call);
// 404 for a delivery that the caller may not see.
awaitable<void> check_delivery(const ApiContext& context, const Call& call);

ServerResponse json_response(int status, const nlohmann::ordered_json& body);
ServerResponse text_response(int status, std::string text);
// The rollout with its ETag.
ServerResponse rollout_response(int status, const RolloutView& view);

// The same with an ETag of its bytes; 304 if who asks has them already.
ServerResponse tagged_response(const Call& call, const nlohmann::ordered_json& body);
ServerResponse tagged(const Call& call, ServerResponse response);
// A strong tag of these bytes.
std::string tag_of(std::string_view bytes);

// Whether one of the tags of an If-Match or If-None-Match is this one; "*" fits every one.
bool etag_listed(std::string_view header, std::string_view etag);

}  // namespace rollwatch
