#include "test/bench/evaluator.h"

#include <fmt/format.h>

#include <stdexcept>

#include "test/support/fake_server.h"

namespace rollwatch::bench {
namespace {

class RollwatchdEvaluator : public Evaluator {
 public:
  RollwatchdEvaluator(const std::string& program, const Load& load,
                      const DatasourceProcess& datasource)
      : load_(load),
        daemon_({program, datasource_configuration("default", datasource.url(), load.pool) +
                              policy_configuration("bench", load)}) {}

  pid_t pid() override { return daemon_.pid(); }
  void take_load() override { daemon_.register_rollouts(0, load_.rollouts); }
  Millis begins_after() const override { return load_.initial_delay(); }

  std::optional<Told> told() override {
    const DaemonProcess::Metrics metrics = daemon_.metrics();
    return Told{metrics.sum("store_commit_seconds_count"),
                metrics.sum("store_commit_seconds_bucket", "le=\"0.1\""),
                metrics.sum("evaluations_missed_total")};
  }

 private:
  const Load load_;
  DaemonProcess daemon_;
};

class VmalertEvaluator : public Evaluator {
 public:
  VmalertEvaluator(const Load& load, const DatasourceProcess& datasource)
      : datasource_(datasource) {
    std::string rules = "groups:\n";
    for (std::size_t rollout = 0; rollout < load.rollouts; ++rollout) {
      rules +=
          fmt::format("- name: s{}\n  interval: {}ms\n  rules:\n", rollout, load.interval.count());
      for (std::size_t i = 0; i < load.conditions; ++i)
        rules += fmt::format(
            "  - alert: c{0}\n    expr: errors{{policy=\"bench\",condition=\"c{0}\","
            "service=\"s{1}\"}} > 0.05\n    for: 12h\n",
            i, rollout);
    }
    write_file(folder_ / "rules.yml", rules);
  }

  pid_t pid() override { return process_->pid(); }

  void take_load() override {
    const int port = free_port();
    process_ = std::make_unique<Process>(ProcessOptions{
        {"vmalert", "-rule=" + (folder_ / "rules.yml").string(),
         "-datasource.url=" + datasource_.url(), "-notifier.url=" + datasource_.url(),
         "-loggerLevel=ERROR", "-httpListenAddr=127.0.0.1:" + std::to_string(port)},
        {},
        ""});
    const bool settled = wait_until(
        [&] { return !process_->running() || plain_http(port, "GET", "/health").status == 200; });
    if (!settled || !process_->running())
      throw std::runtime_error("vmalert did not start:\n" + process_->log());
  }

 private:
  const DatasourceProcess& datasource_;
  TempDir folder_;
  std::unique_ptr<Process> process_;
};

}  // namespace

Contestant rollwatchd(const std::string& name, const std::string& program) {
  return {name, [program](const Load& load, const DatasourceProcess& datasource) {
            return std::make_unique<RollwatchdEvaluator>(program, load, datasource);
          }};
}

Contestant vmalert() {
  return {"vmalert", [](const Load& load, const DatasourceProcess& datasource) {
            return std::make_unique<VmalertEvaluator>(load, datasource);
          }};
}

}  // namespace rollwatch::bench
