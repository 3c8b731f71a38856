#include "daemon/api/api.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/api/carried.h"
#include "daemon/api/cors.h"
#include "daemon/api/foreign.h"
#include "daemon/api/guarded_body.h"
#include "daemon/api/handlers.h"
#include "daemon/api/page_routes.h"

namespace rollwatch {
namespace {

ServerResponse refused(int status, std::string detail) {
  return problem_response(Problem{status, std::move(detail)});
}

std::optional<TokenSettings> token_named(const std::vector<TokenSettings>& tokens,
                                         const std::string& name) {
  const auto found = std::ranges::find(tokens, name, &TokenSettings::name);
  return found == tokens.end() ? std::nullopt : std::optional(*found);
}

// What it is in the log.
std::string line_of(const ServerRequest& request) {
  std::string line = request.method + " " + request.path;
  if (const auto id = request.header("x-request-id")) line += fmt::format(" [{}]", *id);
  return line;
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

namespace {

// In the second table what is not in the first.
RouteMatch match_any(std::span<const Route> routes, const ServerRequest& request) {
  RouteMatch match = match_route(routes, request.method, request.segments);
  if (!match.allowed.empty()) return match;
  match = match_route(page_routes(), request.method, request.segments);
  static constexpr Route kNoPage{"GET", "", Scope::kAny, get_no_page};
  if (match.allowed.empty() && wants_a_page(request)) match.route = &kNoPage;
  return match;
}

}  // namespace

Api::Api(ApiContext context, std::span<const Route> routes)
    : context_(std::move(context)), access_(context_.clock), routes_(routes) {}

awaitable<ServerResponse> Api::answer(ServerRequest request) {
  const RouteMatch match = match_any(routes_, request);
  const std::shared_ptr<const Settings> settings = context_.settings();
  auto caller = admit(request, match, settings->server);
  ServerResponse response;
  if (caller) {
    request.caller = caller_text(*caller);
    response = co_await answer_admitted(request, *caller, match);
    // (A call that another node took is guarded there.)
    if (response.stream && !request.carried)
      response.stream =
          guarded(std::move(response.stream), still_admitted(*caller, settings->server));
  } else {
    response = caller.error();
  }
  response.route = match.pattern;
  if (!request.carried) add_cors(request, settings->server.cors_origins, match.allowed, response);
  spdlog::debug("{} {}", line_of(request), response.status);
  co_return response;
}

// Whether a configuration that was read since leaves the caller's token as it was; or there are
// none still.
std::function<bool()> Api::still_admitted(const Caller& caller, const ServerSettings& then) const {
  return [now = context_.settings, name = caller.token,
          token = token_named(then.tokens, caller.token)] {
    const std::vector<TokenSettings>& tokens = now()->server.tokens;
    return token ? token_named(tokens, name) == token : tokens.empty();
  };
}

// From whoever may have this route carried out; or the answer that there is nothing to carry out.
Expected<Caller, ServerResponse> Api::admit(const ServerRequest& request, const RouteMatch& match,
                                            const ServerSettings& server) {
  if (const auto foreign = request.carried
                               ? std::nullopt
                               : foreign_problem(request, server, context_.external_url()))
    return Unexpected(problem_response(*foreign));
  if (match.route != nullptr && (is_page(*match.route) || match.allowed.empty()))
    return access_.visit(request, server);
  if (match.allowed.empty())
    return Unexpected(refused(404, fmt::format("there is nothing at {}", request.path)));
  if (match.route != nullptr)
    return access_.admit(request, server, match.pattern, match.route->scope);
  const std::string allowed = fmt::format("{}", fmt::join(match.allowed, ", "));
  ServerResponse response;
  if (request.method == "OPTIONS")
    response.status = 204;
  else
    response =
        refused(405, fmt::format("{} is not possible here, only {}", request.method, allowed));
  response.headers.emplace_back("Allow", allowed);
  return Unexpected(std::move(response));
}

awaitable<ServerResponse> Api::answer_admitted(const ServerRequest& request, const Caller& caller,
                                               const RouteMatch& match) {
  const std::string line = line_of(request);
  ServerResponse response;
  // Once more if the node that had it is gone: it may be ours by now.
  for (int again = 0; again < 2; ++again) {
    std::optional<Place> elsewhere;
    try {
      ServerRequest copy = request;
      Caller whose = caller;
      response = co_await dispatch(std::move(copy), std::move(whose), match);
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
    if (answered) co_return std::move(*answered);
  }
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

awaitable<ServerResponse> Api::dispatch(ServerRequest request, Caller caller,
                                        const RouteMatch& match) {
  Call call;
  call.caller = std::move(caller);
  call.request = std::move(request);
  call.parameters = match.parameters;
  co_return co_await match.route->handler(context_, call);
}

}  // namespace rollwatch
