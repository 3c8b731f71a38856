#include "config/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollwatch {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Address, GoodUrls) {
  for (const char* url :
       {"http://localhost", "http://127.0.0.1:9090", "https://vm.example.net/select/0/prometheus",
        "http://[::1]:9090/", "https://a_b.c-d"}) {
    EXPECT_EQ(url_problem(url, UrlUse::kBase), std::nullopt) << url;
  }
  EXPECT_EQ(url_problem("https://h/x?token=1", UrlUse::kReceiver), std::nullopt);
}

TEST(Address, BadUrlsAreNamedAndNeverQuoted) {
  struct Row {
    const char* name;
    const char* url;
    const char* problem;
  };
  const Row rows[] = {
      {"no scheme", "MARKER:9090", "begins with http://"},
      {"another scheme", "ftp://MARKER", "begins with http://"},
      {"no host", "http://", "no valid host"},
      {"only a port", "http://:9090/MARKER", "no valid host"},
      {"port 0", "http://MARKER:0", "no valid host"},
      {"port too large", "http://MARKER:65536", "no valid host"},
      {"port no number", "http://MARKER:http", "no valid host"},
      {"empty port", "http://MARKER:", "no valid host"},
      {"open bracket", "http://[::1/MARKER", "no valid host"},
      {"user", "http://u:MARKER@host/", "user or password"},
      {"space", "http://host/MARKER x", "without spaces"},
      {"newline", "http://host/MARKER\n", "without spaces"},
      {"umlaut", "http://hö.st/MARKER", "without spaces"},
      {"query", "http://host/?MARKER", "query"},
      {"fragment", "http://host/#MARKER", "fragment"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto problem = url_problem(row.url, UrlUse::kBase);
    ASSERT_TRUE(problem);
    EXPECT_THAT(*problem, HasSubstr(row.problem));
    EXPECT_THAT(*problem, Not(HasSubstr("MARKER")));
  }
}

TEST(Address, ListenAndLoopback) {
  struct Row {
    const char* text;
    bool valid;
    bool loopback;
  };
  const Row rows[] = {
      {"127.0.0.1:9797", true, true},
      {"127.1.2.3:0", true, true},
      {"localhost:1", true, true},
      {"[::1]:9797", true, true},
      {"0.0.0.0:9797", true, false},
      {"[::]:9797", true, false},
      {"10.0.0.1:80", true, false},
      {"127.0.0.1.evil.net:1", true, false},
      {"128.0.0.1:1", true, false},
      {"127.0.0.256:1", true, false},
      {"127.0.0:1", true, false},
      {"example.net:1", true, false},
      {"127.0.0.1", false, false},
      {":9797", false, false},
      {"127.0.0.1:", false, false},
      {"127.0.0.1:65536", false, false},
      {"127.0.0.1:-1", false, false},
      {"::1:9797", false, false},
      {"", false, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto address = parse_listen(row.text);
    EXPECT_EQ(address.has_value(), row.valid);
    EXPECT_EQ(address && is_loopback(address->host), row.loopback);
  }
  EXPECT_EQ(parse_listen("[::1]:80")->host, "::1");
  EXPECT_EQ(parse_listen("[::1]:80")->port, 80);
}

TEST(Address, SigningSecrets) {
  struct Row {
    const char* name;
    std::string text;
    bool good;
  };
  const Row rows[] = {
      {"24 bytes", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true},
      {"64 bytes", "whsec_" + std::string(86, 'A') + "==", true},
      {"65 bytes", "whsec_" + std::string(87, 'A') + "=", false},
      {"23 bytes", "whsec_" + std::string(31, 'A') + "=", false},
      {"no prefix", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false},
      {"no base64", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-w", false},
      {"without padding", "whsec_" + std::string(43, 'A'), false},
      {"padding inside", "whsec_" + std::string(20, 'A') + "=" + std::string(19, 'A'), false},
      {"bits left over, one sign of padding", "whsec_" + std::string(42, 'A') + "B=", false},
      {"bits left over, two signs of padding", "whsec_" + std::string(41, 'A') + "B==", false},
      {"nothing", "whsec_", false},
  };
  for (const Row& row : rows) EXPECT_EQ(is_signing_secret(row.text), row.good) << row.name;
}

TEST(Address, Headers) {
  EXPECT_TRUE(is_header_name("X-Scope-OrgID"));
  EXPECT_FALSE(is_header_name("X Scope"));
  EXPECT_FALSE(is_header_name("X:"));
  EXPECT_FALSE(is_header_name(""));
  EXPECT_TRUE(is_header_value("a b"));
  EXPECT_FALSE(is_header_value("a\r\nb"));
}

TEST(Address, TrailingSlashes) {
  EXPECT_EQ(without_trailing_slash("http://h/a//"), "http://h/a");
  EXPECT_EQ(without_trailing_slash("http://h"), "http://h");
}

TEST(Address, AddressesHaveOneSpelling) {
  const std::pair<const char*, const char*> rows[] = {
      {"169.254.10.5", "169.254.10.5"},     {"fe80::1", "fe80::1"},
      {"FE80:0:0:0:0:0:0:1", "fe80::1"},    {"::ffff:169.254.10.5", "169.254.10.5"},
      {"::FFFF:A9FE:0A05", "169.254.10.5"}, {"::", "::"},
  };
  for (const auto& [text, canonical] : rows) EXPECT_EQ(canonical_ip(text), canonical) << text;
  for (const char* none :
       {"", "localhost", "169.254.10", "169.254.10.5/16", "fe80::1%eth0", "[::1]", "169.254.10.5 "})
    EXPECT_EQ(canonical_ip(none), std::nullopt) << none;
}

}  // namespace
}  // namespace rollwatch
