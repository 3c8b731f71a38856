#include "daemon/cli/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <utility>

namespace rollwatch {
namespace {

constexpr std::size_t kLargestAnswer = std::size_t{64} << 20U;
constexpr int kTickMillis = 200;
constexpr long kLongestConnect = 10'000;  // milliseconds

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

void add_header(HeaderList& list, const std::string& line) {
  list.reset(curl_slist_append(list.release(), line.c_str()));
}

std::string url_part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return "";
  std::string copy(text);
  curl_free(text);
  return copy;
}

// Where an answer's body goes.
struct Sink {
  CURL* easy = nullptr;
  const std::function<bool(std::string_view)>* take = nullptr;  // null: it is kept
  std::string body = {};
  bool enough = false;  // who takes it wants no more
  bool heard = false;   // something came since this was last made false
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* into) {
  auto& sink = *static_cast<Sink*>(into);
  sink.heard = true;
  long status = 0;
  curl_easy_getinfo(sink.easy, CURLINFO_RESPONSE_CODE, &status);
  if (sink.take != nullptr && status / 100 == 2) {
    sink.enough = !(*sink.take)({data, size});
    return sink.enough ? 0 : size;
  }
  if (sink.body.size() + size > kLargestAnswer) return 0;
  sink.body.append(data, size);
  return size;
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20U; });
}

bool is_permanent(CURLcode code) {
  constexpr std::array kPermanent{CURLE_URL_MALFORMAT,      CURLE_UNSUPPORTED_PROTOCOL,
                                  CURLE_WRITE_ERROR,        CURLE_PEER_FAILED_VERIFICATION,
                                  CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM};
  return std::ranges::find(kPermanent, code) != kPermanent.end();
}

}  // namespace

struct HttpClient::Impl {
  Pace& pace;
  ClientOptions options;
  std::string base;  // up to and including /api/v1
  bool loopback = false;
  CURL* easy = nullptr;
  CURLM* multi = nullptr;

  explicit Impl(Pace& p) : pace(p) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
    curl_global_cleanup();
  }

  HeaderList prepare(const Request& request, Sink& sink, char* error) const;
  std::optional<CURLcode> perform(const Request& request, Sink& sink);
  TransportError failure(CURLcode code, const char* error) const;
};

HeaderList HttpClient::Impl::prepare(const Request& request, Sink& sink, char* error) const {
  HeaderList headers;
  add_header(headers, request.take ? "Accept: */*" : "Accept: application/json");
  add_header(headers, "User-Agent: rollwatch");
  add_header(headers, "Expect:");
  if (!request.body.empty()) add_header(headers, "Content-Type: application/json");
  if (!options.token.empty()) add_header(headers, "Authorization: Bearer " + options.token);
  for (const auto& [name, value] : request.headers) add_header(headers, name + ": " + value);

  curl_easy_reset(easy);
  curl_easy_setopt(easy, CURLOPT_URL, (base + request.target).c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  const long timeout = std::max<long>(1, request.timeout.count());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, std::min(timeout, kLongestConnect));
  // libcurl's own watch for silence counts bytes a second: a comment now and then is none to it.
  if (!request.take) curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &sink);
  const auto set_path = [this](CURLoption option, const std::string& path) {
    if (!path.empty()) curl_easy_setopt(easy, option, path.c_str());
  };
  set_path(CURLOPT_CAINFO, options.ca_file);
  set_path(CURLOPT_SSLCERT, options.cert_file);
  set_path(CURLOPT_SSLKEY, options.key_file);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (options.insecure) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (loopback) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  if (request.method != "GET") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  return headers;
}

// Nothing if the user interrupted.
std::optional<CURLcode> HttpClient::Impl::perform(const Request& request, Sink& sink) {
  std::optional<CURLcode> result;
  Pace::Steady heard_at = pace.steady();
  curl_multi_add_handle(multi, easy);
  for (int running = 1; pace.tick();) {
    curl_multi_perform(multi, &running);
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(multi, &left);
    if (message != nullptr && message->msg == CURLMSG_DONE) {
      result = message->data.result;
      break;
    }
    if (std::exchange(sink.heard, false)) heard_at = pace.steady();
    if (request.take && pace.steady() - heard_at > request.timeout) {
      result = CURLE_OPERATION_TIMEDOUT;
      break;
    }
    curl_multi_poll(multi, nullptr, 0, kTickMillis, nullptr);
  }
  curl_multi_remove_handle(multi, easy);
  return result;
}

TransportError HttpClient::Impl::failure(CURLcode code, const char* error) const {
  TransportError failed{.detail = *error != '\0' ? error : curl_easy_strerror(code)};
  long system_error = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &system_error);
  if (code == CURLE_COULDNT_CONNECT && system_error != 0) {
    failed.detail = std::generic_category().message(static_cast<int>(system_error));
  }
  if (code == CURLE_WRITE_ERROR) failed.detail = "the answer is too large";
  long sent_bytes = 0;
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
  failed.sent = sent_bytes > 0;
  failed.permanent = is_permanent(code);
  failed.timed_out = code == CURLE_OPERATION_TIMEDOUT;
  return failed;
}

HttpClient::HttpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpClient::~HttpClient() = default;

Expected<std::unique_ptr<HttpClient>, std::string> HttpClient::create(const ClientOptions& options,
                                                                      Pace& pace) {
  if (has_control_character(options.token)) {
    return Unexpected(std::string("the token contains a line break or another control character"));
  }
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  const bool readable =
      curl_url_set(url.get(), CURLUPART_URL, options.server.c_str(), 0) == CURLUE_OK;
  const std::string scheme = readable ? url_part(url.get(), CURLUPART_SCHEME) : "";
  if (scheme != "http" && scheme != "https") {
    return Unexpected(
        std::string("--server (or ROLLWATCH_SERVER) needs a URL such as http://127.0.0.1:9797"));
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);
  auto impl = std::make_unique<Impl>(pace);
  impl->easy = curl_easy_init();
  impl->multi = curl_multi_init();
  impl->options = options;
  const std::string host = url_part(url.get(), CURLUPART_HOST);
  impl->loopback = host == "localhost" || host == "[::1]" || host.starts_with("127.");
  impl->base = options.server.substr(0, options.server.find_last_not_of('/') + 1) + "/api/v1";
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(impl)));
}

Expected<Response, TransportError> HttpClient::send(const Request& request) {
  for (const auto& [name, value] : request.headers) {
    if (has_control_character(value)) {
      return Unexpected(
          TransportError{fmt::format("{} contains a control character", name), false, true});
    }
  }
  Response response;
  Sink sink{.easy = impl_->easy, .take = request.take ? &request.take : nullptr};
  std::array<char, CURL_ERROR_SIZE> error{};
  const HeaderList headers = impl_->prepare(request, sink, error.data());
  const std::optional<CURLcode> code = impl_->perform(request, sink);
  if (!code) return Unexpected(TransportError{"interrupted"});
  response.body = std::move(sink.body);
  if (*code != CURLE_OK && !sink.enough) return Unexpected(impl_->failure(*code, error.data()));

  long status = 0;
  curl_easy_getinfo(impl_->easy, CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  curl_header* etag = nullptr;
  if (curl_easy_header(impl_->easy, "ETag", 0, CURLH_HEADER, -1, &etag) == CURLHE_OK) {
    response.etag = etag->value;
  }
  return response;
}

}  // namespace rollwatch
