// Several daemons over one PostgreSQL: what an evaluation costs them and the database, and how long
// a rollout is without an owner when its node is stopped or killed. Counted by the datasource: each
// node has an address of its own there.
//
//   rollwatch_bench_nodes [--nodes N] [--rollouts N] [--seconds N] [--lease SECONDS]
//       [--daemon PATH] [--json FILE]
//
// Without --nodes: 1, 2 and 4. The database waits for its disk (fsync).
#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "test/bench/daemon_process.h"
#include "test/bench/datasource_process.h"
#include "test/bench/findings.h"
#include "test/bench/options.h"
#include "test/bench/process_usage.h"
#include "test/bench/window.h"
#include "test/support/real_servers.h"

namespace rollwatch::bench {
namespace {

struct Options {
  std::size_t nodes = 0, rollouts = 1'000;
  double seconds = 20, lease = 10;
  std::string daemon = ROLLWATCH_BENCH_DAEMON, json;
};

// A commit waits for the disk, as it does for everybody.
PostgresSetup durable() {
  PostgresSetup setup;
  setup.is_durable = true;
  return setup;
}

double number_of(const std::string& url, const char* sql) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(url.c_str()), PQfinish);
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql),
                                                             PQclear);
  if (PQntuples(result.get()) != 1) throw std::runtime_error(PQerrorMessage(connection.get()));
  return std::stod(PQgetvalue(result.get(), 0, 0));
}

class Nodes {
 public:
  Nodes(const Options& options, std::size_t count)
      : database_(durable()), rollouts_(options.rollouts) {
    load_.rollouts = options.rollouts;
    const std::string shared = fmt::format("[store]\nurl = \"{}\"\nlease = \"{:.0f}ms\"\n",
                                           database_.url("bench"), options.lease * 1000) +
                               policy_configuration("bench", load_);
    for (std::size_t i = 0; i < count; ++i)
      nodes_.push_back(std::make_unique<DaemonProcess>(DaemonSettings{
          options.daemon,
          shared + datasource_configuration("default", fmt::format("{}/n{}", datasource_.url(), i),
                                            load_.pool)}));
  }

  void register_rollouts() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const std::size_t first = rollouts_ * i / nodes_.size();
      nodes_[i]->register_rollouts(first, rollouts_ * (i + 1) / nodes_.size() - first);
    }
    wait_until_shared();
  }

  // Each has its part, and asks what there is to ask.
  void wait_until_shared() {
    const bool is_shared = wait_until([this] {
      const std::size_t fair = (rollouts_ + nodes_.size() - 1) / nodes_.size();
      return std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
        const double places = node->metrics().sum("leases");
        return places > 0 && places <= static_cast<double>(fair);
      });
    });
    if (!is_shared) throw std::runtime_error("the nodes do not share the rollouts");
    sleep_for(3);
  }

  struct Cost {
    double nodes = 0, database = 0;  // CPU milliseconds for 1,000 evaluations
    double per_second = 0, missed = 0, late_p99 = 0, resident = 0;
    double disk = 0, log = 0;  // bytes for an evaluation
  };
  Cost measure(double seconds) {
    datasource_.forget();
    sleep_for(2);  // the phases
    const auto nodes_before = cpu_of_nodes(), database_before = cpu_of_family(database_pid());
    const double disk_before = on_disk(), log_before = in_log();
    datasource_.begin_window();
    const SteadyClock::time_point begun = SteadyClock::now();
    sleep_for(seconds);
    datasource_.end_window();
    const double length = seconds_since(begun);
    const auto nodes_after = cpu_of_nodes(), database_after = cpu_of_family(database_pid());
    const double disk_after = on_disk(), log_after = in_log();
    sleep_for(1);
    const Seen seen = datasource_.seen(load_.interval);
    Cost cost;
    cost.nodes = Seconds(nodes_after - nodes_before).count() * 1e6 / seen["queries"];
    cost.database = Seconds(database_after - database_before).count() * 1e6 / seen["queries"];
    cost.disk = (disk_after - disk_before) / seen["queries"];
    cost.log = (log_after - log_before) / seen["queries"];
    cost.per_second = seen["queries"] / length;
    cost.missed = seen["missed"];
    cost.late_p99 = seen["late_p99"];
    for (const auto& node : nodes_)
      cost.resident = std::max(cost.resident, megabytes(usage_of(node->pid()).resident));
    return cost;
  }

  // From the moment the last node ends until its queries are asked by somebody else.
  enum class End { kStopped, kKilled };
  Seen end_last(End how) {
    const std::size_t asker = nodes_.size() - 1;
    const SteadyClock::time_point since = SteadyClock::now();
    if (how == End::kStopped)
      nodes_.back()->stop();
    else
      nodes_.back()->kill();
    const bool is_over = wait_until(
        [&] { return datasource_.takeover(asker, since)["waiting"] == 0; }, Millis{120'000});
    if (!is_over) throw std::runtime_error("some rollouts are not taken over");
    return datasource_.takeover(asker, since);
  }
  void start_last() {
    nodes_.back()->start();
    wait_until_shared();
  }

 private:
  std::chrono::nanoseconds cpu_of_nodes() const {
    std::chrono::nanoseconds all{0};
    for (const auto& node : nodes_) all += usage_of(node->pid()).cpu;
    return all;
  }
  double on_disk() {
    return number_of(database_.url("bench"), "SELECT pg_database_size(current_database())");
  }
  double in_log() {
    return number_of(database_.url("bench"), "SELECT pg_current_wal_lsn() - '0/0'");
  }
  pid_t database_pid() { return database_.process().pid(); }

  RealPostgres database_;
  DatasourceProcess datasource_;
  const std::size_t rollouts_;
  Load load_;
  std::vector<std::unique_ptr<DaemonProcess>> nodes_;
};

std::vector<Finding> play(const Options& options, std::size_t count) {
  Nodes nodes(options, count);
  nodes.register_rollouts();
  const Nodes::Cost cost = nodes.measure(options.seconds);
  std::vector<Finding> findings = {
      {"evaluations a second", cost.per_second, ""},
      {"slots missed", cost.missed, "", 0},
      {"lateness p99", cost.late_p99, "ms"},
      {"CPU of all nodes for 1,000 evaluations", cost.nodes, "ms"},
      {"CPU of PostgreSQL for 1,000 evaluations", cost.database, "ms"},
      {"the database grows for an evaluation by", cost.disk, "bytes"},
      {"its log for an evaluation", cost.log, "bytes"},
      {"resident memory of the largest node", cost.resident, "MB"},
  };
  if (count == 1) return findings;
  const auto tell = [&](const std::string& how, const Seen& seen) {
    findings.push_back({"rollouts of a node that is " + how, seen["queries"], ""});
    findings.push_back({"… asked by another after, p50", seen["p50"], "ms"});
    findings.push_back({"… asked by another after, most", seen["max"], "ms"});
  };
  tell("stopped", nodes.end_last(Nodes::End::kStopped));
  nodes.start_last();
  tell("killed", nodes.end_last(Nodes::End::kKilled));
  return findings;
}

void benchmark(int argc, char** argv) {
  Options options;
  read_options(argc, argv,
               {{"--nodes", &options.nodes},
                {"--rollouts", &options.rollouts},
                {"--seconds", &options.seconds},
                {"--lease", &options.lease},
                {"--daemon", &options.daemon},
                {"--json", &options.json}});
  Findings findings;
  for (const std::size_t count : {1, 2, 4}) {
    if (options.nodes != 0 && options.nodes != count) continue;
    findings.add(fmt::format("{} node{} over PostgreSQL, {} rollouts every second, lease {:g} s",
                             count, count == 1 ? "" : "s", options.rollouts, options.lease),
                 play(options, count));
  }
  findings.write(options.json);
}

}  // namespace
}  // namespace rollwatch::bench

int main(int argc, char** argv) {
  return rollwatch::bench::run_benchmark("rollwatch_bench_nodes", rollwatch::bench::benchmark, argc,
                                         argv);
}
