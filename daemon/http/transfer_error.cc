#include "daemon/http/transfer_error.h"

#include <memory>
#include <system_error>

#include "analysis/text.h"
#include "analysis/time.h"

namespace rollwatch {

namespace {

constexpr std::size_t kLongestText = 300;

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string url_part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return "";
  std::string copy = text;
  curl_free(text);
  return copy;
}

// curl's own words, for what has none below. They name hosts and files; that nothing secret slips
// in with a future version of it is made sure of here.
std::string words_of_curl(CURLcode result, const char* curl_says, const HttpRequest& request) {
  std::string text = *curl_says ? curl_says : curl_easy_strerror(result);
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (curl_url_set(url.get(), CURLUPART_URL, request.url.reveal().c_str(),
                   CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK) {
    for (const CURLUPart part :
         {CURLUPART_PATH, CURLUPART_QUERY, CURLUPART_USER, CURLUPART_PASSWORD}) {
      hide(text, url_part(url.get(), part));
    }
  }
  for (const auto& [name, value] : request.headers) hide(text, value.reveal());
  return cut(text, kLongestText);
}

std::string os_error(CURL* easy) {
  long number = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
  if (number == 0) return "";
  return ": " + std::generic_category().message(static_cast<int>(number));
}

std::string timeout_text(CURL* easy, const std::string& name, bool answered, Millis timeout) {
  curl_off_t connected = 0;
  curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected);
  const std::string within = " within " + format_duration(timeout);
  if (connected == 0) return "no connection to " + name + within;
  if (!answered) return "no answer from " + name + within;
  return "no complete answer from " + name + within;
}

}  // namespace

Peer peer_of(const std::string& address) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (curl_url_set(url.get(), CURLUPART_URL, address.c_str(), CURLU_NON_SUPPORT_SCHEME) !=
      CURLUE_OK) {
    return {"", "the address"};
  }
  const std::string host = url_part(url.get(), CURLUPART_HOST);
  const std::string port = url_part(url.get(), CURLUPART_PORT);
  return {
      url_part(url.get(), CURLUPART_SCHEME),
      host.empty() ? "the address" : cut(port.empty() ? host : host + ":" + port, kLongestText)};
}

TransferError transfer_error(CURL* easy, CURLcode result, bool answered, const char* curl_says,
                             const HttpRequest& request) {
  const std::string name = peer_of(request.url.reveal()).name;
  switch (result) {
    case CURLE_OPERATION_TIMEDOUT:
      return {HttpError::kTimeout, timeout_text(easy, name, answered, request.timeout)};
    case CURLE_COULDNT_RESOLVE_HOST:
      return {HttpError::kUnreachable, "the host name of " + name + " could not be resolved"};
    case CURLE_COULDNT_CONNECT:
      return {HttpError::kUnreachable, "could not connect to " + name + os_error(easy)};
    case CURLE_GOT_NOTHING:
      return {HttpError::kUnreachable, name + " closed the connection without an answer"};
    case CURLE_PARTIAL_FILE:
      return {HttpError::kUnreachable,
              name + " closed the connection before the answer was complete"};
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return {HttpError::kUnreachable, "the connection to " + name + " broke off" + os_error(easy)};
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return {HttpError::kUnreachable, name + " did not answer in HTTP"};
    case CURLE_BAD_CONTENT_ENCODING:
      return {HttpError::kUnreachable, "the compressed answer of " + name + " could not be read"};
    default:
      return {HttpError::kUnreachable, name + ": " + words_of_curl(result, curl_says, request)};
  }
}

}  // namespace rollwatch
