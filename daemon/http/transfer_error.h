// What went wrong with a transfer, in words for the person on call: one line that names host and
// port and nothing else of the address, which may hold a password or be one.
#pragma once

#include <curl/curl.h>

#include <string>

#include "daemon/http/client.h"

namespace rollwatch {

// "host:port" of an address; "the address" if it has none. Empty scheme if it cannot be parsed.
struct Peer {
  std::string scheme;
  std::string name;
};
Peer peer_of(const std::string& address);

struct TransferError {
  HttpError error = HttpError::kUnreachable;
  std::string text;
};

// `result` is not CURLE_OK, `curl_says` is its error buffer; `answered`: the status had arrived.
TransferError transfer_error(CURL* easy, CURLcode result, bool answered, const char* curl_says,
                             const HttpRequest& request);

}  // namespace rollwatch
