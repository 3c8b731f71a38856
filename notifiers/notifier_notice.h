// What is said about notifiers themselves: that one cannot be told and another is in its place, the
// news that goes to that other one, and a test message.
#pragma once

#include <string>
#include <vector>

#include "notifiers/notification.h"
#include "notifiers/routing.h"

namespace rollwatch {

// So long a notifier must have failed before what waits for it goes to its fallback as well.
inline constexpr Millis kFailsForLong = std::chrono::minutes{2};

// A notifier that is not told what it should be.
struct NotifierTrouble {
  SysTime since{};
  std::string error;     // the latest attempt's
  bool refuses = false;  // it answers, and takes nothing; false: it is tried again
};

// "notifier releases cannot be told since …: connection refused; what is for it is told here until
// it answers again"
Notice trouble_begins(const std::string& notifier, const NotifierTrouble& trouble, SysTime now);
// "notifier releases answers again after 12m"
Notice trouble_ends(const std::string& notifier, const NotifierTrouble& trouble, SysTime now);

// The news as its fallback tells it.
Notice in_place_of(const std::string& notifier, Notice notice);

// Whether `fallback` is to be told of it in another's place: it tells such news, and is not told of
// this rollout anyway. Trouble of notifiers is told whatever its `events` are.
bool tells_in_place(const NotifierRoute& fallback, const std::vector<NotifierRoute>& routes,
                    const RolloutSpec& spec, const Notice& notice);

// "test of notifier releases, asked for by ana: nothing has happened"
Notice test_notice(const std::string& notifier, const std::string& by, SysTime now);

}  // namespace rollwatch
