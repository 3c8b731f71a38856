#include "daemon/delivery/request_driver.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "daemon/net/fail_point.h"
#include "notifiers/text.h"

namespace rollwatch {
namespace {

// Of a target's state that is read: a Kubernetes object with its managed fields, and to spare.
constexpr std::size_t kStateLimit = 4U << 20U;

SendResult ended(SendEnd end, SysTime at, std::string error) {
  SendResult result;
  result.end = end;
  result.attempt.at = at;
  result.attempt.error = std::move(error);
  return result;
}

OrderFacts facts_of(const OrderMessage& order) {
  OrderFacts facts;
  facts.id = order.delivery.id;
  facts.kind = order.delivery.kind;
  facts.weight = order.delivery.weight;
  facts.fence = order.delivery.fence;
  facts.expires_at = order.delivery.expires_at;
  facts.payload = order.delivery.payload;
  return facts;
}

bool has_header(const std::vector<std::pair<std::string, Secret>>& headers, std::string_view name) {
  return std::ranges::any_of(headers, [&](const auto& header) {
    return std::ranges::equal(
        header.first, name, [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
  });
}

}  // namespace

RequestDriver::RequestDriver(HttpSend http, Clock& clock, RequestTarget target,
                             Originator originator)
    : http_(std::move(http)),
      clock_(clock),
      target_(std::move(target)),
      originator_(std::move(originator)) {}

const OrderRequest* RequestDriver::request_of(const std::string& kind) const {
  const auto found = target_.requests.find(kind);
  return found == target_.requests.end() ? nullptr : &found->second;
}

TemplateValues RequestDriver::values_of(const OrderMessage& order) const {
  return order_values(order.spec, facts_of(order), originator_.external_url);
}

std::optional<HttpRequest> RequestDriver::prepared(RenderedRequest rendered,
                                                   std::string& problem) const {
  HttpRequest request;
  request.method = std::move(rendered.method);
  request.url = std::move(rendered.url);
  request.headers = std::move(rendered.headers);
  request.body = std::move(rendered.body);
  request.timeout = target_.timeout;
  request.tls = target_.tls;
  request.headers.emplace_back("user-agent", Secret(originator_.user_agent));
  if (!request.body.empty() && !has_header(request.headers, "content-type"))
    request.headers.emplace_back("content-type", Secret("application/json"));
  if (!target_.bearer_token_file.empty()) {
    std::ifstream file(target_.bearer_token_file, std::ios::binary);
    std::string token(std::istreambuf_iterator<char>(file), {});
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
    const bool one_line =
        std::ranges::none_of(token, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
    if (token.empty() || !one_line) {
      problem = "bearer_token_file " + target_.bearer_token_file +
                " cannot be read, or does not hold one line";
      return std::nullopt;
    }
    request.headers.emplace_back("authorization", Secret("Bearer " + token));
  }
  return request;
}

awaitable<std::optional<SendResult>> RequestDriver::look(const OrderMessage& order) {
  const OrderRequest* const kind = request_of(order.delivery.kind);
  const SysTime at = clock_.wall();
  if (kind == nullptr) {
    SendResult nothing = ended(SendEnd::kDone, at, {});
    nothing.attempt.answer = "nothing is sent for this kind of order";
    co_return nothing;
  }
  if (!target_.look) co_return std::nullopt;
  const TemplateValues values = values_of(order);
  auto rendered = target_.look->render(values);
  // What cannot be rendered will not be at the next attempt either.
  if (!rendered) co_return ended(SendEnd::kRefused, at, "nothing was sent: " + rendered.error());
  const Secret url = rendered->url;
  std::string problem;
  auto request = prepared(std::move(*rendered), problem);
  if (!request) co_return ended(SendEnd::kRetry, at, "nothing was sent: " + problem);
  request->max_answer = kStateLimit;
  HttpResponse response = co_await http_(std::move(*request));
  const std::string state = response.body;
  // Judged as every answer is, for its words and times; only a 200 has a state.
  SendResult read =
      judge_answer(std::move(response), url, at, clock_.wall(),
                   [](const Reply& reply, SysTime now) { return rule_on_order(reply, now); });
  constexpr int kOk = 200;
  if (read.attempt.status != kOk) {
    read.end = SendEnd::kRetry;
    read.attempt.error = "nothing was sent: the target could not be read" +
                         (read.attempt.error.empty() ? "" : ": " + read.attempt.error);
    co_return read;
  }
  const auto sight = target_.look->judge(*kind, state, values);
  if (!sight)
    co_return ended(SendEnd::kRetry, at, "nothing was sent: the target was read: " + sight.error());
  if (sight->says == Sight::Says::kSend) co_return std::nullopt;
  read.attempt.answer.clear();
  if (sight->says == Sight::Says::kAlreadySo) {
    read.end = SendEnd::kDone;
    read.attempt.answer = "already so, nothing was sent";
  } else {
    read.end = SendEnd::kRefused;
    read.attempt.answer = clean_utf8(
        "nothing was sent, the target is somebody else's by now: " + sight->why, kAnswerKept);
  }
  co_return read;
}

awaitable<SendResult> RequestDriver::send(const OrderMessage& order) {
  const SysTime at = clock_.wall();
  const OrderRequest* const kind = request_of(order.delivery.kind);
  if (kind == nullptr) co_return ended(SendEnd::kDone, at, {});
  auto rendered = kind->render(values_of(order));
  if (!rendered) co_return ended(SendEnd::kRefused, at, "nothing was sent: " + rendered.error());
  const Secret url = rendered->url;
  std::string problem;
  auto request = prepared(std::move(*rendered), problem);
  if (!request) co_return ended(SendEnd::kRetry, at, "nothing was sent: " + problem);
  request->max_answer = kAnswerKept;
  request->truncate = true;
  HttpResponse response = co_await http_(std::move(*request));
  fail_point("after_send");
  co_return judge_answer(
      std::move(response), url, at, clock_.wall(),
      [kind](const Reply& reply, SysTime now) { return kind->rule(reply, now); });
}

awaitable<Looked> RequestDriver::confirm(const OrderMessage&) { co_return Looked::kUnknown; }

OrderPreview RequestDriver::preview(const OrderMessage& order) const {
  OrderPreview preview;
  const OrderRequest* const kind = request_of(order.delivery.kind);
  if (kind == nullptr) {
    preview.note = "nothing is sent for this kind of order; it counts as done";
    return preview;
  }
  const auto rendered = kind->render(values_of(order));
  if (!rendered) {
    preview.note = "would be refused: " + rendered.error();
    return preview;
  }
  preview.method = rendered->method;
  preview.url = kind->shown_url(rendered->url);
  for (const auto& [name, value] : rendered->headers) preview.headers.push_back(name);
  if (!rendered->body.empty() && !has_header(rendered->headers, "content-type"))
    preview.headers.emplace_back("content-type");
  if (!target_.bearer_token_file.empty()) preview.headers.emplace_back("authorization");
  preview.body = kind->shown_body(rendered->body);
  if (target_.look) preview.note = "the target is read first";
  return preview;
}

}  // namespace rollwatch
