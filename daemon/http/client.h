// HTTP requests that leave the house: queries, orders, notifications. libcurl's multi interface on
// the io_context; nothing blocks, nothing throws for what a server or network can do.
//
// HTTP/1.1 with keep-alive, http and https only, TLS 1.2 or newer. Redirects are not followed,
// proxies of the environment (http_proxy, …) and ~/.netrc are not used: a request goes where the
// configuration says.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/secret.h"
#include "analysis/time.h"
#include "daemon/net/net.h"

namespace rollwatch {

struct TlsOptions {
  std::string ca_file;              // "": the system's
  std::string cert_file, key_file;  // client certificate
  bool insecure_skip_verify = false;
};

struct HttpRequest {
  std::string method = "GET";
  Secret url;  // may carry a password or be one (Slack)
  std::vector<std::pair<std::string, Secret>> headers;
  std::string body;
  Millis timeout{10'000};            // of everything: connect, send, whole answer
  std::size_t max_answer = 1 << 20;  // bytes kept; a longer answer is kTooLarge
  bool truncate = false;             // …or is cut off there and counts as received
  TlsOptions tls;
  // Set: no connection is made to an address that refused_address() (destination.h) names, but for
  // these, whatever the host's name resolves to.
  std::optional<std::vector<std::string>> allow_addresses;
};

enum class HttpError : unsigned char { kNone, kUnreachable, kTimeout, kTooLarge, kCancelled };

struct HttpResponse {
  HttpError error = HttpError::kNone;
  std::string error_text;                                    // one line, no secrets, no URL path
  int status = 0;                                            // 0: none was received
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  Millis duration{0};

  std::optional<std::string_view> header(std::string_view lower_case_name) const;
};

class HttpClient {
 public:
  explicit HttpClient(const net::any_io_executor& executor);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Answers with what came back or why nothing did; a status of any kind is not an error.
  // Cancelling the awaiting coroutine abandons the transfer. Io thread only.
  awaitable<HttpResponse> send(HttpRequest request);

  // Ends every transfer as kCancelled; send() then answers so at once.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl>
      impl_;  // shared with the coroutines in send(), which may end later than this
};

// Once per process, before any thread: curl_global_init, and SIGPIPE ignored (a TLS peer that hangs
// up would end the process).
struct HttpClientLibrary {
  HttpClientLibrary();
  ~HttpClientLibrary();
};

}  // namespace rollwatch
