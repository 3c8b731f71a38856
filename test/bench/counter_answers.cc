#include "test/bench/counter_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>

namespace rollwatch::bench {
namespace {

// As benchmarks register their rollouts (daemon_process.cc).
constexpr std::string_view kStable = "1.0", kCandidate = "1.1";
constexpr std::string_view kBadCodes = "5..";
// Of a pod; some have a little more than others.
constexpr double kRequests = 50, kBadShare = 0.005;

std::string labels_of(std::string_view version, std::size_t pod, std::string_view code) {
  return fmt::format(
      R"({{"__name__":"http_requests_total","app":"shop","code":"{0}","instance":"10.0.3.{1}:8080",)"
      R"("job":"shop","pod":"shop-{2}-6c9f7b5d4f-{1:03}","version":"{2}"}})",
      code, pod, version);
}

// Those of a query's series.
bool asks_for(std::string_view query, bool is_candidate, bool is_bad) {
  const bool for_candidate = query.find(kCandidate) != std::string_view::npos;
  const bool only_bad = query.find(kBadCodes) != std::string_view::npos;
  return is_candidate == for_candidate && (is_bad || !only_bad);
}

}  // namespace

CounterAnswers::CounterAnswers(std::size_t candidates, std::size_t stables, double began)
    : began_(began) {
  const auto add = [this](std::size_t pods, bool is_candidate) {
    const std::string_view version = is_candidate ? kCandidate : kStable;
    for (std::size_t pod = 0; pod < pods; ++pod) {
      const double requests = kRequests * (1 + 0.1 * static_cast<double>(pod % 3));
      counters_.push_back(
          {labels_of(version, pod, "200"), requests * (1 - kBadShare), is_candidate, false});
      counters_.push_back(
          {labels_of(version, pod, "500"), requests * kBadShare, is_candidate, true});
    }
  };
  add(candidates, true);
  add(stables, false);
}

double CounterAnswers::counted(const Counter& counter, double time) const {
  return std::max(0.0, std::floor((time - began_) * counter.each_second));
}

std::string CounterAnswers::samples(std::string_view query, std::string_view time) const {
  const double at = std::strtod(std::string(time).c_str(), nullptr);
  std::string text;
  for (const Counter& counter : counters_) {
    if (!asks_for(query, counter.is_candidate, counter.is_bad)) continue;
    fmt::format_to(std::back_inserter(text), R"({}{{"metric":{},"value":[{},"{:.0f}"]}})",
                   text.empty() ? "" : ",", counter.labels, time, counted(counter, at));
  }
  return text;
}

std::string CounterAnswers::rows(std::string_view query, double first, double last,
                                 double step) const {
  std::string text;
  for (const Counter& counter : counters_) {
    if (!asks_for(query, counter.is_candidate, counter.is_bad)) continue;
    std::string values;
    for (double at = first; step > 0 && at <= last; at += step)
      fmt::format_to(std::back_inserter(values), R"({}[{:.3f},"{:.0f}"])",
                     values.empty() ? "" : ",", at, counted(counter, at));
    fmt::format_to(std::back_inserter(text), R"({}{{"metric":{},"values":[{}]}})",
                   text.empty() ? "" : ",", counter.labels, values);
  }
  return text;
}

}  // namespace rollwatch::bench
