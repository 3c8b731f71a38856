// How many rollouts are registered in a second: over kept connections in a closed loop, each one
// durable (synchronous=FULL) before it is answered, its query checked by a datasource that answers
// at once.
//
//   rollwatch_bench_api [--rollouts N] [--connections N] [--rounds N] [--daemon PATH] [--json FILE]
#include <fmt/format.h>

#include <string>
#include <vector>

#include "test/bench/daemon_process.h"
#include "test/bench/datasource_process.h"
#include "test/bench/findings.h"
#include "test/bench/options.h"
#include "test/bench/process_usage.h"
#include "test/bench/report.h"
#include "test/bench/window.h"

namespace rollwatch::bench {
namespace {

struct Options {
  std::size_t rollouts = 5'000, connections = 64, rounds = 3;
  std::string daemon = ROLLWATCH_BENCH_DAEMON, json;
};

struct Round {
  double per_second = 0, p50 = 0, p99 = 0, cpu = 0, per_commit = 0;
};

Round play(const Options& options, DatasourceProcess& datasource) {
  Load load;
  load.interval = Millis{3'600'000};  // nothing else is done meanwhile
  DaemonProcess daemon(
      {options.daemon, datasource_configuration("default", datasource.url(), load.pool) +
                           policy_configuration("bench", load)});
  daemon.register_rollouts(0, 200);
  const double commits = daemon.metrics().sum("store_commit_seconds_count");
  const ProcessUsage before = usage_of(daemon.pid());
  const SteadyClock::time_point begun = SteadyClock::now();
  std::vector<double> times;
  daemon.register_rollouts(200, options.rollouts, "bench", options.connections, &times);
  const double seconds = seconds_since(begun);
  const ProcessUsage after = usage_of(daemon.pid());
  const auto count = static_cast<double>(options.rollouts);
  return {count / seconds, percentile(times, 50), percentile(times, 99),
          Seconds(after.cpu - before.cpu).count() * 1e6 / count,
          count / (daemon.metrics().sum("store_commit_seconds_count") - commits)};
}

double median_of(const std::vector<Round>& rounds, double Round::*what) {
  std::vector<double> values;
  for (const Round& round : rounds) values.push_back(round.*what);
  return median(std::move(values));
}

void benchmark(int argc, char** argv) {
  Options options;
  read_options(argc, argv,
               {{"--rollouts", &options.rollouts},
                {"--connections", &options.connections},
                {"--rounds", &options.rounds},
                {"--daemon", &options.daemon},
                {"--json", &options.json}});
  DatasourceProcess datasource;
  std::vector<Round> rounds;
  for (std::size_t i = 0; i < options.rounds; ++i) rounds.push_back(play(options, datasource));
  Finding per_second{"rollouts registered in a second", median_of(rounds, &Round::per_second), "",
                     2'000, 5'000};
  per_second.is_more_better = true;
  Findings findings;
  findings.add(fmt::format("registrations over {} connections", options.connections),
               {
                   per_second,
                   {"answer, p50", median_of(rounds, &Round::p50), "ms"},
                   {"answer, p99", median_of(rounds, &Round::p99), "ms"},
                   {"CPU for 1,000 of them", median_of(rounds, &Round::cpu), "ms"},
                   {"registrations in one commit", median_of(rounds, &Round::per_commit), ""},
               });
  findings.write(options.json);
}

}  // namespace
}  // namespace rollwatch::bench

int main(int argc, char** argv) {
  return rollwatch::bench::run_benchmark("rollwatch_bench_api", rollwatch::bench::benchmark, argc,
                                         argv);
}
