// Who makes a request, and whether they may: the tokens of [server], told apart by their hashes in
// constant time. Without tokens whoever can reach the (loopback) address may do everything.
//
// Wrong tokens are counted for each address. One that has shown too many gets no more than one
// guess a second; a token that was accepted from there before is served all the same, so that
// neither a broken job nor an attacker behind the same proxy locks a deployer out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/expected.h"
#include "config/settings.h"
#include "daemon/api/buckets.h"
#include "daemon/engine/caller.h"
#include "daemon/http/message.h"
#include "daemon/net/clock.h"

namespace rollwatch {

// "read", …: as in the configuration.
std::string_view scope_name(Scope scope);

// The one whose hash is that of `presented`; null if there is none. Looks at all of them, whatever
// it finds.
const TokenSettings* find_token(const std::vector<TokenSettings>& tokens,
                                std::string_view presented);

// What `Authorization` holds: the token of `Bearer TOKEN`, or the password of `Basic`, for tools
// that can only put a user and a password into an address. nullopt: neither, or not once.
std::optional<std::string> presented_token(const ServerRequest& request);

// Health, metrics, the description of the API: for everybody.
bool is_open(std::string_view pattern);

class Access {
 public:
  static constexpr std::size_t kMostAddresses = 4096;
  static constexpr double kGuesses = 20;          // at once
  static constexpr double kGuessesPerSecond = 1;  // after that

  explicit Access(const Clock& clock) : clock_(clock) {}

  // Of a view of the page: anybody is shown one, without a token by somebody who may do nothing. A
  // wrong token is refused.
  Expected<Caller, ServerResponse> visit(const ServerRequest& request,
                                         const ServerSettings& server);

  // The caller of a request for this route, or the answer that refuses it: 401 without a token that
  // is known, 429 for too many wrong ones or too many requests, 403 without the scope.
  Expected<Caller, ServerResponse> admit(const ServerRequest& request, const ServerSettings& server,
                                         std::string_view pattern, Scope scope);

 private:
  Expected<Caller, ServerResponse> caller_of(const ServerRequest& request,
                                             const ServerSettings& server);
  bool asks_too_often(const Caller& caller, const ServerSettings& server);
  ServerResponse refuse_token(const std::string& peer, const std::string& from);

  const Clock& clock_;
  Buckets asked_{kMostAddresses};          // by token
  Buckets wrong_{kMostAddresses};          // by address
  Recent<bool> accepted_{kMostAddresses};  // by address and token
};

// Where guesses are counted together: an IPv4 address, or the 64 bits of an IPv6 network.
std::string guessing_place(const std::string& address);

}  // namespace rollwatch
