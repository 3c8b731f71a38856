#include "notifiers/notifier_notice.h"

#include <algorithm>

#include "analysis/text.h"

namespace rollwatch {
namespace {

constexpr std::size_t kLongestError = 200;

Notice about(const std::string& notifier, EventType event, SysTime now) {
  Notice notice;
  notice.event = event;
  notice.at = now;
  notice.by = "engine";
  notice.notifier = notifier;
  notice.subject = "notifier " + notifier;
  return notice;
}

// As much of the event as routes ask for.
Event event_of(const Notice& notice) {
  Event event;
  event.type = notice.event;
  event.at = notice.at;
  event.by = notice.by;
  event.kind = decision_kind(notice.kind);
  event.question = notice.question;
  event.datasource = notice.datasource;
  event.is_news = notice.is_news;
  if (notice.state == name_of(State::kRollingBack)) event.state = State::kRollingBack;
  return event;
}

}  // namespace

Notice trouble_begins(const std::string& notifier, const NotifierTrouble& trouble, SysTime now) {
  Notice notice = about(notifier, EventType::kNote, now);
  notice.is_news = true;
  notice.summary =
      notice.subject + (trouble.refuses ? " refuses what it is sent"
                                        : " cannot be told since " + format_time(trouble.since));
  if (!trouble.error.empty()) notice.summary += ": " + cut(trouble.error, kLongestError);
  notice.summary += "; what is for it is told here until it takes something again";
  return notice;
}

Notice trouble_ends(const std::string& notifier, const NotifierTrouble& trouble, SysTime now) {
  constexpr Millis kSecond{1000};
  Notice notice = about(notifier, EventType::kResumed, now);
  const Millis span = std::max(now - trouble.since, kSecond);
  notice.summary =
      notice.subject + " answers again after " + format_duration(span - span % kSecond);
  return notice;
}

Notice in_place_of(const std::string& notifier, Notice notice) {
  notice.summary += " (told in place of " + notifier + ")";
  return notice;
}

bool tells_in_place(const NotifierRoute& fallback, const std::vector<NotifierRoute>& routes,
                    const RolloutSpec& spec, const Notice& notice) {
  if (!notice.notifier.empty()) return true;
  if (!tells(fallback, event_of(notice))) return false;
  const auto told = routes_for(spec, routes);
  return std::none_of(told.begin(), told.end(), [&fallback](const NotifierRoute* route) {
    return route->name == fallback.name;
  });
}

Notice test_notice(const std::string& notifier, const std::string& by, SysTime now) {
  Notice notice = about(notifier, EventType::kNote, now);
  notice.is_test = true;
  notice.by = by;
  notice.subject = "test of notifier " + notifier;
  notice.summary = notice.subject + ", asked for by " + by + ": nothing has happened";
  return notice;
}

}  // namespace rollwatch
