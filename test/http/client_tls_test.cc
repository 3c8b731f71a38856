#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "test/http/client_fixture.h"
#include "test/support/process.h"

namespace rollwatch {
namespace {

using ::testing::HasSubstr;

// TLS against the openssl program, which shows a page about the connection with -www.
class HttpClientTlsTest : public HttpClientTest {
 protected:
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

  TempDir directory_;
  std::unique_ptr<Process> server_;
};

TEST_F(HttpClientTlsTest, OnlyWhoIsTrustedIsAsked) {
  make_certificate("server", "IP:127.0.0.1");
  make_certificate("elsewhere", "DNS:elsewhere.example");
  struct Row {
    const char* name;
    std::string certificate;
    TlsOptions tls;
    std::string text;  // "": answered
  };
  const Row rows[] = {
      {"unknown authority", "server", {}, "certificate"},
      {"its own authority", "server", {file("server.crt"), "", "", false}, ""},
      {"another's name", "elsewhere", {file("elsewhere.crt"), "", "", false}, "SSL"},
      {"not verified on request", "elsewhere", {"", "", "", true}, ""},
      {"an authority that is no file", "server", {file("none.crt"), "", "", false}, "certificate"},
      {"a client certificate that is no file",
       "server",
       {file("server.crt"), file("no.crt"), file("no.key"), false},
       "certificate"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    HttpRequest request = get(start(row.certificate, {}));
    request.tls = row.tls;
    const HttpResponse response = send(request);
    EXPECT_EQ(response.error, row.text.empty() ? HttpError::kNone : HttpError::kUnreachable)
        << response.error_text;
    EXPECT_THAT(response.error_text, HasSubstr(row.text));
  }
}

TEST_F(HttpClientTlsTest, AClientCertificateIsShown) {
  make_certificate("server", "IP:127.0.0.1");
  make_certificate("client", "DNS:client");
  HttpRequest request =
      get(start("server", {"-Verify", "1", "-verify_return_error", "-CAfile", file("client.crt")}));
  request.tls.ca_file = file("server.crt");
  EXPECT_EQ(send(request).error, HttpError::kUnreachable);
  request.tls.cert_file = file("client.crt");
  request.tls.key_file = file("client.key");
  const HttpResponse response = send(request);
  EXPECT_EQ(response.status, 200) << response.error_text;
}

}  // namespace
}  // namespace rollwatch
