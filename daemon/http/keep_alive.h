// Questions to one server, many a second, over connections that stay open. For everything else
// there is client.h; this one does less for a small part of its price: HTTP/1.1, requests that come
// encoded and may be repeated, one at a time on a connection.
//
// No redirects, no proxies of the environment, no compression, TLS 1.2 or newer.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "analysis/time.h"
#include "daemon/http/client.h"
#include "daemon/net/clock.h"

namespace rollwatch {

// The address that a server's requests begin with.
struct BaseUrl {
  bool is_tls = false;
  std::string host;  // without brackets
  std::string port;
  std::string path;    // "" or "/prefix"
  std::string name;    // "host:port", for messages
  std::string header;  // the value of Host
};
// Nothing: it is no address of http or https without user, query and fragment.
std::optional<BaseUrl> read_base_url(std::string_view url);

// What a server said. The only header anybody wants is its content type.
struct KeptAnswer {
  HttpError error = HttpError::kNone;
  std::string error_text;  // one line
  int status = 0;          // 0: none was received
  std::string content_type;
  std::string body;
  Millis duration{0};  // from send() on, connecting included
};

struct KeptRequest {
  std::string bytes;  // head and body
  Millis timeout{10'000};
  std::size_t max_answer = 1 << 20;
  std::function<void(KeptAnswer)> done;  // called once, on the io thread, never from within send()
};

class KeepAliveClient {
 public:
  // `clock` must outlive this.
  KeepAliveClient(const net::any_io_executor& executor, Clock& clock, BaseUrl server,
                  TlsOptions tls);
  // Requests that are out are not answered any more.
  ~KeepAliveClient();
  KeepAliveClient(const KeepAliveClient&) = delete;
  KeepAliveClient& operator=(const KeepAliveClient&) = delete;

  const BaseUrl& server() const;

  // Sends it at once: over the connection that was used last of those that are idle, or over a new
  // one. Once more if that connection turns out to have been closed meanwhile.
  void send(KeptRequest request);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with handlers that may run later than this
};

}  // namespace rollwatch
