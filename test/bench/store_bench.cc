// What much history costs: a daemon with active rollouts and millions of evaluations on disk is
// ended and started again, and pages of that history are read.
//
//   rollwatch_bench_store [--rollouts N] [--evaluations N] [--interval SECONDS] [--starts N]
//       [--pages N] [--daemon PATH] [--json FILE]
//
// The file system's cache is warm: what a disk adds is not in these numbers.
#include <fmt/format.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "daemon/api/cursors.h"
#include "test/bench/daemon_process.h"
#include "test/bench/datasource_process.h"
#include "test/bench/findings.h"
#include "test/bench/options.h"
#include "test/bench/process_usage.h"
#include "test/bench/report.h"
#include "test/bench/request_pump.h"
#include "test/bench/store_filler.h"
#include "test/bench/window.h"

namespace rollwatch::bench {
namespace {

struct Options {
  std::size_t rollouts = 10'000, evaluations = 10'000'000, starts = 3, pages = 2'000;
  double interval = 10;
  std::string daemon = ROLLWATCH_BENCH_DAEMON, json;
};

double start_seconds(DaemonProcess& daemon) {
  const SteadyClock::time_point begun = SteadyClock::now();
  daemon.start();
  return seconds_since(begun);
}

struct Starts {
  std::vector<double> after_stop, after_kill, resident;
};

Starts start_again_and_again(DaemonProcess& daemon, const Options& options) {
  Starts starts;
  for (std::size_t i = 0; i < options.starts; ++i) {
    starts.after_stop.push_back(start_seconds(daemon));
    sleep_for(1);
    starts.resident.push_back(megabytes(usage_of(daemon.pid()).resident));
    daemon.kill();
    starts.after_kill.push_back(start_seconds(daemon));
    sleep_for(1);
    if (i + 1 < options.starts) daemon.stop();
  }
  return starts;
}

// Milliseconds of pages of a hundred rows, from anywhere in the history of any rollout, over one
// connection.
std::vector<double> read_pages(const DaemonProcess& daemon, const std::vector<std::string>& ids,
                               const Options& options) {
  std::mt19937_64 random(1);  // NOLINT(cert-msc51-cpp): the same pages each time
  const std::size_t each = std::max<std::size_t>(options.evaluations / options.rollouts, 1);
  std::vector<double> times;
  pump(
      daemon.port(), 1, options.pages,
      [&](std::size_t) {
        const std::string& id = ids[random() % ids.size()];
        const std::size_t before = random() % each;
        std::string path = fmt::format("/api/v1/rollouts/{}/evaluations?limit=100", id);
        if (before > 0)
          path += "&cursor=" + seal_cursor("evaluations of " + id, std::to_string(before));
        return http_request("GET", path, "");
      },
      [&](const PumpedAnswer& answer) {
        if (answer.status != 200)
          throw std::runtime_error("no page of history: " + std::string(answer.body));
        times.push_back(answer.milliseconds);
      });
  return times;
}

void benchmark(int argc, char** argv) {
  Options options;
  std::size_t& rollouts = options.rollouts;
  read_options(argc, argv,
               {{"--rollouts", &rollouts},
                {"--evaluations", &options.evaluations},
                {"--interval", &options.interval},
                {"--starts", &options.starts},
                {"--pages", &options.pages},
                {"--daemon", &options.daemon},
                {"--json", &options.json}});
  DatasourceProcess datasource;
  Load load;
  load.rollouts = rollouts;
  load.interval = Millis{static_cast<Millis::rep>(options.interval * 1000)};
  DaemonProcess daemon(
      {options.daemon, datasource_configuration("default", datasource.url(), load.pool) +
                           policy_configuration("bench", load)});
  const std::vector<std::string> ids = daemon.register_rollouts(0, rollouts);
  daemon.stop();
  const std::filesystem::path database = daemon.folder() / "rollwatch.db";
  const Filled filled = fill(database, options.evaluations);
  const auto bytes = static_cast<double>(std::filesystem::file_size(database));

  const Starts starts = start_again_and_again(daemon, options);
  const std::vector<double> pages = read_pages(daemon, ids, options);
  Findings findings;
  findings.add(
      fmt::format("{} active rollouts, {} evaluations on disk", rollouts, filled.evaluations),
      {
          {"time to fill the database", filled.seconds, "s"},
          {"bytes for an evaluation", bytes / static_cast<double>(filled.evaluations), ""},
          {"ready after a start", median(starts.after_stop), "s", 2, 0.5},
          {"ready after a SIGKILL and a start", median(starts.after_kill), "s", 2, 0.5},
          {"resident memory after a start", median(starts.resident), "MB"},
          {"page of one rollout's history, p50", percentile(pages, 50), "ms"},
          {"page of one rollout's history, p99", percentile(pages, 99), "ms", 10, 2},
      });
  findings.write(options.json);
}

}  // namespace
}  // namespace rollwatch::bench

int main(int argc, char** argv) {
  return rollwatch::bench::run_benchmark("rollwatch_bench_store", rollwatch::bench::benchmark, argc,
                                         argv);
}
