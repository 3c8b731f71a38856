#include "daemon/http/listener.h"

#include <fmt/format.h>

namespace rollwatch {

using boost::system::error_code;
using net::ip::tcp;

Expected<std::string, std::string> listen_on(tcp::acceptor& acceptor, const std::string& address,
                                             Reach reach) {
  const auto failed = [&](const std::string& why) {
    return Unexpected(fmt::format("cannot listen on {}: {}", address, why));
  };
  const auto [host, port] = split_host_port(address);
  if (host.empty() || port.empty()) return failed("write host:port, such as 127.0.0.1:9797");
  error_code error;
  tcp::resolver resolver(acceptor.get_executor());
  const auto found = resolver.resolve(host, port, tcp::resolver::passive, error);
  if (error) return failed(error.message());
  const tcp::endpoint endpoint = found.begin()->endpoint();
  if (reach == Reach::kThisMachine && !endpoint.address().is_loopback())
    return failed(
        "there are no access tokens, so only this machine may be served; use 127.0.0.1, [::1] or "
        "localhost, or make a token with rollwatch token new NAME --scopes read,register");
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error) {
    error_code ignored;
    acceptor.close(ignored);
    return failed(error.message());
  }
  const tcp::endpoint bound = acceptor.local_endpoint();
  const std::string ip = bound.address().to_string();
  return fmt::format("{}:{}", bound.address().is_v6() ? "[" + ip + "]" : ip, bound.port());
}

}  // namespace rollwatch
