#include "notifiers/order_request.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "notifiers/json_number.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

Expected<OrderTemplate, std::string> parse(std::string_view text) {
  return OrderTemplate::parse(text);
}

// ---- JSON whose strings are templates ----

// The first string that is no template, as a sentence.
std::optional<std::string> json_problem(const Json& value) {
  if (value.is_structured()) {
    for (const auto& item : value.items())
      if (auto problem = json_problem(item.value())) return problem;
    return std::nullopt;
  }
  if (!value.is_string()) return std::nullopt;
  const auto text = parse(value.get_ref<const std::string&>());
  return text ? std::nullopt : std::optional(text.error());
}

// A value stays inside its string, whatever it holds; a number that stands alone becomes one.
std::optional<std::string> fill(Json& value, const TemplateValues& values) {
  if (value.is_structured()) {
    for (Json& item : value)
      if (auto problem = fill(item, values)) return problem;
    return std::nullopt;
  }
  if (!value.is_string()) return std::nullopt;
  const auto text = parse(value.get_ref<const std::string&>());
  const auto filled = text->render(values);
  if (!filled) return filled.error();
  double number = 0;
  const char* const end = filled->data() + filled->size();
  const bool counts = is_number_variable(text->lone_variable()) &&
                      std::from_chars(filled->data(), end, number).ptr == end;
  value = counts ? json_number(number) : Json(*filled);
  return std::nullopt;
}

// An object: pointer → value.
Expected<Json, std::string> parse_expectations(const std::string& text) {
  Json wanted = Json::parse(text, nullptr, false);
  if (!wanted.is_object())
    return Unexpected(std::string("must be a table of JSON pointers and values"));
  for (const auto& item : wanted.items()) {
    try {
      const Json::json_pointer pointer(item.key());
    } catch (const Json::exception&) {
      return Unexpected("\"" + item.key() +
                        "\" is no JSON pointer; write one such as \"/status/phase\"");
    }
    if (item.value().is_structured())
      return Unexpected(std::string("compares with a string, a number or true and false"));
  }
  if (auto problem = json_problem(wanted)) return Unexpected(*problem);
  return wanted;
}

// The first that the state does not show, as a sentence; nothing if it shows them all.
Expected<std::optional<std::string>, std::string> first_difference(Json wanted, const Json& state,
                                                                   const TemplateValues& values) {
  if (auto problem = fill(wanted, values)) return Unexpected(*problem);
  for (const auto& item : wanted.items()) {
    const Json::json_pointer pointer(item.key());
    const Json seen = state.contains(pointer) ? state.at(pointer) : Json(nullptr);
    if (seen == item.value()) continue;
    return std::optional(item.key() + " is " +
                         seen.dump(-1, ' ', false, Json::error_handler_t::replace) + ", not " +
                         item.value().dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return std::optional<std::string>();
}

// ---- Addresses ----

// As one segment of a path or one value of a query: everything but RFC 3986's unreserved
// characters.
std::string url_encoded(const std::string& value) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string text;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      text += c;
    } else {
      text.append({'%', kHex[byte >> 4U], kHex[byte & 15U]});
    }
  }
  return text;
}

Expected<Secret, std::string> render_url(const OrderTemplate& url, const TemplateValues& values) {
  for (const std::string& name : url.variables()) {
    const auto value = values.find(name);
    if (value != values.end() && (value->second == "." || value->second == ".."))
      return Unexpected("{{" + name + "}} is \"" + value->second +
                        "\", which is no part of a path");
  }
  auto text = url.render(values, url_encoded);
  if (!text) return Unexpected(text.error());
  return Secret(std::move(*text));
}

using HeaderTemplates = std::vector<std::pair<std::string, OrderTemplate>>;

Expected<HeaderTemplates, ShapeProblem> parse_headers(
    const std::vector<std::pair<std::string, Secret>>& headers) {
  HeaderTemplates parsed;
  for (const auto& [name, text] : headers) {
    auto header = parse(text.reveal());
    if (!header) return Unexpected(ShapeProblem{"headers." + name, header.error()});
    parsed.emplace_back(name, std::move(*header));
  }
  return parsed;
}

// URL and headers.
Expected<RenderedRequest, std::string> render_head(std::string method, const OrderTemplate& url,
                                                   const HeaderTemplates& headers,
                                                   const TemplateValues& values) {
  RenderedRequest request;
  request.method = std::move(method);
  auto address = render_url(url, values);
  if (!address) return Unexpected(address.error());
  request.url = std::move(*address);
  for (const auto& [name, text] : headers) {
    auto value = text.render(values);
    if (!value) return Unexpected(value.error());
    // What could end the header could begin another one.
    const bool one_line = std::none_of(value->begin(), value->end(),
                                       [](unsigned char c) { return c < 0x20 || c == 0x7F; });
    if (!one_line) return Unexpected("the header " + name + " would have more than one line");
    request.headers.emplace_back(name, Secret(std::move(*value)));
  }
  return request;
}

bool names(const std::vector<int>& statuses, int status) {
  return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

}  // namespace

struct OrderRequest::Parts {
  std::string method;
  OrderTemplate url;
  HeaderTemplates headers;
  Json body;     // null: none
  Json already;  // null: it is not looked for
  std::vector<int> done, refused, retry;
  bool wait_for_ack = false;
  bool url_is_secret = false, body_is_secret = false;
};

struct TargetLook::Parts {
  OrderTemplate url;
  HeaderTemplates headers;
  Json only_if;  // null: none
};

Expected<OrderRequest, ShapeProblem> OrderRequest::make(const RequestShape& shape) {
  auto parts = std::make_shared<Parts>();
  parts->method = shape.method;
  auto url = parse(shape.url.reveal());
  if (!url) return Unexpected(ShapeProblem{"url", url.error()});
  if (!url->host_is_fixed()) return Unexpected(ShapeProblem{"url", std::string(kHostMustBeFixed)});
  parts->url = std::move(*url);
  auto headers = parse_headers(shape.headers);
  if (!headers) return Unexpected(headers.error());
  parts->headers = std::move(*headers);
  if (!shape.body.empty()) {
    parts->body = Json::parse(shape.body, nullptr, false);
    if (parts->body.is_discarded()) return Unexpected(ShapeProblem{"body", "is not JSON"});
    if (auto problem = json_problem(parts->body)) return Unexpected(ShapeProblem{"body", *problem});
  }
  if (!shape.already.empty()) {
    auto wanted = parse_expectations(shape.already);
    if (!wanted) return Unexpected(ShapeProblem{"already", wanted.error()});
    parts->already = std::move(*wanted);
  }
  parts->done = shape.done;
  parts->refused = shape.refused;
  parts->retry = shape.retry;
  parts->wait_for_ack = shape.wait_for_ack;
  parts->url_is_secret = shape.url_is_secret;
  parts->body_is_secret = shape.body_is_secret;
  OrderRequest request;
  request.parts_ = std::move(parts);
  return request;
}

Expected<RenderedRequest, std::string> OrderRequest::render(const TemplateValues& values) const {
  auto request = render_head(parts_->method, parts_->url, parts_->headers, values);
  if (!request) return request;
  if (!parts_->body.is_null()) {
    Json body = parts_->body;
    if (auto problem = fill(body, values)) return Unexpected(*problem);
    request->body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return request;
}

Ruling OrderRequest::rule(const Reply& reply, SysTime now) const {
  if (names(parts_->done, reply.status)) return {ReplyEnd::kDone, {}, {}};
  if (names(parts_->refused, reply.status)) return {ReplyEnd::kRefused, {}, {}};
  Ruling ruling = rule_on_order(reply, now);
  if (names(parts_->retry, reply.status)) {
    ruling = {};
    if (reply.retry_after) ruling.retry_after = parse_retry_after(*reply.retry_after, now);
  }
  // Few APIs mean by 202 that they will call back.
  if (ruling.end == ReplyEnd::kAccepted && !parts_->wait_for_ack) ruling.end = ReplyEnd::kDone;
  return ruling;
}

std::string OrderRequest::shown_url(const Secret& rendered) const {
  const std::string& url = rendered.reveal();
  if (!parts_->url_is_secret) return url;
  const std::size_t host = url.find("://");
  const std::size_t path = url.find_first_of("/?", host == std::string::npos ? 0 : host + 3);
  return path == std::string::npos ? url : url.substr(0, path) + "/…";
}

std::string OrderRequest::shown_body(const std::string& rendered) const {
  return parts_->body_is_secret ? "…" : rendered;
}

Expected<TargetLook, ShapeProblem> TargetLook::make(const LookShape& shape) {
  auto parts = std::make_shared<Parts>();
  auto url = parse(shape.url.reveal());
  if (!url) return Unexpected(ShapeProblem{"url", url.error()});
  if (!url->host_is_fixed()) return Unexpected(ShapeProblem{"url", std::string(kHostMustBeFixed)});
  parts->url = std::move(*url);
  auto headers = parse_headers(shape.headers);
  if (!headers) return Unexpected(headers.error());
  parts->headers = std::move(*headers);
  if (!shape.only_if.empty()) {
    auto wanted = parse_expectations(shape.only_if);
    if (!wanted) return Unexpected(ShapeProblem{"only_if", wanted.error()});
    parts->only_if = std::move(*wanted);
  }
  TargetLook look;
  look.parts_ = std::move(parts);
  return look;
}

Expected<RenderedRequest, std::string> TargetLook::render(const TemplateValues& values) const {
  return render_head("GET", parts_->url, parts_->headers, values);
}

Expected<Sight, std::string> TargetLook::judge(const OrderRequest& request,
                                               const std::string& state,
                                               const TemplateValues& values) const {
  const Json seen = Json::parse(state, nullptr, false);
  if (seen.is_discarded()) return Unexpected(std::string("what it answered is not JSON"));
  Sight sight;
  // First, so that the repeat of an order whose answer was lost is not taken for somebody else's
  // work.
  if (!request.parts_->already.is_null()) {
    auto difference = first_difference(request.parts_->already, seen, values);
    if (!difference) return Unexpected(difference.error());
    if (!*difference) {
      sight.says = Sight::Says::kAlreadySo;
      return sight;
    }
  }
  if (!parts_->only_if.is_null()) {
    auto difference = first_difference(parts_->only_if, seen, values);
    if (!difference) return Unexpected(difference.error());
    if (*difference) {
      sight.says = Sight::Says::kNotOurs;
      sight.why = **difference;
    }
  }
  return sight;
}

TemplateValues order_values(const RolloutSpec& spec, const OrderFacts& order,
                            const std::string& external_url) {
  TemplateValues values;
  values["namespace"] = spec.ns;
  values["service"] = spec.service;
  values["target"] = spec.target;
  values["candidate"] = spec.candidate;
  values["stable"] = spec.stable;
  values["rollout"] = spec.id;
  values["weight"] = json_number(order.weight).dump();
  values["stable_weight"] = json_number(100 - order.weight).dump();
  values["kind"] = order.kind;
  values["order"] = order.id;
  values["fence"] = std::to_string(order.fence);
  const Json payload = Json::parse(order.payload, nullptr, false);
  const auto text_of = [&payload](const char* pointer) -> std::string {
    const Json::json_pointer at(pointer);
    if (!payload.is_object() || !payload.contains(at)) return {};
    const Json& value = payload.at(at);
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  values["step"] = text_of("/step");
  values["reason"] = text_of("/reason/summary");
  values["by"] = text_of("/reason/by");
  values["explain_url"] = explain_url(external_url, spec.id, text_of("/reason/decision"));
  for (const auto& [name, value] : spec.labels) values["labels." + name] = value;
  for (const auto& [name, value] : spec.args) values["args." + name] = value;
  return values;
}

}  // namespace rollwatch
