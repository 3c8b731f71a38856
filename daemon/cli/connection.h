// Where the server is and what it is shown: flags before the environment before the context.
#pragma once

#include <string>
#include <vector>

#include "config/environment.h"
#include "daemon/cli/arguments.h"

namespace rollwatch {

struct Connection {
  std::vector<std::string> servers;  // at least one
  std::string token = {};            // a secret, never shown; may be empty
  std::string ca_file = {};          // empty: the system's
  std::string cert_file = {};
  std::string key_file = {};
  bool insecure = false;
  std::vector<std::string> warnings = {};  // for the user, before anything is asked
};

// A context's token, certificate and authorities are for that context's server: they are left out
// when the address comes from elsewhere. The error is a sentence for the user.
Expected<Connection, std::string> connection_of(const Invocation& call,
                                                const std::string& context_file,
                                                const Environment& environment);

}  // namespace rollwatch
