// Where orders and notifications must not go: addresses at which a receiver has no business, and
// somebody who can choose what a name resolves to would like us to knock. Link-local ones, the
// metadata services of clouds, and the unspecified address, which is this machine under another
// name; also written as IPv6 (::ffff:169.254.169.254, 64:ff9b::a9fe:a9fe). Loopback is not among
// them: a receiver on the same machine is the usual case.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollwatch {

struct RefusedAddress {
  std::string address;    // as allow_addresses would name it
  std::string_view what;  // "link-local"
};

// Nothing: it may be connected to. `allowed` holds addresses in their usual spelling. What is
// neither IPv4 nor IPv6 is nobody's business here.
std::optional<RefusedAddress> refused_address(const sockaddr& address,
                                              const std::vector<std::string>& allowed);
// The same for an address as text.
std::optional<RefusedAddress> refused_address(std::string_view address,
                                              const std::vector<std::string>& allowed);

}  // namespace rollwatch
