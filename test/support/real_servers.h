// The metrics servers the product promises to work with, started for a test: Debian's prometheus
// and victoria-metrics, and the database; each on a free port of 127.0.0.1 with its data in a
// temporary directory.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "test/support/process.h"

namespace rollwatch {

class RealPrometheus {
 public:
  // `config` is the text of prometheus.yml. `open_metrics` is data it has from the start, in
  // OpenMetrics with timestamps in seconds, "# EOF" at the end; "" for none. Returns when it is
  // ready; throws with its log if it does not get there.
  explicit RealPrometheus(std::string_view config = "global: {}\n",
                          std::string_view open_metrics = "");

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  Process& process() { return *process_; }

 private:
  TempDir directory_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

class RealVictoriaMetrics {
 public:
  RealVictoriaMetrics();

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  Process& process() { return *process_; }

  // Lines of the exposition format with timestamps in milliseconds; they can be queried on return.
  void import(std::string_view exposition);

 private:
  TempDir directory_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

// PostgreSQL, by default without durability: no machine loses its power in a test. The server does
// not run as root, so if the test does, it is the package's own user.
struct PostgresSetup {
  std::map<std::string, std::string> files;  // beside its data; nobody else may read them
  std::vector<std::string> settings;         // "ssl=on"
  std::string hba;                           // pg_hba.conf; "": everybody is let in
  bool is_durable = false;                   // fsync, for whoever measures
};
class RealPostgres {
 public:
  explicit RealPostgres(PostgresSetup setup = {});
  ~RealPostgres();

  int port() const { return port_; }
  // Where its socket is.
  std::string directory() const { return directory_.path().string(); }
  // Of a database of this name, which is made if there is none.
  std::string url(const std::string& database);
  Process& process() { return *process_; }
  // As an operator would: sessions are ended, and the same data are there again.
  void restart();

 private:
  void start_server();
  Finished as_server_user(std::vector<std::string> argv) const;
  void put_file(const std::string& name, const std::string& text) const;

  PostgresSetup setup_;
  TempDir directory_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace rollwatch
