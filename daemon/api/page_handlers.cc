// What a browser is shown. The views are made by a script of what the API says; a rollout's is
// readable without one.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/page_routes.h"
#include "daemon/api/report.h"
#include "daemon/api/status_view.h"
#include "daemon/api/views.h"
#include "daemon/http/manners.h"
#include "daemon/page/page.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

struct Shell {
  std::string title, main;
  Json more = Json::object();  // what the script is told beside who asks
  int status = 200;
};

// A visitor without a token may do nothing.
bool is_known(const Caller& caller) { return !caller.scopes.empty(); }

ServerResponse shell_response(const ApiContext& context, const Call& call, Shell shell) {
  Json boot{{"version", context.version},
            {"me", is_known(call.caller) ? me_json(call.caller) : Json(nullptr)}};
  boot.update(shell.more);
  PageParts parts;
  parts.title = shell.title.empty() ? "Rollwatch" : shell.title + " · Rollwatch";
  parts.main = std::move(shell.main);
  parts.boot = dump(boot);
  ServerResponse response;
  response.status = shell.status;
  response.headers = {{"Content-Type", "text/html; charset=utf-8"},
                      {"Content-Security-Policy", std::string(kPagePolicy)}};
  response.body = page_html(parts);
  if (shell.status == 200) return tagged(call, std::move(response));
  response.headers.emplace_back("Cache-Control", "no-cache");
  return response;
}

// A browser without a script sends a token only after it was asked for one, as a password.
bool asks_to_sign_in(const Call& call) {
  if (is_known(call.caller)) return false;
  for (const auto& [key, value] : call.request.query)
    if (key == "signin") return true;
  return false;
}

ServerResponse signin_response(const ApiContext& context, const Call& call) {
  Shell shell;
  shell.title = "Sign in";
  shell.main = signin_main(call.request.path);
  shell.status = 401;
  ServerResponse response = shell_response(context, call, std::move(shell));
  response.headers.emplace_back("WWW-Authenticate", std::string(kBasicChallenge));
  return response;
}

struct View {
  std::string_view path, title;
  PlainView plain;
};
constexpr View kViews[] = {
    {"policies", "Policies", {"Policies", "/api/v1/policies", "rollwatch check"}},
    {"deliveries", "Deliveries", {"Deliveries", "/api/v1/deliveries", "rollwatch redeliver ID"}},
    {"system", "System", {"System", "/api/v1/status", "curl /-/ready"}},
};

Shell shell_of(const std::vector<std::string>& segments) {
  Shell shell;
  shell.title = "";
  shell.main = plain_main({"Rollouts", "/api/v1/fleet", "rollwatch list"});
  for (const View& view : kViews) {
    if (segments.empty() || segments.front() != view.path) continue;
    shell.title = view.title;
    shell.main = plain_main(view.plain);
  }
  if (segments.size() > 1) shell.title = segments.back() + " · " + shell.title;
  return shell;
}

}  // namespace

awaitable<ServerResponse> get_page(const ApiContext& context, Call& call) {
  if (asks_to_sign_in(call)) co_return signin_response(context, call);
  co_return shell_response(context, call, shell_of(call.request.segments));
}

awaitable<ServerResponse> get_no_page(const ApiContext& context, Call& call) {
  Shell shell;
  shell.title = "Not found";
  shell.main = no_page_main(call.request.path);
  shell.more = {{"status", 404}};
  shell.status = 404;
  co_return shell_response(context, call, std::move(shell));
}

awaitable<ServerResponse> get_rollout_page(const ApiContext& context, Call& call) {
  if (asks_to_sign_in(call)) co_return signin_response(context, call);
  const std::string& id = call.parameter("id");
  Shell shell;
  shell.title = id;
  if (!call.caller.may(Scope::kRead)) {
    shell.main = signin_main(call.request.path);
    co_return shell_response(context, call, std::move(shell));
  }
  ReportQuery query;
  query.seq = co_await context.service.newest_event();
  auto view = co_await context.service.find(id);
  if (!view || !call.caller.sees(view->spec.ns)) co_return co_await get_no_page(context, call);
  const ReportFacts facts = co_await report_facts(context, std::move(*view), query);
  const Json report = report_json(facts);
  const RolloutSpec& spec = facts.view.spec;
  std::string state(name_of(facts.view.state.state));
  std::ranges::replace(state, '_', ' ');
  shell.title = fmt::format("{} {} {}", spec.service, spec.candidate, state);
  shell.main = rollout_main(report);
  shell.more = {{"report", report}};
  co_return shell_response(context, call, std::move(shell));
}

awaitable<ServerResponse> get_asset(const ApiContext&, Call& call) {
  const PageAsset* asset = page_asset(call.parameter("file"));
  if (asset == nullptr)
    throw Refusal{{404, fmt::format("there is nothing at {}", call.request.path)}};
  const bool gzipped =
      !asset->gzipped.empty() && accepts_gzip(call.request.header("accept-encoding").value_or(""));
  const std::string_view bytes = gzipped ? asset->gzipped : asset->bytes;
  const std::string tag = tag_of(bytes);
  ServerResponse response;
  response.headers = {{"Cache-Control", "public, max-age=31536000, immutable"},
                      {"Vary", "Accept-Encoding"},
                      {"ETag", tag}};
  if (etag_listed(call.request.header("if-none-match").value_or(""), tag)) {
    response.status = 304;
    co_return response;
  }
  response.headers.emplace_back("Content-Type", std::string(asset->type));
  if (gzipped) response.headers.emplace_back("Content-Encoding", "gzip");
  response.body = bytes;
  co_return response;
}

bool wants_a_page(const ServerRequest& request) {
  constexpr std::string_view kNoPages[] = {"api", "gates", "hooks", "-", "assets"};
  if (request.method != "GET" && request.method != "HEAD") return false;
  if (!request.segments.empty())
    for (const std::string_view folder : kNoPages)
      if (request.segments.front() == folder) return false;
  return request.header("accept").value_or("").find("text/html") != std::string_view::npos;
}

}  // namespace rollwatch
