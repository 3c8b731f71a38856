// A client on an io_context that tests run by hand.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "daemon/http/client.h"
#include "test/support/run.h"

namespace rollwatch {

inline const HttpClientLibrary http_client_library;

class HttpClientTest : public ::testing::Test {
 protected:
  HttpResponse send(const HttpRequest& request) {
    return run<HttpResponse>(
        io_, [&]() -> awaitable<HttpResponse> { co_return co_await client_.send(request); });
  }

  static HttpRequest get(const std::string& url) {
    HttpRequest request;
    request.url = Secret(url);
    return request;
  }

  // Starts a request that is waited for elsewhere.
  void begin(HttpRequest request, std::optional<HttpResponse>& answer) {
    spawn(io_.get_executor(), "test",
          [this, request = std::move(request), &answer]() -> awaitable<void> {
            answer = co_await client_.send(request);
          });
  }

  net::io_context io_;
  HttpClient client_{io_.get_executor()};
};

}  // namespace rollwatch
