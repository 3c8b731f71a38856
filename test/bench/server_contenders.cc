#include "test/bench/server_contenders.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "analysis/time.h"
#include "test/support/fake_server.h"

namespace rollwatch::bench {
namespace {

using Json = nlohmann::json;

std::string now_text() {
  return format_time(std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now()));
}

Json labels_of(const std::string& service) { return {{"alertname", "Slow"}, {"service", service}}; }

}  // namespace

std::string rollwatch_configuration(int receiver_port) {
  return R"(
[datasource.default]
url = "http://127.0.0.1:1"
[orchestrator.deployer]
url = "http://127.0.0.1:)" +
         std::to_string(receiver_port) + R"(/rollouts"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[policy.bench]
steps = [ { weight = 5, hold = "1h" } ]
recovery = "0s"
alerts = { match = { service = "{{service}}" }, on_fire = "rollback" }
)";
}

void HttpContender::start(const std::function<std::vector<std::string>(int port)>& argv) {
  port_ = free_port();
  process_ = std::make_unique<Process>(ProcessOptions{argv(port_), {}, ""});
  const bool settled = wait_until([this] {
    return !process_->running() || plain_http(port_, "GET", "/-/ready").status == 200;
  });
  if (!settled || !process_->running())
    throw std::runtime_error("the server did not start:\n" + process_->log());
}

std::vector<Latencies> HttpContender::fire(const std::vector<std::string>& services) {
  const std::string event = event_about(services);
  KeptConnection connection(port());
  receiver_.expect(services.size());
  const Instant begun = connection.post(path_, event);
  receiver_.wait();
  connection.read_answer();
  Latencies latencies{from_, {}};
  for (const std::string& service : services)
    latencies.milliseconds.push_back(milliseconds(begun, receiver_.arrival(service)));
  return {std::move(latencies)};
}

// ---- Nobody

Nobody::Nobody(WebhookReceiver& receiver)
    : HttpContender(receiver, "nobody, the webhook itself is sent", "/") {}

std::vector<Latencies> Nobody::fire(const std::vector<std::string>& services) {
  std::vector<Latencies> all = HttpContender::fire({services.front()});
  for (std::size_t i = 1; i < services.size(); ++i) {
    const std::vector<Latencies> one = HttpContender::fire({services[i]});
    all.front().milliseconds.push_back(one.front().milliseconds.front());
  }
  return all;
}

std::string Nobody::event_about(const std::vector<std::string>& services) const {
  return Json{{"service", services.front()}, {"filler", std::string(600, 'x')}}.dump();
}

// ---- rollwatchd

Rollwatchd::Rollwatchd(WebhookReceiver& receiver, const std::string& program)
    : HttpContender(receiver, "rollwatchd, POST of the alerts", "/hooks/alertmanager") {
  const std::string file = (folder_ / "rollwatch.toml").string();
  start([&](int port) {
    write_file(file, "[server]\nlisten = \"127.0.0.1:" + std::to_string(port) + "\"\n" +
                         rollwatch_configuration(receiver.port()));
    return std::vector<std::string>{program, "--config", file};
  });
}

void Rollwatchd::prepare(const std::vector<std::string>& services) {
  rollouts_.clear();
  for (const std::string& service : services) {
    const Json wanted = {{"service", service},         {"stable", "1.0"},
                         {"candidate", "1.1"},         {"policy", "bench"},
                         {"orchestrator", "deployer"}, {"by", "bench"}};
    const PlainResponse made = plain_http(port(), "POST", "/api/v1/rollouts", wanted.dump(),
                                          "Content-Type: application/json\r\n");
    if (made.status != 201) throw std::runtime_error("registration refused: " + made.body);
    rollouts_.push_back(Json::parse(made.body)["id"].get<std::string>());
  }
  wait_until_all_are("analyzing");
}

std::vector<Latencies> Rollwatchd::fire(const std::vector<std::string>& services) {
  std::vector<Latencies> latencies = HttpContender::fire(services);
  wait_until_all_are("rolled_back");
  return latencies;
}

void Rollwatchd::wait_until_all_are(std::string_view state) {
  for (const std::string& id : rollouts_) {
    const bool so = wait_until([&] {
      const PlainResponse answer = plain_http(port(), "GET", "/api/v1/rollouts/" + id);
      const Json view = Json::parse(answer.body);
      return view["state"] == state && view["order"].is_null();
    });
    if (!so) throw std::runtime_error("rollout " + id + " never became " + std::string(state));
  }
}

std::string Rollwatchd::event_about(const std::vector<std::string>& services) const {
  Json alerts = Json::array();
  for (const std::string& service : services) {
    alerts.push_back({{"status", "firing"},
                      {"labels", labels_of(service)},
                      {"annotations", Json::object()},
                      {"startsAt", now_text()},
                      {"endsAt", "0001-01-01T00:00:00Z"},
                      {"generatorURL", ""},
                      {"fingerprint", service}});
  }
  return Json{{"version", "4"}, {"status", "firing"}, {"alerts", std::move(alerts)}}.dump();
}

// ---- Alertmanager

Alertmanager::Alertmanager(WebhookReceiver& receiver)
    : HttpContender(receiver, "Alertmanager, POST of the alerts", "/api/v2/alerts") {
  const std::string file = (folder_ / "alertmanager.yml").string();
  write_file(file,
             "route:\n  receiver: bench\n  group_by: [ service ]\n  group_wait: 0s\n"
             "  group_interval: 1h\n  repeat_interval: 4h\n"
             "receivers:\n- name: bench\n  webhook_configs:\n  - url: http://127.0.0.1:" +
                 std::to_string(receiver.port()) + "/\n    send_resolved: false\n");
  start([&](int port) {
    return std::vector<std::string>{
        "prometheus-alertmanager", "--config.file=" + file,
        "--storage.path=" + (folder_ / "data").string(),
        "--cluster.listen-address=", "--web.listen-address=127.0.0.1:" + std::to_string(port)};
  });
}

std::string Alertmanager::event_about(const std::vector<std::string>& services) const {
  Json alerts = Json::array();
  for (const std::string& service : services)
    alerts.push_back({{"labels", labels_of(service)}, {"startsAt", now_text()}});
  return alerts.dump();
}

}  // namespace rollwatch::bench
