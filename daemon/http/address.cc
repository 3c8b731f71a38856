#include <boost/asio/ip/address.hpp>

#include "daemon/http/server.h"

namespace rollwatch {

bool is_loopback_host(std::string_view host) {
  if (lower_case(host) == "localhost") return true;
  boost::system::error_code bad;
  const auto address = net::ip::make_address(std::string(host), bad);
  return !bad && address.is_loopback();
}

std::pair<std::string, std::string> split_host_port(std::string_view address) {
  if (address.starts_with('[')) {
    const std::size_t end = address.find(']');
    if (end == std::string_view::npos) return {std::string(address), ""};
    std::string_view rest = address.substr(end + 1);
    if (rest.starts_with(':')) rest.remove_prefix(1);
    return {std::string(address.substr(1, end - 1)), std::string(rest)};
  }
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return {std::string(address), ""};
  return {std::string(address.substr(0, colon)), std::string(address.substr(colon + 1))};
}

}  // namespace rollwatch
