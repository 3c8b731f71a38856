#include "daemon/cli/token.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <iostream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "daemon/cli/commands.h"
#include "daemon/cli/contexts.h"
#include "daemon/cli/failover.h"
#include "daemon/cli/results.h"
#include "daemon/cli/text.h"

namespace rollwatch {
namespace {

constexpr std::size_t kRandomBytes = 32;
constexpr std::array<std::string_view, 4> kScopes{"read", "register", "decide", "admin"};

std::string base64url(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  text.erase(text.find_last_not_of('=') + 1);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

std::string sha256_hex(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const int done =
      EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  assert(done == 1 && "SHA-256 of memory cannot fail");
  static_cast<void>(done);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::string toml_list(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  quoted.reserve(words.size());
  for (const std::string& word : words) quoted.push_back(toml_string(word));
  return "[" + joined(quoted, ", ") + "]";
}

// Of a flag that may be repeated, or have its words separated by commas; each once.
std::vector<std::string> words_of(const Invocation& call, std::string_view flag) {
  std::vector<std::string> words;
  for (const std::string& value : call.list(flag)) {
    for (const std::string& word : split_list(value)) {
      if (std::ranges::find(words, word) == words.end()) words.push_back(word);
    }
  }
  return words;
}

}  // namespace

NewToken token_of(const std::string& bytes) {
  NewToken made{.token = "rwt_" + base64url(bytes), .sha256 = {}};
  made.sha256 = sha256_hex(made.token);
  return made;
}

Expected<NewToken, std::string> make_token() {
  std::string bytes(kRandomBytes, '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got = getrandom(bytes.data() + done, bytes.size() - done, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Unexpected(std::generic_category().message(errno));
    done += static_cast<std::size_t>(got);
  }
  return token_of(bytes);
}

std::string token_section(const std::string& name, const std::string& sha256,
                          const std::vector<std::string>& scopes,
                          const std::vector<std::string>& namespaces) {
  std::string text = fmt::format("[[server.token]]\nname = {}\nsha256 = {}\nscopes = {}\n",
                                 toml_string(name), toml_string(sha256), toml_list(scopes));
  if (!namespaces.empty()) text += fmt::format("namespaces = {}\n", toml_list(namespaces));
  return text;
}

int run_token_new(const Invocation& call, Surroundings& surroundings) {
  const std::vector<std::string> scopes = words_of(call, "scopes");
  for (const std::string& scope : scopes) {
    if (std::ranges::find(kScopes, scope) != kScopes.end()) continue;
    const auto nearest = nearest_word(scope, {kScopes.begin(), kScopes.end()});
    return usage_failure(surroundings.err,
                         fmt::format("no scope '{}'{}", printable(scope),
                                     nearest ? fmt::format("; did you mean '{}'?", *nearest)
                                             : "; there are read, register, decide and admin"));
  }
  if (scopes.empty()) return usage_failure(surroundings.err, "--scopes is empty");
  const std::vector<std::string> namespaces = words_of(call, "namespaces");
  const auto made = make_token();
  if (!made) {
    surroundings.err << fmt::format("rollwatch: no random numbers: {}\n", made.error());
    return code(ExitCode::kFailed);
  }
  const std::string section = token_section(call.positional, made->sha256, scopes, namespaces);
  nlohmann::json result{{"name", call.positional},
                        {"token", made->token},
                        {"sha256", made->sha256},
                        {"scopes", scopes},
                        {"configuration", section}};
  if (!namespaces.empty()) result["namespaces"] = namespaces;
  print(call, surroundings.out, result, fmt::format("{}\n\n{}", made->token, section));
  surroundings.err << "The token is shown this once: keep it in a file that only its user can read "
                      "(--token-file).\nThe section goes into the server's configuration; a reload "
                      "takes it up.\n";
  return 0;
}

}  // namespace rollwatch
