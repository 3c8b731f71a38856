#include "daemon/cli/server_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "daemon/cli/problem.h"

namespace rollwatch {
namespace {

constexpr Millis kFirstPause{250};
constexpr Millis kLongestPause{5000};

constexpr int kNotModified = 304;
constexpr int kTooManyRequests = 429;
constexpr int kServerTrouble = 500;
constexpr int kUnavailable = 503;  // the server itself says that nothing was done

bool worth_another_try(const Request& request, const Response& response) {
  if (response.status == kTooManyRequests || response.status == kUnavailable) return true;
  return response.status >= kServerTrouble && request.repeatable;
}

bool worth_another_try(const Request& request, const TransportError& error) {
  return !error.permanent && (request.repeatable || !error.sent);
}

}  // namespace

ServerLink::ServerLink(Surroundings& surroundings, std::function<void(const std::string&)> say,
                       std::optional<Pace::Steady> deadline)
    : surroundings_(surroundings), say_(std::move(say)), deadline_(deadline) {}

Expected<Response, ExitCode> ServerLink::ask(Request request) {
  return ask([&request] { return request; });
}

void ServerLink::is_there() {
  if (lost_since_) say_("back");
  lost_since_.reset();
}

Expected<Response, ExitCode> ServerLink::ask(const std::function<Request()>& make) {
  for (;;) {
    if (const auto end = over()) return Unexpected(*end);
    Request request = make();
    const Millis longest = request.timeout;
    request.timeout = std::min(longest, left().value_or(longest));
    auto answer = surroundings_.transport(request);
    std::string why;
    if (answer) {
      if (!worth_another_try(request, *answer)) {
        is_there();
        if (is_success(*answer) || answer->status == kNotModified) return std::move(*answer);
        surroundings_.err << describe_problem(*answer);
        return Unexpected(ExitCode::kFailed);
      }
      why = fmt::format("it answered {}", answer->status);
    } else {
      if (const auto end = over()) return Unexpected(*end);
      // Cut to what is left of --timeout: the server is not lost, the time is up.
      if (answer.error().timed_out && request.timeout < longest) {
        return Unexpected(ExitCode::kTimeout);
      }
      if (!worth_another_try(request, answer.error())) {
        surroundings_.err << fmt::format("rollwatch: no answer from the server: {}\n",
                                         answer.error().detail);
        return Unexpected(ExitCode::kFailed);
      }
      why = answer.error().detail;
    }
    if (const auto end = wait_out(why)) return Unexpected(*end);
  }
}

std::optional<Millis> ServerLink::left() const {
  if (!deadline_) return std::nullopt;
  const auto left = std::chrono::ceil<Millis>(*deadline_ - surroundings_.pace.steady());
  return std::max(left, Millis::zero());
}

std::optional<ExitCode> ServerLink::over() const {
  if (surroundings_.pace.interrupted()) return ExitCode::kInterrupted;
  if (left() == Millis::zero()) return ExitCode::kTimeout;
  return std::nullopt;
}

std::optional<ExitCode> ServerLink::wait_out(const std::string& why) {
  const auto now = surroundings_.pace.steady();
  if (!lost_since_) {
    lost_since_ = now;
    next_pause_ = kFirstPause;
    say_(fmt::format("lost the server, trying again ({})", why));
  } else if (!deadline_ && now - *lost_since_ >= kPatience) {
    surroundings_.err << fmt::format("rollwatch: no answer from the server for {}: {}\n",
                                     format_duration(kPatience), why);
    return ExitCode::kFailed;
  }
  surroundings_.pace.sleep(std::min(next_pause_, left().value_or(next_pause_)));
  next_pause_ = std::min(2 * next_pause_, kLongestPause);
  return std::nullopt;
}

}  // namespace rollwatch
