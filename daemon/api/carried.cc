#include "daemon/api/carried.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;
using Pairs = std::vector<std::pair<std::string, std::string>>;

// Bytes that are no UTF-8 cannot have been part of a request that is worth carrying.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class Read>
auto read_text(const std::string& text, Read read_json) {
  try {
    return read_json(Json::parse(text));
  } catch (const Json::exception& error) {
    throw std::runtime_error(std::string("what came from the other node cannot be read: ") +
                             error.what());
  }
}

bool is_secret(const Headers::value_type& header) {
  return header.first == "authorization" || header.first == "proxy-authorization" ||
         header.first == "cookie";
}

}  // namespace

std::string request_text(const ServerRequest& request) {
  Headers headers = request.headers;
  std::erase_if(headers, is_secret);
  return text_of({{"method", request.method},
                  {"path", request.path},
                  {"segments", request.segments},
                  {"query", request.query},
                  {"headers", std::move(headers)},
                  {"body", request.body},
                  {"caller", request.caller},
                  {"peer", request.peer}});
}

ServerRequest read_request_text(const std::string& text) {
  return read_text(text, [](const Json& json) {
    ServerRequest request;
    request.method = json.at("method").get<std::string>();
    request.path = json.at("path").get<std::string>();
    request.segments = json.at("segments").get<std::vector<std::string>>();
    request.query = json.at("query").get<Pairs>();
    request.headers = json.at("headers").get<Pairs>();
    request.body = json.at("body").get<std::string>();
    request.peer = json.at("peer").get<std::string>();
    request.caller = json.at("caller").get<std::string>();
    read_caller_text(request.caller);  // throws if it is none
    request.carried = true;
    return request;
  });
}

std::string caller_text(const Caller& caller) {
  return text_of({{"name", caller.name},
                  {"token", caller.token},
                  {"address", caller.address},
                  {"scopes", caller.scopes},
                  {"namespaces", caller.namespaces}});
}

Caller read_caller_text(const std::string& text) {
  return read_text(text, [](const Json& json) {
    Caller caller;
    caller.name = json.at("name").get<std::string>();
    caller.token = json.at("token").get<std::string>();
    caller.address = json.at("address").get<std::string>();
    caller.scopes = json.at("scopes").get<std::vector<Scope>>();
    caller.namespaces = json.at("namespaces").get<std::vector<std::string>>();
    return caller;
  });
}

std::string response_text(const ServerResponse& response) {
  return text_of(
      {{"status", response.status}, {"headers", response.headers}, {"body", response.body}});
}

ServerResponse read_response_text(const std::string& text) {
  return read_text(text, [](const Json& json) {
    ServerResponse response;
    response.status = json.at("status").get<int>();
    response.headers = json.at("headers").get<Pairs>();
    response.body = json.at("body").get<std::string>();
    return response;
  });
}

}  // namespace rollwatch
