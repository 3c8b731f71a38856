// What a daemon does when the metrics server is slow, silent or asked too much, and when rollouts
// share a question (scenarios.h).
//
//   rollwatch_bench_scenarios [--only shared|slow|silent|stall|overload] [--rollouts N]
//       [--seconds N] [--interval SECONDS] [--daemon PATH] [--json FILE] [--at-once]
//
// --at-once plays them side by side, which is quick and measures nothing.
#include <array>
#include <future>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "test/bench/options.h"
#include "test/bench/scenarios.h"

namespace rollwatch::bench {
namespace {

struct Scenario {
  std::string_view name, title;
  std::vector<Finding> (*play)(const ScenarioOptions&);
};

constexpr std::array kScenarios{
    Scenario{"shared", "10,000 rollouts over five policies that use select, every 10 s",
             shared_questions},
    Scenario{"slow", "30 conditions a rollout, answers after 50 ms", slow_answers},
    Scenario{"silent", "a datasource that never answers, beside one that does", silent_datasource},
    Scenario{"stall", "a datasource that stands still for 10 s", stall},
    Scenario{"overload", "twice what the connections carry", overload},
};

void benchmark(int argc, char** argv) {
  ScenarioOptions options;
  std::string only, json;
  bool at_once = false;
  read_options(argc, argv,
               {{"--only", &only},
                {"--rollouts", &options.rollouts},
                {"--seconds", &options.seconds},
                {"--interval", &options.interval},
                {"--at-once", &at_once},
                {"--daemon", &options.daemon},
                {"--json", &json}});
  std::vector<std::pair<std::string, std::future<std::vector<Finding>>>> played;
  for (const Scenario& scenario : kScenarios) {
    if (only.empty() || only == scenario.name)
      played.emplace_back(
          scenario.title,
          std::async(at_once ? std::launch::async : std::launch::deferred, scenario.play, options));
  }
  if (played.empty()) throw std::invalid_argument("there is no scenario " + only);
  Findings findings;
  for (auto& [title, result] : played) findings.add(title, result.get());
  findings.write(json);
}

}  // namespace
}  // namespace rollwatch::bench

int main(int argc, char** argv) {
  return rollwatch::bench::run_benchmark("rollwatch_bench_scenarios", rollwatch::bench::benchmark,
                                         argc, argv);
}
