// Standard Webhooks 1.0 signatures: HMAC-SHA256 over "id.timestamp.body", so that a receiver can
// tell our orders from anybody else's and a fresh one from a recorded one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/expected.h"
#include "analysis/secret.h"
#include "analysis/time.h"

namespace rollwatch {

// The bytes behind a "whsec_…" secret. Made by parse_signing_key() only, so a key that exists is
// usable.
class SigningKey {
 public:
  const Secret& bytes() const { return bytes_; }

 private:
  explicit SigningKey(Secret bytes) : bytes_(std::move(bytes)) {}
  friend Expected<SigningKey, std::string> parse_signing_key(const Secret& text);
  Secret bytes_;
};

// "whsec_" and the standard base64, padded, of 24 to 64 bytes. The error says what is wrong and how
// to make a good one, and holds nothing of the secret.
Expected<SigningKey, std::string> parse_signing_key(const Secret& text);

// Seconds since the Unix epoch, as `webhook-timestamp` and the signed text have them.
std::string signature_timestamp(SysTime at);

// "user:password" in base64, as Basic authentication has it.
std::string basic_credentials(const std::string& user, const Secret& password);

// The value of `webhook-signature`: one "v1,…" per key, separated by spaces. Two keys while a
// secret is being changed: the receiver accepts any of them.
std::string sign(const std::vector<SigningKey>& keys, std::string_view id,
                 std::string_view timestamp, std::string_view body);

}  // namespace rollwatch
