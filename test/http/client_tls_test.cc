#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/http/client_fixture.h"
#include "test/http/tls_server.h"

namespace rollwatch {
namespace {

using ::testing::HasSubstr;

class HttpClientTlsTest : public HttpClientTest, public TlsServer {};

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
