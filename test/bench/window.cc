#include "test/bench/window.h"

#include <algorithm>
#include <csignal>
#include <stdexcept>
#include <thread>

#include "test/bench/process_usage.h"

namespace rollwatch::bench {
namespace {

volatile std::sig_atomic_t interrupted = 0;

}  // namespace

void interrupt() { interrupted = 1; }

void sleep_until(SteadyClock::time_point until) {
  constexpr auto kAtMost = std::chrono::milliseconds{100};  // to notice an interrupt
  for (auto left = until - SteadyClock::now();
       left > SteadyClock::duration::zero() && interrupted == 0; left = until - SteadyClock::now())
    std::this_thread::sleep_for(std::min<SteadyClock::duration>(left, kAtMost));
  if (interrupted != 0) throw std::runtime_error("interrupted");
}

void sleep_for(double seconds) {
  sleep_until(SteadyClock::now() +
              std::chrono::duration_cast<SteadyClock::duration>(Seconds(seconds)));
}

Seen watch(DatasourceProcess& datasource, Millis interval, double seconds) {
  datasource.begin_window();
  sleep_for(seconds);
  datasource.end_window();
  sleep_for(std::min(Seconds(interval).count(), 1.0));
  return datasource.seen(interval);
}

Measurement measure_window(pid_t pid, DatasourceProcess& datasource, const Load& load,
                           double seconds) {
  const double interval = Seconds(load.interval).count();
  const ProcessUsage before = usage_of(pid);
  const ProcessUsage source_before = usage_of(datasource.pid());
  const SteadyClock::time_point begun = SteadyClock::now();
  datasource.begin_window();
  sleep_for(seconds);
  datasource.end_window();
  const double length = seconds_since(begun);
  const ProcessUsage after = usage_of(pid);
  const ProcessUsage source_after = usage_of(datasource.pid());
  sleep_for(std::min(interval, 1.0));
  const Seen seen = datasource.seen(load.interval);

  Measurement measured;
  const double cpu = Seconds(after.cpu - before.cpu).count();
  const double never_asked = static_cast<double>(load.queries()) - seen["distinct"];
  measured.cpu = seen["queries"] == 0 ? 0 : cpu * 1e6 / seen["queries"];
  measured.user = cpu == 0 ? 0 : Seconds(after.user - before.user).count() / cpu;
  measured.per_second = seen["queries"] / length;
  measured.missed = seen["missed"] + std::max(never_asked, 0.0) * length / interval;
  measured.late_p50 = seen["late_p50"];
  measured.late_p99 = seen["late_p99"];
  measured.late_max = seen["late_max"];
  measured.resident = megabytes(after.resident);
  measured.connections = seen["connections_peak"];
  measured.busiest = seen["busiest_100ms"];
  measured.switches =
      static_cast<double>(after.voluntary_switches - before.voluntary_switches) / length;
  measured.datasource = Seconds(source_after.cpu - source_before.cpu).count() / length;
  measured.after_p99 = seen["after_p99"];
  return measured;
}

}  // namespace rollwatch::bench
