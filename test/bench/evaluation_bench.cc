// What an evaluation costs: the built rollwatchd and the real vmalert ask one fake datasource the
// same queries at the same interval, one after the other, again and again. CPU, memory and sleeps
// are read from /proc, the rest is counted by the datasource.
//
//   rollwatch_bench_evaluation [--rollouts N] [--conditions N] [--interval SECONDS] [--pool N]
//       [--pairs N] [--seconds N] [--warm-up SECONDS] [--memory-after SECONDS]
//       [--memory-every-time]
//       [--answer one|empty|503] [--delay-ms N] [--daemon PATH] [--peer PATH] [--json FILE]
//       [--only rollwatch|vmalert] [--watch]
//
// Memory is read at the end of the window, and in the last pair when it is so old.
// --peer compares with another build of rollwatchd instead of vmalert. --only measures one of them
// and says its process id; with --watch it goes on until it is interrupted, for a profiler.
#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "test/bench/evaluation_report.h"
#include "test/bench/evaluator.h"
#include "test/bench/options.h"
#include "test/bench/process_usage.h"
#include "test/bench/window.h"

namespace rollwatch::bench {
namespace {

struct Options {
  Load load;
  double interval = 1, seconds = 20, warm_up = 3, memory_after = 0;
  std::size_t pairs = 3, delay_ms = 0;
  std::string answer = "one", daemon = ROLLWATCH_BENCH_DAEMON, peer, json, only;
  bool memory_every_time = false, watch = false;
};

// What reading /metrics costs memory, and how many commits there are in a second.
void ask_about(Evaluator& evaluator, Measurement& measured) {
  const auto first = evaluator.told();
  if (!first) {
    measured.after_p99 = 0;  // nobody else says which slot a query is for
    return;
  }
  measured.resident_scraped = megabytes(usage_of(evaluator.pid()).resident);
  const SteadyClock::time_point begun = SteadyClock::now();
  sleep_for(1);
  const auto second = evaluator.told();
  const double commits = second->commits - first->commits;
  measured.commits = commits / seconds_since(begun);
  measured.quick_commits =
      commits == 0 ? 0 : (second->quick_commits - first->quick_commits) / commits;
  measured.told_missed = first->missed;
}

Measurement measure(const Contestant& contestant, DatasourceProcess& datasource,
                    const Options& options, double memory_after) {
  datasource.behave("answer=" + options.answer + "&delay_ms=" + std::to_string(options.delay_ms));
  datasource.forget();
  const auto evaluator = contestant.start(options.load, datasource);
  const SteadyClock::time_point begun = SteadyClock::now();
  evaluator->take_load();
  std::fprintf(stderr, "%s: process %d, standing after %.1f s\n", contestant.name.c_str(),
               evaluator->pid(), seconds_since(begun));
  sleep_for(Seconds(evaluator->begins_after()).count() + options.warm_up + options.interval);
  Measurement measured =
      measure_window(evaluator->pid(), datasource, options.load, options.seconds);
  if (memory_after > 0) {
    sleep_until(begun + std::chrono::duration_cast<SteadyClock::duration>(Seconds(memory_after)));
    measured.resident = megabytes(usage_of(evaluator->pid()).resident);
  }
  ask_about(*evaluator, measured);
  measured.name = contestant.name;
  std::printf("%s", line(measured).c_str());
  std::fflush(stdout);
  while (options.watch) {
    Measurement more = measure_window(evaluator->pid(), datasource, options.load, options.seconds);
    more.name = contestant.name;
    std::printf("%s", line(more).c_str());
    std::fflush(stdout);
  }
  return measured;
}

void measure_and_report(const Options& options) {
  DatasourceProcess datasource;
  std::vector<Contestant> contestants;
  if (options.only != "vmalert") contestants.push_back(rollwatchd("rollwatchd", options.daemon));
  if (options.only != "rollwatch")
    contestants.push_back(options.peer.empty() ? vmalert() : rollwatchd("peer", options.peer));
  std::printf("%zu rollouts of %zu conditions every %.1f s; %zu pairs of %.0f s\n\n%s",
              options.load.rollouts, options.load.conditions, options.interval, options.pairs,
              options.seconds, heading().c_str());
  std::fflush(stdout);
  std::vector<std::vector<Measurement>> all(contestants.size());
  for (std::size_t pair = 0; pair < options.pairs; ++pair) {
    const bool waits = options.memory_every_time || pair + 1 == options.pairs;
    for (std::size_t i = 0; i < contestants.size(); ++i)
      all[i].push_back(
          measure(contestants[i], datasource, options, waits ? options.memory_after : 0));
  }
  std::printf("\nmedians\n");
  for (const auto& one : all) std::printf("%s", line(median_of(one)).c_str());
  if (all.size() == 2) {
    std::printf("\nratios of %s to %s, of each pair\n%s", contestants[0].name.c_str(),
                contestants[1].name.c_str(), ratios(options.load, all[0], all[1]).c_str());
  }
  if (!options.json.empty())
    write_file(options.json, as_json(options.load, options.seconds, all[0],
                                     all.size() == 2 ? all[1] : std::vector<Measurement>{}));
}

Options options_of(int argc, char** argv) {
  Options options;
  read_options(argc, argv,
               {{"--rollouts", &options.load.rollouts},
                {"--conditions", &options.load.conditions},
                {"--interval", &options.interval},
                {"--pool", &options.load.pool},
                {"--pairs", &options.pairs},
                {"--seconds", &options.seconds},
                {"--warm-up", &options.warm_up},
                {"--memory-after", &options.memory_after},
                {"--memory-every-time", &options.memory_every_time},
                {"--answer", &options.answer},
                {"--delay-ms", &options.delay_ms},
                {"--daemon", &options.daemon},
                {"--peer", &options.peer},
                {"--json", &options.json},
                {"--only", &options.only},
                {"--watch", &options.watch}});
  options.load.interval = Millis{static_cast<Millis::rep>(options.interval * 1000)};
  if (options.watch) options.pairs = 1;
  return options;
}

void benchmark(int argc, char** argv) { measure_and_report(options_of(argc, argv)); }

}  // namespace
}  // namespace rollwatch::bench

int main(int argc, char** argv) {
  return rollwatch::bench::run_benchmark("rollwatch_bench_evaluation", rollwatch::bench::benchmark,
                                         argc, argv);
}
