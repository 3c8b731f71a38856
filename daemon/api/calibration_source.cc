#include "daemon/api/calibration_source.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>

#include "daemon/api/json_values.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kNamedPods = 10;

std::string line_of(const Json& value) { return dump(value) + "\n"; }

}  // namespace

CalibrationSource::CalibrationSource(ReadPast read, Clock& clock, CalibrationRequest request)
    : WatchedBody(clock, "a calibration for " + request.who),
      read_(std::move(read)),
      request_(std::move(request)),
      total_(request_.calibration.alpha) {}

awaitable<std::string> CalibrationSource::make() {
  switch (part_) {
    case Part::kBegin:
      part_ = Part::kWindows;
      co_return begin_line();
    case Part::kWindows:
      if (window_ < request_.windows.begins.size()) co_return co_await play_window();
      part_ = Part::kNothing;
      co_return end_line();
    case Part::kNothing:
      break;
  }
  co_return "";
}

awaitable<Expected<PastPods, std::string>> CalibrationSource::read_window(SysTime begins) {
  PastWindow window{begins, {}};
  for (const std::size_t condition : request_.calibration.conditions) {
    const ConditionPlan& plan = request_.plan->conditions[condition];
    const PastTimes times = times_of(plan, request_.calibration, begins);
    auto answers = co_await read_(request_.spec, request_.plan, condition, times);
    if (!answers)
      co_return Unexpected(plan.name + ", from " + format_time(times.first) + ": " +
                           answers.error());
    window.answers.push_back(*std::move(answers));
  }
  co_return PastPods::of(*request_.plan, request_.calibration, window);
}

awaitable<std::string> CalibrationSource::play_window() {
  const auto executor = co_await net::this_coro::executor;
  const SysTime begins = request_.windows.begins[window_];
  const auto pods = co_await read_window(begins);
  if (!pods) co_return error_line(pods.error());
  most_pods_ = std::max(most_pods_, pods->names().size());
  const std::size_t before = total_.trials();
  Json rolled_back = Json::array();
  for (const std::size_t pod : pods->played(window_)) {
    PretendedRollout rollout(*request_.plan, request_.calibration, *pods, pod);
    while (!is_stopped() && rollout.go_on()) co_await net::post(executor, net::use_awaitable);
    if (is_stopped()) co_return "";
    const PretendedEnd end = rollout.end();
    total_.add(pods->names()[pod], end);
    if (!end.rolled_back) continue;
    rolled_back.push_back({{"pod", pods->names()[pod]},
                           {"condition", request_.plan->conditions[end.causes.front()].name},
                           {"slot", end.slot},
                           {"at", format_time(end.at)}});
  }
  ++window_;
  co_return line_of({{"type", "window"},
                     {"number", window_},
                     {"from", format_time(begins)},
                     {"to", format_time(begins + request_.calibration.rollout)},
                     {"pods", pods->names().size()},
                     {"trials", total_.trials() - before},
                     {"rolled_back", std::move(rolled_back)}});
}

std::string CalibrationSource::begin_line() const {
  const Calibration& calibration = request_.calibration;
  Json conditions = Json::array(), left_out = Json::array();
  for (const std::size_t condition : calibration.conditions)
    conditions.push_back(request_.plan->conditions[condition].name);
  for (const Calibration::LeftOut& one : calibration.left_out)
    left_out.push_back({{"condition", one.condition}, {"why", one.why}});
  return line_of({{"type", "calibration"},
                  {"conditions", std::move(conditions)},
                  {"left_out", std::move(left_out)},
                  {"alpha", calibration.alpha},
                  {"from", format_time(request_.from)},
                  {"to", format_time(request_.to)},
                  {"rollout", format_duration(calibration.rollout)},
                  {"slots", calibration.slots},
                  {"windows", request_.windows.begins.size()},
                  {"possible", request_.windows.possible},
                  {"warnings", request_.warnings}});
}

std::string CalibrationSource::end_line() const {
  const bool any = total_.trials() > 0;
  const statistics::Interval interval = total_.interval();
  const auto if_any = [any](double value) { return any ? number_json(value) : Json(nullptr); };
  Json by_condition = Json::array(), by_pod = Json::array();
  for (const auto& [condition, rolled_back] : total_.by_condition())
    by_condition.push_back(
        {{"condition", request_.plan->conditions[condition].name}, {"rolled_back", rolled_back}});
  for (const CalibrationTotal::Pod& pod : total_.worst_pods(kNamedPods))
    by_pod.push_back({{"pod", pod.name}, {"trials", pod.trials}, {"rolled_back", pod.rolled_back}});
  return line_of({{"type", "end"},
                  {"trials", total_.trials()},
                  {"rolled_back", total_.rolled_back()},
                  {"share", if_any(total_.share())},
                  {"low", if_any(interval.low)},
                  {"high", if_any(interval.high)},
                  {"alpha", request_.calibration.alpha},
                  {"meaning", name_of(total_.meaning())},
                  {"by_condition", std::move(by_condition)},
                  {"by_pod", std::move(by_pod)},
                  {"words", total_.words(most_pods_)}});
}

std::string CalibrationSource::error_line(const std::string& detail) {
  spdlog::info("{} ends early: {}", name(), detail);
  part_ = Part::kNothing;
  return line_of({{"type", "error"}, {"detail", detail}});
}

}  // namespace rollwatch
