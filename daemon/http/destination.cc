#include "daemon/http/destination.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstring>

#include "daemon/net/net.h"

namespace rollwatch {
namespace {

using V4 = net::ip::address_v4;
using V6 = net::ip::address_v6;

// Those of AWS, GCP, Azure and most others; AWS over IPv6; Alibaba.
bool is_metadata(const net::ip::address& address) {
  static const std::array known{net::ip::make_address("169.254.169.254"),
                                net::ip::make_address("fd00:ec2::254"),
                                net::ip::make_address("100.100.100.200")};
  return std::find(known.begin(), known.end(), address) != known.end();
}

bool is_link_local(const net::ip::address& address) {
  if (address.is_v6()) return address.to_v6().is_link_local();
  return (address.to_v4().to_uint() >> 16U) == 0xa9fe;
}

// The IPv4 address that is meant by one of IPv6: mapped, or behind the usual NAT64.
net::ip::address plain(const V6& address) {
  constexpr std::array<unsigned char, 12> kNat64{0, 0x64, 0xff, 0x9b};
  const V6::bytes_type bytes = address.to_bytes();
  const bool nat64 = std::equal(kNat64.begin(), kNat64.end(), bytes.begin());
  if (!address.is_v4_mapped() && !nat64) return V6(bytes);  // without its scope
  return V4({bytes[12], bytes[13], bytes[14], bytes[15]});
}

std::optional<RefusedAddress> refused(net::ip::address address,
                                      const std::vector<std::string>& allowed) {
  if (address.is_v6()) address = plain(address.to_v6());
  std::string_view what;
  if (address.is_unspecified()) what = "unspecified";
  if (is_link_local(address)) what = "link-local";
  if (is_metadata(address)) what = "a cloud's metadata service";
  if (what.empty()) return std::nullopt;
  std::string text = address.to_string();
  if (std::find(allowed.begin(), allowed.end(), text) != allowed.end()) return std::nullopt;
  return RefusedAddress{std::move(text), what};
}

}  // namespace

std::optional<RefusedAddress> refused_address(const sockaddr& address,
                                              const std::vector<std::string>& allowed) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return refused(V4(ntohl(v4.sin_addr.s_addr)), allowed);
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    V6::bytes_type bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return refused(V6(bytes), allowed);
  }
  return std::nullopt;
}

std::optional<RefusedAddress> refused_address(std::string_view address,
                                              const std::vector<std::string>& allowed) {
  boost::system::error_code none;
  const auto parsed = net::ip::make_address(std::string(address), none);
  if (none) return std::nullopt;
  return refused(parsed, allowed);
}

}  // namespace rollwatch
