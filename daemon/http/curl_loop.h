// libcurl's multi interface on the io_context. curl says which sockets it wants to hear about and
// when it wants to be called; this turns both into waits and calls curl back. It knows nothing
// about requests.
//
// One record per socket keeps what curl wants and which waits are out. When curl lets a socket go,
// its descriptor is released, never closed: curl closes it, or keeps the connection for the next
// request. A time-out of zero goes through the loop like any other, so curl is never called from
// its own callbacks.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <unordered_map>

#include "daemon/net/net.h"

namespace rollwatch {

class CurlLoop {
 public:
  // `finished` is called for each transfer that ended, on the io thread, never from add() or
  // remove(). It must not throw, nor call add() or remove().
  using Finished = std::function<void(CURL* easy, CURLcode result)>;
  CurlLoop(const net::any_io_executor& executor, Finished finished);
  ~CurlLoop();
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  bool add(CURL* easy);
  void remove(CURL* easy);

 private:
  struct Watched;

  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) noexcept;
  static int on_timer(CURLM*, long milliseconds, void* self) noexcept;

  void watch(curl_socket_t socket, int what);
  void forget(curl_socket_t socket);
  void wait(const std::shared_ptr<Watched>& watched);
  void set_timer(long milliseconds);
  void call_soon();
  void call_curl(curl_socket_t socket, int events);

  net::any_io_executor executor_;
  Finished finished_;
  CURLM* multi_;
  net::steady_timer timer_;
  bool is_due_ = false;     // curl wants to be called at once…
  bool is_posted_ = false;  // …and will be
  std::unordered_map<curl_socket_t, std::shared_ptr<Watched>> sockets_;
  std::shared_ptr<bool> alive_ =
      std::make_shared<bool>(true);  // for waits that end after this does
};

}  // namespace rollwatch
