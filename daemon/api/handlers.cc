#include "daemon/api/handlers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "daemon/api/views.h"

namespace rollwatch {

awaitable<RolloutView> find_rollout(const ApiContext& context, const Call& call) {
  const std::string& id = call.parameter("id");
  auto view = co_await context.service.find(id);
  if (!view || !call.caller.sees(view->spec.ns))
    throw Refusal{{404, fmt::format("there is no rollout \"{}\"", id)}};
  co_return std::move(*view);
}

awaitable<void> check_delivery(const ApiContext& context, const Call& call) {
  if (call.caller.namespaces.empty()) co_return;
  const std::string& id = call.parameter("id");
  const auto delivery = co_await context.service.delivery(id);
  if (delivery) {
    const auto view = co_await context.service.find(delivery->rollout);
    if (view && call.caller.sees(view->spec.ns)) co_return;
  }
  throw Refusal{{404, fmt::format("there is no delivery \"{}\"", id)}};
}

ServerResponse json_response(int status, const nlohmann::ordered_json& body) {
  ServerResponse response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
  response.body = dump(body) + "\n";
  return response;
}

std::string tag_of(std::string_view bytes) {
  constexpr std::size_t kBytes = 8;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return fmt::format("\"{:02x}\"", fmt::join(digest.begin(), digest.begin() + kBytes, ""));
}

ServerResponse tagged(const Call& call, ServerResponse response) {
  const std::string tag = tag_of(response.body);
  std::erase_if(response.headers,
                [](const auto& header) { return header.first == "Cache-Control"; });
  response.headers.emplace_back("Cache-Control", "no-cache");
  response.headers.emplace_back("ETag", tag);
  if (!etag_listed(call.request.header("if-none-match").value_or(""), tag)) return response;
  response.status = 304;
  response.body.clear();
  std::erase_if(response.headers,
                [](const auto& header) { return header.first == "Content-Type"; });
  return response;
}

ServerResponse tagged_response(const Call& call, const nlohmann::ordered_json& body) {
  return tagged(call, json_response(200, body));
}

ServerResponse text_response(int status, std::string text) {
  ServerResponse response;
  response.status = status;
  response.headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-cache"}};
  response.body = std::move(text);
  return response;
}

ServerResponse rollout_response(int status, const RolloutView& view) {
  ServerResponse response = json_response(status, rollout_json(view));
  response.headers.emplace_back("ETag", etag_of(view));
  return response;
}

std::string Call::traceparent() const {
  constexpr std::string_view kShape = "00-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
  constexpr std::size_t kTrace = 3, kTraceEnd = 35, kSpan = 36, kSpanEnd = 52;
  const std::string_view given = request.header("traceparent").value_or("");
  if (given.size() != kShape.size()) return "";
  for (std::size_t i = 0; i < given.size(); ++i) {
    const bool is_hex =
        (given[i] >= '0' && given[i] <= '9') || (given[i] >= 'a' && given[i] <= 'f');
    if (kShape[i] == 'x' ? !is_hex : given[i] != kShape[i]) return "";
  }
  const auto is_zero = [&](std::size_t begin, std::size_t end) {
    return given.substr(begin, end - begin).find_first_not_of('0') == std::string_view::npos;
  };
  if (is_zero(kTrace, kTraceEnd) || is_zero(kSpan, kSpanEnd)) return "";
  return std::string(given);
}

bool etag_listed(std::string_view header, std::string_view etag) {
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(','), header.size());
    std::string_view tag = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    while (tag.starts_with(' ') || tag.starts_with('\t')) tag.remove_prefix(1);
    while (tag.ends_with(' ') || tag.ends_with('\t')) tag.remove_suffix(1);
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == "*" || tag == etag) return true;
  }
  return false;
}

}  // namespace rollwatch
