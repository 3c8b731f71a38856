#include "test/support/real_servers.h"

#include <functional>
#include <stdexcept>

#include "test/support/fake_server.h"

namespace rollwatch {

namespace {

// Starts a server on a free port and waits until it answers `ready` with 200. Somebody may take the
// port in between, so a server that ends at once is tried again on another.
std::unique_ptr<Process> start(const std::function<std::vector<std::string>(int port)>& argv,
                               std::string_view ready, int& port) {
  std::string log;
  for (int attempt = 0; attempt < 5; ++attempt) {
    port = free_port();
    auto process = std::make_unique<Process>(ProcessOptions{argv(port), {}, ""});
    const bool settled = wait_until(
        [&] { return !process->running() || plain_http(port, "GET", ready).status == 200; });
    if (settled && process->running()) return process;
    log = process->log();
  }
  throw std::runtime_error("the server did not start:\n" + log);
}

}  // namespace

RealPrometheus::RealPrometheus(std::string_view config, std::string_view open_metrics) {
  const std::string data = (directory_ / "data").string();
  write_file(directory_ / "prometheus.yml", config);
  if (!open_metrics.empty()) {
    write_file(directory_ / "data.om", open_metrics);
    const Finished made = run_program({{"promtool", "tsdb", "create-blocks-from", "openmetrics",
                                        (directory_ / "data.om").string(), data},
                                       {},
                                       ""});
    if (made.exit_code != 0) throw std::runtime_error("promtool took no data:\n" + made.output);
  }
  process_ = start(
      [&](int port) {
        return std::vector<std::string>{"prometheus",
                                        "--config.file=" + (directory_ / "prometheus.yml").string(),
                                        "--storage.tsdb.path=" + data,
                                        "--storage.tsdb.retention.time=100y",
                                        "--web.enable-lifecycle",
                                        "--web.listen-address=127.0.0.1:" + std::to_string(port)};
      },
      "/-/ready", port_);
}

RealVictoriaMetrics::RealVictoriaMetrics() {
  process_ = start(
      [&](int port) {
        return std::vector<std::string>{"victoria-metrics",
                                        "-storageDataPath=" + (directory_ / "data").string(),
                                        "-retentionPeriod=100y", "-memory.allowedBytes=256MB",
                                        "-httpListenAddr=127.0.0.1:" + std::to_string(port)};
      },
      "/health", port_);
}

void RealVictoriaMetrics::import(std::string_view exposition) {
  const PlainResponse taken = plain_http(port_, "POST", "/api/v1/import/prometheus", exposition);
  if (taken.status / 100 != 2)
    throw std::runtime_error("victoria-metrics took no data: " + taken.body);
  plain_http(port_, "GET", "/internal/force_flush");
}

}  // namespace rollwatch
