// What is told of a freeze, of one service or of everything: one message to each notifier that has
// a rollout it holds, also if who or why changes, and one when it has ended, by a person or by
// itself. What is in force is known from the freezes; of a rollout only counts whether it stands
// still. So a freeze is the same one when the rollouts it was told with have ended and others come,
// and two that hold the same rollout stay two.
#pragma once

#include <vector>

#include "analysis/freezes.h"
#include "analysis/silence.h"
#include "notifiers/told_once.h"

namespace rollwatch {

// Of a step in which what freezes the rollout has changed; else nothing. Who is concerned is to be
// up to date, the rollout among them if it was.
std::vector<Announcement> tell_freezes(ToldSoFar& so_far, const TakenStep& step,
                                       const std::vector<NotifierRoute>& routes,
                                       const Freezes& freezes);

// Drops what was told of freezes that have ended while no rollout was there to say so.
void forget_ended_freezes(ToldSoFar& so_far, const Freezes& freezes, SysTime now);

}  // namespace rollwatch
