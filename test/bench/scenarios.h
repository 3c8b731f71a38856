// What a daemon does when the metrics server is slow, silent or asked too much, and when many
// rollouts share a question. Each starts what it needs and says what it found.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "test/bench/findings.h"

namespace rollwatch::bench {

struct ScenarioOptions {
  std::string daemon = ROLLWATCH_BENCH_DAEMON;
  std::size_t rollouts = 0;  // 0: as many as the scenario is made for
  double seconds = 0;        // of a window; 0: as long as it is made for
  double interval = 0;       // of the scenarios that take a long one
};

// 10,000 rollouts over five policies that use `select`, every 10 s.
std::vector<Finding> shared_questions(const ScenarioOptions& options);
// Answers that take 50 ms, 30 conditions a rollout, 990 questions a second over 64 connections;
// beside the same with fast answers.
std::vector<Finding> slow_answers(const ScenarioOptions& options);
// One of two datasources takes every query and answers none.
std::vector<Finding> silent_datasource(const ScenarioOptions& options);
// The datasource stands still for 10 s and then answers all that waits.
std::vector<Finding> stall(const ScenarioOptions& options);
// Half of the queries fit through the connections there are, for a minute.
std::vector<Finding> overload(const ScenarioOptions& options);

}  // namespace rollwatch::bench
