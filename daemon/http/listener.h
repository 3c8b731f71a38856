// Where the server is found: a bound, listening socket from "host:port".
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "analysis/expected.h"
#include "daemon/http/server.h"
#include "daemon/net/net.h"

namespace rollwatch {

// The address listened on, with the real port if 0 was asked for; or a sentence why not.
Expected<std::string, std::string> listen_on(net::ip::tcp::acceptor& acceptor,
                                             const std::string& address, Reach reach);

}  // namespace rollwatch
