#include "notifiers/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <chrono>
#include <optional>

namespace rollwatch {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr std::size_t kLeastBytes = 24;
constexpr std::size_t kMostBytes = 64;

constexpr std::string_view kRemedy =
    "; make one with: printf 'whsec_%s\\n' \"$(openssl rand -base64 32)\"";

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

// Strict: whole groups of four, padding only at the end, no bits left over. A key that was cut or
// mangled on its way here should be noticed here, not as a signature nobody can verify.
std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string bytes;
  unsigned held = 0;
  unsigned bits = 0;
  for (const char c : text.substr(0, text.size() - padding)) {
    const int digit = base64_digit(c);
    if (digit < 0) return std::nullopt;
    held = (held << 6U) | static_cast<unsigned>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<char>((held >> bits) & 0xffU));
    held &= (1U << bits) - 1U;
  }
  if (held != 0) return std::nullopt;
  return bytes;
}

std::string encode_base64(const unsigned char* bytes, unsigned size) {
  std::array<unsigned char, EVP_MAX_MD_SIZE * 2> text{};
  const int length = EVP_EncodeBlock(text.data(), bytes, static_cast<int>(size));
  return {text.begin(), text.begin() + length};
}

}  // namespace

Expected<SigningKey, std::string> parse_signing_key(const Secret& text) {
  const std::string_view given = text.reveal();
  if (given.empty()) return Unexpected(std::string("the signing secret is empty").append(kRemedy));
  if (!given.starts_with(kPrefix)) {
    return Unexpected(std::string("the signing secret does not begin with whsec_").append(kRemedy));
  }
  auto bytes = decode_base64(given.substr(kPrefix.size()));
  if (!bytes) {
    return Unexpected(
        std::string("what follows whsec_ in the signing secret is not padded standard base64")
            .append(kRemedy));
  }
  if (bytes->size() < kLeastBytes || bytes->size() > kMostBytes) {
    return Unexpected(("the signing secret holds " + std::to_string(bytes->size()) +
                       " bytes, and 24 to 64 are needed")
                          .append(kRemedy));
  }
  return SigningKey(Secret(std::move(*bytes)));
}

std::string signature_timestamp(SysTime at) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count());
}

std::string basic_credentials(const std::string& user, const Secret& password) {
  const std::string text = user + ":" + password.reveal();
  std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');  // and the NUL it writes
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  encoded.resize(static_cast<std::size_t>(size));
  return encoded;
}

std::string sign(const std::vector<SigningKey>& keys, std::string_view id,
                 std::string_view timestamp, std::string_view body) {
  std::string text;
  text.reserve(id.size() + timestamp.size() + body.size() + 2);
  text.append(id).append(".").append(timestamp).append(".").append(body);

  std::string signatures;
  for (const SigningKey& key : keys) {
    const std::string& bytes = key.bytes().reveal();
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    HMAC(EVP_sha256(), bytes.data(), static_cast<int>(bytes.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
    if (!signatures.empty()) signatures += ' ';
    signatures += "v1," + encode_base64(digest.data(), size);
  }
  return signatures;
}

}  // namespace rollwatch
