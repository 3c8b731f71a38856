// One request on its way through libcurl: its options, what has arrived of its answer within the
// bounds, and in the end one HttpResponse.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "daemon/http/client.h"
#include "daemon/http/destination.h"

namespace rollwatch {

class Transfer {
 public:
  // `request` must outlive the transfer.
  Transfer(const net::any_io_executor& executor, const HttpRequest& request);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // The transfer a handle belongs to.
  static Transfer& of(CURL* easy);

  // Sets the options. False: it cannot be sent as it is, and the response says why.
  bool prepare();

  CURL* easy() const { return easy_.get(); }

  // Each completes the response; the first one counts.
  void finish(CURLcode result);
  void fail(HttpError error, std::string text);

  awaitable<HttpResponse> response() { return promise_.get(); }

 private:
  static std::size_t on_header(char* data, std::size_t size, std::size_t count,
                               void* self) noexcept;
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static curl_socket_t on_open_socket(void* self, curlsocktype purpose,
                                      curl_sockaddr* address) noexcept;
  static int on_connected(void* self, char* ip, char* own_ip, int port, int own_port) noexcept;

  bool set_method();
  bool set_headers();
  bool set_tls();
  bool set_destinations();
  bool add_header(const std::string& line);
  bool keep_header(std::string_view line);
  bool keep_body(std::string_view data);
  Millis elapsed() const;

  struct CloseEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  const HttpRequest& request_;
  Promise<HttpResponse> promise_;
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::unique_ptr<CURL, CloseEasy> easy_;
  std::array<char, CURL_ERROR_SIZE> curl_says_{};
  HttpResponse response_;
  std::optional<RefusedAddress> refused_;  // where it was not connected to
  std::size_t header_bytes_ = 0;
  bool head_complete_ = false, header_overflow_ = false, body_overflow_ = false;
};

}  // namespace rollwatch
