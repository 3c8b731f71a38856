// What an evaluation costs: the built rollwatchd and the real vmalert ask one fake datasource the
// same queries at the same interval, one after the other, again and again. CPU, memory and sleeps
// are read from /proc, the rest is counted by the datasource.
//
//   rollwatch_bench_evaluation [--rollouts N] [--conditions N] [--interval SECONDS] [--pool N]
//       [--pairs N] [--seconds N] [--warm-up SECONDS] [--memory-after SECONDS]
//       [--answer one|empty|503] [--delay-ms N] [--daemon PATH] [--peer PATH] [--json FILE]
//       [--only rollwatch|vmalert] [--watch]
//
// --peer compares with another build of rollwatchd instead of vmalert. --only measures one of them
// and says its process id; with --watch it goes on until it is interrupted, for a profiler.
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "test/bench/evaluation_report.h"
#include "test/bench/evaluator.h"
#include "test/bench/process_usage.h"

namespace rollwatch::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct Options {
  Load load;
  double interval = 1, seconds = 20, warm_up = 3, memory_after = 0;
  std::size_t pairs = 3;
  std::string answer = "one", daemon = ROLLWATCH_BENCH_DAEMON, peer, json, only;
  std::size_t delay_ms = 0;
  bool watch = false;
};

volatile std::sig_atomic_t interrupted = 0;

void sleep_until(Clock::time_point until) {
  constexpr auto kAtMost = std::chrono::milliseconds{100};  // to notice an interrupt
  for (auto left = until - Clock::now(); left > Clock::duration::zero() && !interrupted;
       left = until - Clock::now())
    std::this_thread::sleep_for(std::min<Clock::duration>(left, kAtMost));
  if (interrupted) throw std::runtime_error("interrupted");
}

void sleep_for(double seconds) {
  sleep_until(Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(seconds)));
}

double megabytes(std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

// One window of a contestant that stands with its load. Queries that are late are waited for.
Measurement measure_window(Evaluator& evaluator, DatasourceProcess& datasource,
                           const Options& options) {
  const ProcessUsage before = usage_of(evaluator.pid());
  const ProcessUsage source_before = usage_of(datasource.pid());
  const Clock::time_point begun = Clock::now();
  datasource.begin_window();
  sleep_for(options.seconds);
  datasource.end_window();
  const double seconds = Seconds(Clock::now() - begun).count();
  const ProcessUsage after = usage_of(evaluator.pid());
  const ProcessUsage source_after = usage_of(datasource.pid());
  sleep_for(std::min(options.interval, 1.0));
  const Seen seen = datasource.seen(options.load.interval);

  Measurement measured;
  const double cpu = Seconds(after.cpu - before.cpu).count();
  measured.cpu = seen["queries"] == 0 ? 0 : cpu * 1e6 / seen["queries"];
  measured.user = cpu == 0 ? 0 : Seconds(after.user - before.user).count() / cpu;
  measured.per_second = seen["queries"] / seconds;
  measured.missed =
      seen["missed"] + (static_cast<double>(options.load.queries()) - seen["distinct"]) * seconds /
                           options.interval;  // those it never asked at all
  measured.late_p50 = seen["late_p50"];
  measured.late_p99 = seen["late_p99"];
  measured.late_max = seen["late_max"];
  measured.resident = megabytes(after.resident);
  measured.connections = seen["connections_peak"];
  measured.busiest = seen["busiest_100ms"];
  measured.switches =
      static_cast<double>(after.voluntary_switches - before.voluntary_switches) / seconds;
  measured.datasource = Seconds(source_after.cpu - source_before.cpu).count() / seconds;
  measured.after_p99 = seen["after_p99"];
  return measured;
}

// What reading /metrics costs memory, and how many commits there are in a second.
void ask_about(Evaluator& evaluator, Measurement& measured) {
  const auto first = evaluator.told();
  if (!first) {
    measured.after_p99 = 0;  // nobody else says which slot a query is for
    return;
  }
  measured.resident_scraped = megabytes(usage_of(evaluator.pid()).resident);
  const Clock::time_point begun = Clock::now();
  sleep_for(1);
  measured.commits =
      (evaluator.told()->commits - first->commits) / Seconds(Clock::now() - begun).count();
  measured.told_missed = first->missed;
}

Measurement measure(const Contestant& contestant, DatasourceProcess& datasource,
                    const Options& options) {
  datasource.behave("answer=" + options.answer + "&delay_ms=" + std::to_string(options.delay_ms));
  datasource.forget();
  const auto evaluator = contestant.start(options.load, datasource);
  const Clock::time_point begun = Clock::now();
  evaluator->take_load();
  std::fprintf(stderr, "%s: process %d, standing after %.1f s\n", contestant.name.c_str(),
               evaluator->pid(), Seconds(Clock::now() - begun).count());
  const Clock::time_point standing = Clock::now();
  sleep_for(Seconds(evaluator->begins_after()).count() + options.warm_up + options.interval);
  Measurement measured = measure_window(*evaluator, datasource, options);
  if (options.memory_after > 0) {
    sleep_until(standing +
                std::chrono::duration_cast<Clock::duration>(Seconds(options.memory_after)));
    measured.resident = megabytes(usage_of(evaluator->pid()).resident);
  }
  ask_about(*evaluator, measured);
  measured.name = contestant.name;
  std::printf("%s", line(measured).c_str());
  std::fflush(stdout);
  while (options.watch && !interrupted) {
    Measurement more = measure_window(*evaluator, datasource, options);
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
  for (std::size_t pair = 0; pair < options.pairs; ++pair)
    for (std::size_t i = 0; i < contestants.size(); ++i)
      all[i].push_back(measure(contestants[i], datasource, options));
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
  const std::map<std::string_view, std::size_t*> counts = {
      {"--rollouts", &options.load.rollouts},
      {"--conditions", &options.load.conditions},
      {"--pairs", &options.pairs},
      {"--delay-ms", &options.delay_ms}};
  const std::map<std::string_view, double*> times = {{"--interval", &options.interval},
                                                     {"--seconds", &options.seconds},
                                                     {"--warm-up", &options.warm_up},
                                                     {"--memory-after", &options.memory_after}};
  const std::map<std::string_view, std::string*> words = {{"--answer", &options.answer},
                                                          {"--daemon", &options.daemon},
                                                          {"--peer", &options.peer},
                                                          {"--json", &options.json},
                                                          {"--only", &options.only}};
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--watch") {
      options.watch = true;
      continue;
    }
    if (++i == argc) throw std::invalid_argument(std::string(name) + " needs a value");
    const std::string value = argv[i];
    if (const auto count = counts.find(name); count != counts.end())
      *count->second = std::stoul(value);
    else if (const auto time = times.find(name); time != times.end())
      *time->second = std::stod(value);
    else if (const auto word = words.find(name); word != words.end())
      *word->second = value;
    else if (name == "--pool")
      options.load.pool = std::stoi(value);
    else
      throw std::invalid_argument("unknown option " + std::string(name) +
                                  "; see the top of test/bench/evaluation_bench.cc");
  }
  options.load.interval = Millis{static_cast<Millis::rep>(options.interval * 1000)};
  if (options.watch) options.pairs = 1;
  return options;
}

// A server that is measured may open thousands of connections.
void allow_many_files() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace
}  // namespace rollwatch::bench

int main(int argc, char** argv) {
  std::signal(SIGINT, [](int) { rollwatch::bench::interrupted = 1; });
  rollwatch::bench::allow_many_files();
  try {
    rollwatch::bench::measure_and_report(rollwatch::bench::options_of(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rollwatch_bench_evaluation: %s\n", error.what());
    return 1;
  }
}
