#include "daemon/http/destination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "test/http/client_fixture.h"
#include "test/support/fake_server.h"

namespace rollwatch {
namespace {

using ::testing::HasSubstr;

TEST(Destination, AddressesAndWhatTheyAre) {
  struct Row {
    const char* address;
    std::string refused;  // "ADDRESS is WHAT"; "": may be connected to
  };
  const std::string metadata = " is a cloud's metadata service";
  const Row rows[] = {
      {"127.0.0.1", ""},
      {"127.8.8.8", ""},
      {"::1", ""},
      {"::ffff:127.0.0.1", ""},
      {"10.0.0.1", ""},
      {"192.168.1.1", ""},
      {"100.100.100.199", ""},
      {"169.253.255.255", ""},
      {"169.255.0.0", ""},
      {"2001:db8::1", ""},
      {"fd00:ec2::253", ""},
      {"fec0::1", ""},
      {"64:ff9b::808:808", ""},
      {"169.254.0.0", "169.254.0.0 is link-local"},
      {"169.254.255.255", "169.254.255.255 is link-local"},
      {"169.254.169.254", "169.254.169.254" + metadata},
      {"100.100.100.200", "100.100.100.200" + metadata},
      {"fd00:ec2::254", "fd00:ec2::254" + metadata},
      {"fe80::1", "fe80::1 is link-local"},
      {"fe80::1%1", "fe80::1 is link-local"},
      {"febf:ffff::1", "febf:ffff::1 is link-local"},
      {"0.0.0.0", "0.0.0.0 is unspecified"},
      {"::", ":: is unspecified"},
      {"::ffff:0.0.0.0", "0.0.0.0 is unspecified"},
      {"::ffff:169.254.169.254", "169.254.169.254" + metadata},
      {"::ffff:100.100.100.200", "100.100.100.200" + metadata},
      {"::ffff:a9fe:1", "169.254.0.1 is link-local"},
      {"64:ff9b::a9fe:a9fe", "169.254.169.254" + metadata},
      {"no address", ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.address);
    const auto refused = refused_address(row.address, {"169.254.10.5"});
    EXPECT_EQ(refused ? refused->address + " is " + std::string(refused->what) : "", row.refused);
    if (refused) {
      EXPECT_FALSE(refused_address(row.address, {"::1", refused->address})) << "named";
    }
  }
}

TEST(Destination, AsTheSystemHasThem) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr&>(storage);
  auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(0xa9fe0a05);
  EXPECT_EQ(refused_address(address, {})->address, "169.254.10.5");
  EXPECT_FALSE(refused_address(address, {"169.254.10.5"}));
  v4.sin_addr.s_addr = htonl(0x7f000001);
  EXPECT_FALSE(refused_address(address, {}));

  storage = {};
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  v6.sin6_family = AF_INET6;
  v6.sin6_scope_id = 2;
  v6.sin6_addr.s6_addr[0] = 0xfe;
  v6.sin6_addr.s6_addr[1] = 0x80;
  v6.sin6_addr.s6_addr[15] = 7;
  EXPECT_EQ(refused_address(address, {})->address, "fe80::7");
  EXPECT_FALSE(refused_address(address, {"fe80::7"}));
  storage.ss_family = AF_UNIX;
  EXPECT_FALSE(refused_address(address, {}));
}

class HttpDestinationTest : public HttpClientTest {
 protected:
  static HttpRequest guarded(const std::string& url, std::vector<std::string> allowed = {}) {
    HttpRequest request = get(url);
    request.allow_addresses = std::move(allowed);
    return request;
  }
  static std::string not_connected(const std::string& name, const std::string& what) {
    return "not connected to " + name + ": its address " + what +
           "; if that is meant, name it in allow_addresses of this target";
  }
  // This machine by the address that is refused.
  std::string elsewhere() const { return "http://0.0.0.0:" + std::to_string(server.port()) + "/x"; }

  FakeServer server{[](FakeConnection& c) {
    while (!c.read_request().empty()) c.send(http_answer(200, "text/plain", "here"));
  }};
};

TEST_F(HttpDestinationTest, IsRefusedBeforeAConnectionIsMade) {
  struct Row {
    const char* url;
    std::string text;
  };
  const std::string metadata = "169.254.169.254 is a cloud's metadata service";
  const Row rows[] = {
      {"http://169.254.169.254/latest", not_connected("169.254.169.254:80", metadata)},
      {"http://0xa9fea9fe/latest", not_connected("169.254.169.254:80", metadata)},
      {"http://2852039166/latest", not_connected("169.254.169.254:80", metadata)},
      {"https://[::ffff:169.254.169.254]/",
       not_connected("[::ffff:169.254.169.254]:443", metadata)},
      {"http://[fe80::1]:8080/", not_connected("[fe80::1]:8080", "fe80::1 is link-local")},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.url);
    const HttpResponse response = send(guarded(row.url));
    EXPECT_EQ(response.error, HttpError::kUnreachable);
    EXPECT_EQ(response.status, 0);
    EXPECT_EQ(response.error_text, row.text);
  }
  const HttpResponse response = send(guarded(elsewhere()));
  EXPECT_EQ(response.error_text,
            not_connected("0.0.0.0:" + std::to_string(server.port()), "0.0.0.0 is unspecified"));
  EXPECT_EQ(server.accepted(), 0);
}

TEST_F(HttpDestinationTest, LoopbackAndWhatIsNamedAreNot) {
  EXPECT_EQ(send(guarded(server.url())).body, "here");
  EXPECT_EQ(send(guarded("http://localhost:" + std::to_string(server.port()))).body, "here");
  EXPECT_EQ(send(guarded(elsewhere(), {"0.0.0.0"})).body, "here");
}

// Datasources: where somebody's Prometheus is, is their business.
TEST_F(HttpDestinationTest, ARequestThatAsksForNoCareGetsNone) {
  EXPECT_EQ(send(get(elsewhere())).body, "here");
}

TEST_F(HttpDestinationTest, NeitherIsARedirectNorAProxyOfTheEnvironment) {
  FakeServer redirects([](FakeConnection& c) {
    c.read_request();
    c.send(http_answer(307, "text/plain", "", "Location: http://169.254.169.254/latest\r\n"));
  });
  const HttpResponse redirected = send(guarded(redirects.url()));
  EXPECT_EQ(redirected.status, 307) << "it is not followed";
  EXPECT_EQ(redirects.accepted(), 1);

  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"})
    setenv(name, server.url().c_str(), 1);
  EXPECT_THAT(send(guarded("http://169.254.169.254/latest")).error_text,
              HasSubstr("its address 169.254.169.254 is"));
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) unsetenv(name);
  EXPECT_EQ(server.accepted(), 0);
}

}  // namespace
}  // namespace rollwatch
