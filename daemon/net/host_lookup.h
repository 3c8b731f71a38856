// Looks the names of hosts up without blocking the event loop, each on a thread of its own: one
// whose name server does not answer keeps nobody from another. Who asks for a name that is being
// looked up already gets the same answer. Nothing waits for a look-up that is out when the event
// loop ends.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analysis/expected.h"
#include "daemon/net/net.h"

namespace rollwatch {

// Numeric addresses in the order in which they are to be tried, or in a few words why there are
// none.
using HostAddresses = Expected<std::vector<std::string>, std::string>;

// Asks the system, and blocks.
HostAddresses find_host(const std::string& host);

// `done` is called once, on the executor, not before this returns; never if the event loop ends
// first. Io thread only.
void look_up_host(const net::any_io_executor& executor, const std::string& host,
                  std::function<void(HostAddresses)> done,
                  HostAddresses (*find)(const std::string& host) = find_host);

}  // namespace rollwatch
