#include "notifiers/signature.h"

#include <gtest/gtest.h>

namespace rollwatch {
namespace {

// The vector that the reference libraries of Standard Webhooks agree on.
constexpr auto kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr auto kId = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr auto kTimestamp = "1614265330";
constexpr auto kBody = R"({"test": 2432232314})";
constexpr auto kSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

SigningKey key(const std::string& text) { return parse_signing_key(Secret(text)).value(); }

TEST(Signature, IsTheOneOfTheTestVector) {
  EXPECT_EQ(sign({key(kSecret)}, kId, kTimestamp, kBody), kSignature);
}

TEST(Signature, DependsOnEveryPart) {
  EXPECT_NE(sign({key(kSecret)}, "msg_other", kTimestamp, kBody), kSignature);
  EXPECT_NE(sign({key(kSecret)}, kId, "1614265331", kBody), kSignature);
  EXPECT_NE(sign({key(kSecret)}, kId, kTimestamp, "{}"), kSignature);
  EXPECT_NE(sign({key("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")}, kId, kTimestamp, kBody),
            kSignature);
}

TEST(Signature, TwoKeysGiveTwoSignaturesTheReceiverMayPickFrom) {
  const std::string both =
      sign({key("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), key(kSecret)}, kId, kTimestamp, kBody);
  const auto space = both.find(' ');
  ASSERT_NE(space, std::string::npos);
  EXPECT_EQ(both.substr(space + 1), kSignature);
  EXPECT_EQ(both.substr(0, 3), "v1,");
}

TEST(Signature, TimestampIsWholeSeconds) {
  EXPECT_EQ(signature_timestamp(SysTime{Millis{1'614'265'330'999}}), "1614265330");
}

TEST(SigningSecret, IsReadStrictly) {
  struct Row {
    const char* name;
    std::string secret;
    const char* error;  // nullptr: taken
  };
  const std::string group = "AAAA";
  std::string longest = "whsec_";
  for (int i = 0; i < 21; ++i) longest += group;
  const Row rows[] = {
      {"24 bytes", kSecret, nullptr},
      {"25 bytes, two signs of padding", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", nullptr},
      {"26 bytes, one sign of padding", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", nullptr},
      {"64 bytes", longest + "AA==", nullptr},
      {"65 bytes", longest + "AAA=", "65 bytes"},
      {"nothing", "", "is empty"},
      {"no prefix", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with whsec_"},
      {"another kind of key", "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
       "does not begin with whsec_"},
      {"prefix in capitals", "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
       "does not begin with whsec_"},
      {"only the prefix", "whsec_", "0 bytes"},
      {"21 bytes", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La", "21 bytes"},
      {"a character cut off", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
       "not padded standard base64"},
      {"the URL alphabet", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_", "not padded standard base64"},
      {"a line break at the end", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
       "not padded standard base64"},
      {"padding in the middle", "whsec_MfKQ9r8GKYqrTw==PD8ILPZIo2LaLaSw",
       "not padded standard base64"},
      {"three signs of padding",
       "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaL===", "not padded standard base64"},
      {"bits left over",
       "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB==", "not padded standard base64"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto parsed = parse_signing_key(Secret(row.secret));
    EXPECT_EQ(parsed.has_value(), row.error == nullptr);
    if (parsed.has_value() || row.error == nullptr) continue;
    EXPECT_NE(parsed.error().find(row.error), std::string::npos) << parsed.error();
    EXPECT_NE(parsed.error().find("openssl rand -base64 32"), std::string::npos)
        << "says how to make one";
    EXPECT_EQ(parsed.error().find("MfKQ9r8"), std::string::npos) << "keeps the secret";
  }
}

}  // namespace
}  // namespace rollwatch
