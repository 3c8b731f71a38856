// [server]: where to listen, who may ask, and how much.
#include <algorithm>
#include <cctype>
#include <functional>
#include <set>

#include "config/address.h"
#include "config/sections.h"

namespace rollwatch {

namespace {

constexpr std::string_view kMakeOne = "rollwatch token new NAME --scopes read,register";
constexpr std::int64_t kMostConnections = 100'000;
constexpr std::int64_t kFewestConnections = 16;
constexpr std::int64_t kFastest = 1'000'000;

// The strings of a list, each once. Where one is wrong, `problem` says what is.
std::vector<std::string> read_names(
    TableReader& reader, std::string_view key, std::string_view how_to_write_it,
    const std::function<std::optional<std::string>(const Value&)>& problem) {
  std::vector<std::string> names;
  const Value* list = reader.array(key, how_to_write_it);
  if (list == nullptr) return names;
  const auto wrong = [&](const Value& at, std::string message) {
    reader.errors().push_back({at.origin(), join_key(reader.path(), key), std::move(message)});
  };
  if (list->as_array()->empty()) wrong(*list, "must not be empty: " + std::string(how_to_write_it));
  for (const Value& item : *list->as_array()) {
    const std::string* text = item.as_string();
    if (auto what = text == nullptr
                        ? std::optional("must hold strings: " + std::string(how_to_write_it) +
                                        ", not " + quoted(item))
                        : problem(item)) {
      wrong(item, std::move(*what));
    } else if (std::ranges::find(names, *text) != names.end()) {
      wrong(item, quoted(item) + " is given twice");
    } else {
      names.push_back(*text);
    }
  }
  return names;
}

std::optional<std::string> scope_problem(const Value& item) {
  if (std::ranges::find(kScopeNames, *item.as_string()) != kScopeNames.end()) return std::nullopt;
  const std::vector<std::string> known(kScopeNames.begin(), kScopeNames.end());
  return quoted(item) + " is no scope" + suggestion(*item.as_string(), known, "there are", "");
}

std::optional<std::string> namespace_problem(const Value& item) {
  const std::string& text = *item.as_string();
  if (!text.empty() && text.size() <= 253 && text.find('/') == std::string::npos)
    return std::nullopt;
  return "must hold namespaces, without a slash, not " + quoted(item);
}

std::optional<std::string> client_name_problem(const Value& item) {
  if (!item.as_string()->empty()) return std::nullopt;
  return "must hold names as they stand in the certificates, not " + quoted(item);
}

// "https://host:8443": as a browser writes it, without a path.
std::optional<std::string> origin_problem(const Value& item) {
  const std::string& text = *item.as_string();
  if (text == "*")
    return "must name each site: \"*\" would let every page in your people's browsers read what is "
           "here";
  const std::size_t scheme = text.find("://");
  const bool is_origin =
      !url_problem(text, UrlUse::kBase) && scheme != std::string::npos &&
      text.find('/', scheme + 3) == std::string::npos &&
      std::ranges::none_of(text, [](unsigned char c) { return std::isupper(c); });
  if (is_origin) return std::nullopt;
  return "must hold origins as browsers send them, such as \"https://deploys.example.net\", in "
         "lower case and without a path, not " +
         quoted(item);
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  return std::nullopt;
}

void read_sha256(TableReader& reader, TokenSettings& token) {
  const auto text = reader.string("sha256");
  if (reader.find("sha256") == nullptr)
    reader.missing("sha256",
                   "make a token, which prints its hash as well: " + std::string(kMakeOne));
  if (!text) return;
  if (text->starts_with("rwt_"))
    return reader.wrong("sha256",
                        "is the token itself, which belongs nowhere but with who uses it, and must "
                        "now be replaced; give its hash: printf %s \"$TOKEN\" | sha256sum");
  bool good = text->size() == 2 * token.sha256.size();
  for (std::size_t i = 0; good && i < token.sha256.size(); ++i) {
    const auto high = hex_digit((*text)[2 * i]);
    const auto low = hex_digit((*text)[2 * i + 1]);
    good = high && low;
    if (good) token.sha256[i] = static_cast<unsigned char>(*high << 4U | *low);
  }
  if (!good)
    reader.wrong("sha256", "must be the token's SHA-256 as 64 lower-case hex digits, not " +
                               std::to_string(text->size()) + " characters" +
                               (text->size() == 64 ? " of which some are others" : "") +
                               "; get it with: printf %s \"$TOKEN\" | sha256sum");
}

TokenSettings read_token(const Value& table, const std::string& path, SectionContext& context) {
  TokenSettings token;
  TableReader reader(table, path, context.errors);
  if (auto name = reader.string("name")) {
    if (!is_plain_name(*name))
      reader.wrong("name", "is no name; use letters, digits, '-', '_' and '.', at most 64 of them");
    token.name = std::move(*name);
  } else if (reader.is_table() && reader.find("name") == nullptr) {
    reader.missing("name", "say whose it is: the name is kept with everything that is decided");
  }
  if (reader.is_table()) read_sha256(reader, token);
  token.scopes = read_names(reader, "scopes", "scopes = [\"read\", \"register\"]", scope_problem);
  if (reader.is_table() && reader.find("scopes") == nullptr)
    reader.missing("scopes", "list what it may do, such as scopes = [\"read\", \"register\"]");
  token.namespaces =
      read_names(reader, "namespaces", "namespaces = [\"payments\"]", namespace_problem);
  if (!token.namespaces.empty() && std::ranges::find(token.scopes, "admin") != token.scopes.end())
    context.warnings.push_back({table.origin(), path,
                                "is limited to namespaces, so its scope \"admin\" has no effect: "
                                "what that allows concerns "
                                "all of them"});
  reader.finish();
  return token;
}

std::vector<TokenSettings> read_tokens(TableReader& server, SectionContext& context) {
  std::vector<TokenSettings> tokens;
  const Value* list = server.array("token", "write [[server.token]] above each token's keys");
  if (list == nullptr) return tokens;
  for (const Value& table : *list->as_array()) {
    const std::string path = join_key(server.path(), "token");
    const std::size_t errors_before = context.errors.size();
    TokenSettings token = read_token(table, path, context);
    const auto refuse = [&](std::string_view key, const std::string& message) {
      const Value* value = table.find(key);
      context.errors.push_back(
          {value == nullptr ? table.origin() : value->origin(), join_key(path, key), message});
    };
    for (const TokenSettings& other : tokens) {
      if (other.name == token.name && !token.name.empty())
        refuse("name", "there is a token \"" + token.name +
                           "\" already; give each a name of its own, so that the record says who "
                           "decided");
      if (context.errors.size() == errors_before && other.sha256 == token.sha256)
        refuse("sha256", "the token \"" + other.name +
                             "\" has the same hash, so they are one token; make another: " +
                             std::string(kMakeOne));
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

std::optional<ServerTlsSettings> read_server_tls(TableReader& parent, SectionContext& context) {
  const Value* table = parent.table("tls");
  if (table == nullptr) return std::nullopt;
  ServerTlsSettings tls;
  TableReader reader(*table, join_key(parent.path(), "tls"), parent.errors());
  tls.cert_file = context.readable_file(reader, "cert_file");
  tls.key_file = context.readable_file(reader, "key_file", true);
  tls.client_ca_file = context.readable_file(reader, "client_ca_file");
  tls.client_names = read_names(reader, "client_names", "client_names = [\"ci.example.net\"]",
                                client_name_problem);
  if (reader.find("cert_file") == nullptr)
    reader.missing("cert_file",
                   "give the file with the server's certificate and those between it and the root");
  if (reader.find("key_file") == nullptr)
    reader.missing("key_file", "give the file with the certificate's private key");
  if (reader.find("client_names") != nullptr && reader.find("client_ca_file") == nullptr)
    reader.wrong("client_names",
                 "needs client_ca_file: the CA whose signature says that a client has that name");
  reader.finish();
  return tls;
}

void read_listen(TableReader& reader, ServerSettings& server) {
  const auto listen = reader.string("listen");
  if (!listen) return;
  const auto address = parse_listen(*listen);
  if (!address) {
    reader.wrong("listen",
                 "must be an address and a port, such as \"127.0.0.1:9797\" or \"[::1]:9797\"");
  } else if (!is_loopback(address->host) && reader.find("token") == nullptr) {
    reader.wrong(
        "listen",
        "without tokens rollwatchd listens on loopback only, as whoever reaches it may roll "
        "back everything; make one with " +
            std::string(kMakeOne) +
            ", which prints the [[server.token]] to put here, or write \"127.0.0.1:" +
            std::to_string(address->port) + "\"");
  } else {
    server.listen = *listen;
  }
}

}  // namespace

ServerSettings read_server(const Value& table, SectionContext& context) {
  ServerSettings server;
  TableReader reader(table, "server", context.errors);
  server.tokens = read_tokens(reader, context);
  read_listen(reader, server);
  if (auto url = reader.string("external_url")) {
    if (const auto problem = url_problem(*url, UrlUse::kBase))
      reader.wrong("external_url", *problem);
    server.external_url = without_trailing_slash(std::move(*url));
  }
  server.tls = read_server_tls(reader, context);
  server.cors_origins = read_names(
      reader, "cors_origins", "cors_origins = [\"https://deploys.example.net\"]", origin_problem);
  if (const auto n = reader.integer("connections", kFewestConnections, kMostConnections))
    server.connections = static_cast<int>(*n);
  if (const auto n = reader.integer("rate", 1, kFastest)) {
    server.rate = static_cast<int>(*n);
    if (reader.find("token") == nullptr)
      reader.wrong("rate",
                   "is how often each token may ask, and there are no tokens; leave it out");
  }
  if (!server.tokens.empty() && !server.tls && !is_loopback(parse_listen(server.listen)->host))
    context.warnings.push_back(
        {table.find("listen")->origin(), "server.listen",
         "tokens travel unencrypted to this address; give tls = { cert_file, key_file }, or have a "
         "proxy that does in front"});
  reader.finish();
  return server;
}

}  // namespace rollwatch
