#include "test/bench/scenarios.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "test/bench/daemon_process.h"
#include "test/bench/datasource_process.h"
#include "test/bench/process_usage.h"
#include "test/bench/window.h"

namespace rollwatch::bench {
namespace {

std::size_t chosen(std::size_t wanted, std::size_t by_default) {
  return wanted == 0 ? by_default : wanted;
}
double chosen(double wanted, double by_default) { return wanted == 0 ? by_default : wanted; }

std::string label(std::string_view name, std::string_view value) {
  return fmt::format("{}=\"{}\"", name, value);
}

// Until the first slots of all rollouts are over.
void settle(const Load& load) {
  sleep_for(2 * Seconds(load.interval).count() + Seconds(load.initial_delay()).count() + 1);
}

// Slots of a datasource that ended otherwise than `outcome`, in this daemon's own words.
double ended_otherwise(const DaemonProcess::Metrics& metrics, const std::string& datasource,
                       const std::string& outcome) {
  const std::string of = label("datasource", datasource);
  return metrics.sum("evaluations_total", of) -
         metrics.sum("evaluations_total", of + "," + label("outcome", outcome));
}

}  // namespace

std::vector<Finding> shared_questions(const ScenarioOptions& options) {
  constexpr std::size_t kPolicies = 5;
  Load load;
  load.rollouts = chosen(options.rollouts, 10'000);
  const double interval = chosen(options.interval, 10);
  load.interval = Millis{static_cast<Millis::rep>(interval * 1000)};
  DatasourceProcess datasource;
  datasource.behave(fmt::format("answer=many&series={}", load.rollouts));
  std::string configuration = datasource_configuration("default", datasource.url(), load.pool);
  for (std::size_t i = 0; i < kPolicies; ++i)
    configuration += fmt::format(
        "[policy.p{0}]\nduration = \"12h\"\ninterval = \"{1}ms\"\n"
        "[[policy.p{0}.condition]]\nname = \"errors\"\nquery = 'sum by (service) (errors_{0})'\n"
        "fail_if = \"> 0.05\"\nselect = {{ service = \"{{{{service}}}}\" }}\n",
        i, load.interval.count());
  DaemonProcess daemon({options.daemon, configuration});
  for (std::size_t i = 0; i < kPolicies; ++i) {
    const std::size_t share = load.rollouts / kPolicies;
    daemon.register_rollouts(i * share, share, fmt::format("p{}", i));
  }
  settle(load);
  const double before = daemon.metrics().sum("evaluations_total");
  const SteadyClock::time_point begun = SteadyClock::now();
  const double seconds = chosen(options.seconds, 30);
  const ProcessUsage began = usage_of(daemon.pid());
  const Seen seen = watch(datasource, load.interval, seconds);
  const ProcessUsage ended = usage_of(daemon.pid());
  const DaemonProcess::Metrics after = daemon.metrics();
  const double evaluations = after.sum("evaluations_total") - before;
  const double evaluated_for = seconds_since(begun) / interval;
  const double intervals = seconds / interval;
  return {
      {"queries an interval", seen["queries"] / intervals, "", 10, 5},
      {"evaluations an interval", evaluations / evaluated_for, ""},
      {"evaluations that did not pass", ended_otherwise(after, "default", "pass"), "", 0},
      {"CPU for 1,000 evaluations", Seconds(ended.cpu - began.cpu).count() * 1e6 / evaluations,
       "ms"},
      {"resident memory", megabytes(ended.resident), "MB"},
  };
}

std::vector<Finding> slow_answers(const ScenarioOptions& options) {
  constexpr std::size_t kPool = 64;
  Load load;
  load.rollouts = chosen(options.rollouts, 33);
  load.conditions = 30;
  load.pool = kPool;
  const double seconds = chosen(options.seconds, 15);
  DatasourceProcess datasource;
  DaemonProcess daemon(
      {options.daemon, datasource_configuration("default", datasource.url(), load.pool) +
                           policy_configuration("bench", load)});
  daemon.register_rollouts(0, load.rollouts);
  settle(load);
  const Measurement fast = measure_window(daemon.pid(), datasource, load, seconds);
  datasource.behave("answer=one&delay_ms=50");
  sleep_for(1);
  const Measurement slow = measure_window(daemon.pid(), datasource, load, seconds);
  return {
      {"queries a second", slow.per_second, ""},
      {"connections at most", slow.connections, "", static_cast<double>(kPool)},
      {"slots missed", slow.missed + daemon.metrics().sum("evaluations_missed_total"), "", 0},
      {"lateness p99 with fast answers", fast.late_p99, "ms"},
      {"lateness p99 with answers after 50 ms", slow.late_p99, "ms"},
      {"CPU for 1,000 evaluations with fast answers", fast.cpu, "ms"},
      {"CPU for 1,000 evaluations with slow answers", slow.cpu, "ms"},
  };
}

std::vector<Finding> silent_datasource(const ScenarioOptions& options) {
  Load well;
  well.rollouts = chosen(options.rollouts, 1'000);
  Load silent = well;
  silent.rollouts = std::max<std::size_t>(well.rollouts / 5, 1);
  silent.interval = Millis{static_cast<Millis::rep>(chosen(options.interval, 5) * 1000)};
  // Longer than its timeout, or no slot of it would end.
  const double seconds = std::max<double>(chosen(options.seconds, 20), 5);
  DatasourceProcess datasource, silent_one;
  DaemonProcess daemon(
      {options.daemon, datasource_configuration("well", datasource.url(), well.pool) +
                           datasource_configuration("silent", silent_one.url(), silent.pool) +
                           "timeout = \"2s\"\n" + policy_configuration("bench", well, "well") +
                           policy_configuration("other", silent, "silent")});
  daemon.register_rollouts(0, well.rollouts);
  daemon.register_rollouts(well.rollouts, silent.rollouts, "other");
  settle(silent);
  const Measurement before = measure_window(daemon.pid(), datasource, well, seconds / 2);
  silent_one.behave("answer=never");
  sleep_for(3);
  const DaemonProcess::Metrics begun = daemon.metrics();
  silent_one.forget();
  const Measurement during = measure_window(daemon.pid(), datasource, well, seconds);
  const DaemonProcess::Metrics ended = daemon.metrics();
  const auto ends = [&](const std::string& outcome) {
    const std::string of = label("datasource", "silent") + "," + label("outcome", outcome);
    return ended.sum("evaluations_total", of) - begun.sum("evaluations_total", of);
  };
  const double slots =
      static_cast<double>(silent.rollouts) * (seconds + 1) / Seconds(silent.interval).count();
  return {
      {"connections to the silent one", silent_one.seen(silent.interval)["connections_peak"], "",
       static_cast<double>(silent.pool)},
      {"its slots that ended, as a share of those there were",
       (ends("error") + ends("missed")) / slots, ""},
      {"of those: errors", ends("error"), ""},
      {"of those: missed, for want of a connection", ends("missed"), ""},
      {"of those: neither", ends("pass") + ends("fail") + ends("no_data") + ends("inconclusive"),
       "", 0},
      {"slots missed of the other one", during.missed, "", 0},
      {"lateness p99 of the other one before", before.late_p99, "ms"},
      {"lateness p99 of the other one", during.late_p99, "ms"},
  };
}

std::vector<Finding> stall(const ScenarioOptions& options) {
  Load load;
  load.rollouts = chosen(options.rollouts, 1'000);
  const double seconds = chosen(options.seconds, 10);
  DatasourceProcess datasource;
  DaemonProcess daemon(
      {options.daemon, datasource_configuration("default", datasource.url(), load.pool) +
                           policy_configuration("bench", load)});
  daemon.register_rollouts(0, load.rollouts);
  settle(load);
  const Seen normal = watch(datasource, load.interval, seconds);
  datasource.behave("answer=never");
  sleep_for(seconds);
  datasource.begin_window();
  datasource.behave("answer=one");
  sleep_for(std::min(seconds, 5.0));
  datasource.end_window();
  const Seen after = datasource.seen(load.interval);
  return {
      {"queries in the busiest 100 ms of a normal time", normal["busiest_100ms"], ""},
      {"queries in the busiest 100 ms after it", after["busiest_100ms"], ""},
      {"the one over the other", after["busiest_100ms"] / normal["busiest_100ms"], "", 2, 1.3},
      {"queries in the time after it, over those there were to ask",
       after["queries"] / (std::min(seconds, 5.0) * load.per_second()), ""},
  };
}

std::vector<Finding> overload(const ScenarioOptions& options) {
  Load load;
  load.rollouts = chosen(options.rollouts, 1'000);
  const double seconds = chosen(options.seconds, 60);
  // Eight connections that are busy for 16 ms each time carry 500 questions a second.
  const double delay = 2 * 1000.0 * static_cast<double>(load.pool) / load.per_second();
  DatasourceProcess datasource;
  Load half = load;
  half.rollouts = load.rollouts / 2;
  DaemonProcess daemon(
      {options.daemon, datasource_configuration("default", datasource.url(), load.pool) +
                           policy_configuration("gating", load) +
                           policy_configuration("watching", load) + "on_fail = \"observe\"\n"});
  daemon.register_rollouts(0, half.rollouts, "gating");
  daemon.register_rollouts(half.rollouts, half.rollouts, "watching");
  settle(load);
  datasource.behave(fmt::format("answer=one&delay_ms={:.0f}", std::round(delay)));
  sleep_for(std::min(seconds, 15.0));
  const double memory = megabytes(usage_of(daemon.pid()).resident);
  const Measurement measured = measure_window(daemon.pid(), datasource, load, seconds);
  const Seen gating = datasource.seen(load.interval, "gating");
  const Seen watching = datasource.seen(load.interval, "watching");
  const DaemonProcess::Metrics metrics = daemon.metrics();
  return {
      {"queries a second that get through", measured.per_second, ""},
      {"slots missed by a rollout that may roll back, median", gating["missed_median"], ""},
      {"slots missed by such a one, most", gating["missed_max"], ""},
      {"the one over the other", gating["missed_max"] / std::max(gating["missed_median"], 1.0), "",
       2},
      {"slots missed by one that only observes, median", watching["missed_median"], ""},
      {"slots missed by such a one, most", watching["missed_max"], ""},
      {"slots that ended as a fail", metrics.sum("evaluations_total", label("outcome", "fail")), "",
       0},
      {"p99 of a query after its slot's time", measured.after_p99, "ms"},
      {"memory it grew by", measured.resident - memory, "MB"},
  };
}

}  // namespace rollwatch::bench
