#include <array>

#include "daemon/api/handlers.h"
#include "daemon/api/page_routes.h"

namespace rollwatch {
namespace {

constexpr std::array kRoutes{
    Route{"POST", "/api/v1/rollouts", Scope::kRegister, register_rollout},
    Route{"GET", "/api/v1/rollouts", Scope::kRead, list_rollouts},
    Route{"GET", "/api/v1/rollouts/{id}", Scope::kRead, get_rollout},
    Route{"GET", "/api/v1/rollouts/{id}/verdict", Scope::kRead, get_verdict},
    Route{"GET", "/api/v1/rollouts/{id}/evaluations", Scope::kRead, list_evaluations},
    Route{"GET", "/api/v1/rollouts/{id}/events", Scope::kRead, list_events},
    Route{"GET", "/api/v1/rollouts/{id}/deliveries", Scope::kRead, list_deliveries},
    Route{"GET", "/api/v1/rollouts/{id}/explain", Scope::kRead, explain_decision},
    Route{"GET", "/api/v1/rollouts/{id}/report", Scope::kRead, get_report},
    Route{"GET", "/api/v1/fleet", Scope::kRead, get_fleet},
    Route{"GET", "/api/v1/deliveries", Scope::kRead, list_all_deliveries},
    Route{"GET", "/api/v1/status", Scope::kRead, get_status},
    Route{"GET", "/api/v1/me", Scope::kAny, get_me},
    Route{"GET", "/api/v1/events", Scope::kRead, stream_events},
    Route{"POST", "/api/v1/rollouts/{id}/advance", Scope::kDecide, decide_advance},
    Route{"POST", "/api/v1/rollouts/{id}/promote", Scope::kDecide, decide_promote},
    Route{"POST", "/api/v1/rollouts/{id}/pause", Scope::kDecide, decide_pause},
    Route{"POST", "/api/v1/rollouts/{id}/resume", Scope::kDecide, decide_resume},
    Route{"POST", "/api/v1/rollouts/{id}/rollback", Scope::kDecide, decide_rollback},
    Route{"POST", "/api/v1/rollouts/{id}/cancel", Scope::kDecide, decide_cancel},
    Route{"POST", "/api/v1/rollouts/{id}/extend", Scope::kDecide, decide_extend},
    Route{"POST", "/api/v1/rollouts/{id}/label", Scope::kDecide, label_rollout},
    Route{"POST", "/api/v1/rollouts/{id}/progress", Scope::kRegister, report_progress},
    Route{"POST", "/api/v1/deliveries/{id}/ack", Scope::kRegister, acknowledge_delivery},
    Route{"GET", "/api/v1/export", Scope::kRead, export_history},
    Route{"GET", "/api/v1/policies", Scope::kRead, list_policies},
    Route{"GET", "/api/v1/policies/{name}", Scope::kRead, get_policy},
    Route{"POST", "/api/v1/check", Scope::kRegister, check_conditions_now},
    Route{"POST", "/api/v1/calibrate", Scope::kRegister, calibrate},
    Route{"GET", "/api/v1/nodes", Scope::kRead, list_nodes},
    Route{"POST", "/api/v1/deliveries/{id}/redeliver", Scope::kDecide, redeliver_delivery},
    Route{"GET", "/api/v1/targets", Scope::kRead, list_targets},
    Route{"GET", "/api/v1/services/{ns}/{name}", Scope::kRead, get_service},
    Route{"PUT", "/api/v1/services/{ns}/{name}/freeze", Scope::kDecide, freeze_service},
    Route{"GET", "/api/v1/services/{ns}/{name}/freeze", Scope::kRead, get_service_freeze},
    Route{"DELETE", "/api/v1/services/{ns}/{name}/freeze", Scope::kDecide, lift_service_freeze},
    Route{"PUT", "/api/v1/freeze", Scope::kDecide, freeze_everything},
    Route{"GET", "/api/v1/freeze", Scope::kRead, get_freeze_of_everything},
    Route{"DELETE", "/api/v1/freeze", Scope::kDecide, lift_freeze_of_everything},
    Route{"POST", "/api/v1/orchestrators/{name}/test", Scope::kAdmin, test_orchestrator},
    Route{"POST", "/api/v1/notifiers/{name}/test", Scope::kAdmin, test_notifier},
    Route{"POST", "/gates/flagger/{gate}", Scope::kRead, ask_flagger_gate},
    Route{"POST", "/hooks/alertmanager", Scope::kRegister, take_alertmanager_webhook},
    Route{"GET", "/", Scope::kAny, get_page},
    Route{"GET", "/openapi.json", Scope::kRead, get_openapi},
    Route{"GET", "/metrics", Scope::kRead, get_metrics},
    Route{"GET", "/-/healthy", Scope::kRead, get_healthy},
    Route{"GET", "/-/ready", Scope::kRead, get_ready},
    Route{"POST", "/-/reload", Scope::kAdmin, reload_configuration},
    Route{"PUT", "/-/reload", Scope::kAdmin, reload_configuration},
};

// What a browser shows. Not of the API: no tool relies on it.
constexpr std::array kPageRoutes{
    Route{"GET", "/rollouts/{id}", Scope::kAny, get_rollout_page},
    Route{"GET", "/policies", Scope::kAny, get_page},
    Route{"GET", "/policies/{name}", Scope::kAny, get_page},
    Route{"GET", "/deliveries", Scope::kAny, get_page},
    Route{"GET", "/system", Scope::kAny, get_page},
    Route{"GET", "/assets/{file}", Scope::kAny, get_asset},
};

}  // namespace

std::span<const Route> api_routes() { return kRoutes; }
std::span<const Route> page_routes() { return kPageRoutes; }

bool is_page(const Route& route) {
  return route.handler == get_page || route.handler == get_rollout_page ||
         route.handler == get_asset;
}

}  // namespace rollwatch
