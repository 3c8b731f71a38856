#include "config/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace rollwatch {

namespace {

bool is_alnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

std::optional<int> parse_port(std::string_view text) {
  int port = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.empty() || text.size() > 5 || port < 0 || port > 65535) return std::nullopt;
  return port;
}

bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return is_alnum(c) || c == '.' || c == '-' || c == '_';
  });
}

bool is_ipv6(std::string_view host) {
  return std::count(host.begin(), host.end(), ':') >= 2 &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
         });
}

// "host", "host:1", "[::1]", "[::1]:1"; the port may be left out.
bool is_authority(std::string_view text) {
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || !is_ipv6(text.substr(1, close - 1))) return false;
    port = text.substr(close + 1);
  } else {
    const std::size_t colon = text.find(':');
    if (!is_host_name(text.substr(0, colon))) return false;
    if (colon != std::string_view::npos) port = text.substr(colon);
  }
  if (port.empty()) return true;
  return port.front() == ':' && parse_port(port.substr(1)).value_or(0) > 0;
}

// The four numbers of an IPv4 address begin with 127.
bool is_ipv4_loopback(const std::string& host) {
  int numbers = 0;
  std::size_t at = 0;
  while (at <= host.size()) {
    const std::size_t dot = std::min(host.find('.', at), host.size());
    const auto number = parse_port(std::string_view(host).substr(at, dot - at));
    if (!number || *number > 255 || (numbers == 0 && *number != 127)) return false;
    ++numbers;
    at = dot + 1;
  }
  return numbers == 4;
}

}  // namespace

std::optional<std::string> url_problem(std::string_view url, UrlUse use) {
  std::size_t scheme = 0;
  for (const std::string_view known : {"http://", "https://"}) {
    if (url.substr(0, known.size()) == known) scheme = known.size();
  }
  if (scheme == 0) return "must be a URL that begins with http:// or https://";
  const bool printable = std::all_of(url.begin(), url.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f;
  });
  if (!printable)
    return "must be a URL without spaces, control characters and letters outside ASCII";
  const std::string_view rest = url.substr(scheme);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) {
    return "must not contain a user or password; " +
           std::string(use == UrlUse::kBase ? "give them as basic_auth" : "take them out");
  }
  if (!is_authority(authority)) return "has no valid host and port; write it like http://host:9090";
  if (rest.find('#') != std::string_view::npos) return "must not have a fragment (#…); take it out";
  if (use == UrlUse::kBase && rest.find('?') != std::string_view::npos) {
    return "must not have a query (?…), as paths are appended to it; take it out";
  }
  return std::nullopt;
}

std::string without_trailing_slash(std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

std::optional<ListenAddress> parse_listen(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_port(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  if (!port) return std::nullopt;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (!is_ipv6(host)) return std::nullopt;
  } else if (!is_host_name(host)) {
    return std::nullopt;
  }
  return ListenAddress{std::string(host), *port};
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || is_ipv4_loopback(host);
}

std::optional<std::string> canonical_ip(const std::string& text) {
  std::array<char, INET6_ADDRSTRLEN> out{};
  in_addr v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    if (inet_ntop(AF_INET, &v4, out.data(), out.size()) == nullptr) return std::nullopt;
    return out.data();
  }
  in6_addr v6{};
  if (inet_pton(AF_INET6, text.c_str(), &v6) != 1) return std::nullopt;
  const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6);
  const void* bytes = mapped ? static_cast<const void*>(&v6.s6_addr[12]) : &v6;
  if (inet_ntop(mapped ? AF_INET : AF_INET6, bytes, out.data(), out.size()) == nullptr)
    return std::nullopt;
  return out.data();
}

bool is_signing_secret(std::string_view text) {
  constexpr std::string_view kPrefix = "whsec_";
  if (text.substr(0, kPrefix.size()) != kPrefix) return false;
  std::string_view digits = text.substr(kPrefix.size());
  if (digits.empty() || digits.size() % 4 != 0) return false;
  std::size_t padding = 0;
  while (padding < 2 && digits.back() == '=') {
    digits.remove_suffix(1);
    ++padding;
  }
  const bool base64 = std::all_of(digits.begin(), digits.end(),
                                  [](char c) { return is_alnum(c) || c == '+' || c == '/'; });
  // The bits of the last digit that belong to no byte are zero: a key that was cut or mangled on
  // its way here, or made up by hand, mostly has others, and is refused when it is to sign.
  constexpr std::string_view kLast[] = {"", "AEIMQUYcgkosw048", "AQgw"};
  const bool whole = padding == 0 || kLast[padding].find(digits.back()) != std::string_view::npos;
  const std::size_t bytes = digits.size() * 3 / 4;
  return base64 && whole && bytes >= 24 && bytes <= 64;
}

bool is_header_name(std::string_view name) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [kOthers](char c) {
    return is_alnum(c) || kOthers.find(c) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

}  // namespace rollwatch
