#include "daemon/api/api.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/api/foreign.h"

namespace rollwatch {
namespace {

ServerResponse refused(int status, std::string detail) {
  return problem_response(Problem{status, std::move(detail)});
}

ServerResponse store_away(const std::string& line, const StoreError& error) {
  spdlog::warn("{}: the store is away: {}", line, error.what());
  if (error.is_uncertain())
    return refused(504,
                   "the store went away while this was being recorded; it may have been done all "
                   "the same, or a part of it: look before you try again");
  ServerResponse response = refused(503, "the store is away; nothing was changed, try again");
  response.headers.emplace_back("Retry-After", "5");
  return response;
}

std::string_view scope_name(Scope scope) {
  switch (scope) {
    case Scope::kRead:
      return "read";
    case Scope::kRegister:
      return "register";
    case Scope::kDecide:
      return "decide";
    case Scope::kAdmin:
      return "admin";
  }
  return "";
}

// Without tokens everybody who can reach the server is the operator.
Caller caller_of(const ServerRequest& request) {
  Caller caller;
  caller.address = request.peer;
  return caller;
}

}  // namespace

RouteMatch match_route(std::span<const Route> routes, std::string_view method,
                       const std::vector<std::string>& segments) {
  RouteMatch match;
  for (const Route& route : routes) {
    std::map<std::string, std::string, std::less<>> parameters;
    std::string_view rest = route.pattern.substr(1);
    std::size_t used = 0;
    bool fits = true;
    while (fits && !rest.empty()) {
      const std::size_t end = std::min(rest.find('/'), rest.size());
      const std::string_view part = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      fits = used < segments.size();
      if (!fits) break;
      const std::string& segment = segments[used++];
      if (part.starts_with('{')) {
        fits = !segment.empty();
        parameters.emplace(part.substr(1, part.size() - 2), segment);
      } else {
        fits = part == segment;
      }
    }
    if (!fits || used != segments.size()) continue;
    match.pattern = route.pattern;
    match.allowed.emplace_back(route.method);
    if (route.method == "GET") match.allowed.emplace_back("HEAD");
    if (route.method != method && !(route.method == "GET" && method == "HEAD")) continue;
    match.route = &route;
    match.parameters = std::move(parameters);
  }
  if (!match.allowed.empty()) match.allowed.emplace_back("OPTIONS");
  return match;
}

Api::Api(ApiContext context, std::span<const Route> routes)
    : context_(std::move(context)), routes_(routes) {}

awaitable<ServerResponse> Api::answer(ServerRequest request) {
  std::string line = request.method + " " + request.path;
  if (const auto id = request.header("x-request-id")) line += fmt::format(" [{}]", *id);
  RouteMatch match = match_route(routes_, request.method, request.segments);
  ServerResponse response;
  // Once more if the node that had it is gone: it may be ours by now.
  for (int again = 0; again < 2; ++again) {
    std::optional<Place> elsewhere;
    try {
      ServerRequest copy = request;
      response = co_await dispatch(std::move(copy), match);
    } catch (const Refusal& refusal) {
      response = problem_response(refusal.problem);
    } catch (const NotHere& error) {
      response = refused(503, std::string(error.what()) +
                                  ", which does not answer; nothing was changed, try again");
      response.headers.emplace_back("Retry-After", "5");
      elsewhere = error.place;
    } catch (const StoreError& error) {
      response = store_away(line, error);
    }
    if (!elsewhere || request.carried) break;
    auto answered = co_await answer_of_owner(line, *elsewhere, request);
    if (!answered) continue;
    answered->route = match.pattern;
    co_return std::move(*answered);
  }
  response.route = match.pattern;
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  spdlog::debug("{} {}", line, response.status);
  co_return response;
}

awaitable<std::optional<ServerResponse>> Api::answer_of_owner(const std::string& line, Place place,
                                                              const ServerRequest& request) {
  try {
    co_return co_await context_.ask_owner(place, request);
  } catch (const NoAnswer& error) {
    spdlog::warn("{}: {}", line, error.what());
    co_return refused(504, "the node that has " + place.ns + "/" + place.service + " in " +
                               place.target +
                               " did not answer; it may have been done all the same: look before "
                               "you try again");
  } catch (const StoreError& error) {
    co_return store_away(line, error);
  }
}

awaitable<ServerResponse> Api::dispatch(ServerRequest request, const RouteMatch& match) {
  if (const auto foreign =
          request.carried ? std::nullopt : foreign_problem(request, context_.external_url()))
    co_return problem_response(*foreign);
  if (match.allowed.empty())
    co_return refused(404, fmt::format("there is nothing at {}", request.path));
  const std::string allowed = fmt::format("{}", fmt::join(match.allowed, ", "));
  ServerResponse response;
  if (request.method == "OPTIONS") {
    response.status = 204;
    response.headers.emplace_back("Allow", allowed);
    co_return response;
  }
  if (match.route == nullptr) {
    response =
        refused(405, fmt::format("{} is not possible here, only {}", request.method, allowed));
    response.headers.emplace_back("Allow", allowed);
    co_return response;
  }
  Call call;
  call.caller = caller_of(request);
  call.request = std::move(request);
  call.parameters = match.parameters;
  if (!call.caller.may(match.route->scope))
    co_return refused(403, fmt::format("the token \"{}\" lacks the scope \"{}\"", call.caller.name,
                                       scope_name(match.route->scope)));
  co_return co_await match.route->handler(context_, call);
}

}  // namespace rollwatch
