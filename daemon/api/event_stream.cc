// The event stream: GET /api/v1/events, as server-sent events.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"

namespace rollwatch {
namespace {

constexpr const char* kRetryAfter = "10";

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

// What the client has seen last. A browser that comes back sends the header beside the address it
// began with: the header is newer.
std::optional<std::int64_t> seen_by(const Call& call) {
  const auto from = query_text(call, "after");
  const std::string_view last = call.request.header("last-event-id").value_or("");
  if (!last.empty()) {
    if (const auto number = number_in(last)) return number;
    throw Refusal{
        {400, fmt::format("Last-Event-ID must be the number of an event, not \"{}\"; leave "
                          "it out to begin now",
                          last.substr(0, 40))}};
  }
  if (!from) return std::nullopt;
  const auto number = number_in(*from);
  if (!number) refuse_query("after", "must be the number of an event, its \"seq\"");
  return number;
}

std::vector<EventType> types_of(const Call& call) {
  std::vector<std::string> known;
  for (int i = 0; i <= static_cast<int>(kLastEventType); ++i)
    known.emplace_back(name_of(static_cast<EventType>(i)));
  std::vector<EventType> types;
  for (const auto& [key, value] : call.request.query) {
    if (key != "type") continue;
    const auto found = std::ranges::find(known, value);
    if (found == known.end())
      refuse_query("type", fmt::format("\"{}\" is no type of event{}", value,
                                       suggestion(value, known, "there are", "")));
    types.push_back(static_cast<EventType>(found - known.begin()));
  }
  return types;
}

Problem problem_of(const FeedRefusal& refusal, std::int64_t after) {
  constexpr const char* kHelp =
      "read GET /api/v1/rollouts for how things stand, and begin anew without Last-Event-ID";
  Problem problem{410, ""};
  problem.members = {{"oldest", refusal.deleted + 1}, {"newest", refusal.newest}};
  if (refusal.why == FeedRefusal::Why::kDeleted) {
    problem.detail = fmt::format(
        "events after {} have been deleted (store.retention); {}, or after {} for what is left",
        after, kHelp, refusal.deleted);
  } else {
    problem.detail = fmt::format(
        "there is no event {} yet, the newest is {}: that number is of "
        "another store, or of this one before it was put back; {}",
        after, refusal.newest, kHelp);
  }
  return problem;
}

}  // namespace

awaitable<ServerResponse> stream_events(const ApiContext& context, Call& call) {
  check_query(call, {"namespace", "service", "rollout", "type", "after"});
  FeedFilter filter;
  filter.visible = call.caller.namespaces;
  filter.ns = query_text(call, "namespace").value_or("");
  filter.service = query_text(call, "service").value_or("");
  filter.types = types_of(call);
  const auto after = seen_by(call);
  filter.rollout = query_text(call, "rollout").value_or("");
  if (!filter.rollout.empty()) {
    const auto view = co_await context.service.find(filter.rollout);
    if (!view || !call.caller.sees(view->spec.ns))
      throw Refusal{{404, fmt::format("there is no rollout \"{}\"", filter.rollout)}};
  }
  std::string who = call.request.peer;
  auto opened = co_await context.follow_events(std::move(filter), after, std::move(who));
  ServerResponse response;
  if (!opened && opened.error().why == FeedRefusal::Why::kFull) {
    response = problem_response(
        {503, "too many clients follow the events already, or the daemon stops; try again"});
    response.headers.emplace_back("Retry-After", kRetryAfter);
    co_return response;
  }
  if (!opened) throw Refusal{problem_of(opened.error(), after.value_or(0))};
  response.headers = {{"Content-Type", "text/event-stream"},
                      {"Cache-Control", "no-store"},
                      {"X-Accel-Buffering", "no"}};
  response.stream = std::move(*opened);
  co_return response;
}

}  // namespace rollwatch
