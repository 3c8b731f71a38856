// Which services are frozen, by whom and why: a value, kept like the store's rows. A service can be
// held by a freeze of its own and by the one of everything at the same time.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "analysis/advance.h"
#include "daemon/engine/records.h"

namespace rollwatch {

// "frozen by ana: stocktaking", "everything is frozen by ana: stocktaking"
std::string sentence_of(const FreezeRecord& freeze);

class Freezes {
 public:
  void set(FreezeRecord freeze);

  // The one of this service, or (both empty) of everything: in force, or the last that was.
  std::optional<FreezeRecord> find(const std::string& ns, const std::string& service) const;
  // The same, only if it is in force.
  std::optional<FreezeRecord> in_force(const std::string& ns, const std::string& service,
                                       SysTime now) const;

  // What holds a rollout of this service now, as it is told to it; without a text if nothing does.
  FreezeChanged on(const std::string& ns, const std::string& service, SysTime now) const;

  std::size_t count(SysTime now) const;  // in force
  // When the next of those in force ends by itself.
  std::optional<SysTime> next_end(SysTime now) const;

 private:
  std::map<std::pair<std::string, std::string>, FreezeRecord> by_service_;
};

}  // namespace rollwatch
