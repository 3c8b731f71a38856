// A rollout as an annotation region in Grafana: opened when it starts, closed when it ends, found
// again by the id that Grafana gave it. Whatever concerns many rollouts is a point of its own.
// Pure: which request is next, given what was written so far.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "notifiers/classify.h"
#include "notifiers/standing.h"

namespace rollwatch {

// What was written for (rollout, notifier); kept as a memo in the store.
struct Region {
  std::int64_t id = 0;             // of the annotation; 0: there is none
  unsigned shown = 0;              // Standing::number of what it shows
  SysTime from{};                  // where it begins
  std::optional<SysTime> to = {};  // where it ends, once the rollout has
  bool operator==(const Region&) const = default;
};
std::string to_text(const Region& region);
// Text that is none: nothing was written.
Region region_in(const std::optional<std::string>& memo);

struct GrafanaNews {
  const RolloutSpec& spec;
  const Notice& notice;
  const std::optional<Standing>& standing;  // none: what the notice says of the state
  std::string external_url;
  std::string dashboard_uid;  // "": the organisation's
  std::optional<std::int64_t> panel_id;
  std::vector<std::string> tags;  // besides ours
};

struct GrafanaCall {
  std::string_view method;  // "POST" a new one, "PATCH" the one that is there
  std::string path;         // "/api/annotations/7"
  std::string body;         // JSON
  Region region;            // once it is done; a new one's id comes with the answer
  bool is_region = false;   // false: a point of its own, which nobody comes back to
};

// None: what it shows is newer.
std::optional<GrafanaCall> next_call(const Region& region, const GrafanaNews& news);

// The id in the answer to a POST; none if it is no answer of Grafana's.
std::optional<std::int64_t> annotation_id(std::string_view answer);

// What it is told of: the start, a rollback that has been decided, and the end.
bool grafana_tells(const Event& event);

}  // namespace rollwatch
