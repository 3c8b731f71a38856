// POST /calibrate: how often stable itself would have been rolled back.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "analysis/alerts.h"
#include "config/merge.h"
#include "daemon/api/analysis_of_request.h"
#include "daemon/api/calibration_source.h"
#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/engine/registrar.h"

namespace rollwatch {
namespace {

constexpr std::string_view kDefaultFrom = "24h";
constexpr Millis kLongestRange = std::chrono::days(90);

// A time, or how long ago it was.
SysTime moment(BodyReader& body, std::string_view key, std::string_view otherwise, SysTime now) {
  const std::string text = body.text(key).value_or(std::string(otherwise));
  if (const auto ago = parse_duration(text)) {
    if (*ago <= now.time_since_epoch()) return now - *ago;
  } else if (const auto at = parse_time(text)) {
    return *at;
  }
  body.wrong(key,
             "must be a time such as \"2026-01-02T03:04:05Z\", or how long ago, such as \"7d\"");
  return now;
}

// How far the slowest of the datasources is behind.
Millis delay_of(const ApiContext& context, const Plan& plan, const Calibration& calibration) {
  Millis delay{0};
  for (const DatasourceView& view : context.datasources())
    for (const std::size_t i : calibration.conditions)
      if (plan.conditions[i].datasource == view.name) delay = std::max(delay, view.ingestion_delay);
  return delay;
}

// Everything that is not played asks nothing.
std::vector<std::string> not_played(const Plan& plan, const Calibration& calibration) {
  std::vector<std::string> left_out{std::string(kAlertsName)};
  for (std::size_t i = 0; i < plan.conditions.size(); ++i)
    if (std::ranges::find(calibration.conditions, i) == calibration.conditions.end())
      left_out.push_back(plan.conditions[i].name);
  return left_out;
}

void choose_windows(BodyReader& body, CalibrationRequest& wanted) {
  const Calibration& calibration = wanted.calibration;
  if (wanted.from >= wanted.to) {
    body.wrong("from", "must be before \"to\"");
  } else if (wanted.to - wanted.from > kLongestRange) {
    body.wrong("from", "reaches back more than 90 days before \"to\"");
  } else {
    wanted.windows = windows_of(calibration, wanted.from, wanted.to);
    if (wanted.windows.begins.empty())
      body.wrong("from", fmt::format("must be at least {} before \"to\": a rollout takes {} and "
                                     "its history {}",
                                     format_duration(calibration.rollout + calibration.history),
                                     format_duration(calibration.rollout),
                                     format_duration(calibration.history)));
  }
  body.refuse_errors();
}

ServerResponse stream_of(const ApiContext& context, CalibrationRequest wanted) {
  ServerResponse response;
  response.headers = {{"Content-Type", "application/x-ndjson"},
                      {"Cache-Control", "no-store"},
                      {"X-Accel-Buffering", "no"}};
  response.stream =
      std::make_shared<CalibrationSource>(context.read_past, context.clock, std::move(wanted));
  return response;
}

}  // namespace

awaitable<ServerResponse> calibrate(const ApiContext& context, Call& call) {
  check_query(call, {});
  const Value object = body_object(call.request, false);
  BodyReader body(object);
  RolloutSpec spec;
  spec.id = "ro_calibrate";
  read_arguments(body, spec);
  spec.stable = body.required_text("stable");
  spec.candidate = spec.stable;  // a pod of it
  const auto condition = body.text("condition");
  const SysTime now = context.clock.wall();
  CalibrationRequest wanted;
  wanted.from = moment(body, "from", kDefaultFrom, now);
  wanted.to = moment(body, "to", "0", now);
  const Value* const analysis = read_analysis(body, spec);
  body.finish();
  MergedAnalysis merged = merged_for_a_look(context.settings(), call.caller, spec, analysis, body);
  if (condition) require_condition(body, merged.plan, *condition);
  auto calibration = calibration_of(merged.plan, condition);
  if (!calibration) {
    body.wrong(condition             ? "condition"
               : analysis != nullptr ? "analysis"
                                     : "policy",
               calibration.error());
    body.refuse_errors();
  }
  wanted.calibration = *std::move(calibration);
  const auto problems =
      rendering_problems(spec, merged.plan, not_played(merged.plan, wanted.calibration));
  if (!problems.empty()) refuse_rendering(problems, merged.analysis, analysis);
  wanted.to = std::min(wanted.to, now - delay_of(context, merged.plan, wanted.calibration));
  choose_windows(body, wanted);

  wanted.seat = context.calibrations.take();
  if (!wanted.seat) {
    ServerResponse busy =
        problem_response({429, "too many calibrations are under way already; try again"});
    busy.headers.emplace_back("Retry-After", "10");
    co_return busy;
  }
  wanted.warnings = std::move(merged.warnings);
  wanted.who = call.caller.name;
  wanted.plan = std::make_shared<const Plan>(std::move(merged.plan));
  wanted.spec = std::make_shared<const RolloutSpec>(std::move(spec));
  co_return stream_of(context, std::move(wanted));
}

}  // namespace rollwatch
