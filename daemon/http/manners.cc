#include "daemon/http/manners.h"

#include <fmt/format.h>
#include <zlib.h>  // ZLIB_CONST: what it reads is const

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>

namespace rollwatch {
namespace {

constexpr std::size_t kWorthIt = 1024;
// zlib takes this long a second on our one thread for some 50 MB.
constexpr std::size_t kTooMuch = 8 * 1024 * 1024;
constexpr std::size_t kLongestId = 128;

bool is_sane(std::string_view id) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-_.:/+=@").find(c) != std::string_view::npos;
  };
  return !id.empty() && id.size() <= kLongestId && std::ranges::all_of(id, fits);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// Takes the part before `separator` off.
std::string_view next_part(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return trimmed(part);
}

// "q=0", "q=0.000": not at all.
bool is_refused(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string parameter = lower_case(next_part(parameters, ';'));
    if (parameter.starts_with("q="))
      return parameter.find_first_not_of("0.", 2) == std::string::npos;
  }
  return false;
}

bool is_text(const ServerResponse& response) {
  for (const auto& [name, value] : response.headers)
    if (name == "Content-Type")
      return value.starts_with("application/json") ||
             value.starts_with("application/problem+json") || value.starts_with("text/");
  return false;
}

bool is_encoded(const ServerResponse& response) {
  return std::ranges::find(response.headers, "Content-Encoding", &Headers::value_type::first) !=
         response.headers.end();
}

std::optional<std::string> gzipped(const std::string& text) {
  constexpr int kGzip = 16 + MAX_WBITS;
  constexpr int kMemory = 8;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
    return std::nullopt;
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<const Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int end = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (end != Z_STREAM_END) return std::nullopt;
  return packed;
}

// The compressed bytes are not those that a strong tag names.
void weaken_etag(Headers& headers) {
  for (auto& [name, value] : headers)
    if (name == "ETag" && !value.starts_with("W/")) value = "W/" + value;
}

}  // namespace

std::string new_request_id() {
  static const std::uint64_t process = [] {
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32U) | device();
  }();
  static std::uint64_t count = 0;
  return fmt::format("{:016x}-{:x}", process, ++count);
}

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<bool> named, any;
  while (!accept_encoding.empty()) {
    std::string_view coding = next_part(accept_encoding, ',');
    const std::string name = lower_case(next_part(coding, ';'));
    if (name == "gzip" || name == "x-gzip") named = !is_refused(coding);
    if (name == "*") any = !is_refused(coding);
  }
  return named.value_or(any.value_or(false));
}

Manners::Manners(ServerRequest& request)
    : accepts_gzip_(accepts_gzip(request.header("accept-encoding").value_or(""))) {
  const auto given = request.header("x-request-id");
  request_id_ = given && is_sane(*given) ? std::string(*given) : new_request_id();
  std::erase_if(request.headers, [](const auto& header) { return header.first == "x-request-id"; });
  request.headers.emplace_back("x-request-id", request_id_);
}

void Manners::finish(ServerResponse& response) const {
  response.headers.emplace_back("X-Request-Id", request_id_);
  if (response.stream || is_encoded(response) || response.body.size() <= kWorthIt ||
      response.body.size() > kTooMuch || !is_text(response))
    return;
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (!accepts_gzip_) return;
  auto packed = gzipped(response.body);
  if (!packed || packed->size() >= response.body.size()) return;
  response.body = std::move(*packed);
  response.headers.emplace_back("Content-Encoding", "gzip");
  weaken_etag(response.headers);
}

}  // namespace rollwatch
