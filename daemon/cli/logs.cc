// rollwatch logs: events, as they were recorded and as they come.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <nlohmann/json.hpp>

#include "daemon/cli/commands.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/render.h"
#include "daemon/cli/requests.h"
#include "daemon/cli/results.h"
#include "daemon/cli/server_link.h"
#include "daemon/cli/sse.h"

namespace rollwatch {
namespace {

using nlohmann::json;

// Between a stream that the server ended and the next one.
constexpr Millis kAfterTheEnd{500};

bool ends_rollout(const json& event) {
  constexpr std::array<std::string_view, 5> kEnds{"promoted", "rolled_back", "rollback_failed",
                                                  "cancelled", "superseded"};
  return std::ranges::find(kEnds, text_at(event, "type")) != kEnds.end();
}

// What is wrong with the flags together; empty if nothing is.
std::string misfit(const Invocation& call) {
  const bool one = !call.positional.empty();
  for (const char* flag : {"after", "namespace", "service"}) {
    if (one && call.has(flag)) return fmt::format("logs takes an ID or --{}, not both", flag);
  }
  if (!one && call.has("since"))
    return "--since needs an ID; without one logs begins now, or with --after SEQ";
  const std::string after = call.text("after").value_or("0");
  if (after.find_first_not_of("0123456789") != std::string::npos)
    return fmt::format("--after needs the number of an event, its seq, not '{}'", after);
  return "";
}

class Logs {
 public:
  Logs(const Invocation& call, Surroundings& surroundings)
      : call_(call),
        surroundings_(surroundings),
        link_(
            surroundings,
            [&surroundings](const std::string& text) { surroundings.err << text << std::endl; },
            std::nullopt),
        types_(call.list("type")),
        last_(call.text("after").value_or("")) {
    if (const auto since = call.duration("since")) since_ = surroundings.pace.wall() - *since;
  }

  int run() {
    if (!call_.positional.empty()) {
      const auto events = fetch_all(call_.positional, "/events", surroundings_);
      if (!events) return code(ExitCode::kFailed);
      for (const json& event : *events) show(event);
      if (!call_.has("follow") || ended_) return 0;
    }
    surroundings_.pace.catch_interrupts();
    return follow();
  }

 private:
  int follow() {
    for (;;) {
      EventStreamReader reader;
      const auto answer = link_.ask([this, &reader] {
        reader = {};
        Request request = events_request(call_, last_);
        request.take = [this, &reader](std::string_view piece) {
          link_.is_there();
          return reader.read(piece,
                             [this](const StreamedMessage& message) { return take(message); });
        };
        return request;
      });
      if (!answer) return code(answer.error());
      if (ended_) return 0;
      if (!surroundings_.pace.sleep(kAfterTheEnd)) return code(ExitCode::kInterrupted);
    }
  }

  bool take(const StreamedMessage& message) {
    if (!message.id.empty()) last_ = message.id;
    if (!message.data.empty()) show(json::parse(message.data, nullptr, false));
    return !ended_;
  }

  void show(const json& event) {
    if (const std::string seq = text_at(event, "seq"); !seq.empty()) last_ = seq;
    if (!call_.positional.empty() && ends_rollout(event)) ended_ = true;
    if (!types_.empty() && std::ranges::find(types_, text_at(event, "type")) == types_.end())
      return;
    if (since_) {
      const auto at = parse_time(text_at(event, "at"));
      if (at && *at < *since_) return;
    }
    const bool lines = call_.output == Output::kJsonLines;
    surroundings_.out << (lines ? as_line(event) : event_text(event, call_.positional.empty()))
                      << std::endl;
  }

  const Invocation& call_;
  Surroundings& surroundings_;
  ServerLink link_;
  const std::vector<std::string> types_;
  std::optional<SysTime> since_;
  std::string last_;  // the number of the last event that was seen
  bool ended_ = false;
};

}  // namespace

int run_logs(const Invocation& call, Surroundings& surroundings) {
  if (const std::string wrong = misfit(call); !wrong.empty())
    return usage_failure(surroundings.err, wrong);
  return Logs(call, surroundings).run();
}

}  // namespace rollwatch
