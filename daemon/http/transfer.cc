#include "daemon/http/transfer.h"

#include <algorithm>
#include <cctype>
#include <new>
#include <utility>

#include "daemon/http/transfer_error.h"

namespace rollwatch {

namespace {

constexpr std::size_t kMaxHeaders = 200;
constexpr std::size_t kMaxHeaderBytes = 64 * 1024;

bool one_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string copy(text);
  std::transform(copy.begin(), copy.end(), copy.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return copy;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

template <class T>
bool set(CURL* easy, CURLoption option, T value) {
  return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

}  // namespace

Transfer::Transfer(const net::any_io_executor& executor, const HttpRequest& request)
    : request_(request), promise_(executor), easy_(curl_easy_init()) {
  if (!easy_) throw std::bad_alloc();
}

Transfer& Transfer::of(CURL* easy) {
  char* self = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
  return *reinterpret_cast<Transfer*>(self);
}

bool Transfer::prepare() {
  const auto refuse = [this](const std::string& why) {
    fail(HttpError::kUnreachable, why);
    return false;
  };
  CURL* easy = easy_.get();
  const std::string& url = request_.url.reveal();
  const Peer peer = peer_of(url);
  if (peer.scheme.empty()) return refuse("the address is not a URL");
  if (peer.scheme != "http" && peer.scheme != "https")
    return refuse("the address must begin with http:// or https://");
  if (!one_line(url)) return refuse("the address contains a line break");
  for (const auto& [name, value] : request_.headers) {
    if (!one_line(name) || !one_line(value.reveal()))
      return refuse("a header contains a line break");
  }
  if (request_.timeout <= Millis{0}) {
    fail(HttpError::kTimeout, "no time was left to ask " + peer.name);
    return false;
  }

  const bool ready =
      set(easy, CURLOPT_PRIVATE, this) && set(easy, CURLOPT_ERRORBUFFER, curl_says_.data()) &&
      set(easy, CURLOPT_URL, url.c_str()) && set(easy, CURLOPT_PROTOCOLS_STR, "http,https") &&
      set(easy, CURLOPT_PROXY, "") && set(easy, CURLOPT_FOLLOWLOCATION, 0L) &&
      set(easy, CURLOPT_NOSIGNAL, 1L) &&
      set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1)) &&
      // A resolver that hangs is left behind instead of waited for: waiting would stop the whole
      // loop.
      set(easy, CURLOPT_QUICK_EXIT, 1L) &&
      set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request_.timeout.count())) &&
      set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request_.timeout.count())) &&
      set(easy, CURLOPT_ACCEPT_ENCODING, "gzip") && set(easy, CURLOPT_USERAGENT, "rollwatch") &&
      set(easy, CURLOPT_HEADERFUNCTION, &Transfer::on_header) &&
      set(easy, CURLOPT_HEADERDATA, this) && set(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_body) &&
      set(easy, CURLOPT_WRITEDATA, this) && set_method() && set_headers() && set_tls() &&
      set_destinations();
  return ready || refuse("libcurl does not take the request to " + peer.name);
}

bool Transfer::set_method() {
  CURL* easy = easy_.get();
  const std::string& method = request_.method;
  if (method == "HEAD") return set(easy, CURLOPT_NOBODY, 1L);
  if (method == "GET" && request_.body.empty()) return set(easy, CURLOPT_HTTPGET, 1L);
  const bool has_body =
      !request_.body.empty() || method == "POST" || method == "PUT" || method == "PATCH";
  if (has_body &&
      !(set(easy, CURLOPT_POST, 1L) &&
        set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size())) &&
        set(easy, CURLOPT_POSTFIELDS, request_.body.data()))) {
    return false;
  }
  return method == "POST" || set(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
}

bool Transfer::set_headers() {
  bool has_content_type = false;
  for (const auto& [name, value] : request_.headers) {
    has_content_type = has_content_type || lower(name) == "content-type";
    // "Name:" would take a header away; "Name;" sends it empty.
    if (!add_header(value.empty() ? name + ";" : name + ": " + value.reveal())) return false;
  }
  // Nothing that was not asked for: no waiting for "100 Continue", no form's content type.
  if (!add_header("Expect:") || (!has_content_type && !add_header("Content-Type:"))) return false;
  return set(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
}

bool Transfer::add_header(const std::string& line) {
  curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
  if (!longer) return false;
  static_cast<void>(headers_.release());
  headers_.reset(longer);
  return true;
}

bool Transfer::set_tls() {
  CURL* easy = easy_.get();
  const TlsOptions& tls = request_.tls;
  const auto file = [easy](CURLoption option, const std::string& path) {
    return path.empty() || set(easy, option, path.c_str());
  };
  const bool verify = !tls.insecure_skip_verify;
  return set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2)) &&
         file(CURLOPT_CAINFO, tls.ca_file) && file(CURLOPT_SSLCERT, tls.cert_file) &&
         file(CURLOPT_SSLKEY, tls.key_file) &&
         set(easy, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L) &&
         set(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
}

// Looked at where the socket is opened, so that what a name resolves to just then counts; and once
// more before the request goes out, for a connection may be one that another request opened.
bool Transfer::set_destinations() {
  if (!request_.allow_addresses) return true;
  CURL* easy = easy_.get();
  return set(easy, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_open_socket) &&
         set(easy, CURLOPT_OPENSOCKETDATA, this) &&
         set(easy, CURLOPT_PREREQFUNCTION, &Transfer::on_connected) &&
         set(easy, CURLOPT_PREREQDATA, this);
}

curl_socket_t Transfer::on_open_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  if (auto refused = refused_address(address->addr, *transfer.request_.allow_addresses)) {
    transfer.refused_ = std::move(refused);
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// The signature is curl's. NOLINTNEXTLINE(readability-non-const-parameter)
int Transfer::on_connected(void* self, char* ip, char*, int, int) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  if (auto refused = refused_address(ip, *transfer.request_.allow_addresses)) {
    transfer.refused_ = std::move(refused);
    return CURL_PREREQFUNC_ABORT;
  }
  return CURL_PREREQFUNC_OK;
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count,
                                void* self) noexcept {
  const std::size_t bytes = size * count;
  return static_cast<Transfer*>(self)->keep_header({data, bytes}) ? bytes : 0;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count,
                              void* self) noexcept {
  const std::size_t bytes = size * count;
  return static_cast<Transfer*>(self)->keep_body({data, bytes}) ? bytes : 0;
}

bool Transfer::keep_header(std::string_view line) {
  header_bytes_ += line.size();
  if (line.starts_with("HTTP/")) {  // after a "100 Continue" comes another
    response_.headers.clear();
    head_complete_ = false;
  }
  if (line == "\r\n" || line == "\n") head_complete_ = true;
  const auto colon = line.find(':');
  const bool is_header = colon != std::string_view::npos && !line.starts_with("HTTP/");
  if (is_header) {
    response_.headers.emplace_back(lower(trim(line.substr(0, colon))),
                                   trim(line.substr(colon + 1)));
  }
  header_overflow_ = header_bytes_ > kMaxHeaderBytes || response_.headers.size() > kMaxHeaders;
  return !header_overflow_;
}

bool Transfer::keep_body(std::string_view data) {
  const std::size_t room = request_.max_answer - response_.body.size();
  response_.body.append(data.substr(0, room));
  body_overflow_ = data.size() > room;
  return !body_overflow_;
}

Millis Transfer::elapsed() const {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_TOTAL_TIME_T, &microseconds);
  return std::chrono::floor<Millis>(std::chrono::microseconds(microseconds));
}

void Transfer::finish(CURLcode result) {
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  // A head that broke off, or only said "100 Continue", is no answer: whoever takes its status for
  // one would take an order for acknowledged. curl does not mind.
  const bool answered = head_complete_ && status >= 200;
  response_.status = answered ? static_cast<int>(status) : 0;
  response_.duration = elapsed();
  if (result == CURLE_OK && !answered) result = CURLE_PARTIAL_FILE;
  const auto name = [this] { return peer_of(request_.url.reveal()).name; };
  if (refused_ && result != CURLE_OK && !answered) {
    fail(HttpError::kUnreachable,
         "not connected to " + name() + ": its address " + refused_->address + " is " +
             std::string(refused_->what) +
             "; if that is meant, name it in allow_addresses of this target");
  } else if (header_overflow_) {
    fail(HttpError::kTooLarge, "the headers of " + name() + "'s answer are larger than " +
                                   std::to_string(kMaxHeaderBytes / 1024) + " KiB or more than " +
                                   std::to_string(kMaxHeaders));
  } else if (body_overflow_ && !request_.truncate) {
    fail(HttpError::kTooLarge, "the answer of " + name() + " is larger than " +
                                   std::to_string(request_.max_answer) + " bytes");
  } else if (result != CURLE_OK && !body_overflow_) {
    TransferError error =
        transfer_error(easy_.get(), result, answered, curl_says_.data(), request_);
    fail(error.error, std::move(error.text));
  } else {
    promise_.set(std::move(response_));
  }
}

void Transfer::fail(HttpError error, std::string text) {
  response_.error = error;
  response_.error_text = std::move(text);
  response_.body.clear();
  promise_.set(std::move(response_));
}

}  // namespace rollwatch
