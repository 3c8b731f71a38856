// Alerts for Alertmanager (POST /api/v2/alerts): what waits for a person and what is bad. At most
// one is open per rollout, and its labels are the same from its beginning to its end, so that
// Alertmanager takes what is sent again for the same alert. It forgets an alert at its `endsAt`:
// that lies kAlertLife ahead, and every reminder, which comes at least every half hour while
// something waits, puts it off. When the rollout goes on or ends the alert is sent once more with
// an end that has come.
//
// Pure: what is to be posted, given what was posted so far.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "notifiers/routing.h"
#include "notifiers/standing.h"

namespace rollwatch {

// Two reminders may get lost before an alert ends that still holds.
inline constexpr Millis kAlertLife = std::chrono::minutes{90};
// A rollback that failed is reminded of every five minutes until somebody acts: what then ends the
// alert is that nobody is reminded any more.
inline constexpr Millis kFailedRollbackAlertLife = std::chrono::minutes{30};
// A test ends by itself.
inline constexpr Millis kTestAlertLife = std::chrono::minutes{5};

// What is open for (rollout, notifier); kept as a memo in the store.
struct OpenAlert {
  unsigned shown = 0;  // Standing::number of what was last told
  std::string name;    // "": none is open
  SysTime since{};
  bool operator==(const OpenAlert&) const = default;
};
std::string to_text(const OpenAlert& alert);
// Text that is none: nothing was told.
OpenAlert open_alert(const std::optional<std::string>& memo);

struct AlertNews {
  const RolloutSpec& spec;
  const Notice& notice;
  const std::optional<Standing>& standing;  // none: what the notice says of the state
  std::string external_url;
  std::vector<std::string> events;  // what alerts may be of; empty: all
  SysTime now{};
};

struct AlertPost {
  std::string body;  // JSON
  OpenAlert open;    // once it is taken
};

// None: there is nothing to say.
std::optional<AlertPost> alerts_of(const OpenAlert& open, const AlertNews& news);

// What it is told of: whatever can begin an alert, put off its end, or end it.
bool alertmanager_tells(const Event& event);

}  // namespace rollwatch
