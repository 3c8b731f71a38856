// Which services are frozen, by whom and why: a value, kept like the store's rows. A service can be
// held by a freeze of its own and by the one of everything at the same time.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "analysis/advance.h"

namespace rollwatch {

// A service, or everything, that a person froze; kept after it was lifted, until the next one.
struct FreezeRecord {
  std::string ns, service;  // both empty: everything
  std::string by, reason;
  SysTime since{};
  std::optional<SysTime> until = {};  // it ends then by itself
  // Lifted by a person before that.
  std::optional<SysTime> lifted_at = {};
  std::string lifted_by = {}, lift_reason = {};
  Via via = {}, lifted_via = {};  // by what means they said so
  bool operator==(const FreezeRecord&) const = default;
};
// Whether it is in force at that moment.
bool holds(const FreezeRecord& freeze, SysTime now);

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
