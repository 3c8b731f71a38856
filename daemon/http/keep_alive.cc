#include "daemon/http/keep_alive.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cctype>
#include <charconv>
#include <stdexcept>
#include <utility>
#include <vector>

#include "daemon/http/kept_connection.h"

namespace rollwatch {

namespace {

// Certificates may be replaced while the program runs: new connections look at them again after
// this long.
constexpr Millis kContextAge{60'000};

bool is_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port > 0 && port < 65'536;
}

// The certificates by which a server is trusted, and ours. Throws what is wrong with them.
std::shared_ptr<net::ssl::context> tls_context(const TlsOptions& tls) {
  auto context = std::make_shared<net::ssl::context>(net::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  const auto load = [](const std::string& file, const auto& read) {
    boost::system::error_code error;
    read(error);
    if (error)
      throw std::runtime_error("the certificate or key " + file +
                               " cannot be read: " + error.message());
  };
  if (tls.insecure_skip_verify) {
    context->set_verify_mode(net::ssl::verify_none);
  } else {
    context->set_verify_mode(net::ssl::verify_peer);
    if (tls.ca_file.empty())
      context->set_default_verify_paths();
    else
      load(tls.ca_file, [&](auto& error) { context->load_verify_file(tls.ca_file, error); });
  }
  if (!tls.cert_file.empty()) {
    load(tls.cert_file,
         [&](auto& error) { context->use_certificate_chain_file(tls.cert_file, error); });
    const std::string& key = tls.key_file.empty() ? tls.cert_file : tls.key_file;
    load(key,
         [&](auto& error) { context->use_private_key_file(key, net::ssl::context::pem, error); });
  }
  return context;
}

}  // namespace

std::optional<BaseUrl> read_base_url(std::string_view url) {
  BaseUrl base;
  if (url.find_first_of("@?#") != std::string_view::npos) return std::nullopt;
  if (std::any_of(url.begin(), url.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
    return std::nullopt;
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  std::string name(url.substr(0, scheme));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name != "http" && name != "https") return std::nullopt;
  base.is_tls = name == "https";
  url.remove_prefix(scheme + 3);
  const std::size_t slash = std::min(url.find('/'), url.size());
  base.path = url.substr(slash);
  while (base.path.ends_with('/')) base.path.pop_back();
  const std::string_view authority = url.substr(0, slash);
  const bool in_brackets = authority.starts_with('[');
  const std::size_t end =
      in_brackets ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (end == std::string_view::npos) return std::nullopt;
  base.host = authority.substr(in_brackets ? 1 : 0, in_brackets ? end - 1 : end);
  std::string_view rest = authority.substr(end + (in_brackets ? 1 : 0));
  base.port = base.is_tls ? "443" : "80";
  if (rest.starts_with(':'))
    base.port = rest.substr(1);
  else if (!rest.empty())
    return std::nullopt;
  if (base.host.empty() || !is_port(base.port)) return std::nullopt;
  const std::string shown = in_brackets ? "[" + base.host + "]" : base.host;
  base.name = shown + ":" + base.port;
  base.header = rest.empty() ? shown : base.name;
  return base;
}

class KeepAliveClient::Impl : public KeptConnection::Owner,
                              public std::enable_shared_from_this<Impl> {
 public:
  Impl(const net::any_io_executor& executor, Clock& clock, BaseUrl server, TlsOptions tls)
      : executor_(executor),
        clock_(clock),
        server_(std::move(server)),
        tls_(std::move(tls)),
        alarm_(executor) {}

  const BaseUrl& server() const { return server_; }

  void send(KeptRequest request) {
    const SteadyTime now = clock_.steady();
    const SteadyTime until = now + request.timeout;
    KeptConnection::Job job{std::move(request), now, until, !idle_.empty()};
    wake_at(job.until);
    if (idle_.empty()) return open(std::move(job));
    const auto connection = std::move(idle_.back());
    idle_.pop_back();
    busy_.push_back(connection);
    connection->send(std::move(job));
  }

  void stop() {
    stopped_ = true;
    alarm_.cancel();
    for (const auto& connection : std::exchange(busy_, {})) connection->forget();
    for (const auto& connection : std::exchange(idle_, {})) connection->forget();
  }

  void answered(KeptConnection& connection, bool is_open, KeptAnswer answer) override {
    auto self = connection.shared_from_this();
    const auto job = connection.take_job();
    std::erase(busy_, self);
    if (is_open) idle_.push_back(std::move(self));
    answer.duration = std::chrono::floor<Millis>(clock_.steady() - job.since);
    job.request.done(std::move(answer));
  }

  void closed_before(KeptConnection& connection) override {
    const auto self = connection.shared_from_this();
    auto job = connection.take_job();
    std::erase(busy_, self);
    job.may_repeat = false;
    open(std::move(job));
  }

  void closed_idle(KeptConnection& connection) override {
    std::erase(idle_, connection.shared_from_this());
  }

 private:
  void open(KeptConnection::Job job) {
    std::shared_ptr<net::ssl::context> context;
    try {
      context = certificates();
    } catch (const std::runtime_error& error) {
      return fail_later(std::move(job), error.what());
    }
    auto connection = KeptConnection::make(executor_, *this, server_, std::move(context),
                                           !tls_.insecure_skip_verify);
    busy_.push_back(connection);
    connection->open(std::move(job));
  }

  void fail_later(KeptConnection::Job job, std::string why) {
    net::post(executor_, [self = shared_from_this(), job = std::move(job), why = std::move(why)] {
      KeptAnswer answer;
      answer.error = HttpError::kUnreachable;
      answer.error_text = why;
      if (!self->stopped_) job.request.done(std::move(answer));
    });
  }

  std::shared_ptr<net::ssl::context> certificates() {
    if (!server_.is_tls) return nullptr;
    const SteadyTime now = clock_.steady();
    if (!context_ || now - context_since_ > kContextAge) {
      context_ = tls_context(tls_);
      context_since_ = now;
    }
    return context_;
  }

  // One timer for all that is out. Time-outs are mostly equal, so that it is seldom set.
  void wake_at(SteadyTime at) {
    if (armed_for_ && *armed_for_ <= at) return;
    armed_for_ = at;
    alarm_.expires_after(at - clock_.steady());
    alarm_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (error || !self || self->stopped_) return;
      self->armed_for_.reset();
      self->time_out();
    });
  }

  void time_out() {
    const SteadyTime now = clock_.steady();
    for (const auto& connection : std::vector(busy_)) {
      if (stopped_) return;
      if (!connection->job()) continue;  // ended by what another one's end led to
      if (connection->job()->until <= now)
        connection->time_out();
      else
        wake_at(connection->job()->until);
    }
  }

  net::any_io_executor executor_;
  Clock& clock_;
  const BaseUrl server_;
  const TlsOptions tls_;
  std::shared_ptr<net::ssl::context> context_;
  SteadyTime context_since_{};
  std::vector<std::shared_ptr<KeptConnection>> busy_, idle_;
  net::steady_timer alarm_;
  std::optional<SteadyTime> armed_for_;
  bool stopped_ = false;
};

KeepAliveClient::KeepAliveClient(const net::any_io_executor& executor, Clock& clock, BaseUrl server,
                                 TlsOptions tls)
    : impl_(std::make_shared<Impl>(executor, clock, std::move(server), std::move(tls))) {}

KeepAliveClient::~KeepAliveClient() { impl_->stop(); }

const BaseUrl& KeepAliveClient::server() const { return impl_->server(); }

void KeepAliveClient::send(KeptRequest request) { impl_->send(std::move(request)); }

}  // namespace rollwatch
