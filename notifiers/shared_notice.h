// The sentences of what is told once for many rollouts (told_once.h). Each begins with the words it
// is about, and names the rollout whose step it is, or how many there are.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/freezes.h"
#include "analysis/silence.h"
#include "notifiers/notification.h"

namespace rollwatch {

// "datasource default gives no answers: the datasource cannot be reached: connection refused;
// checkout 1.24 in eu-1 waits for it". `waiting`: how many do, this one included.
Notice silence_begins(const TakenStep& step, const Event& event, const std::string& datasource,
                      std::size_t waiting);

// "datasource default still gives no answers after 42m; 300 rollouts wait for it"
Notice silence_goes_on(const TakenStep& step, const Event& event, const std::string& datasource,
                       SysTime since, std::size_t waiting);

// "datasource default answers again after 42m; 300 rollouts go on by themselves"
Notice silence_ends(const Event& event, const std::string& datasource, SysTime since,
                    std::size_t went_on, std::size_t waiting);

// "checkout is frozen by ana: stocktaking; checkout 1.24 in eu-1 stands still until that is lifted"
Notice freeze_begins(const RolloutSpec& spec, const FreezeRecord& freeze, SysTime now);
// "checkout is no longer frozen by ana: stocktaking; lifted by ben: done; 3 rollouts may go on".
// `free`: those that nothing else holds. There are none: `spec`'s is held by `other`.
Notice freeze_ends(const RolloutSpec& spec, const FreezeRecord& freeze, SysTime now,
                   const std::vector<std::shared_ptr<const RolloutSpec>>& free,
                   const std::optional<FreezeRecord>& other);

}  // namespace rollwatch
