// Our server behind TLS: what it speaks, whom it lets in, and how its certificate is exchanged
// while it runs.
#include <gmock/gmock.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <atomic>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <filesystem>
#include <fstream>
#include <optional>

#include "test/http/server_fixture.h"
#include "test/http/tls_server.h"

namespace rollwatch {
namespace {

using boost::system::error_code;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

// Only steady time, which a test sets.
class SetClock : public Clock {
 public:
  SysTime wall() const override { return {}; }
  SteadyTime steady() const override { return SteadyTime{} + Millis(at.load()); }
  awaitable<void> sleep(Millis) override { co_return; }
  std::atomic<int> at{0};
};

struct ClientOptions {
  std::string certificate = "";  // its name; "": none
  int newest = 0;                // version of TLS; 0: any
  std::string protocols = "";    // for ALPN
};

class TlsClient {
 public:
  TlsClient(const TlsServer& files, const std::string& address, const ClientOptions& options = {})
      : stream_(io_, context_of(files, options)) {
    const auto [host, port] = split_host_port(address);
    net::ip::tcp::resolver resolver(io_);
    net::connect(stream_.next_layer(), resolver.resolve(host, port));
    const timeval patience{30, 0};
    ::setsockopt(stream_.next_layer().native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience,
                 sizeof patience);
    stream_.handshake(net::ssl::stream_base::client, failure);
  }

  // What is answered to this; what arrives until the connection ends.
  std::string ask(const std::string& bytes) {
    std::string all;
    if (failure) return all;
    net::write(stream_, net::buffer(bytes), failure);
    while (!failure) {
      std::array<char, 4096> got{};
      const std::size_t size = stream_.read_some(net::buffer(got), failure);
      all.append(got.data(), size);
    }
    return all;
  }
  void send(const std::string& bytes) { net::write(stream_, net::buffer(bytes), failure); }
  // The common name of the certificate that the server showed.
  std::string server_name() {
    X509* shown = SSL_get1_peer_certificate(stream_.native_handle());
    if (shown == nullptr) return "";
    std::array<char, 128> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name.data(),
                              static_cast<int>(name.size()));
    X509_free(shown);
    return name.data();
  }
  std::string protocol() {
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(stream_.native_handle(), &chosen, &size);
    return {reinterpret_cast<const char*>(chosen), size};
  }
  error_code failure;  // of the handshake, or what came last

 private:
  net::ssl::context& context_of(const TlsServer& files, const ClientOptions& options) {
    SSL_CTX* native = context_.native_handle();
    if (options.newest != 0) {
      // This machine's OpenSSL would not offer it by itself.
      SSL_CTX_set_security_level(native, 0);
      SSL_CTX_set_min_proto_version(native, TLS1_VERSION);
      SSL_CTX_set_max_proto_version(native, options.newest);
    }
    if (!options.certificate.empty()) {
      context_.use_certificate_chain_file(files.file(options.certificate + ".crt"));
      context_.use_private_key_file(files.file(options.certificate + ".key"),
                                    net::ssl::context::pem);
    }
    if (!options.protocols.empty())
      SSL_CTX_set_alpn_protos(native,
                              reinterpret_cast<const unsigned char*>(options.protocols.data()),
                              static_cast<unsigned>(options.protocols.size()));
    return context_;
  }

  net::io_context io_;
  net::ssl::context context_{net::ssl::context::tls_client};
  net::ssl::stream<net::ip::tcp::socket> stream_;
};

awaitable<ServerResponse> say_hello(ServerRequest request) {
  ServerResponse response;
  response.body = "hello " + request.path + " [" + request.body + "]";
  co_return response;
}

const std::string kGetOnce = "GET /one HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

class ServerTlsTest : public testing::Test {
 protected:
  void SetUp() override { files.make_certificate("first", "DNS:localhost"); }

  ServerTlsFiles server_files(const std::string& name = "first") {
    return {files.file(name + ".crt"), files.file(name + ".key"), "", {}};
  }
  std::shared_ptr<ServerTls> load(ServerTlsFiles of) {
    auto tls = ServerTls::load(std::move(of), clock);
    EXPECT_TRUE(tls.has_value()) << tls.error();
    return *tls;
  }
  void copy(const std::string& from, const std::string& to) {
    fs::copy_file(files.file(from), files.file(to), fs::copy_options::overwrite_existing);
  }
  // As after kubelet or certbot: other files under the same names, and time for a look.
  void exchange(const std::string& name) {
    copy(name + ".crt", "used.crt");
    copy(name + ".key", "used.key");
    clock.at += 1'000;
  }

  TlsServer files;
  SetClock clock;
};

TEST_F(ServerTlsTest, AnswersAndSaysGoodbye) {
  RunningServer server(say_hello, {}, load(server_files()));
  TlsClient client(files, server.address);
  const std::string answer =
      client.ask("POST /one HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody" + kGetOnce);
  EXPECT_THAT(answer, HasSubstr("hello /one [body]"));
  EXPECT_THAT(answer, EndsWith("hello /one []"));
  EXPECT_THAT(answer, HasSubstr("\r\nStrict-Transport-Security: max-age=31536000\r\n"));
  EXPECT_EQ(client.failure, net::error::eof) << "not cut off: " << client.failure.message();
}

TEST_F(ServerTlsTest, LargeAnswersComeWhole) {
  const std::string large(3 * 1024 * 1024, 'x');
  RunningServer server(
      [&large](ServerRequest) -> awaitable<ServerResponse> {
        ServerResponse response;
        response.body = large;
        co_return response;
      },
      {}, load(server_files()));
  TlsClient client(files, server.address);
  EXPECT_THAT(client.ask(kGetOnce), EndsWith("\r\n\r\n" + large));
}

TEST_F(ServerTlsTest, SpeaksNothingOlderThan12AndOnlyHttp) {
  RunningServer server(say_hello, {}, load(server_files()));
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION})
    EXPECT_TRUE(TlsClient(files, server.address, {"", version, ""}).failure) << version;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION})
    EXPECT_FALSE(TlsClient(files, server.address, {"", version, ""}).failure) << version;
  TlsClient both(files, server.address, {"", 0, std::string("\2h2\10http/1.1")});
  EXPECT_FALSE(both.failure) << both.failure.message();
  EXPECT_EQ(both.protocol(), "http/1.1");
  EXPECT_TRUE(TlsClient(files, server.address, {"", 0, std::string("\2h2")}).failure);
}

TEST_F(ServerTlsTest, WhoDoesNotShakeHandsIsCutOff) {
  ServerLimits limits;
  limits.header_time = Millis(20);
  RunningServer server(say_hello, limits, load(server_files()));
  RawClient silent(server.address);
  EXPECT_THAT(silent.read_all(), IsEmpty());
  RawClient plain(server.address);
  plain.send(kGetOnce);
  EXPECT_THAT(plain.read_all(), testing::Not(HasSubstr("HTTP/1.1")));
  EXPECT_THAT(TlsClient(files, server.address).ask(kGetOnce), EndsWith("hello /one []"));
}

TEST_F(ServerTlsTest, ANewCertificateIsUsedAndABrokenOneIsNot) {
  files.make_certificate("second", "DNS:localhost");
  exchange("first");
  RunningServer server(say_hello, {}, load(server_files("used")));
  EXPECT_EQ(TlsClient(files, server.address).server_name(), "first");
  TlsClient open_before(files, server.address);
  exchange("second");
  EXPECT_EQ(TlsClient(files, server.address).server_name(), "second");
  EXPECT_THAT(open_before.ask(kGetOnce), EndsWith("hello /one []"));
  std::ofstream(files.file("used.crt")) << "-----BEGIN CERTIFICATE-----\nhalf";
  clock.at += 1'000;
  EXPECT_EQ(TlsClient(files, server.address).server_name(), "second");
  copy("first.crt", "used.crt");  // its key is still the other one's
  clock.at += 1'000;
  EXPECT_EQ(TlsClient(files, server.address).server_name(), "second");
  exchange("first");
  EXPECT_EQ(TlsClient(files, server.address).server_name(), "first");
}

TEST_F(ServerTlsTest, FilesThatCannotBeUsedAreNamed) {
  files.make_certificate("second", "DNS:localhost");
  std::ofstream(files.file("bad.crt")) << "no PEM";
  struct Row {
    std::string cert, key, ca, says;
  };
  const Row rows[] = {
      {"bad.crt", "first.key", "", "bad.crt: "},
      {"first.crt", "bad.crt", "", "bad.crt: "},
      {"first.crt", "second.key", "", "second.key: "},
      {"first.crt", "first.key", "bad.crt", "bad.crt: "},
      {"none.crt", "first.key", "", "none.crt: "},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.cert + " " + row.key + " " + row.ca);
    const auto tls = ServerTls::load(
        {files.file(row.cert), files.file(row.key), row.ca.empty() ? "" : files.file(row.ca), {}},
        clock);
    ASSERT_FALSE(tls.has_value());
    EXPECT_THAT(tls.error(), HasSubstr(row.says));
  }
}

TEST_F(ServerTlsTest, ClientsShowACertificateWithAnAllowedName) {
  files.make_certificate("ci", "DNS:ci.example.net,URI:spiffe://example/ci");
  files.make_certificate("other", "DNS:other.example.net");
  files.make_certificate("stranger", "DNS:ci.example.net");
  std::ofstream authorities(files.file("ca.pem"));
  for (const char* name : {"ci", "other"})
    authorities << std::ifstream(files.file(std::string(name) + ".crt")).rdbuf();
  authorities.close();
  struct Row {
    const char* client;
    std::vector<std::string> allowed;
    bool good;
  };
  const Row rows[] = {
      {"", {}, false},
      {"stranger", {}, false},
      {"stranger", {"ci.example.net"}, false},
      {"ci", {}, true},
      {"other", {}, true},
      {"ci", {"CI.example.net"}, true},
      {"ci", {"spiffe://example/ci"}, true},
      {"ci", {"spiffe://EXAMPLE/ci"}, false},
      {"ci", {"x", "ci"}, true},
      {"other", {"ci.example.net", "ci"}, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.client) + " for " + testing::PrintToString(row.allowed));
    ServerTlsFiles of = server_files();
    of.client_ca_file = files.file("ca.pem");
    of.client_names = row.allowed;
    RunningServer server(say_hello, {}, load(of));
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      TlsClient client(files, server.address, {row.client, version, ""});
      EXPECT_EQ(client.ask(kGetOnce).ends_with("hello /one []"), row.good) << version;
    }
  }
}

TEST_F(ServerTlsTest, AWaitingHandlerLearnsThatItsClientLeft) {
  std::promise<void> began, ended;
  RunningServer server(
      [&](ServerRequest request) -> awaitable<ServerResponse> {
        began.set_value();
        SystemClock real;
        while (request.wanted()) co_await real.sleep(Millis(1));
        ended.set_value();
        co_return ServerResponse();
      },
      {}, load(server_files()));
  {
    TlsClient client(files, server.address);
    const std::string bytes = "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n";
    client.send(bytes);
    began.get_future().wait();
  }
  ended.get_future().wait();
}

}  // namespace
}  // namespace rollwatch
