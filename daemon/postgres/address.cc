#include "daemon/postgres/address.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <memory>
#include <utility>

namespace rollwatch {
namespace {

constexpr const char* kEscape =
    "; what is special in a user's name or a password (@ : / ? # % and the like) is written as % "
    "and two hexadecimal digits";

// An @ too many before the parameters: a part of the password would be taken for the host.
bool has_stray_at(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return false;
  std::string_view rest = url.substr(scheme + 3);
  rest = rest.substr(0, rest.find('?'));
  const std::string_view host = rest.substr(0, rest.find('/'));
  return std::count(host.begin(), host.end(), '@') > 1 ||
         rest.find('@', host.size()) != std::string_view::npos;
}

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

// All that libpq would connect with, wherever it is from. It tells only of a connection: so one is
// begun that it refuses to try, for this sslmode, after it has put everything together.
Options options_of(const std::string& url) {
  const std::array<const char*, 3> keys = {"dbname", "sslmode", nullptr};
  const std::array<const char*, 3> values = {url.c_str(), "none of these", nullptr};
  const Connection refused(PQconnectStartParams(keys.data(), values.data(), 1), PQfinish);
  return {refused ? PQconninfo(refused.get()) : nullptr, PQconninfoFree};
}

std::string option(const Options& options, std::string_view keyword) {
  for (const PQconninfoOption* o = options.get(); o != nullptr && o->keyword != nullptr; ++o)
    if (o->keyword == keyword) return o->val == nullptr ? "" : o->val;
  return "";
}

// "a,,b" → a, "", b; "" → nothing.
std::vector<std::string> list_in(const std::string& text) {
  std::vector<std::string> list;
  if (text.empty()) return list;
  for (std::size_t at = 0;;) {
    const std::size_t comma = text.find(',', at);
    list.push_back(text.substr(at, comma - at));
    if (comma == std::string::npos) return list;
    at = comma + 1;
  }
}

bool is_socket(const std::string& host) { return host.starts_with('/') || host.starts_with('@'); }

}  // namespace

bool PgServer::must_be_looked_up() const {
  if (host.empty() || !hostaddr.empty() || is_socket(host)) return false;
  boost::system::error_code no_address;
  boost::asio::ip::make_address(host, no_address);
  return static_cast<bool>(no_address);
}

PgServers servers_of(const std::string& url) {
  PgServers servers;
  const Options options = options_of(url);
  const std::vector<std::string> hosts = list_in(option(options, "host"));
  const std::vector<std::string> addresses = list_in(option(options, "hostaddr"));
  const std::vector<std::string> ports = list_in(option(options, "port"));
  for (std::size_t i = 0; i < std::max(hosts.size(), addresses.size()); ++i) {
    PgServer& server = servers.all.emplace_back();
    if (i < hosts.size()) server.host = hosts[i];
    if (i < addresses.size()) server.hostaddr = addresses[i];
    if (!ports.empty()) server.port = ports[std::min(i, ports.size() - 1)];
  }
  const std::size_t count = servers.all.size();
  const bool fits = (hosts.empty() || addresses.empty() || hosts.size() == addresses.size()) &&
                    (ports.size() <= 1 || ports.size() == count);
  // One of several cannot be named without what the others have and it has not.
  const bool has_gap = std::any_of(servers.all.begin(), servers.all.end(), [&](const PgServer& s) {
    return (s.host.empty() && s.hostaddr.empty()) || (s.hostaddr.empty() && !addresses.empty()) ||
           (s.host.empty() && !hosts.empty());
  });
  servers.as_they_stand = count == 0 || !fits || (count > 1 && has_gap);
  if (servers.as_they_stand) servers.all.assign(1, {});
  const std::string limit = option(options, "connect_timeout");
  int seconds = 0;
  std::from_chars(limit.data(), limit.data() + limit.size(), seconds);
  if (seconds > 0) servers.connect_timeout = std::chrono::seconds(seconds);
  return servers;
}

std::string_view advice_on(std::string_view why) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kAdvice = {{
      {"certificate verify failed",
       "sslrootcert in store.url must name the certificate of the authority that signed the "
       "server's"},
      {"does not match host name",
       "the host in store.url must be a name that the server's certificate is made out to"},
      {"server does not support SSL", "ssl must be on in its postgresql.conf"},
      {"no password supplied",
       "give it in the file that passfile in store.url or PGPASSFILE names, or in ~/.pgpass (which "
       "only its owner may read), in PGPASSWORD, or in the address itself (store.url_file)"},
      {"password authentication failed",
       "a password in store.url goes before PGPASSWORD, and that before a password file"},
      {"no pg_hba.conf entry", "pg_hba.conf of the server must let this user in from this address"},
  }};
  for (const auto& [words, advice] : kAdvice)
    if (why.find(words) != std::string_view::npos) return advice;
  return "";
}

std::optional<std::string> mistake_in_pg_url(const std::string& url) {
  if (has_stray_at(url)) return std::string("the address has an @ too many") + kEscape;
  char* raw = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), &raw), PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> message(raw, PQfreemem);
  if (options) return std::nullopt;
  const std::string_view why = message ? message.get() : "";
  if (why.starts_with("invalid URI query parameter") && url.find("password=") == std::string::npos)
    return std::string(why.substr(0, why.find('\n')));
  return std::string("the address cannot be read") + kEscape;
}

}  // namespace rollwatch
