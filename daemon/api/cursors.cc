#include "daemon/api/cursors.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace rollwatch {
namespace {

constexpr std::size_t kSeal = 6;  // bytes
constexpr std::size_t kLongestCursor = 300;

std::string seal_of(std::string_view list, std::string_view place) {
  const std::string sealed = std::string(list) + '\0' + std::string(place);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(sealed.data(), sealed.size(), digest.data(), &length, EVP_sha256(), nullptr);
  return {digest.begin(), digest.begin() + kSeal};
}

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

void replace(std::string& text, char from, char to) {
  std::replace(text.begin(), text.end(), from, to);
}

// base64url, without padding: nothing of it needs quoting in an address.
std::string encoded(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  text.resize(std::min(text.size(), text.find('=')));
  replace(text, '+', '-');
  replace(text, '/', '_');
  return text;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string padded(text);
  replace(padded, '-', '+');
  replace(padded, '_', '/');
  const std::size_t padding = (4 - padded.size() % 4) % 4;
  padded.append(padding, '=');
  std::string bytes(padded.size(), '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                     bytes_of(padded), static_cast<int>(padded.size()));
  if (length < 0 || padding == 3) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(length) - padding);
  // What is decoded from several texts is given as one.
  if (encoded(bytes) != text) return std::nullopt;
  return bytes;
}

}  // namespace

std::string seal_cursor(std::string_view list, std::string_view place) {
  return encoded(seal_of(list, place) + std::string(place));
}

std::optional<std::string> open_cursor(std::string_view list, std::string_view cursor) {
  if (cursor.empty() || cursor.size() > kLongestCursor) return std::nullopt;
  const auto bytes = decoded(cursor);
  if (!bytes || bytes->size() <= kSeal) return std::nullopt;
  std::string place = bytes->substr(kSeal);
  if (bytes->compare(0, kSeal, seal_of(list, place)) != 0) return std::nullopt;
  return place;
}

}  // namespace rollwatch
