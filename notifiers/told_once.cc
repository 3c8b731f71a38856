#include "notifiers/told_once.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "notifiers/shared_notice.h"
#include "notifiers/told_freeze.h"

namespace rollwatch {
namespace {

constexpr Millis kRemindEvery{30 * 60'000};
// Rollouts are reminded each at its own time: a little early is not a reminder too many.
constexpr Millis kRemindSlack{60'000};
// So long a datasource answers before people are told that it does.
constexpr Millis kAnswersFor{60'000};
// So long a rollout that still waits is about to be asked, or has just been counted among those
// that wait.
constexpr Millis kAboutToBeAsked{5 * 60'000};

bool is_by_engine(const Event& event) { return event.by == "engine"; }

bool contains(const std::vector<Matter>& matters, const Matter& matter) {
  return std::find(matters.begin(), matters.end(), matter) != matters.end();
}

bool asks(const Plan& plan, const std::string& datasource) {
  return std::any_of(plan.conditions.begin(), plan.conditions.end(),
                     [&datasource](const ConditionPlan& c) { return c.datasource == datasource; });
}

// The datasource whose silence it is a part of; "": it is told by itself.
std::string silence_of_event(const Event& event) {
  switch (event.type) {
    case EventType::kPaused:
    case EventType::kReminder:
    case EventType::kNote:
      return event.datasource;
    case EventType::kResumed:  // a person's is a decision about this rollout
      return is_by_engine(event) ? event.datasource : "";
    default:
      return "";
  }
}

bool is_of_freeze(const Event& event) {
  return event.type == EventType::kFrozen || event.type == EventType::kThawed;
}

class StepTeller {
 public:
  StepTeller(ToldSoFar& so_far, const TakenStep& step, const std::vector<NotifierRoute>& routes,
             const Freezes& freezes)
      : so_far_(so_far),
        step_(step),
        routes_(routes),
        freezes_(freezes),
        mine_(routes_for(step.spec, routes)),
        before_(matters_of({step.spec, step.plan}, step.before)),
        after_(matters_of({step.spec, step.plan}, step.after)) {}

  std::vector<Announcement> tell() {
    for (const Matter& matter : after_)
      so_far_.join(matter, step_.spec, step_.after.question.has_value());
    bool frozen_told = false;
    for (const Event& event : step_.events) {
      if (is_of_freeze(event)) {
        if (!std::exchange(frozen_told, true)) freezes();
        continue;
      }
      const std::string datasource = silence_of_event(event);
      for (const NotifierRoute* route : mine_) {
        if (!datasource.empty())
          part_of(silence_matter(datasource), event, *route);
        else if (tells(*route, event))
          alone(event, *route);
      }
    }
    for (const Matter& matter : before_)
      if (!contains(after_, matter)) leave(matter);
    if (frozen_told || stands_still(step_.before))
      forget_ended_freezes(so_far_, freezes_, step_.after.updated_at);
    if (!step_.evaluations.empty())
      for (const Matter& matter : so_far_.told_matters(Matter::Kind::kSilence))
        if (asks(step_.plan, matter.name)) listen(matter);
    return std::move(out_);
  }

 private:
  void freezes() {
    for (Announcement& told : tell_freezes(so_far_, step_, routes_, freezes_))
      out_.push_back(std::move(told));
  }

  void part_of(const Matter& matter, const Event& event, const NotifierRoute& route) {
    switch (event.type) {
      case EventType::kReminder:
        return remind(matter, event, route);
      case EventType::kResumed:
        if (so_far_.telling(matter, route.name) != nullptr)
          ++so_far_.change(matter, route.name).went_on;
        return;
      default:
        return begin(matter, event, route);
    }
  }

  // Somebody is concerned. Of which people know, unless this is the first.
  void begin(const Matter& matter, const Event& event, const NotifierRoute& route) {
    const Telling* known = so_far_.telling(matter, route.name);
    // Nobody else is, and for a while nobody was: this is another time. (A soak that is unwatched
    // does not know of it for `patience` after a restart.)
    const bool forgotten = known != nullptr &&
                           !so_far_.concerns_any(matter, route, routes_, step_.spec.id) &&
                           event.at - known->told_at >= kRemindEvery;
    if (forgotten) so_far_.forget(matter, route.name);
    if (!forgotten && known != nullptr && known->told) return;

    Telling& telling = so_far_.change(matter, route.name);
    if (telling.told_at == SysTime{}) {
      telling.since = since(matter, event);
      telling.told_at = event.at;
    }
    if (!wants(route, event)) return;
    telling.told = true;
    telling.told_at = event.at;
    say(route, silence_begins(step_, event, matter.name, waiting(matter, route)));
  }

  void remind(const Matter& matter, const Event& event, const NotifierRoute& route) {
    const Telling* known = so_far_.telling(matter, route.name);
    const auto answers =
        known != nullptr ? known->answers_since : so_far_.ended_at(matter, route.name);
    const bool is_answering = answers && (known != nullptr || !is_silent_since(*answers, matter));
    if (is_answering) {
      // Of the datasource there is nothing to say, and of the rollout only that it waits.
      if (event.at - *answers >= kAboutToBeAsked && tells(route, event)) alone(event, route);
      return;
    }
    if (known == nullptr || !known->told) return begin(matter, event, route);
    if (event.at - known->told_at < kRemindEvery - kRemindSlack) return;
    Telling& telling = so_far_.change(matter, route.name);
    telling.told_at = event.at;
    if (tells(route, event))
      say(route, silence_goes_on(step_, event, matter.name, telling.since, waiting(matter, route)));
  }

  // Has the rollout been asked since, and got no answer?
  bool is_silent_since(SysTime then, const Matter& matter) const {
    const auto silence = silence_of({step_.spec, step_.plan}, step_.after, matter.name);
    return silence && silence->at > then;
  }

  // Of what the rollout is no longer concerned by. If it was the last, the matter is over: told, if
  // it is known that there are answers; else everybody who waited for them has ended or was sent on
  // by a person.
  void leave(const Matter& matter) {
    so_far_.leave(matter, step_.spec.id);
    if (matter.kind == Matter::Kind::kFreeze) return;
    const Sign shown = sign(matter);
    const bool answered = shown == Sign::kAnswers;
    // After a restart a soak knows of its silence only when it has lasted again.
    const bool still_soaks =
        step_.before.state == State::kSoaking && step_.after.state == State::kSoaking;
    if (still_soaks && !answered) return;
    for (const NotifierRoute* route : mine_) {
      const Telling* known = so_far_.telling(matter, route->name);
      if (known == nullptr || so_far_.concerns_any(matter, *route, routes_)) continue;
      if (answered || (known->answers_since && shown != Sign::kSilent))
        end_of_silence(matter, *route, *known);
      else if (!so_far_.is_shared())  // else those of another node may wait
        so_far_.forget(matter, route->name);
    }
  }

  // A pause that the engine lifts is an answer, whatever slot did it.
  Sign sign(const Matter& matter) const {
    const bool lifted =
        std::any_of(step_.events.begin(), step_.events.end(), [&matter](const Event& e) {
          return e.type == EventType::kResumed && is_by_engine(e) && e.datasource == matter.name;
        });
    return lifted ? Sign::kAnswers : sign_of(step_, matter.name);
  }

  // What the step's slots show of a datasource that people were told gives no answers.
  void listen(const Matter& matter) {
    const Sign shown = sign(matter);
    if (shown == Sign::kNone) return;
    if (shown == Sign::kSilent) return go_on_waiting(matter);
    const SysTime now = step_.after.updated_at;
    const bool waited = contains(before_, matter);
    for (const NotifierRoute* route : mine_) {
      const Telling* known = so_far_.telling(matter, route->name);
      if (known == nullptr) continue;
      const bool anybody = so_far_.concerns_any(matter, *route, routes_);
      if (!anybody && so_far_.is_shared()) continue;  // those of another node may wait
      const bool for_long = known->answers_since && now - *known->answers_since >= kAnswersFor;
      if (!anybody || for_long)
        end_of_silence(matter, *route, *known);
      else if (waited && !known->answers_since)
        so_far_.change(matter, route->name).answers_since = now;
    }
  }

  // Somebody got no answer; whoever it was, it is the same datasource.
  void go_on_waiting(const Matter& matter) {
    for (const NotifierRoute& route : routes_) {
      const Telling* known = so_far_.telling(matter, route.name);
      if (known != nullptr && known->answers_since)
        so_far_.change(matter, route.name).answers_since.reset();
    }
  }

  void end_of_silence(const Matter& matter, const NotifierRoute& route, const Telling& known) {
    Event ended;
    ended.type = EventType::kResumed;
    ended.by = "engine";
    ended.at = step_.after.updated_at;
    ended.datasource = matter.name;
    const Notice notice =
        silence_ends(ended, matter.name, known.since, known.went_on, waiting(matter, route));
    so_far_.end(matter, route.name, ended.at);
    if (tells(route, ended)) say(route, notice);
  }

  // A soak's silence is the same news as a pause: whoever hears of one hears of the other.
  static bool wants(const NotifierRoute& route, const Event& event) {
    if (tells(route, event)) return true;
    if (event.type != EventType::kNote) return false;
    Event paused = event;
    paused.type = EventType::kPaused;
    return tells(route, paused);
  }

  SysTime since(const Matter& matter, const Event& event) const {
    const auto silence = silence_of({step_.spec, step_.plan}, step_.after, matter.name);
    return silence && silence->since ? *silence->since : event.at;
  }

  std::size_t waiting(const Matter& matter, const NotifierRoute& route) const {
    const auto rollouts = so_far_.concerned(matter, route, routes_);
    return static_cast<std::size_t>(std::count_if(
        rollouts.begin(), rollouts.end(), [](const auto& rollout) { return rollout.waits; }));
  }

  void alone(const Event& event, const NotifierRoute& route) {
    say(route, notice_of(step_.spec, event));
  }
  void say(const NotifierRoute& route, Notice notice) {
    out_.push_back({route.name, std::move(notice)});
  }

  ToldSoFar& so_far_;
  const TakenStep& step_;
  const std::vector<NotifierRoute>& routes_;
  const Freezes& freezes_;
  const std::vector<const NotifierRoute*> mine_;
  const std::vector<Matter> before_;
  const std::vector<Matter> after_;
  std::vector<Announcement> out_;
};

}  // namespace

std::vector<Announcement> tell(ToldSoFar& so_far, const TakenStep& step,
                               const std::vector<NotifierRoute>& routes, const Freezes& freezes) {
  return StepTeller(so_far, step, routes, freezes).tell();
}

bool is_about_many(const Event& event) {
  return is_of_freeze(event) || !silence_of_event(event).empty();
}

void recognize(ToldSoFar& so_far, Fixed fixed, const RolloutState& state) {
  for (const Matter& matter : matters_of(fixed, state))
    so_far.join(matter, fixed.spec, state.question.has_value());
}

}  // namespace rollwatch
