#include "daemon/http/client.h"

#include <csignal>
#include <unordered_set>

#include "daemon/http/curl_loop.h"
#include "daemon/http/transfer.h"

namespace rollwatch {

std::optional<std::string_view> HttpResponse::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return std::nullopt;
}

class HttpClient::Impl {
 public:
  explicit Impl(const net::any_io_executor& executor) : executor_(executor) {
    loop_.emplace(executor, [](CURL* easy, CURLcode result) { Transfer::of(easy).finish(result); });
  }

  void stop() {
    for (Transfer* transfer : transfers_) {
      loop_->remove(transfer->easy());
      transfer->fail(HttpError::kCancelled, kStopping);
    }
    transfers_.clear();
    loop_.reset();
  }

  const net::any_io_executor& executor() const { return executor_; }

  void start(Transfer& transfer) {
    if (!loop_) {
      transfer.fail(HttpError::kCancelled, kStopping);
    } else if (loop_->add(transfer.easy())) {
      transfers_.insert(&transfer);
    } else {
      transfer.fail(HttpError::kUnreachable, "libcurl does not take another transfer");
    }
  }

  // However the wait ends (an answer, cancelled, the frame destroyed), curl lets go of the transfer
  // first.
  struct Attached {
    Impl& impl;
    Transfer& transfer;
    ~Attached() {
      if (impl.transfers_.erase(&transfer) != 0) impl.loop_->remove(transfer.easy());
    }
  };

 private:
  static constexpr const char* kStopping = "given up: the program is stopping";

  net::any_io_executor executor_;
  std::optional<CurlLoop> loop_;  // none once stopped
  std::unordered_set<Transfer*> transfers_;
};

HttpClient::HttpClient(const net::any_io_executor& executor)
    : impl_(std::make_shared<Impl>(executor)) {}

HttpClient::~HttpClient() { stop(); }

awaitable<HttpResponse> HttpClient::send(HttpRequest request) {
  const std::shared_ptr<Impl> impl = impl_;
  Transfer transfer(impl->executor(), request);
  if (transfer.prepare()) impl->start(transfer);
  const Impl::Attached attached{*impl, transfer};
  co_return co_await transfer.response();
}

void HttpClient::stop() { impl_->stop(); }

HttpClientLibrary::HttpClientLibrary() {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  std::signal(SIGPIPE, SIG_IGN);
}

HttpClientLibrary::~HttpClientLibrary() { curl_global_cleanup(); }

}  // namespace rollwatch
