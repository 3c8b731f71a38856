// What people have been told that concerns many rollouts: which datasources give no answers, which
// services are frozen, and to which notifier that was said. The rules are in told_once.h.
//
// A value: a copy is cheap, and shares what neither side changes. What must outlive the process, so
// that nothing is said twice, is to_text(); who is concerned is known from the rollouts themselves.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "analysis/advance.h"
#include "notifiers/routing.h"

namespace rollwatch {

// What several rollouts have in common.
struct Matter {
  enum class Kind : std::uint8_t { kSilence, kFreeze };
  Kind kind = Kind::kSilence;
  std::string ns;    // of the frozen service
  std::string name;  // the datasource; the frozen service, or "" for everything
  bool operator==(const Matter&) const = default;
  bool operator<(const Matter& other) const {
    return std::tie(kind, ns, name) < std::tie(other.kind, other.ns, other.name);
  }
};
Matter silence_matter(const std::string& datasource);
Matter freeze_matter(const std::string& ns, const std::string& service);

// Held by a freeze: one that has ended, or is rolling back, is out of its reach.
bool stands_still(const RolloutState& state);

// What a rollout is concerned by in this state, if it exists.
std::vector<Matter> matters_of(Fixed fixed, const RolloutState& state);

// A matter that a notifier has been told of, and not yet of its end.
struct Telling {
  SysTime since{};            // of the trouble itself, as far as is known; of the freeze
  SysTime told_at{};          // of the beginning, or the latest reminder
  bool told = false;          // false: the notifier does not want to hear of beginnings
  std::uint32_t went_on = 0;  // rollouts that went on by themselves since
  // It gives answers since then, and nobody here got none. Not kept over a restart: what happened
  // in between was not seen.
  std::optional<SysTime> answers_since = {};
  std::string said;                      // by whom it is frozen and why: something else is told
  std::optional<SysTime> ended_at = {};  // its end was told; kept for who has not noticed yet
};

class ToldSoFar {
 public:
  struct Concerned {
    std::shared_ptr<const RolloutSpec> spec;
    bool waits = false;
  };

  // A rollout that is concerned, now or by what it was found to be at the start.
  void join(const Matter& matter, const RolloutSpec& spec, bool waits);
  void leave(const Matter& matter, const std::string& rollout);

  // Null: the notifier does not know of it, or was told its end. Borrowed until the next change.
  const Telling* telling(const Matter& matter, const std::string& notifier) const;
  Telling& change(const Matter& matter, const std::string& notifier);  // begun, if there is none
  void end(const Matter& matter, const std::string& notifier, SysTime at);
  void forget(const Matter& matter, const std::string& notifier);
  void forget(const Matter& matter);  // whoever was told
  std::optional<SysTime> ended_at(const Matter& matter, const std::string& notifier) const;

  std::vector<Matter> told_matters(Matter::Kind kind) const;

  // Rollouts concerned that are told to this notifier, but for `except`.
  bool concerns_any(const Matter& matter, const NotifierRoute& route,
                    const std::vector<NotifierRoute>& routes, const std::string& except = "") const;
  std::vector<Concerned> concerned(const Matter& matter, const NotifierRoute& route,
                                   const std::vector<NotifierRoute>& routes) const;
  bool concerns_nobody(const Matter& matter) const;

  // Other nodes have rollouts as well, of which nothing is known here but what was told.
  bool is_shared() const { return is_shared_; }
  void set_shared(bool shared) { is_shared_ = shared; }

  // Since when datasources answer, where both were told the same: of this process, from before it
  // read again what was told.
  void keep_answers_of(const ToldSoFar& before);

  // Nothing has changed since one was copied from the other.
  bool is_same_as(const ToldSoFar& other) const { return cases_ == other.cases_; }

  // A reload: forgets the silences that were told to a notifier which has none of their rollouts
  // any more, so that they are news if it is given some again. (One that had none before is kept: a
  // soak does not know of its silence for a while after a restart.)
  void reroute(const std::vector<NotifierRoute>& before, const std::vector<NotifierRoute>& now);

  std::string to_text() const;
  // Takes over what to_text() gave. Text that is none is as if nothing had been told.
  void read_text(std::string_view text);

 private:
  struct Case {
    std::map<std::string, Telling> tellings;     // by notifier
    std::map<std::string, Concerned> concerned;  // by rollout
  };
  const Case* find(const Matter& matter) const;
  const Telling* latest(const Matter& matter, const std::string& notifier) const;
  Case& own(const Matter& matter);  // not shared with a copy
  void drop_if_empty(const Matter& matter);

  std::map<Matter, std::shared_ptr<Case>> cases_;
  bool is_shared_ = false;
};

}  // namespace rollwatch
