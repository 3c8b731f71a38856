#include "daemon/api/foreign.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/api/cors.h"
#include "daemon/http/server.h"

namespace rollwatch {
namespace {

// "http://host:1/x" → "host:1", in lower case.
std::string authority_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return "";
  url.remove_prefix(scheme + 3);
  return lower_case(url.substr(0, url.find('/')));
}

bool changes_nothing(const std::string& method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

std::optional<Problem> host_problem(const ServerRequest& request, const std::string& external) {
  const auto hosts = std::ranges::count(request.headers, "host", &Headers::value_type::first);
  if (hosts == 0) return std::nullopt;
  if (hosts > 1) return Problem{400, "the request has more than one Host"};
  const std::string host = lower_case(*request.header("host"));
  const std::string name = split_host_port(host).first;
  if (is_loopback_host(name) || (!external.empty() && name == split_host_port(external).first))
    return std::nullopt;
  return Problem{421,
                 fmt::format("this server is not \"{}\"; if it should answer to that name, set "
                             "external_url in [server]",
                             host)};
}

}  // namespace

std::optional<Problem> foreign_problem(const ServerRequest& request, const ServerSettings& server,
                                       const std::string& external_url) {
  const std::string external = authority_of(external_url);
  if (server.tokens.empty())
    if (auto problem = host_problem(request, external)) return problem;
  if (changes_nothing(request.method) || is_listed_origin(request, server.cors_origins))
    return std::nullopt;
  const Problem refused{403, "a page of another site may not do this"};
  if (request.header("sec-fetch-site").value_or("none") == "cross-site") return refused;
  const auto origin = request.header("origin");
  if (!origin) return std::nullopt;
  const std::string from = authority_of(*origin);
  const std::string here = lower_case(request.header("host").value_or(""));
  if (!from.empty() && (from == here || from == external)) return std::nullopt;
  return refused;
}

}  // namespace rollwatch
