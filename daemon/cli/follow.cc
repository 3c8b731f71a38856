#include "daemon/cli/follow.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "daemon/cli/fields.h"
#include "daemon/cli/problem.h"
#include "daemon/cli/requests.h"

namespace rollwatch {
namespace {

using std::chrono::seconds;

// A terminal shows values and counts as they come, a pipeline only needs the changes of the
// verdict.
constexpr seconds kWaitOnTerminal{5};
constexpr seconds kWaitInPipeline{30};

// Between two answers of a server that does not wait: one that sends no ETag can only be polled.
constexpr Millis kUnhurried{200};
constexpr Millis kPolled{2000};

seconds longest_wait(const ServerLink& link, const Surroundings& surroundings) {
  const seconds usual = surroundings.terminal.redraws ? kWaitOnTerminal : kWaitInPipeline;
  const auto left = link.left();
  if (!left) return usual;
  return std::clamp(std::chrono::ceil<seconds>(*left), seconds(1), usual);
}

// Null, and said so, if the server's answer is no JSON object.
nlohmann::json read_object(const Response& response, std::ostream& err) {
  auto object = nlohmann::json::parse(response.body, nullptr, false);
  if (object.is_object()) return object;
  err << "rollwatch: the server's answer is not JSON; is --server right?\n";
  return nullptr;
}

// Alternates between the verdict call, which waits for a change, and the whole rollout. The rollout
// is read after the verdict, so it is never older, and a change between the two is told by the next
// ETag.
class Follower {
 public:
  Follower(const std::string& id, ServerLink& link, Surroundings& surroundings)
      : id_(id), link_(link), surroundings_(surroundings) {}

  // Reads both anew; an exit code if that failed.
  std::optional<ExitCode> look() {
    const Pace::Steady asked = surroundings_.pace.steady();
    auto verdict = link_.ask(verdict_request(id_, etag_, longest_wait(link_, surroundings_)));
    if (!verdict) return verdict.error();
    const bool same = verdict->status == kNotModified || verdict->etag == etag_;
    if (!rollout_.is_null() && same && surroundings_.pace.steady() - asked < kUnhurried) {
      surroundings_.pace.sleep(etag_.empty() ? kPolled : kUnhurried);
    }
    if (verdict->status != kNotModified) {
      etag_ = verdict->etag;
      verdict_ = read_object(*verdict, surroundings_.err);
      if (verdict_.is_null()) return ExitCode::kFailed;
    }
    auto answer = link_.ask(rollout_request(id_));
    if (!answer) return answer.error();
    auto rollout = read_object(*answer, surroundings_.err);
    if (rollout.is_null()) return ExitCode::kFailed;
    rollout_ = std::move(rollout);
    return std::nullopt;
  }

  const nlohmann::json& rollout() const { return rollout_; }
  const nlohmann::json& verdict() const { return verdict_; }

 private:
  static constexpr int kNotModified = 304;

  const std::string& id_;
  ServerLink& link_;
  Surroundings& surroundings_;
  std::string etag_;
  nlohmann::json verdict_;
  nlohmann::json rollout_;
};

// The latest evaluations of before, for the view that draws them. A long past is left alone: it is
// read from its beginning. What cannot be read is only not drawn.
void look_back(const std::string& id, ProgressView& view, Surroundings& surroundings) {
  constexpr int kPages = 4;
  constexpr long kPage = 500;
  std::vector<nlohmann::json> pages;
  std::string cursor;
  do {
    if (pages.size() == kPages) return;
    const auto answer = surroundings.transport(page_request(id, "/evaluations", cursor, kPage));
    if (!answer || !is_success(*answer)) return;
    pages.push_back(nlohmann::json::parse(answer->body, nullptr, false));
    cursor = text_at(pages.back(), "next_cursor");
  } while (!cursor.empty());
  for (const nlohmann::json& page : pages) {
    for (const auto& evaluation : child_at(page, "items")) view.remember(evaluation);
  }
}

void say_why(ExitCode end, const std::string& id, std::ostream& err) {
  if (end == ExitCode::kTimeout) {
    err << fmt::format("rollwatch: --timeout passed; the rollout goes on: rollwatch wait {}\n", id);
  } else if (end == ExitCode::kInterrupted) {
    err << fmt::format("rollwatch: interrupted; the rollout goes on: rollwatch wait {}\n", id);
  } else if (end == ExitCode::kFailed) {
    err << fmt::format("rollwatch: could not tell how {} ends\n", id);
  }
}

}  // namespace

ExitCode follow(const std::string& id, ServerLink& link, ProgressView& view,
                Surroundings& surroundings, nlohmann::json& rollout) {
  Follower follower(id, link, surroundings);
  std::optional<ExitCode> end;
  if (view.shows_trends()) look_back(id, view, surroundings);
  while (!end) {
    end = follower.look();
    if (!end) {
      rollout = follower.rollout();
      view.show(rollout, follower.verdict());
      end = end_of(rollout);
    }
  }
  say_why(*end, id, surroundings.err);
  return *end;
}

}  // namespace rollwatch
