// What a system exports for candidates that serve well and badly, and what a shipped policy has to
// say of each: one file per policy, with the metric names and labels the system really has.
//
//   policy nginx
//   service checkout in shop
//   args canary=shop-{{candidate}}-80
//   buckets 0.1 0.25 0.5 1
//
//   candidate 1.24: serves well
//     nginx_ingress_controller_requests{canary="shop-{{candidate}}-80", status="200"} +50
//     histogram …_request_duration_seconds{canary="shop-{{candidate}}-80"} 0.25:49 0.5:1
//     expect error-rate pass 0
//
// A value is `7`, the same all the time; `+7`, a counter that grows by 7 with every scrape; `1..9`,
// low and high by turns; `ago 10m`, the Unix time of ten minutes before the end; `every 5m`, that
// of the latest of a row of moments five minutes apart; `born 45s 3`, a 3 that was not there until
// 45 seconds before the end. A histogram has the observations of each scrape by bucket.
// `expect NAME no_data victoria:inconclusive` says where the two servers differ; `expect all` is
// for every condition not named. `others` in place of a candidate are series that are there whoever
// it is.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/outcome.h"

namespace rollwatch {

struct Expectation {
  Outcome outcome = Outcome::kNoData;
  std::optional<Outcome> at_victoria;  // where VictoriaMetrics answers otherwise
  std::optional<double> value;
};

struct Candidate {
  std::string version;
  std::string story;                          // "serves well", shown when it is judged wrongly
  std::map<std::string, Expectation> judged;  // by condition; "all": those not named
};

struct Shape {
  std::string file;
  std::string policy;
  std::string service;
  std::string ns;
  std::map<std::string, std::string> args;  // may contain {{candidate}}
  std::vector<Candidate> candidates;
  std::string samples;  // OpenMetrics, timestamps in seconds, without "# EOF"
};

// The end of the data; it reaches kShapeSpan back, a sample each 15 s.
inline constexpr std::int64_t kShapeEnd = 1'767'323'040;
inline constexpr std::int64_t kShapeSpan = 1200;

// The text with every {{candidate}} replaced.
std::string with_candidate(std::string text, const std::string& version);

// Throws std::runtime_error with "file:line: what is wrong".
Shape read_shape(const std::string& file, const std::string& text);

}  // namespace rollwatch
