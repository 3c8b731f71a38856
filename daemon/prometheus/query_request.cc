#include "daemon/prometheus/query_request.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <cstdlib>

#include "analysis/text.h"

namespace rollwatch {

namespace {

// Servers and proxies take 8 KiB and more; some logs and firewalls do not.
constexpr std::size_t kLongestAddress = 1500;

constexpr std::array<bool, 256> plain_bytes() {
  std::array<bool, 256> plain{};
  for (const char c :
       std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"))
    plain[static_cast<unsigned char>(c)] = true;
  return plain;
}

void append_percent_encoded(std::string& to, std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  static constexpr auto kPlain = plain_bytes();
  const std::size_t before = to.size();
  to.resize(before + 3 * text.size());
  char* at = to.data() + before;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlain[byte]) {
      *at++ = c;
    } else {
      *at++ = '%';
      *at++ = kHex[byte >> 4];
      *at++ = kHex[byte & 15];
    }
  }
  to.resize(static_cast<std::size_t>(at - to.data()));
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

QueryEncoder::QueryEncoder(const Datasource& source, const BaseUrl& server)
    : target_(server.path + "/api/v1/query"),
      headers_("Host: " + server.header + "\r\nUser-Agent: rollwatch\r\nAccept: */*\r\n") {
  const auto add = [this](const std::string& name, const std::string& value) {
    headers_ += name + ": " + value + "\r\n";
  };
  for (const auto& [name, value] : source.headers) add(name, value.reveal());
  if (!source.bearer_token.empty())
    add("Authorization", "Bearer " + source.bearer_token.reveal());
  else if (!source.basic_username.empty() || !source.basic_password.empty())
    add("Authorization", "Basic " + basic_credentials(source));
}

std::string QueryEncoder::request(std::string_view query, SysTime time, Millis timeout) const {
  return written(target_, query, "&time=" + unix_seconds(time), timeout);
}

std::string QueryEncoder::range_request(std::string_view query, SysTime first, SysTime last,
                                        Millis step, Millis timeout) const {
  const std::string when = "&start=" + unix_seconds(first) + "&end=" + unix_seconds(last) +
                           "&step=" + unix_seconds(SysTime(step));
  return written(target_ + "_range", query, when, timeout);
}

std::string QueryEncoder::written(const std::string& target, std::string_view query,
                                  const std::string& when, Millis timeout) const {
  constexpr std::string_view kGet = "GET ";
  std::string bytes;
  bytes.reserve(3 * query.size() + target.size() + headers_.size() + 120);
  bytes.append(kGet).append(target).append("?query=");
  append_percent_encoded(bytes, query);
  // nocache: VictoriaMetrics would otherwise evaluate up to 30 s earlier than asked, and not say
  // so.
  bytes.append(when).append("&timeout=");
  bytes.append(std::to_string(timeout.count())).append("ms&nocache=1");
  if (bytes.size() - kGet.size() <= kLongestAddress)
    return bytes.append(" HTTP/1.1\r\n").append(headers_).append("\r\n");

  const std::string form = bytes.substr(kGet.size() + target.size() + 1);
  bytes.assign("POST ").append(target).append(" HTTP/1.1\r\n").append(headers_);
  bytes.append("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ");
  return bytes.append(std::to_string(form.size())).append("\r\n\r\n").append(form);
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
