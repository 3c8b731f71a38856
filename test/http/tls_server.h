// The openssl program as a TLS server, which shows a page about the connection with -www.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "test/support/process.h"

namespace rollwatch {

class TlsServer {
 public:
  void make_certificate(const std::string& name, const std::string& subject_alternative) {
    const Finished made =
        run_program({{"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                      "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                      "/CN=" + name, "-addext", "subjectAltName=" + subject_alternative, "-keyout",
                      file(name + ".key"), "-out", file(name + ".crt")},
                     {},
                     ""});
    ASSERT_EQ(made.exit_code, 0) << made.output;
  }

  std::string file(const std::string& name) const { return (directory_ / name).string(); }

  // A server with the certificate of that name; https://127.0.0.1:PORT/ on return.
  std::string start(const std::string& name, std::vector<std::string> more) {
    for (int attempt = 0; attempt < 5; ++attempt) {
      const std::string port = std::to_string(free_port());
      ProcessOptions options{{"openssl", "s_server", "-www", "-accept", "127.0.0.1:" + port,
                              "-cert", file(name + ".crt"), "-key", file(name + ".key")},
                             {},
                             ""};
      options.argv.insert(options.argv.end(), more.begin(), more.end());
      server_ = std::make_unique<Process>(options);
      const bool up = wait_until([&] {
        return !server_->running() || server_->log().find("ACCEPT") != std::string::npos;
      });
      if (up && server_->running()) return "https://127.0.0.1:" + port + "/";
    }
    return "";
  }

 private:
  TempDir directory_;
  std::unique_ptr<Process> server_;
};

}  // namespace rollwatch
