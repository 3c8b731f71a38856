#include "daemon/api/access.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>

#include "daemon/api/carried.h"
#include "daemon/api/page_routes.h"
#include "daemon/http/problem.h"

namespace rollwatch {
namespace {

constexpr std::array<std::string_view, 4> kOpenPaths{"/-/healthy", "/-/ready", "/metrics",
                                                     "/openapi.json"};
// Nobody's token is longer; it is not hashed.
constexpr std::size_t kLongestHeader = 1024;

std::optional<std::string> password_of(std::string_view base64) {
  // OpenSSL takes whole groups of four, and counts the padding as bytes.
  const auto padding = static_cast<std::size_t>(std::ranges::count(base64, '='));
  if (base64.empty() || base64.size() % 4 != 0 || padding > 2) return std::nullopt;
  std::string text(base64.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(base64.data()),
                      static_cast<int>(base64.size())) < 0)
    return std::nullopt;
  text.resize(text.size() - padding);
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  return text.substr(colon + 1);
}

ServerResponse with(ServerResponse response, const char* name, std::string value) {
  response.headers.emplace_back(name, std::move(value));
  return response;
}

ServerResponse asked_for_token(std::string detail, const char* challenge) {
  return with(problem_response(Problem{401, std::move(detail)}), "WWW-Authenticate", challenge);
}

ServerResponse too_often(std::string detail) {
  return with(problem_response(Problem{429, std::move(detail)}), "Retry-After", "1");
}

ServerResponse asked_too_often(const Caller& caller, const ServerSettings& server) {
  return too_often(fmt::format("the token \"{}\" asks more often than {} times a second",
                               caller.token, server.rate));
}

Caller caller_with(const TokenSettings& token, const std::string& address) {
  Caller caller;
  caller.name = token.name;
  caller.token = token.name;
  caller.address = address;
  caller.namespaces = token.namespaces;
  caller.scopes.clear();
  for (const Scope scope : {Scope::kRead, Scope::kRegister, Scope::kDecide, Scope::kAdmin})
    if (std::ranges::find(token.scopes, scope_name(scope)) != token.scopes.end())
      caller.scopes.push_back(scope);
  return caller;
}

}  // namespace

std::string_view scope_name(Scope scope) { return kScopeNames.at(static_cast<std::size_t>(scope)); }

bool is_open(std::string_view pattern) {
  return std::ranges::find(kOpenPaths, pattern) != kOpenPaths.end();
}

const TokenSettings* find_token(const std::vector<TokenSettings>& tokens,
                                std::string_view presented) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(presented.data()), presented.size(), digest.data());
  const TokenSettings* found = nullptr;
  for (const TokenSettings& token : tokens)
    if (CRYPTO_memcmp(digest.data(), token.sha256.data(), digest.size()) == 0) found = &token;
  return found;
}

std::optional<std::string> presented_token(const ServerRequest& request) {
  if (std::ranges::count(request.headers, "authorization", &Headers::value_type::first) != 1)
    return std::nullopt;
  std::string_view text = *request.header("authorization");
  if (text.size() > kLongestHeader) return std::nullopt;
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string scheme = lower_case(text.substr(0, space));
  text.remove_prefix(text.find_first_not_of(' ', space) == std::string_view::npos
                         ? text.size()
                         : text.find_first_not_of(' ', space));
  if (scheme == "basic") return password_of(text);
  if (scheme != "bearer" || text.empty()) return std::nullopt;
  return std::string(text);
}

std::string guessing_place(const std::string& address) {
  boost::system::error_code bad;
  const auto ip = net::ip::make_address(address, bad);
  if (bad || ip.is_v4()) return address;
  const net::ip::address_v6 v6 = ip.to_v6();
  if (v6.is_v4_mapped()) return net::ip::make_address_v4(net::ip::v4_mapped, v6).to_string();
  net::ip::address_v6::bytes_type bytes = v6.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return net::ip::address_v6(bytes).to_string() + "/64";
}

ServerResponse Access::refuse_token(const std::string& peer, const std::string& from) {
  if (wrong_.take(from, kGuessesPerSecond, kGuesses, clock_.steady())) {
    if (wrong_.is_empty(from, kGuessesPerSecond, kGuesses, clock_.steady()))
      spdlog::warn("{} has shown {} wrong tokens: unknown ones are looked at once a second now",
                   peer, kGuesses);
    return asked_for_token("this token is not known here, or no longer",
                           "Bearer error=\"invalid_token\"");
  }
  return too_often("too many wrong tokens came from this address; try again in a moment");
}

Expected<Caller, ServerResponse> Access::caller_of(const ServerRequest& request,
                                                   const ServerSettings& server) {
  const auto presented = presented_token(request);
  if (!presented)
    return Unexpected(
        asked_for_token(request.header("authorization")
                            ? "the Authorization header must be \"Bearer\" and a token, once"
                            : "this needs a token: send the header Authorization: Bearer rwt_…",
                        "Bearer"));
  const std::string from = guessing_place(request.peer);
  const TokenSettings* token = find_token(server.tokens, *presented);
  if (token == nullptr) return Unexpected(refuse_token(request.peer, from));
  const std::string both = from + " " + token->name;
  const bool known = accepted_.find(both) != nullptr;
  if (!known && wrong_.is_empty(from, kGuessesPerSecond, kGuesses, clock_.steady()))
    return Unexpected(refuse_token(request.peer, from));
  if (!known) accepted_.put(both, true);
  return caller_with(*token, request.peer);
}

bool Access::asks_too_often(const Caller& caller, const ServerSettings& server) {
  return server.rate > 0 &&
         !asked_.take(caller.token, server.rate, 2.0 * server.rate, clock_.steady());
}

Expected<Caller, ServerResponse> Access::visit(const ServerRequest& request,
                                               const ServerSettings& server) {
  Caller visitor;
  visitor.address = request.peer;
  if (server.tokens.empty()) return visitor;
  visitor.name = "";
  visitor.scopes.clear();
  if (!request.header("authorization")) return visitor;
  auto known = caller_of(request, server);
  if (known && asks_too_often(*known, server)) return Unexpected(asked_too_often(*known, server));
  if (known) return known;
  // A browser that remembers a token which is not known any more asks for another one.
  ServerResponse refused = known.error();
  for (auto& [name, value] : refused.headers)
    if (name == "WWW-Authenticate") value = kBasicChallenge;
  return Unexpected(std::move(refused));
}

Expected<Caller, ServerResponse> Access::admit(const ServerRequest& request,
                                               const ServerSettings& server,
                                               std::string_view pattern, Scope scope) {
  Caller caller;
  caller.address = request.peer;
  if (request.carried) {
    caller = read_caller_text(request.caller);
  } else if (server.tokens.empty() || is_open(pattern)) {
    return caller;
  } else {
    auto known = caller_of(request, server);
    if (!known) return known;
    caller = std::move(*known);
    // What people and their tools order is never too often.
    if (scope != Scope::kDecide && asks_too_often(caller, server))
      return Unexpected(asked_too_often(caller, server));
  }
  if (!caller.may(scope))
    return Unexpected(
        problem_response(Problem{403, fmt::format("the token \"{}\" lacks the scope \"{}\"",
                                                  caller.name, scope_name(scope))}));
  if (scope == Scope::kAdmin && !caller.namespaces.empty())
    return Unexpected(problem_response(Problem{
        403, fmt::format("the token \"{}\" is limited to namespaces, and this concerns all of them",
                         caller.name)}));
  return caller;
}

}  // namespace rollwatch
