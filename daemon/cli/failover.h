// Several servers as one: the daemons that share a store answer alike, so what one of them cannot
// answer is asked of the next.
#pragma once

#include <string>
#include <vector>

#include "daemon/cli/pace.h"
#include "daemon/cli/transport.h"

namespace rollwatch {

// "a, b" as {"a", "b"}; empty parts are left out.
std::vector<std::string> split_list(const std::string& text);

// Stays with the server that answered last. Goes on to the next when one cannot be reached, breaks
// off what may be sent twice, or says that it cannot answer now, until each was asked once: then
// the last one's answer or error counts. An answer that is handed over as it comes and breaks off
// is not asked for again here, as only the caller knows how far it got; the next request goes to
// the next. `pace` outlives it; an interruption ends the trying.
Transport in_turn(std::vector<Transport> servers, Pace& pace);

}  // namespace rollwatch
