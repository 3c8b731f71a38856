#include "notifiers/told_freeze.h"

#include <memory>
#include <optional>

#include "analysis/mover.h"
#include "analysis/text.h"
#include "notifiers/shared_notice.h"

namespace rollwatch {
namespace {

// Frozen and thawed, or the other way about, before anybody could notice, is no change.
bool has_changed(const TakenStep& step) {
  const auto& before = step.before.freeze;
  const auto& after = step.after.freeze;
  return before && after ? before->text != after->text : before.has_value() != after.has_value();
}

class FreezeTeller {
 public:
  FreezeTeller(ToldSoFar& so_far, const TakenStep& step, const std::vector<NotifierRoute>& routes,
               const Freezes& freezes)
      : so_far_(so_far), step_(step), routes_(routes), freezes_(freezes) {}

  std::vector<Announcement> tell() {
    if (!has_changed(step_)) return {};
    const auto own = freezes_.find(step_.spec.ns, step_.spec.service);
    const auto all = freezes_.find("", "");
    for (const auto* freeze : {&own, &all}) {
      if (!*freeze) continue;
      for (const NotifierRoute* route : routes_for(step_.spec, routes_)) {
        if (!is_in_force(**freeze))
          end(**freeze, *route);
        else if (stands_still(step_.after))
          begin(**freeze, *route);
      }
    }
    return std::move(out_);
  }

 private:
  void begin(const FreezeRecord& freeze, const NotifierRoute& route) {
    const Matter matter = freeze_matter(freeze.ns, freeze.service);
    const std::string sentence = cut(sentence_of(freeze), kLongestSentence);
    const Telling* known = so_far_.telling(matter, route.name);
    if (known != nullptr && known->since == freeze.since && known->said == sentence) return;
    Telling& telling = so_far_.change(matter, route.name);
    telling.since = freeze.since;
    telling.told_at = now();
    telling.said = sentence;
    say(route, freeze_begins(step_.spec, freeze, now()));
  }

  void end(const FreezeRecord& freeze, const NotifierRoute& route) {
    const Matter matter = freeze_matter(freeze.ns, freeze.service);
    if (so_far_.telling(matter, route.name) == nullptr) return;  // said with the first one's
    so_far_.forget(matter, route.name);
    std::vector<std::shared_ptr<const RolloutSpec>> free;
    for (const ToldSoFar::Concerned& rollout : so_far_.concerned(matter, route, routes_))
      if (!other_hold(freeze, *rollout.spec)) free.push_back(rollout.spec);
    say(route, freeze_ends(step_.spec, freeze, now(), free, other_hold(freeze, step_.spec)));
  }

  // What holds the rollout now, besides this one.
  std::optional<FreezeRecord> other_hold(const FreezeRecord& freeze,
                                         const RolloutSpec& spec) const {
    return freeze.service.empty() ? freezes_.in_force(spec.ns, spec.service, now())
                                  : freezes_.in_force("", "", now());
  }

  void say(const NotifierRoute& route, Notice notice) {
    Event event;
    event.type = notice.event;
    event.at = notice.at;
    event.by = notice.by;
    if (tells(route, event)) out_.push_back({route.name, std::move(notice)});
  }

  bool is_in_force(const FreezeRecord& freeze) const { return holds(freeze, now()); }
  SysTime now() const { return step_.after.updated_at; }

  ToldSoFar& so_far_;
  const TakenStep& step_;
  const std::vector<NotifierRoute>& routes_;
  const Freezes& freezes_;
  std::vector<Announcement> out_;
};

}  // namespace

std::vector<Announcement> tell_freezes(ToldSoFar& so_far, const TakenStep& step,
                                       const std::vector<NotifierRoute>& routes,
                                       const Freezes& freezes) {
  return FreezeTeller(so_far, step, routes, freezes).tell();
}

void forget_ended_freezes(ToldSoFar& so_far, const Freezes& freezes, SysTime now) {
  for (const Matter& matter : so_far.told_matters(Matter::Kind::kFreeze))
    if (so_far.concerns_nobody(matter) && !freezes.in_force(matter.ns, matter.name, now))
      so_far.forget(matter);
}

}  // namespace rollwatch
