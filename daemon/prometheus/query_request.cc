#include "daemon/prometheus/query_request.h"

#include <openssl/evp.h>

#include <cstdint>
#include <cstdlib>

#include "analysis/text.h"

namespace rollwatch {

namespace {

// Servers and proxies take 8 KiB and more; some logs and firewalls do not.
constexpr std::size_t kLongestAddress = 1500;

std::string percent_encoded(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  static constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string encoded;
  encoded.reserve(text.size() * 2);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlain.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

std::string base64(const std::string& text) {
  std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');  // and the NUL it writes
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  encoded.resize(static_cast<std::size_t>(size));
  return encoded;
}

std::string basic_credentials(const Datasource& source) {
  return base64(source.basic_username + ":" + source.basic_password.reveal());
}

}  // namespace

std::string unix_seconds(SysTime time) {
  const std::int64_t millis = time.time_since_epoch().count();
  const std::int64_t fraction = std::llabs(millis % 1000);
  std::string text = (millis < 0 ? "-" : "") + std::to_string(std::llabs(millis / 1000));
  if (fraction == 0) return text;
  const std::string digits = std::to_string(1000 + fraction).substr(1);
  return text + "." + digits.substr(0, digits.find_last_not_of('0') + 1);
}

HttpRequest query_request(const Datasource& source, std::string_view query, SysTime time,
                          Millis timeout) {
  HttpRequest request;
  request.timeout = timeout;
  request.tls = source.tls;
  for (const auto& [name, value] : source.headers) request.headers.emplace_back(name, value);
  if (!source.bearer_token.empty()) {
    request.headers.emplace_back("Authorization", Secret("Bearer " + source.bearer_token.reveal()));
  } else if (!source.basic_username.empty() || !source.basic_password.empty()) {
    request.headers.emplace_back("Authorization", Secret("Basic " + basic_credentials(source)));
  }
  // nocache: VictoriaMetrics would otherwise evaluate up to 30 s earlier than asked, and not say
  // so.
  std::string parameters = "query=" + percent_encoded(query) + "&time=" + unix_seconds(time) +
                           "&timeout=" + std::to_string(timeout.count()) + "ms&nocache=1";
  std::string address = source.url + "/api/v1/query";
  if (address.size() + 1 + parameters.size() <= kLongestAddress) {
    address += "?" + parameters;
  } else {
    request.method = "POST";
    request.headers.emplace_back("Content-Type", Secret("application/x-www-form-urlencoded"));
    request.body = std::move(parameters);
  }
  request.url = Secret(std::move(address));
  return request;
}

std::vector<std::string> configured_headers(const Datasource& source) {
  std::vector<std::string> names;
  for (const auto& [name, value] : source.headers) names.push_back(name);
  if (!source.bearer_token.empty() || !source.basic_username.empty() ||
      !source.basic_password.empty())
    names.emplace_back("Authorization");
  return names;
}

std::string without_secrets(std::string text, const Datasource& source) {
  hide(text, source.bearer_token.reveal());
  hide(text, source.basic_password.reveal());
  if (!source.basic_password.empty()) hide(text, basic_credentials(source));
  for (const auto& [name, value] : source.headers) hide(text, value.reveal());
  // http://user:password@host
  const auto begin = source.url.find("://");
  const auto end = source.url.find('@');
  if (begin != std::string::npos && end != std::string::npos)
    hide(text, source.url.substr(begin + 3, end - begin - 3));
  return text;
}

}  // namespace rollwatch
