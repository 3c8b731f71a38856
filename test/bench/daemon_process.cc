#include "test/bench/daemon_process.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "test/bench/request_pump.h"
#include "test/support/fake_server.h"

namespace rollwatch::bench {

std::string datasource_configuration(const std::string& name, const std::string& url,
                                     std::size_t pool) {
  return fmt::format("[datasource.{}]\nurl = \"{}\"\nmax_concurrency = {}\n", name, url, pool);
}

std::string policy_configuration(const std::string& name, const Load& load,
                                 const std::string& datasource) {
  std::string text = fmt::format(
      "[policy.{}]\nduration = \"12h\"\ninterval = \"{}ms\"\n"
      "initial_delay = \"{}ms\"\ndatasource = \"{}\"\n",
      name, load.interval.count(), load.initial_delay().count(), datasource);
  for (std::size_t i = 0; i < load.conditions; ++i)
    text += fmt::format(
        "[[policy.{0}.condition]]\nname = \"c{1}\"\n"
        "query = 'errors{{policy=\"{0}\",condition=\"c{1}\",service=\"{{{{service}}}}\"}} > "
        "0.05'\n",
        name, i);
  return text;
}

DaemonProcess::DaemonProcess(DaemonSettings settings) : settings_(std::move(settings)) { start(); }

void DaemonProcess::start() {
  const std::string file = (folder_ / "rollwatch.toml").string();
  std::string log;
  for (int attempt = 0; attempt < 3; ++attempt) {  // somebody may take the port in between
    port_ = free_port();
    write_file(file, fmt::format("[server]\nlisten = \"127.0.0.1:{}\"\n", port_) +
                         settings_.configuration);
    process_ = std::make_unique<Process>(
        ProcessOptions{{settings_.program, "--config", file, "--log-level", "warn"}, {}, ""});
    const bool settled = wait_until([this] {
      return !process_->running() || plain_http(port_, "GET", "/-/ready").status == 200;
    });
    if (settled && process_->running()) return;
    log = process_->log();
  }
  throw std::runtime_error("rollwatchd did not start:\n" + log);
}

void DaemonProcess::stop() {
  process_->signal(SIGTERM);
  if (!process_->wait()) throw std::runtime_error("rollwatchd did not stop:\n" + process_->log());
}

std::vector<std::string> DaemonProcess::register_rollouts(std::size_t first, std::size_t count,
                                                          const std::string& policy,
                                                          std::size_t connections,
                                                          std::vector<double>* milliseconds) {
  constexpr std::string_view kId = R"("id":")";
  std::vector<std::string> ids(count);
  pump(
      port_, connections, count,
      [&](std::size_t number) {
        return http_request(
            "POST", "/api/v1/rollouts",
            fmt::format(
                R"({{"service":"s{}","stable":"1.0","candidate":"1.1","policy":"{}","by":"bench"}})",
                first + number, policy));
      },
      [&](const PumpedAnswer& answer) {
        const std::size_t at = answer.body.find(kId);
        if (answer.status != 201 || at == std::string_view::npos)
          throw std::runtime_error("registration refused: " + std::string(answer.body));
        const std::string_view id = answer.body.substr(at + kId.size());
        if (milliseconds) milliseconds->push_back(answer.milliseconds);
        ids[answer.request] = std::string(id.substr(0, id.find('"')));
      });
  return ids;
}

DaemonProcess::Metrics DaemonProcess::metrics() const {
  const PlainResponse answer = plain_http(port_, "GET", "/metrics");
  if (answer.status != 200) throw std::runtime_error("rollwatchd tells no metrics");
  return {"\n" + answer.body};
}

double DaemonProcess::Metrics::sum(std::string_view family, std::string_view label) const {
  const std::string name = "\nrollwatch_" + std::string(family);
  double all = 0;
  for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    const std::size_t end = std::min(text.find('\n', at + 1), text.size());
    const std::string_view line =
        std::string_view(text).substr(at + name.size(), end - at - name.size());
    const bool is_family = line.starts_with('{') || line.starts_with(' ');
    if (!is_family || line.find(label) == std::string_view::npos) continue;
    all += std::strtod(std::string(line.substr(line.rfind(' '))).c_str(), nullptr);
  }
  return all;
}

}  // namespace rollwatch::bench
