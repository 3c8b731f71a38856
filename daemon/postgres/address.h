// What stands in the address of a database, as libpq reads it: its environment, service files and
// defaults included.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/time.h"

namespace rollwatch {

// Nothing for an address that libpq can read. Not a word of it that could be a password: libpq's
// own messages repeat the whole of it, or the part it stumbled over.
std::optional<std::string> mistake_in_pg_url(const std::string& url);

// One of the servers an address names.
struct PgServer {
  std::string host;  // a name, an address, or the directory of a socket; "": whatever libpq takes
  std::string hostaddr;  // "": that of the host
  std::string port;      // "": the default
  Millis share{0};       // of the time there is for all
  // Whether libpq would have to ask for it, and block meanwhile.
  bool must_be_looked_up() const;
};

struct PgServers {
  std::vector<PgServer> all;  // never empty
  // libpq is to find them: at its default place, or something is wrong with them, and it says what.
  bool as_they_stand = false;
  std::optional<Millis> connect_timeout;  // for one server
};

// Not for an address with a mistake.
PgServers servers_of(const std::string& url);

// What to do about an error of libpq or of the server, for those where their own words do not say;
// "" else.
std::string_view advice_on(std::string_view why);

}  // namespace rollwatch
