// What is told of a step, and to which notifiers. An event is told by itself, unless it is part of
// something that concerns many rollouts; that is told once to each notifier that has one of them:
//
// A datasource gives no answers. One message when the first rollout is paused for it, or found
// unwatched in its soak; those that join are not told; one reminder in half an hour, with their
// number; and one message when it answers again. It answers again when it gave every rollout that
// waits an answer that sent it on, or with an answer a minute after one to somebody who waits, if
// nobody got none in between: not at the first answer, for a datasource that is only too slow gives
// some. The pauses that were part of it are lifted without a message; one that is still open at its
// next reminder is told by itself, unless the silence has begun again.
//
// A service, or everything, is frozen: one message when it is and one when it no longer is
// (told_freeze.h).
//
// Where several nodes share the rollouts (ToldSoFar::is_shared), all know what was told, and each
// of its own rollouts who waits: the end is told by the first whose own rollouts that waited have
// answers. One whose rollouts were sent on by people, or never waited, says nothing of it.
//
// Whatever is told begins and ends with an event's commit. Nothing here is lost by a crash; a
// ToldSoFar that was not kept says something twice.
#pragma once

#include <string>
#include <vector>

#include "analysis/freezes.h"
#include "analysis/silence.h"
#include "notifiers/notification.h"
#include "notifiers/routing.h"
#include "notifiers/told_so_far.h"

namespace rollwatch {

struct Announcement {
  std::string notifier;
  Notice notice;
};

// Everything that is told of the step, in order; `so_far` becomes what has been told with it.
std::vector<Announcement> tell(ToldSoFar& so_far, const TakenStep& step,
                               const std::vector<NotifierRoute>& routes, const Freezes& freezes);

// Whether what is told of it depends on what was told of other rollouts.
bool is_about_many(const Event& event);

// A rollout that was active when the process started.
void recognize(ToldSoFar& so_far, Fixed fixed, const RolloutState& state);

}  // namespace rollwatch
