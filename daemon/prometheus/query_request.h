// The HTTP request a question becomes: address, parameters, credentials.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/secret.h"
#include "analysis/time.h"
#include "daemon/http/keep_alive.h"

namespace rollwatch {

// How to reach one metrics server.
struct Datasource {
  std::string url;  // /api/v1/query is added
  Millis timeout{10'000};
  int max_concurrency = 8;
  Millis ingestion_delay{0};
  std::map<std::string, Secret> headers;
  Secret bearer_token;         // empty: none
  std::string basic_username;  // empty, like the password: none
  Secret basic_password;
  TlsOptions tls;
};

// Writes the requests of one datasource. What they have in common is encoded once.
class QueryEncoder {
 public:
  QueryEncoder(const Datasource& source, const BaseUrl& server);

  // An instant query evaluated for exactly `time`. By GET, or by POST where the address would be
  // too long for some proxy. `timeout` is what is left of the question's, and is told to the
  // server.
  std::string request(std::string_view query, SysTime time, Millis timeout) const;
  // The same query for every `step` from `first` to `last`.
  std::string range_request(std::string_view query, SysTime first, SysTime last, Millis step,
                            Millis timeout) const;

 private:
  std::string written(const std::string& target, std::string_view query, const std::string& when,
                      Millis timeout) const;

  std::string target_;   // /prefix/api/v1/query
  std::string headers_;  // lines, the empty one that ends them not included
};

// The names of the headers that a datasource's configuration adds, its credentials' included.
std::vector<std::string> configured_headers(const Datasource& source);

// Unix seconds: "1767323045.678", "0", "-1.5".
std::string unix_seconds(SysTime time);

// Takes the datasource's secrets out of a text that came back from its server.
std::string without_secrets(std::string text, const Datasource& source);

}  // namespace rollwatch
