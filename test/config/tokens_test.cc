// [[server.token]] and what else in [server] says who may ask: what tokens do to each other, to the
// address listened on, and across files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/config/config_support.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kHashA(64, 'a');
const std::string kHashB(64, 'b');

std::string token(const std::string& name, const std::string& hash,
                  const std::string& more = "scopes = ['read']") {
  return "[[server.token]]\nname = '" + name + "'\nsha256 = '" + hash + "'\n" + more + "\n";
}

TEST(Tokens, AreReadWhole) {
  const auto settings =
      ConfigInMemory(token("deployer", "00ff" + std::string(60, '1'),
                           "scopes = ['read', 'register', 'decide', 'admin']") +
                     token("shop", kHashB, "scopes = ['register']\nnamespaces = ['shop', 'pay']"))
          .load();
  ASSERT_TRUE(settings.has_value());
  const auto& tokens = settings->server.tokens;
  ASSERT_EQ(tokens.size(), 2U);
  EXPECT_EQ(tokens[0].name, "deployer");
  EXPECT_EQ(tokens[0].sha256[0], 0x00);
  EXPECT_EQ(tokens[0].sha256[1], 0xff);
  EXPECT_EQ(tokens[0].sha256[31], 0x11);
  EXPECT_THAT(tokens[0].scopes, ElementsAre("read", "register", "decide", "admin"));
  EXPECT_THAT(tokens[0].namespaces, IsEmpty());
  EXPECT_THAT(tokens[1].namespaces, ElementsAre("shop", "pay"));
  EXPECT_THAT(settings->warnings, IsEmpty());
}

TEST(Tokens, EachMistakeIsSaidWithItsPlaceAndTheWayOut) {
  struct Row {
    const char* name;
    std::string text;
    const char* says;
  };
  const Row rows[] = {
      {"no name", "[[server.token]]\nsha256 = '" + kHashA + "'\nscopes = ['read']",
       "1:1: server.token: missing key \"name\"; say whose it is"},
      {"no hash", "[[server.token]]\nname = 'a'\nscopes = ['read']",
       "missing key \"sha256\"; make a token, which prints its hash as well: rollwatch token new"},
      {"no scopes", token("a", kHashA, ""),
       "1:1: server.token: missing key \"scopes\"; list what it may do"},
      {"empty scopes", token("a", kHashA, "scopes = []"),
       "4:10: server.token.scopes: must not be empty: scopes = [\"read\", \"register\"]"},
      {"a scope twice", token("a", kHashA, "scopes = ['read', 'read']"),
       "4:19: server.token.scopes: \"read\" is given twice"},
      {"no scope at all", token("a", kHashA, "scopes = ['write']"),
       "\"write\" is no scope; there are read, register, decide, admin"},
      {"a number for a scope", token("a", kHashA, "scopes = [1]"),
       "4:11: server.token.scopes: must hold strings"},
      {"no namespaces", token("a", kHashA, "scopes = ['read']\nnamespaces = []"),
       "5:14: server.token.namespaces: must not be empty"},
      {"a short hash", token("a", "abc"),
       "3:10: server.token.sha256: must be the token's SHA-256 as 64 lower-case hex digits, not 3 "
       "characters; get it with: printf %s \"$TOKEN\" | sha256sum"},
      {"a hash in capitals", token("a", std::string(64, 'A')),
       "not 64 characters of which some are others"},
      {"the same name", token("a", kHashA) + token("a", kHashB),
       "6:8: server.token.name: there is a token \"a\" already; give each a name of its own"},
      {"the same hash", token("a", kHashA) + token("b", kHashA),
       "7:10: server.token.sha256: the token \"a\" has the same hash, so they are one token"},
      {"one table", "[server.token]\nname = 'a'",
       "1:1: server.token: must be a list: write [[server.token]] above each token's keys"},
      {"a rate for nobody", "[server]\nrate = 5",
       "2:8: server.rate: is how often each token may ask, and there are no tokens"},
      {"names without a CA",
       "[server.tls]\ncert_file = 'c.pem'\nkey_file = 'c.pem'\nclient_names = ['a']",
       "4:16: server.tls.client_names: needs client_ca_file"},
      {"a certificate without its key", "[server.tls]\ncert_file = 'c.pem'",
       "1:1: server.tls: missing key \"key_file\"; give the file with the certificate's private"},
      {"an origin with a path", "[server]\ncors_origins = ['https://a.example/x']",
       "2:17: server.cors_origins: must hold origins as browsers send them"},
      {"an origin in capitals", "[server]\ncors_origins = ['https://A.example']", "in lower case"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    ConfigInMemory config(row.text);
    config.files["c.pem"] = "-";
    EXPECT_THAT(config.errors(), HasSubstr(row.says));
  }
}

TEST(Tokens, ATokenWhereItsHashBelongsIsNotRepeated) {
  const std::string secret = "rwt_" + std::string(43, 'q');
  const std::string errors = ConfigInMemory(token("a", secret)).errors();
  EXPECT_THAT(errors, HasSubstr("3:10: server.token.sha256: is the token itself"));
  EXPECT_EQ(errors.find("qqq"), std::string::npos) << errors;
}

TEST(Tokens, LetTheServerBeReachedFromElsewhere) {
  const std::string listen = "[server]\nlisten = '0.0.0.0:9797'\n";
  EXPECT_THAT(ConfigInMemory(listen).errors(), HasSubstr("without tokens rollwatchd listens on"));
  const auto open = ConfigInMemory(listen + token("a", kHashA)).load();
  ASSERT_TRUE(open.has_value());
  EXPECT_EQ(open->server.listen, "0.0.0.0:9797");
  EXPECT_THAT(open->warnings, ElementsAre(HasSubstr("tokens travel unencrypted")));
  ConfigInMemory with_tls(listen + "tls = { cert_file = 'c.pem', key_file = 'c.pem' }\n" +
                          token("a", kHashA));
  with_tls.files["c.pem"] = "-";
  EXPECT_THAT(with_tls.load()->warnings, IsEmpty());
}

TEST(Tokens, EachFileMayHaveItsOwn) {
  ConfigInMemory config(token("a", kHashA));
  config.files["conf.d/shop.toml"] = token("b", kHashB);
  ASSERT_EQ(config.errors(), "");
  EXPECT_EQ(config.load()->server.tokens.at(1).name, "b");
  config.files["conf.d/shop.toml"] = token("b", kHashA);
  EXPECT_THAT(config.errors(), HasSubstr("conf.d/shop.toml:3:10: server.token.sha256: the token"));
}

TEST(Tokens, AnAdminOfSomeNamespacesIsWarnedAbout) {
  const auto settings =
      ConfigInMemory(token("a", kHashA, "scopes = ['admin']\nnamespaces = ['shop']")).load();
  ASSERT_TRUE(settings.has_value());
  EXPECT_THAT(settings->warnings, ElementsAre(HasSubstr("its scope \"admin\" has no effect")));
}

}  // namespace
}  // namespace rollwatch
