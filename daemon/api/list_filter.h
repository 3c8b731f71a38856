// Which rollouts a list is of, by its query: state, namespace, service, target, label.NAME.
#pragma once

#include <string>
#include <vector>

#include "daemon/api/api.h"

namespace rollwatch {

// Of those that the caller may see. `others`: parameters that the list has beside these.
ListFilter list_filter_of(const Call& call, std::vector<std::string> others);

}  // namespace rollwatch
