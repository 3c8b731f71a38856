// Checks of addresses and keys. None of them quotes what it was given: addresses of webhooks are
// passwords.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rollwatch {

enum class UrlUse {
  kBase,     // paths are appended to it: neither user, query nor fragment
  kReceiver  // is posted to as it is: neither user nor fragment
};

// What is wrong with the URL and what to do, or nothing.
std::optional<std::string> url_problem(std::string_view url, UrlUse use);

std::string without_trailing_slash(std::string url);

struct ListenAddress {
  std::string host;  // without brackets
  int port = 0;
};
// "HOST:PORT" with "[…]" around an IPv6 address.
std::optional<ListenAddress> parse_listen(std::string_view text);

// 127.0.0.0/8, ::1, localhost.
bool is_loopback(const std::string& host);

// "::FFFF:169.254.10.5" → "169.254.10.5": how an address of IPv4 or IPv6 is compared. Nothing if it
// is none.
std::optional<std::string> canonical_ip(const std::string& text);

// Whether it is "whsec_" and the base64 of 24 to 64 bytes, as Standard Webhooks asks for.
bool is_signing_secret(std::string_view text);

// A header's name and value that cannot end the header.
bool is_header_name(std::string_view name);
bool is_header_value(std::string_view value);

}  // namespace rollwatch
