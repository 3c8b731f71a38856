// Tokens are made here and known to the server by their hash only.
#pragma once

#include <string>
#include <vector>

#include "analysis/expected.h"

namespace rollwatch {

struct NewToken {
  std::string token;   // "rwt_" and 32 random bytes in base64url: a secret
  std::string sha256;  // of the token, lower-case hex
};

// 32 bytes make a token.
NewToken token_of(const std::string& bytes);

// From the system's random numbers; the error is the reason there are none.
Expected<NewToken, std::string> make_token();

// What goes into the server's configuration.
std::string token_section(const std::string& name, const std::string& sha256,
                          const std::vector<std::string>& scopes,
                          const std::vector<std::string>& namespaces);

}  // namespace rollwatch
