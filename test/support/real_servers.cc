#include "test/support/real_servers.h"

#include <pwd.h>
#include <unistd.h>

#include <csignal>
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

namespace {

constexpr const char* kPostgres = "/usr/lib/postgresql/15/bin/";
constexpr const char* kServerUser = "postgres";

std::vector<std::string> as_user(std::vector<std::string> argv) {
  if (geteuid() != 0) return argv;
  std::vector<std::string> all = {"setpriv", std::string("--reuid=") + kServerUser,
                                  std::string("--regid=") + kServerUser, "--clear-groups", "--"};
  all.insert(all.end(), argv.begin(), argv.end());
  return all;
}

}  // namespace

RealPostgres::RealPostgres(PostgresSetup setup) : setup_(std::move(setup)) {
  if (geteuid() == 0) {
    const passwd* user = getpwnam(kServerUser);
    if (user == nullptr || chown(directory_.path().c_str(), user->pw_uid, user->pw_gid) != 0)
      throw std::runtime_error("there is no user postgres; install Debian's postgresql");
  }
  const Finished made = as_server_user(
      {std::string(kPostgres) + "initdb", "-D", (directory_ / "data").string(), "--no-sync", "-A",
       "trust", "-U", "rollwatch", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"});
  if (made.exit_code != 0) throw std::runtime_error("initdb failed:\n" + made.output);
  for (const auto& [name, text] : setup_.files) put_file(name, text);
  if (!setup_.hba.empty()) put_file("pg_hba.conf", setup_.hba);
  std::string log;
  for (int attempt = 0; attempt < 5 && !process_; ++attempt) {
    port_ = free_port();
    try {
      start_server();
    } catch (const std::runtime_error& error) {
      log = error.what();
    }
  }
  if (!process_) throw std::runtime_error(log);
}

RealPostgres::~RealPostgres() {
  if (!process_) return;
  process_->signal(SIGINT);
  process_->wait(Millis{10'000});
}

Finished RealPostgres::as_server_user(std::vector<std::string> argv) const {
  return run_program({as_user(std::move(argv)), {}, directory_.path().string()});
}

void RealPostgres::put_file(const std::string& name, const std::string& text) const {
  const std::filesystem::path path = directory_ / "data" / name;
  write_file(path, text);
  std::filesystem::permissions(path, std::filesystem::perms(0600));
  if (geteuid() != 0) return;
  const passwd* user = getpwnam(kServerUser);
  if (chown(path.c_str(), user->pw_uid, user->pw_gid) != 0)
    throw std::runtime_error("cannot give " + path.string() + " to the server");
}

void RealPostgres::start_server() {
  std::vector<std::string> argv = {std::string(kPostgres) + "postgres", "-D",
                                   (directory_ / "data").string(), "-p", std::to_string(port_)};
  std::vector<std::string> settings = setup_.settings;
  settings.insert(
      settings.end(),
      {"listen_addresses=127.0.0.1", "unix_socket_directories=" + directory(),
       setup_.is_durable ? "fsync=on" : "fsync=off", "max_connections=200", "shared_buffers=32MB"});
  for (const std::string& setting : settings) {
    argv.emplace_back("-c");
    argv.push_back(setting);
  }
  auto process = std::make_unique<Process>(
      ProcessOptions{as_user(std::move(argv)), {}, directory_.path().string()});
  wait_until([&] {
    return !process->running() ||
           process->log().find("ready to accept connections") != std::string::npos;
  });
  if (!process->running()) throw std::runtime_error("postgres did not start:\n" + process->log());
  process_ = std::move(process);
}

std::string RealPostgres::url(const std::string& database) {
  const Finished made = as_server_user({"createdb", "-h", directory(), "-p", std::to_string(port_),
                                        "-U", "rollwatch", "-T", "template0", database});
  if (made.exit_code != 0 && made.output.find("already exists") == std::string::npos)
    throw std::runtime_error("createdb failed:\n" + made.output);
  return "postgresql://rollwatch@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

void RealPostgres::restart() {
  process_->signal(SIGINT);
  process_->wait();
  process_.reset();
  start_server();
}

}  // namespace rollwatch
