#include "daemon/http/stream_sender.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace rollwatch {
namespace {

using boost::system::error_code;

// A peer that does not even acknowledge for so long is gone: a machine without power, a cable that
// was pulled.
constexpr unsigned kSilentPeerMs = 60'000;
// What the kernel keeps for one client, beside the piece that is being sent.
constexpr int kSendBuffer = 256 * 1024;
// Whoever sends more than this to a stream is no reader of it.
constexpr std::size_t kMostDropped = 64 * 1024;

bool is_over(ssize_t got) {
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace

StreamSender::StreamSender(ServerStream& stream, std::shared_ptr<BodySource> source, bool in_chunks)
    : stream_(stream),
      source_(std::move(source)),
      in_chunks_(in_chunks),
      watched_(stream.socket().get_executor()) {}

awaitable<void> StreamSender::run() {
  const int fd = stream_.socket().native_handle();
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kSilentPeerMs, sizeof kSilentPeerMs);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof kSendBuffer);
  source_->cut = [this] { close(); };
  spawn(stream_.socket().get_executor(), "http stream",
        [self = shared_from_this()] { return self->watch(); });
  co_await send_all();
  source_->cut = nullptr;
  close();
  co_await watched_.get();
}

awaitable<void> StreamSender::send_all() {
  for (;;) {
    BodyPiece piece = co_await source_->next();
    const bool is_end = piece.empty();
    if (is_end && !in_chunks_) co_return;
    if (!co_await write(std::move(piece)) || is_end) co_return;
  }
}

// An empty piece is the last chunk.
awaitable<bool> StreamSender::write(BodyPiece piece) {
  std::size_t size = 0;
  for (const auto& text : piece) size += text->size();
  const std::string before = in_chunks_ ? fmt::format("{:x}\r\n", size) : "";
  const std::string after = in_chunks_ ? "\r\n" : "";
  std::vector<net::const_buffer> parts;
  parts.reserve(piece.size() + 2);
  parts.push_back(net::buffer(before));
  for (const auto& text : piece) parts.push_back(net::buffer(*text));
  parts.push_back(net::buffer(after));
  writing_ = true;
  const error_code error = co_await stream_.write(std::move(parts));
  writing_ = false;
  co_return !error;
}

// With TLS what is dropped is not even deciphered: nothing is read from this client any more.
awaitable<void> StreamSender::watch() {
  net::ip::tcp::socket& socket = stream_.socket();
  std::size_t dropped = 0;
  while (socket.is_open() && dropped <= kMostDropped) {
    error_code error;
    co_await socket.async_wait(net::ip::tcp::socket::wait_read,
                               net::redirect_error(net::use_awaitable, error));
    if (error || !socket.is_open()) break;
    std::array<char, 256> bytes{};
    const ssize_t got = ::recv(socket.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (is_over(got)) break;
    dropped += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  end();
  watched_.set(true);
}

void StreamSender::end() {
  source_->stop();
  if (writing_) close();
}

void StreamSender::close() { stream_.close(); }

}  // namespace rollwatch
